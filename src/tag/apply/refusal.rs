//! Why AWS did not write a tag, in one form for a failed call and for one ARN of a call that went well.

use super::Outcome;
use crate::aws::{CallError, ErrorClass};

/// A write that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tag) struct Refusal {
    pub(super) class: ErrorClass,
    /// What AWS said, and about which call.
    pub(super) text: String,
}

impl Refusal {
    /// From what the Tagging API says of one ARN.
    ///
    /// Source: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_FailureInfo.html>
    pub(super) fn of_arn(code: &str, message: &str) -> Self {
        // The code alone decides: the status that comes with it is sometimes 404 for what is only unsupported.
        let status = if code == "InternalServiceException" { 500 } else { 400 };
        let class = if is_missing(code, message) { ErrorClass::NotFound } else { ErrorClass::of_answer(code, status) };
        Self { class, text: format!("{code}: {message}") }
    }

    /// From a failed call.
    pub(super) fn of_call(error: &CallError) -> Self {
        let class = if is_missing(&error.code, &error.message) { ErrorClass::NotFound } else { error.class };
        let advice = match (class, error.hint()) {
            (ErrorClass::NotFound, _) | (_, None) => String::new(),
            (_, Some(hint)) => format!(" ({hint})"),
        };
        Self { class, text: format!("{error}{advice}") }
    }

    /// The end of a write that has no other way.
    pub(super) fn outcome(self) -> Outcome {
        match self.class {
            ErrorClass::NotFound => Outcome::Vanished(self.text),
            ErrorClass::Credentials => Outcome::Unfinished(self.text),
            _ => Outcome::Failed(self.text),
        }
    }

    /// Whether one resource of many may have caused it, so that the others' calls can go well.
    pub(super) fn may_be_of_one(&self) -> bool {
        matches!(self.class, ErrorClass::Refused | ErrorClass::NotFound | ErrorClass::Server | ErrorClass::BadAnswer)
    }
}

/// Whether AWS says in words, under a general code, that the resource isn't there (CloudFormation's `ValidationError`).
/// Codes of their own are told by their class.
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
    fn what_is_gone_is_told_from_what_is_refused() {
        let class = |code, message| Refusal::of_arn(code, message).class;
        assert_eq!(class("ResourceNotFoundException", ""), ErrorClass::NotFound);
        assert_eq!(class("AWS.SimpleQueueService.NonExistentQueue", ""), ErrorClass::NotFound);
        assert_eq!(class("NoSuchEntity", ""), ErrorClass::NotFound);
        assert_eq!(class("ValidationError", "Stack with id x does not exist"), ErrorClass::NotFound);
        assert_eq!(class("InvalidParameterException", "the tag key is not allowed"), ErrorClass::Refused);
        assert_eq!(class("InternalServiceException", "Service not yet supported"), ErrorClass::Server);
        assert_eq!(class("ThrottlingException", "slow down"), ErrorClass::Throttled);
        assert_eq!(class("AccessDeniedException", "not authorized"), ErrorClass::AccessDenied);
    }
}
