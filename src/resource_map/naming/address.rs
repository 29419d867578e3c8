//! URLs, host names and pages of the AWS console: the resource that they are of.

use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::model::{ArnParts, Region};

/// Texts longer than this are not addresses.
const LONGEST: usize = 8_192;

/// Services with another name in console URLs than in ARNs and events.
const CONSOLE_SERVICES: [(&str, &[&str]); 22] = [
    ("apigateway", &["apigateway", "apigatewayv2"]),
    ("cloudwatch", &["cloudwatch", "monitoring", "logs", "synthetics"]),
    ("codesuite", &["codebuild", "codecommit", "codedeploy", "codepipeline", "codestar-connections"]),
    ("cognito", &["cognito-idp", "cognito-identity"]),
    ("compute-optimizer", &["compute-optimizer"]),
    ("directoryservicev2", &["ds"]),
    ("dynamodbv2", &["dynamodb"]),
    ("ec2", &["ec2", "elasticloadbalancing", "autoscaling"]),
    ("ec2autoscaling", &["autoscaling"]),
    ("eks", &["eks"]),
    ("iamv2", &["iam"]),
    ("aos", &["es"]),
    ("msk", &["kafka"]),
    ("rds", &["rds"]),
    ("redshiftv2", &["redshift"]),
    ("route53", &["route53", "route53domains"]),
    ("singlesignon", &["sso"]),
    ("stepfunctions", &["states"]),
    ("states", &["states"]),
    ("systems-manager", &["ssm"]),
    ("vpc", &["ec2"]),
    ("vpcconsole", &["ec2"]),
];

/// One address: a text that names a resource, and where the resource is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Address {
    /// An ARN, an ID or a name.
    pub(super) text: String,
    /// The service of the resource, under all its names. Empty for any.
    pub(super) services: Vec<String>,
    /// Its account.
    pub(super) account: Option<String>,
    /// Its region.
    pub(super) region: Option<String>,
    /// Whether the text is the end of an ARN.
    pub(super) is_typed: bool,
}

impl Address {
    /// A text without a place.
    pub(super) fn text(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// An ARN with empty fields for what is not known.
    fn arn(service: &str, region: &str, account: &str, resource: &str) -> Self {
        Self::text(&format!("arn::{service}:{region}:{account}:{resource}"))
    }
}

/// The text after `https://` or `http://`.
pub(crate) fn without_scheme(text: &str) -> Option<&str> {
    ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// The addresses that a text can be, in the order in which they are tried. The first is the text itself.
pub(super) fn addresses(text: &str) -> Vec<Address> {
    let mut found = vec![Address::text(text)];
    if text.len() > LONGEST {
        return found;
    }
    if let Some(arn) = ArnParts::parse(text) {
        found.extend(bucket_of_object(&arn));
    } else if let Some(rest) = text.strip_prefix("s3://") {
        found.push(Address::arn("s3", "", "", host_and_path(rest).0));
    } else if let Some(rest) = without_scheme(text) {
        let (host, path) = host_and_path(rest);
        let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
        match console_service(&host, path) {
            Some(service) => found.extend(page(service, &host, path)),
            None => found.extend(endpoint(&host, path)),
        }
        found.push(Address::text(rest.trim_end_matches('/')));
        found.push(Address::text(&host));
    } else if is_host(text) {
        let (host, path) = host_and_path(text);
        found.extend(endpoint(host.split(':').next().unwrap_or(host), path));
    }
    found
}

/// `arn:aws:s3:::bucket/key` is of an object.
fn bucket_of_object(arn: &ArnParts<'_>) -> Option<Address> {
    let (bucket, _) = arn.resource.split_once('/').filter(|_| arn.service == "s3" && arn.account.is_empty())?;
    Some(Address::text(&format!("arn:{}:s3:::{bucket}", arn.partition)))
}

/// The host, and the path after the `/`.
fn host_and_path(rest: &str) -> (&str, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    (&rest[..end], rest[end..].strip_prefix('/').unwrap_or(&rest[end..]))
}

fn is_host(text: &str) -> bool {
    let host = host_and_path(text).0;
    let host = host.split(':').next().unwrap_or(host);
    [".amazonaws.com", ".amazonaws.com.cn", ".cloudfront.net"].iter().any(|suffix| host.ends_with(suffix))
}

/// The region in a host name.
fn region_in(host: &str) -> &str {
    host.split('.').find(|label| Region::from_str(label).is_ok_and(|region| region.is_known())).unwrap_or_default()
}

/// The resource behind a service's endpoint.
fn endpoint(host: &str, path: &str) -> Vec<Address> {
    let region = region_in(host);
    let labels: Vec<&str> = host.split('.').collect();
    let first = labels.first().copied().unwrap_or_default();
    let has = |label: &str| labels.contains(&label);
    let segments: Vec<&str> = path.split(['/', '?', '#']).filter(|part| !part.is_empty()).collect();
    let arn = |service: &str, resource: String| Address::arn(service, region, "", &resource);
    if let ([account, queue, ..], true) = (&segments[..], has("sqs") || has("queue")) {
        return vec![Address::arn("sqs", region, account, queue)];
    }
    if let Some(at) = labels.iter().position(|label| *label == "s3" || label.starts_with("s3-")) {
        let bucket =
            if at > 0 { labels[..at].join(".") } else { segments.first().copied().unwrap_or_default().to_owned() };
        return vec![Address::arn("s3", "", "", &bucket)];
    }
    if let ([account, "dkr", "ecr", region, ..], [_, ..]) = (&labels[..], &segments[..]) {
        let repository = path.split(['@', ':']).next().unwrap_or(path);
        return vec![Address::arn("ecr", region, account, &format!("repository/{repository}"))];
    }
    if let (Some(pool), true) = (segments.first(), first == "cognito-idp") {
        return vec![arn("cognito-idp", format!("userpool/{pool}"))];
    }
    if has("execute-api") {
        return vec![arn("apigateway", format!("/restapis/{first}")), arn("apigateway", format!("/apis/{first}"))];
    }
    if has("elb") || has("elasticloadbalancing") {
        return load_balancer(first, region);
    }
    if has("rds") {
        return ["db", "cluster"].map(|kind| arn("rds", format!("{kind}:{first}"))).into();
    }
    if has("es") || has("aos") {
        let domain = first.strip_prefix("search-").or_else(|| first.strip_prefix("vpc-")).unwrap_or(first);
        return vec![arn("es", format!("domain/{}", domain.rsplit_once('-').map_or(domain, |(name, _)| name)))];
    }
    let services: &[&str] = match () {
        () if has("efs") => &["elasticfilesystem", "efs"],
        () if has("cache") => &["elasticache"],
        () if has("redshift") => &["redshift"],
        () if has("fsx") => &["fsx"],
        () => return Vec::new(),
    };
    let name =
        if first == "master" || first == "clustercfg" { labels.get(1).copied().unwrap_or_default() } else { first };
    let services = services.iter().map(|service| (*service).to_owned()).collect();
    vec![Address { services, region: some(region), ..Address::text(name) }]
}

/// `web-1234567890.eu-west-1.elb.amazonaws.com`, `internal-web-…`, `web-0123456789abcdef.elb.eu-west-1.amazonaws.com`
fn load_balancer(label: &str, region: &str) -> Vec<Address> {
    let label = label.strip_prefix("internal-").unwrap_or(label);
    let name = label.rsplit_once('-').map_or(label, |(name, _)| name);
    let services = vec!["elasticloadbalancing".to_owned()];
    vec![Address { services, region: some(region), ..Address::text(name) }]
}

/// The service of a page of the console.
fn console_service<'t>(host: &'t str, path: &'t str) -> Option<&'t str> {
    let console = ["console.aws.amazon.com", "console.amazonaws.cn", "console.amazonaws-us-gov.com"];
    if !console.iter().any(|console| host.ends_with(console)) {
        return None;
    }
    path.split(['/', '?', '#']).next().filter(|service| !service.is_empty())
}

/// The texts of a page's address that can name its resource: ARNs first, then the others from the last to the first.
fn page(service: &str, host: &str, path: &str) -> Vec<Address> {
    let plain = decoded(path);
    let mut tokens: Vec<String> = Vec::new();
    let mut region = some(region_in(host));
    // A `/` or `:` inside a value is encoded.
    for part in path.split(['/', '?', '#', '&', ';', '!', ',']).skip(1) {
        let value = part.rsplit_once('=').map_or(part, |(_, value)| value);
        if part.starts_with("region=") {
            region = some(value);
            continue;
        }
        let value = decoded(value);
        let value = value.rsplit_once(":instanceId=").map_or(value.as_str(), |(_, value)| value);
        if !value.is_empty() {
            tokens.push(value.to_owned());
        }
    }
    let arns = tokens.iter().rev().filter(|token| token.starts_with("arn:")).map(|arn| Address::text(arn));
    let in_text = plain.find("arn:").map(|at| plain[at..].split(['?', '&', ';']).next().unwrap_or_default());
    let in_text = in_text.map(|arn| arn.split_whitespace().next().unwrap_or_default());
    let urls = tokens.iter().rev().filter_map(|token| without_scheme(token)).flat_map(|rest| {
        let (host, path) = host_and_path(rest);
        endpoint(host, path)
    });
    let services: Vec<String> = match CONSOLE_SERVICES.iter().find(|(console, _)| *console == service) {
        Some((_, services)) => services.iter().map(|service| (*service).to_owned()).collect(),
        None => vec![service.to_owned()],
    };
    let others =
        tokens.iter().rev().flat_map(|token| [Some(token.as_str()), token.rsplit_once(':').map(|(_, end)| end)]);
    let others = others.flatten().filter(|token| !token.is_empty()).map(|token| Address {
        services: services.clone(),
        region: region.clone(),
        ..Address::text(token)
    });
    arns.chain(in_text.map(|arn| Address::text(arn.trim_end_matches('/')))).chain(urls).chain(others).collect()
}

/// The console encodes some values twice, and writes `$25` for `%`.
fn decoded(text: &str) -> String {
    let mut text = text.replace("$25", "%").replace('$', "%");
    for _ in 0..3 {
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
    }
    text
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        addresses(text).into_iter().map(|address| address.text).collect()
    }

    #[test]
    fn endpoints_name_their_resource() {
        for (text, expected) in [
            ("s3://photos", "arn::s3:::photos"),
            ("s3://photos/2024/a.jpg", "arn::s3:::photos"),
            ("arn:aws:s3:::photos/2024/a.jpg", "arn:aws:s3:::photos"),
            ("https://photos.s3.eu-west-1.amazonaws.com/a.jpg", "arn::s3:::photos"),
            ("https://my.photos.s3.amazonaws.com", "arn::s3:::my.photos"),
            ("https://s3.eu-west-1.amazonaws.com/photos/a.jpg", "arn::s3:::photos"),
            ("https://s3-eu-west-1.amazonaws.com/photos", "arn::s3:::photos"),
            ("http://photos.s3-website-eu-west-1.amazonaws.com", "arn::s3:::photos"),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/jobs", "arn::sqs:eu-west-1:123456789012:jobs"),
            ("https://eu-west-1.queue.amazonaws.com/123456789012/jobs", "arn::sqs:eu-west-1:123456789012:jobs"),
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
                "arn::ecr:eu-west-1:123456789012:repository/team/app",
            ),
            ("https://abc123.execute-api.eu-west-1.amazonaws.com/prod", "arn::apigateway:eu-west-1::/restapis/abc123"),
            ("orders.c1x2.eu-west-1.rds.amazonaws.com:5432", "arn::rds:eu-west-1::db:orders"),
            ("web-1234567890.eu-west-1.elb.amazonaws.com", "web"),
            ("internal-web-1234567890.eu-west-1.elb.amazonaws.com", "web"),
            ("fs-0123.efs.eu-west-1.amazonaws.com", "fs-0123"),
            ("https://search-logs-abc123.eu-west-1.es.amazonaws.com", "arn::es:eu-west-1::domain/logs"),
        ] {
            assert!(texts(text).iter().any(|found| found == expected), "{text}: {:?}", texts(text));
        }
        assert_eq!(texts("web"), ["web"]);
        assert_eq!(texts("prod/db"), ["prod/db"]);
    }

    #[test]
    fn pages_of_the_console_name_their_resource_first() {
        for (text, expected) in [
            (
                "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#InstanceDetails:instanceId=i-0abc",
                "i-0abc",
            ),
            ("https://s3.console.aws.amazon.com/s3/buckets/photos?region=eu-west-1&tab=objects", "photos"),
            (
                "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/resize?tab=code",
                "resize",
            ),
            ("https://us-east-1.console.aws.amazon.com/iam/home#/roles/details/web?section=permissions", "web"),
            (
                "https://us-east-1.console.aws.amazon.com/iam/home#/policies/details/arn%3Aaws%3Aiam%3A%3A1%3Apolicy%2Fread",
                "arn:aws:iam::1:policy/read",
            ),
            (
                "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Ff",
                "/aws/lambda/f",
            ),
            (
                "https://eu-west-1.console.aws.amazon.com/sqs/v3/home?region=eu-west-1#/queues/https%3A%2F%2Fsqs.eu-west-1.amazonaws.com%2F123456789012%2Fjobs",
                "arn::sqs:eu-west-1:123456789012:jobs",
            ),
            (
                "https://eu-west-1.console.aws.amazon.com/sns/v3/home?region=eu-west-1#/topic/arn:aws:sns:eu-west-1:1:alarms",
                "arn:aws:sns:eu-west-1:1:alarms",
            ),
        ] {
            assert!(texts(text).iter().any(|found| found == expected), "{text}: {:?}", texts(text));
        }
        let page =
            "https://eu-west-1.console.aws.amazon.com/rds/home?region=eu-west-1#database:id=orders;is-cluster=false";
        let orders = addresses(page).into_iter().find(|address| address.text == "orders").unwrap();
        assert_eq!((orders.services, orders.region), (vec!["rds".to_owned()], Some("eu-west-1".to_owned())));
    }
}
