//! What refused an object or a listing, and what to do about it: S3 answers 403 for the object, its KMS key and the bucket alike.
//!
//! Sources: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use crate::aws::{CallError, ErrorClass};

/// The code of a GET of an archived object.
pub(super) const ARCHIVED: &str = "InvalidObjectState";

/// Part of the message of a GET without the key of an object that is encrypted with its owner's key. The code, InvalidRequest, has
/// other meanings too.
const CUSTOMER_KEY: &str = "stored using a form of Server Side Encryption";

/// The code of HeadObject for the same: the answer has no text.
const BAD_HEAD: &str = "HTTP 400";

const OF_CUSTOMER_KEY: &str = "encrypted with a customer-provided key (SSE-C), which this command does not take: copy it with SSE-S3 or \
                               SSE-KMS encryption, or download it with its key and load it with load-files";

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Object,
    Bucket,
}

/// The policies that AWS's messages name, and what they belong to.
const POLICIES: [(&str, &str); 8] = [
    ("resource-based policy", "the bucket's policy"),
    ("identity-based policy", "the policies of the user or role in use"),
    ("permissions boundary", "the permissions boundary of the user or role in use"),
    ("session policy", "the session policy of the role in use"),
    ("service control policy", "a service control policy of the organization"),
    ("resource control policy", "a resource control policy of the organization"),
    ("VPC endpoint policy", "the policy of the VPC endpoint"),
    ("access point policy", "the policy of the access point"),
];

/// What refused a request, and what to do about it. `None` if S3 did not refuse it, or for a reason that its message explains.
/// `pays`: whether the request had the header for Requester Pays buckets.
pub(super) fn explain(error: &CallError, target: Target, pays: bool) -> Option<String> {
    if error.message.contains(CUSTOMER_KEY) {
        return Some(format!("it is {OF_CUSTOMER_KEY}"));
    }
    if error.code == BAD_HEAD && target == Target::Object {
        return Some(format!("it may be {OF_CUSTOMER_KEY}"));
    }
    if is_of_key(error) {
        return Some(of_key(error));
    }
    if error.class != ErrorClass::AccessDenied || error.code == ARCHIVED {
        return None;
    }
    let action = &error.operation;
    let payer = if pays { "" } else { "; if the bucket is a Requester Pays bucket, add --request-payer" };
    let policy = POLICIES.iter().find(|(name, _)| error.message.contains(name));
    Some(match (policy, target) {
        (Some((_, owner)), _) if error.message.contains("explicit deny") => {
            format!("refused by {owner}, which denies {action}")
        }
        (Some((_, owner)), _) => format!("refused by {owner}: allow {action} to the user or role in use"),
        (None, Target::Object) => format!(
            "refused by the object: allow {action} to the user or role in use, in its policies and in the bucket's policy; an object \
             that another account owns needs a permission of that account{payer}"
        ),
        (None, Target::Bucket) => format!(
            "refused by the bucket: allow {action} to the user or role in use, in its policies and, from another account, in the \
             bucket's policy{payer}"
        ),
    })
}

fn is_of_key(error: &CallError) -> bool {
    const IN_MESSAGE: [&str; 3] = ["kms:", "KMS key", "customer master key"];
    let is_named = IN_MESSAGE.iter().any(|part| error.message.contains(part));
    error.code.starts_with("KMS") || error.class == ErrorClass::AccessDenied && is_named
}

fn of_key(error: &CallError) -> String {
    if error.code.starts_with("KMS") {
        return "refused by the KMS key that encrypts the object: check that it exists, is enabled and is not pending deletion"
            .to_owned();
    }
    let key = error.message.split_whitespace().find(|word| word.starts_with("arn:") && word.contains(":kms:"));
    let key = key.map(|key| format!(" {}", key.trim_matches(['"', '.', ',']))).unwrap_or_default();
    format!(
        "refused by the KMS key{key} that encrypts the object: allow kms:Decrypt to the user or role in use, in its policies and in \
         the key's policy"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Region;

    fn explained(code: &str, status: u16, message: &str, target: Target) -> Option<String> {
        let class = ErrorClass::of_answer(code, status);
        let action = if target == Target::Object { "s3:GetObject" } else { "s3:ListBucket" };
        let bare = CallError::bare(action, &Region::from("eu-west-1"), class, code);
        explain(&CallError { message: message.to_owned(), ..bare }, target, false)
    }

    #[test]
    fn refusal_names_object_key_bucket_or_policy() {
        let user = "User: arn:aws:sts::111122223333:assumed-role/a/b is not authorized to perform:";
        let object = "on resource: \"arn:aws:s3:::trail/a.json.gz\"";
        let key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        for (code, status, message, target, expected) in [
            ("AccessDenied", 403, "Access Denied", Target::Object, "refused by the object: allow s3:GetObject"),
            ("AccessDenied", 403, "Access Denied", Target::Bucket, "refused by the bucket: allow s3:ListBucket"),
            ("HTTP 403", 403, "AWS gave no message", Target::Bucket, "refused by the bucket: allow s3:ListBucket"),
            (
                "AccessDenied",
                403,
                "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are \
                 not allowed to access.",
                Target::Object,
                "refused by the KMS key that encrypts the object: allow kms:Decrypt",
            ),
            (
                "AccessDenied",
                403,
                &format!(
                    "{user} kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt action"
                ),
                Target::Object,
                &format!("refused by the KMS key {key} that encrypts the object: allow kms:Decrypt"),
            ),
            ("KMS.DisabledException", 400, "the key is disabled.", Target::Object, "check that it exists, is enabled"),
            (
                "AccessDenied",
                403,
                &format!(
                    "{user} s3:GetObject {object} because no identity-based policy allows the s3:GetObject action"
                ),
                Target::Object,
                "refused by the policies of the user or role in use: allow s3:GetObject",
            ),
            (
                "AccessDenied",
                403,
                &format!("{user} s3:GetObject {object} with an explicit deny in a resource-based policy"),
                Target::Object,
                "refused by the bucket's policy, which denies s3:GetObject",
            ),
            (
                "InvalidRequest",
                400,
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
                 retrieve the object.",
                Target::Object,
                "customer-provided key (SSE-C)",
            ),
        ] {
            let explained = explained(code, status, message, target).unwrap_or_default();
            assert!(explained.contains(expected), "{code} {message}: {explained}");
        }
        assert!(explained("AccessDenied", 403, "Access Denied", Target::Object).unwrap().contains("--request-payer"));
    }

    #[test]
    fn other_errors_have_no_refusal() {
        for (code, status, message) in [
            ("InvalidObjectState", 403, "The operation is not valid for the object's storage class"),
            ("NoSuchKey", 404, "The specified key does not exist."),
            ("InvalidRequest", 400, "Missing required header"),
            ("SlowDown", 503, "Please reduce your request rate."),
        ] {
            assert_eq!(explained(code, status, message, Target::Object), None, "{code}");
        }
    }
}
