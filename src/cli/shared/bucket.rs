//! A bucket as people write it: its name, or what they copy from a console, a policy or another command.

use crate::model::{AccountId, Arn, ArnParts};

/// A bucket, and the prefix that was written with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct BucketPlace {
    /// Its name, or an access point's ARN.
    pub(in crate::cli) name: String,
    /// Empty where only the bucket was named.
    pub(in crate::cli) prefix: String,
}

const EXPECTED: &str =
    "a bucket's name, s3://BUCKET/PREFIX, an ARN arn:aws:s3:::BUCKET, or the ARN of an access point in one region";

/// A text that names no bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not {EXPECTED}")]
pub(in crate::cli) struct InvalidBucket(String);

/// How an S3 host begins, after the bucket where that is in the host.
const HOSTS: [&str; 2] = ["s3.", "s3-"];

impl std::str::FromStr for BucketPlace {
    type Err = InvalidBucket;

    fn from_str(text: &str) -> Result<Self, InvalidBucket> {
        let place = if let Some(rest) = strip_prefix(text, "s3://") {
            if Arn::is_arn(rest) { of_access_point(rest, "") } else { split(rest) }
        } else if Arn::is_arn(text) {
            of_arn(text)
        } else if let Some(rest) = strip_prefix(text, "https://").or_else(|| strip_prefix(text, "http://")) {
            of_url(rest)
        } else {
            split(text)
        };
        place.ok_or_else(|| InvalidBucket(text.to_owned()))
    }
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix))?;
    text.strip_prefix(start)
}

/// `bucket/a/prefix`
fn split(text: &str) -> Option<BucketPlace> {
    let (name, prefix) = text.split_once('/').unwrap_or((text, ""));
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let well_formed = !name.is_empty() && name.bytes().all(is_allowed);
    well_formed.then(|| BucketPlace { name: name.to_owned(), prefix: prefix.trim_start_matches('/').to_owned() })
}

/// `arn:aws:s3:::bucket/prefix`, or the ARN of an access point.
fn of_arn(arn: &str) -> Option<BucketPlace> {
    let parts = ArnParts::parse(arn)?;
    match (parts.service, parts.region, parts.account) {
        ("s3", "", "") => split(parts.resource.trim_end_matches('*')),
        _ => of_access_point(arn, "object/"),
    }
}

/// `arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`, which takes the place of a bucket's name, with a prefix after `separator`: policies
/// write it after `object/`. A Multi-Region Access Point has no region: it takes another kind of signature.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html>
fn of_access_point(arn: &str, separator: &str) -> Option<BucketPlace> {
    const KIND: &str = "accesspoint";
    let parts = ArnParts::parse(arn)?;
    let is_regional = !parts.region.is_empty() && AccountId::parse(parts.account).is_ok();
    let rest = parts.resource.strip_prefix(KIND)?.strip_prefix(['/', ':'])?;
    if !is_regional || !matches!(parts.service, "s3" | "s3-object-lambda") {
        return None;
    }
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.strip_prefix(separator).unwrap_or(prefix).trim_end_matches('*').trim_start_matches('/');
    let ArnParts { partition, service, region, account, .. } = parts;
    let name = split(name)?.name;
    let name = format!("arn:{partition}:{service}:{region}:{account}:{KIND}/{name}");
    Some(BucketPlace { name, prefix: prefix.to_owned() })
}

/// `bucket.s3.region.amazonaws.com/prefix`, `s3.region.amazonaws.com/bucket/prefix`, or the console's page of a bucket.
fn of_url(rest: &str) -> Option<BucketPlace> {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if let Some(bucket) = path.strip_prefix("s3/buckets/").filter(|_| host.contains("console.")) {
        let prefix = query.split('&').find_map(|part| part.strip_prefix("prefix=")).unwrap_or_default();
        let prefix = percent_encoding::percent_decode_str(prefix).decode_utf8().ok()?;
        return Some(BucketPlace { prefix: prefix.into_owned(), ..split(bucket.trim_end_matches('/'))? });
    }
    let is_s3 = |host: &str| HOSTS.iter().any(|start| host.starts_with(start)) && host.contains("amazonaws.com");
    if is_s3(host) {
        return split(path);
    }
    let (at, _) = host.match_indices('.').find(|(at, _)| is_s3(&host[at + 1..]))?;
    split(&format!("{}/{path}", &host[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_understood_however_it_was_copied() {
        for (text, name, prefix) in [
            ("my-trail", "my-trail", ""),
            ("my-trail/", "my-trail", ""),
            ("s3://my-trail", "my-trail", ""),
            ("s3://my-trail/", "my-trail", ""),
            ("S3://my-trail/a/b/", "my-trail", "a/b/"),
            ("my-trail/a", "my-trail", "a"),
            ("arn:aws:s3:::my-trail", "my-trail", ""),
            ("arn:aws-cn:s3:::my-trail/*", "my-trail", ""),
            ("arn:aws:s3:::my-trail/a/b", "my-trail", "a/b"),
            ("https://my-trail.s3.eu-west-1.amazonaws.com/a/", "my-trail", "a/"),
            ("https://my.trail.s3.amazonaws.com", "my.trail", ""),
            ("https://s3.eu-west-1.amazonaws.com/my-trail/a", "my-trail", "a"),
            ("https://s3-eu-west-1.amazonaws.com/my-trail", "my-trail", ""),
            (
                "https://eu-west-1.console.aws.amazon.com/s3/buckets/my-trail?region=eu-west-1&prefix=a%2Fb/",
                "my-trail",
                "a/b/",
            ),
        ] {
            let wanted = BucketPlace { name: name.to_owned(), prefix: prefix.to_owned() };
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn access_points_take_the_place_of_buckets() {
        let access_point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine";
        for (text, prefix) in [
            (access_point.to_owned(), ""),
            ("arn:aws:s3:eu-west-1:123456789012:accesspoint:mine".to_owned(), ""),
            (format!("{access_point}/object/a/b/*"), "a/b/"),
            (format!("s3://{access_point}"), ""),
            (format!("s3://{access_point}/"), ""),
            (format!("s3://{access_point}/object/a"), "object/a"),
        ] {
            let wanted = BucketPlace { name: access_point.to_owned(), prefix: prefix.to_owned() };
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        }
        let transformed = "arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/mine";
        assert_eq!(transformed.parse::<BucketPlace>().unwrap().name, transformed);
    }

    #[test]
    fn what_is_no_bucket_is_refused_with_what_to_write() {
        for text in [
            "",
            "/",
            "s3://",
            "s3:///a",
            "arn:aws:sqs:eu-west-1:123456789012:queue",
            "https://example.com/x",
            "a bucket",
            "gs://x",
            "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap",
            "s3://arn:aws:s3:eu-west-1:123456789012:bucket/a",
            "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/mine",
        ] {
            let refused = text.parse::<BucketPlace>().unwrap_err().to_string();
            assert!(refused.ends_with(EXPECTED), "{text}: {refused}");
        }
    }
}
