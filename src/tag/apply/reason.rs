//! Why applying did not make a write. The calls return these; this is the only place that turns them into English.

use super::WriteOutcome;
use super::refusal::Refusal;
use crate::model::{ResourceType, TagKey};
use crate::plan::ShownTag;
use crate::tag::holding::Holding;

/// Why a write is not made, or not known to be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::tag) enum Reason {
    /// The resource has the value by now.
    #[error("it has the tag already; it was written meanwhile")]
    WrittenMeanwhile,
    /// Another value than expected, seen just before a call that replaces all tags.
    #[error("the tag was changed meanwhile")]
    Changed,
    /// Another value than expected.
    #[error("the tag was changed meanwhile: it has {}", now(.key, .present.as_ref()))]
    ChangedTo {
        /// The tag to write.
        key: TagKey,
        /// The tag as it is.
        present: Option<ShownTag>,
    },
    /// Another tag excludes the resource.
    #[error(transparent)]
    Holding(Holding),
    /// The resource map has no call for the write.
    #[error("the resource map defines no call that writes tags of {0}")]
    NoWriteCall(ResourceType),
    /// The resource map has no call for the removal.
    #[error("the resource map defines no call that removes a tag of {0}")]
    NoRemoveCall(ResourceType),
    /// The listed item lacks an input of the call.
    #[error("{call}: {error} on the listed item")]
    NoInput {
        /// The call.
        call: String,
        /// What is missing.
        error: String,
    },
    /// A call that replaces all tags needs the other tags.
    #[error("its other tags could not be read, and the call would remove them: {0}")]
    OtherTagsUnread(String),
    /// AWS refused both of the service's calls.
    #[error("{first}; the other call: {other}")]
    BothCalls {
        /// The first refusal.
        first: Refusal,
        /// The reason of the other call.
        other: String,
    },
    /// The Tagging API refused it, and then the service's own call.
    #[error("{why}; before that the Tagging API: {refusal}")]
    AfterTaggingApi {
        /// The reason of the service's own call.
        why: String,
        /// The first refusal.
        refusal: Refusal,
    },
    /// No attempt succeeded.
    #[error("{refusal}; same error in all {attempts} attempts")]
    EachAttempt {
        /// The last refusal.
        refusal: Refusal,
        /// The number of attempts.
        attempts: u32,
    },
    /// The call is in doubt.
    #[error(transparent)]
    InDoubt(Refusal),
    /// The call is in doubt, and so is the tag.
    #[error("{refusal}; the tag could not be read to verify the write: {why}")]
    StillInDoubt {
        /// What is known of the call.
        refusal: Refusal,
        /// Why the tag could not be read.
        why: String,
    },
    /// The run ended before the next attempt.
    #[error("to be retried: {0}")]
    ToBeRetried(Refusal),
}

/// "Owner=bob", or "no tag Owner".
fn now(key: &TagKey, present: Option<&ShownTag>) -> String {
    present.map_or_else(|| format!("no tag {key}"), ToString::to_string)
}

impl Reason {
    /// The outcome of a write that failed for this reason.
    pub(super) fn failed(&self) -> WriteOutcome {
        WriteOutcome::Failed(self.to_string())
    }

    /// The outcome of a write that was left out for this reason.
    pub(super) fn skipped(&self) -> WriteOutcome {
        WriteOutcome::Skipped(self.to_string())
    }

    /// The outcome of a write that may be made.
    pub(super) fn in_doubt(&self) -> WriteOutcome {
        WriteOutcome::InDoubt(self.to_string())
    }

    /// The outcome of a write that resuming the run makes.
    pub(super) fn unfinished(&self) -> WriteOutcome {
        WriteOutcome::Unfinished(self.to_string())
    }
}
