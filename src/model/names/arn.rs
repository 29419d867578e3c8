//! The parts of an ARN: `arn:partition:service:region:account:resource`.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

use super::Arn;

/// How every ARN begins.
const START: &str = "arn:";
/// The parts of an ARN, `arn` included. The resource can have further colons.
const PARTS: usize = 6;

/// A parsed ARN. Global services leave `region` empty, S3's buckets also `account`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArnParts<'a> {
    /// `aws`, `aws-cn`…
    pub partition: &'a str,
    /// `ec2`, `iam`…: the name in ARNs, which differs from the event source for some services.
    pub service: &'a str,
    /// Empty for global services.
    pub region: &'a str,
    /// 12 digits, or empty.
    pub account: &'a str,
    /// `role/a/b`, `function:f:1`, `my-bucket`.
    pub resource: &'a str,
}

impl<'a> ArnParts<'a> {
    /// The parts of a text that is an ARN.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(PARTS, ':').skip(1);
        let (partition, service) = (Arn::is_arn(text).then(|| parts.next())??, parts.next()?);
        Some(Self { partition, service, region: parts.next()?, account: parts.next()?, resource: parts.next()? })
    }

    /// What the resource part begins with: `role` of `role/a/b`. Empty where the service's ARNs have only a name.
    pub fn kind(&self) -> &'a str {
        self.resource.split_once(['/', ':']).map_or("", |(kind, _)| kind)
    }

    /// The resource without its kind: `a/b` of `role/a/b`.
    pub fn name(&self) -> &'a str {
        self.resource.split_once(['/', ':']).map_or(self.resource, |(_, name)| name)
    }
}

impl Arn {
    /// Whether a text claims to be an ARN, complete or not.
    pub fn is_arn(text: &str) -> bool {
        text.starts_with(START)
    }

    /// Its parts. `None` if the text is not a complete ARN.
    pub fn parts(&self) -> Option<ArnParts<'_>> {
        ArnParts::parse(self.as_str())
    }

    /// The part after the last `/`, else after the last `:`: `arn:aws:iam::1:role/a/b` → `b`.
    pub fn last_segment(&self) -> &str {
        self.as_str().rsplit(['/', ':']).next().unwrap_or(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_split_at_its_first_five_colons() {
        let arn = ArnParts::parse("arn:aws-cn:lambda:cn-north-1:123456789012:function:f:1").unwrap();
        assert_eq!((arn.partition, arn.service, arn.region), ("aws-cn", "lambda", "cn-north-1"));
        assert_eq!((arn.account, arn.kind(), arn.name()), ("123456789012", "function", "f:1"));
        let topic = ArnParts::parse("arn:aws:sns:eu-west-1:123456789012:topic").unwrap();
        assert_eq!((topic.kind(), topic.name()), ("", "topic"));
        let bucket = ArnParts::parse("arn:aws:s3:::photos/2024").unwrap();
        assert_eq!((bucket.region, bucket.account, bucket.resource), ("", "", "photos/2024"));
    }

    #[test]
    fn a_text_with_too_few_parts_or_another_start_is_no_arn() {
        for text in ["", "arn:", "arn:aws:s3::photos", "urn:aws:s3:::photos", "xarn:aws:s3:::photos"] {
            assert_eq!(ArnParts::parse(text), None, "{text}");
        }
        assert!(Arn::is_arn("arn:aws") && !Arn::is_arn("urn:aws"));
    }
}
