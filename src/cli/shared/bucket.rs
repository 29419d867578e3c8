//! A bucket as people write it: its name, or what they copy from a console, a policy or another command.

use crate::model::{Arn, ArnParts};

/// A bucket, and the prefix that was written with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct BucketPlace {
    /// Its name, or an access point's ARN.
    pub(in crate::cli) name: String,
    /// Empty where only the bucket was named.
    pub(in crate::cli) prefix: String,
}

const EXPECTED: &str = "a bucket's name, s3://BUCKET/PREFIX, or an ARN arn:aws:s3:::BUCKET";

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
            split(rest)
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

/// `arn:aws:s3:::bucket/prefix`; an access point's ARN takes the place of a bucket's name.
fn of_arn(arn: &str) -> Option<BucketPlace> {
    let parts = ArnParts::parse(arn)?;
    match (parts.service, parts.region, parts.account) {
        ("s3", "", "") => split(parts.resource.trim_end_matches('*')),
        (service, ..) if service.starts_with("s3") && parts.resource.starts_with("accesspoint") => {
            Some(BucketPlace { name: arn.to_owned(), prefix: String::new() })
        }
        _ => None,
    }
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
        let access_point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine";
        assert_eq!(access_point.parse::<BucketPlace>().unwrap().name, access_point);
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
        ] {
            let refused = text.parse::<BucketPlace>().unwrap_err().to_string();
            assert!(refused.ends_with(EXPECTED), "{text}: {refused}");
        }
    }
}
