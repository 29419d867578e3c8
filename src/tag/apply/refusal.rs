//! Why AWS did not write a tag, in one form for a failed call and for one ARN of a call that went well.

use std::fmt;

use super::{Attempt, WriteOutcome};
use crate::aws::{CallError, ErrorClass};
use crate::model::Region;

/// HTTP's status of a conflict.
const CONFLICT: u16 = 409;

/// A write that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(super) class: ErrorClass,
    /// AWS's error, with the call.
    error: String,
    /// What to do about it.
    advice: Option<String>,
    /// Whether the tag was read since then, and is not written.
    is_not_written: bool,
    /// Whether AWS may have written the tag all the same.
    pub(super) in_doubt: bool,
}

impl Refusal {
    /// From what the Tagging API says of one ARN: code, HTTP status and message.
    ///
    /// Source: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_FailureInfo.html>
    pub(super) fn of_arn(code: &str, status: u16, message: &str) -> Self {
        let status = match code {
            // Conflicts are known by their status too; otherwise the code alone decides: what is only unsupported has 404.
            _ if status == CONFLICT => CONFLICT,
            "InternalServiceException" => 500,
            _ => 400,
        };
        let class = if is_missing(code, message) { ErrorClass::NotFound } else { ErrorClass::of_answer(code, status) };
        let error = CallError {
            message: message.to_owned(),
            ..CallError::bare("tag:TagResources", &Region::from(""), class, code)
        };
        let in_doubt = class == ErrorClass::Server;
        let advice = error.settled_hint();
        Self { class, error: format!("{code}: {message}"), advice, is_not_written: false, in_doubt }
    }

    /// From a failed call.
    pub(super) fn of_call(error: &CallError) -> Self {
        let class = if is_missing(&error.code, &error.message) { ErrorClass::NotFound } else { error.class };
        let advice = error.hint().filter(|_| class != ErrorClass::NotFound);
        Self { class, error: error.to_string(), advice, is_not_written: false, in_doubt: error.in_doubt }
    }

    /// From another change of the resource that was seen before any call.
    pub(super) fn of_conflict(error: &str) -> Self {
        let (class, error) = (ErrorClass::Conflict, error.to_owned());
        Self { class, error, advice: None, is_not_written: false, in_doubt: false }
    }

    /// The same, once the tag was read and is not written.
    pub(super) fn not_written(self) -> Self {
        Self { is_not_written: true, ..self }
    }

    /// The attempt at a write that no other call can make.
    pub(super) fn attempt(self) -> Attempt {
        match self.class {
            _ if self.in_doubt => Attempt::InDoubt(self),
            ErrorClass::NotFound => WriteOutcome::Vanished(self.to_string()).into(),
            ErrorClass::Credentials => WriteOutcome::Unfinished(self.to_string()).into(),
            ErrorClass::Conflict => Attempt::Passing(self),
            _ => WriteOutcome::Failed(self.to_string()).into(),
        }
    }

    /// Whether one resource of many may have caused it, so that the others' calls can go well.
    pub(super) fn may_be_of_one(&self) -> bool {
        !self.in_doubt
            && matches!(
                self.class,
                ErrorClass::Refused | ErrorClass::NotFound | ErrorClass::Server | ErrorClass::Conflict
            )
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    /// AWS's error and the advice: "tag:TagResources in eu-west-1: … (wait until …)".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.error)?;
        if let Some(advice) = &self.advice {
            write!(formatter, " ({advice})")?;
        }
        if self.is_not_written { formatter.write_str("; the tag is not written") } else { Ok(()) }
    }
}

/// Whether AWS says in words, under a general code, that the resource isn't there (CloudFormation's `ValidationError`).
/// Codes that no list covers are classified by their error class.
fn is_missing(code: &str, message: &str) -> bool {
    const GENERAL: [&str; 5] =
        ["ValidationError", "ValidationException", "InvalidParameterException", "InvalidParameterValue", "InvalidArn"];
    const WORDS: [&str; 3] = ["does not exist", "doesn't exist", "not found"];
    let message = message.to_ascii_lowercase();
    GENERAL.contains(&code) && WORDS.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_resources_and_refused_writes_are_different_outcomes() {
        let class = |code, message| Refusal::of_arn(code, 400, message).class;
        assert_eq!(class("ResourceNotFoundException", ""), ErrorClass::NotFound);
        assert_eq!(class("AWS.SimpleQueueService.NonExistentQueue", ""), ErrorClass::NotFound);
        assert_eq!(class("NoSuchEntity", ""), ErrorClass::NotFound);
        assert_eq!(class("ValidationError", "Stack with id x does not exist"), ErrorClass::NotFound);
        assert_eq!(class("InvalidParameterException", "the tag key is not allowed"), ErrorClass::Refused);
        assert_eq!(class("InternalServiceException", "Service not yet supported"), ErrorClass::Server);
        assert_eq!(class("ThrottlingException", "slow down"), ErrorClass::Throttled);
        assert_eq!(class("AccessDeniedException", "not authorized"), ErrorClass::AccessDenied);
    }
    #[test]
    fn an_entry_of_the_tagging_api_is_a_conflict_by_its_code_or_its_status() {
        let class = |code, status| Refusal::of_arn(code, status, "busy").class;
        assert_eq!(class("ConcurrentModificationException", 400), ErrorClass::Conflict);
        assert_eq!(class("InvalidParameterException", 409), ErrorClass::Conflict);
        assert_eq!(class("InternalServiceException", 404), ErrorClass::Server);
    }

    #[test]
    fn a_refusal_by_a_tag_policy_carries_its_hint_in_entries_and_calls() {
        let message = "The tag policy does not allow the specified value for the following tag key: 'Owner'.";
        let entry = Refusal::of_arn("InvalidParameterException", 400, message).to_string();
        let bare =
            CallError::bare("ec2:CreateTags", &Region::from("eu-west-1"), ErrorClass::Refused, "TagPolicyViolation");
        let call = Refusal::of_call(&bare).to_string();
        for text in [entry, call] {
            assert!(text.contains("describe-effective-policy --policy-type TAG_POLICY"), "{text}");
        }
    }
}
