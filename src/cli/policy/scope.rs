//! The resources that a policy is limited to.

use std::str::FromStr;

use crate::cli::bucket::BucketPlace;
use crate::load::logs::{Group, InvalidGroup};
use crate::model::{Arn, ArnParts};
use crate::policy::Scope;

/// The partition of names: with an ARN, its own.
const PARTITION: &str = "aws";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Resources")]
pub(super) struct ScopeArgs {
    /// Allow reading this bucket of a trail only (load-s3, count, watch and hub); repeatable
    #[arg(long, value_delimiter = ',', value_parser = bucket)]
    bucket: Vec<String>,
    /// Allow following this queue only (watch and hub); repeatable
    #[arg(long, value_name = "URL", value_delimiter = ',', value_parser = queue)]
    queue: Vec<String>,
    /// Allow reading this log group only (load-logs); repeatable
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = log_group)]
    log_group: Vec<String>,
    /// Allow using this KMS key only [default: all keys, through S3 and SQS only]; repeatable
    #[arg(long, value_name = "ARN", value_delimiter = ',', value_parser = kms_key)]
    kms_key: Vec<String>,
    /// Name or ARN of the role in each account that the hub role may assume (hub); repeatable
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = role)]
    role: Vec<String>,
}

impl ScopeArgs {
    /// The scope. Without a role, the hub's own role is that of `policy member`.
    pub(super) fn scope(&self) -> Scope {
        let roles = if self.role.is_empty() { vec![role_of_name("trailcreator")] } else { self.role.clone() };
        Scope {
            buckets: self.bucket.clone(),
            queues: self.queue.clone(),
            log_groups: self.log_group.clone(),
            kms_keys: self.kms_key.clone(),
            roles,
        }
    }
}

/// The ARN of a bucket.
fn bucket(text: &str) -> Result<String, <BucketPlace as FromStr>::Err> {
    let BucketPlace { name, .. } = text.parse()?;
    let partition = ArnParts::parse(text).map_or(PARTITION, |arn| arn.partition);
    Ok(if Arn::is_arn(&name) { name } else { format!("arn:{partition}:s3:::{name}") })
}

/// The ARN of a queue, from its ARN or URL.
fn queue(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "not the URL or the ARN of an SQS queue";
    if let Some(arn) = ArnParts::parse(text) {
        return if arn.service == "sqs" { Ok(text.to_owned()) } else { Err(EXPECTED) };
    }
    let (host, path) = text.strip_prefix("https://").and_then(|rest| rest.split_once('/')).ok_or(EXPECTED)?;
    let (account, name) = path.split_once('/').ok_or(EXPECTED)?;
    let region = host.strip_prefix("sqs.").and_then(|rest| rest.split_once('.')).ok_or(EXPECTED)?.0;
    let partition = match region.split_once('-') {
        Some(("cn", _)) => "aws-cn",
        Some(("us", rest)) if rest.starts_with("gov-") => "aws-us-gov",
        _ => PARTITION,
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !is_account || name.is_empty() || name.contains('/') {
        return Err(EXPECTED);
    }
    Ok(format!("arn:{partition}:sqs:{region}:{account}:{name}"))
}

/// The ARN of a log group; of a name, in all regions and accounts.
fn log_group(text: &str) -> Result<String, InvalidGroup> {
    let group: Group = text.parse()?;
    if Arn::is_arn(text) {
        return Ok(text.trim_end_matches(":*").to_owned());
    }
    Ok(format!("arn:{PARTITION}:logs:*:*:log-group:{}", group.name))
}

fn kms_key(text: &str) -> Result<String, &'static str> {
    match ArnParts::parse(text) {
        Some(arn) if arn.service == "kms" && arn.resource.starts_with("key/") => Ok(text.to_owned()),
        // A policy with an alias's ARN does not match the key.
        _ => Err("not the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID"),
    }
}

/// The ARN of a role; of a name, in all accounts.
fn role(text: &str) -> Result<String, &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@/-".contains(&byte);
    match ArnParts::parse(text) {
        Some(arn) if arn.service == "iam" && arn.resource.starts_with("role/") => Ok(text.to_owned()),
        None if !text.is_empty() && text.bytes().all(is_allowed) => Ok(role_of_name(text)),
        _ => Err("not the name or the ARN of a role"),
    }
}

fn role_of_name(name: &str) -> String {
    format!("arn:{PARTITION}:iam::*:role/{}", name.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_as_people_write_them() {
        for text in ["trail", "s3://trail/AWSLogs", "arn:aws:s3:::trail/AWSLogs/*"] {
            assert_eq!(bucket(text).as_deref(), Ok("arn:aws:s3:::trail"), "{text}");
        }
        assert_eq!(bucket("arn:aws-cn:s3:::trail").as_deref(), Ok("arn:aws-cn:s3:::trail"));
        for (url, arn) in [
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/q", "arn:aws:sqs:eu-west-1:111122223333:q"),
            ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", "arn:aws-cn:sqs:cn-north-1:111122223333:q"),
            ("arn:aws:sqs:eu-west-1:111122223333:q", "arn:aws:sqs:eu-west-1:111122223333:q"),
        ] {
            assert_eq!(queue(url), Ok(arn.to_owned()));
        }
        assert!(["q", "https://example.com/q", "arn:aws:sns:r:1:q"].iter().all(|text| queue(text).is_err()));
        assert_eq!(log_group("trail").as_deref(), Ok("arn:aws:logs:*:*:log-group:trail"));
        let arn = "arn:aws:logs:eu-west-1:111122223333:log-group:trail";
        assert_eq!(log_group(&format!("{arn}:*")).as_deref(), Ok(arn));
        assert!(kms_key("alias/trail").is_err() && kms_key("arn:aws:kms:r:1:alias/trail").is_err());
        assert_eq!(role("ops/tagger"), Ok("arn:aws:iam::*:role/ops/tagger".to_owned()));
        assert!(role("arn:aws:iam::1:user/x").is_err() && role("a b").is_err());
    }
}
