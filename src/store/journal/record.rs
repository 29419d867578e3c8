//! The records of the journal: runs, writes, and their states. `tag` has the life of a write.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

use crate::model::{AccountId, Arn, Region, ResourceId, ResourceType, RunId, TagKey, TagValue};
use crate::plan::SkipTag;
use crate::store::organization_runs::OrganizationRunId;

/// The kind of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// Writes owners.
    Tag,
    /// Undoes the writes of another run.
    Undo,
}

/// The state of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteState {
    /// No call was made.
    Planned,
    /// A call may have been made.
    Started,
    /// AWS accepted it.
    Written,
    /// AWS rejected it.
    Failed,
    /// The resource does not exist any longer.
    Vanished,
    /// Skipped: the tag no longer had the expected value, or the call would have changed more than tags.
    Skipped,
    /// No answer of its call was read, and the tag could not be read afterwards: AWS may have it.
    InDoubt,
}

/// A change of one tag from `old_value` to `new_value`. `None` means that the tag is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Its number in the run. A write of an undo run has the number of the write that it undoes.
    pub position: u32,
    /// The resource's type.
    pub resource_type: ResourceType,
    /// Its id.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// Its region.
    pub region: Region,
    /// The tag key.
    pub key: TagKey,
    /// The key before, where it was spelled otherwise and the type ignores case.
    pub old_key: Option<TagKey>,
    /// Further keys that count as the tag: the resource must have none of them.
    pub owner_keys: Vec<TagKey>,
    /// Tags of `--skip-tag`: the resource must have none of them.
    pub skip_tags: Vec<SkipTag>,
    /// The value before.
    pub old_value: Option<TagValue>,
    /// The value after.
    pub new_value: Option<TagValue>,
    /// The event that determined the value.
    pub event_id: Option<String>,
}

impl Write {
    /// Whether `key` is the spelling of the tag's key before or after the write.
    pub fn spells(&self, key: &str) -> bool {
        key == self.key.as_str() || self.old_key.as_ref().is_some_and(|old| old.as_str() == key)
    }
}

/// A run before its start.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its kind.
    pub kind: RunKind,
    /// The run that it undoes.
    pub undoes: Option<RunId>,
    /// The account.
    pub account: AccountId,
    /// The requested region. Some resources can be in other regions.
    pub region: Region,
    /// The tag that names the owner. Some writes can be of other tags.
    pub key: TagKey,
    /// The user or role session that writes.
    pub caller: Arn,
    /// The organization run that it belongs to.
    pub organization: Option<OrganizationRunId>,
}

/// A run with its counts.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// Its number.
    pub run_id: RunId,
    /// Its kind.
    pub kind: RunKind,
    /// The run that it undoes.
    pub undoes: Option<RunId>,
    /// The account.
    pub account_id: AccountId,
    /// The requested region.
    pub region: Region,
    /// The tag that names the owner. Some writes can be of other tags.
    pub tag_key: TagKey,
    /// The user or role session that wrote.
    pub caller_arn: Arn,
    /// The organization run that it belongs to.
    pub organization_run: Option<OrganizationRunId>,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC. `None` while writes are planned or started: the run is in progress, or was interrupted.
    pub finished_at: Option<String>,
    /// The number of writes in each state.
    pub counts: WriteCounts,
}

/// The number of writes in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WriteCounts {
    /// See [`WriteState`].
    pub planned: u32,
    /// See [`WriteState`].
    pub started: u32,
    /// See [`WriteState`].
    pub written: u32,
    /// See [`WriteState`].
    pub failed: u32,
    /// See [`WriteState`].
    pub vanished: u32,
    /// See [`WriteState`].
    pub skipped: u32,
    /// See [`WriteState`].
    pub in_doubt: u32,
}

impl WriteCounts {
    /// The writes that are still to be made or looked at when the run is resumed.
    pub fn open(&self) -> u32 {
        self.planned + self.started + self.in_doubt
    }
}

impl WriteState {
    /// Whether AWS may have made the write although the journal does not have it as written.
    pub fn may_be_made(self) -> bool {
        matches!(self, Self::Started | Self::InDoubt)
    }

    /// Whether resuming the run goes on with the write.
    pub fn is_open(self) -> bool {
        self == Self::Planned || self.may_be_made()
    }
}

/// How a write ended, or how far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteOutcome {
    /// AWS accepted it.
    Written {
        /// The AWS request ID of the call.
        request_id: Option<String>,
    },
    /// AWS refused it, or could not be reached; why.
    Failed(String),
    /// AWS accepted it, updated the resource, and undid that; why. The journal keeps it as failed.
    RolledBack(String),
    /// A call may have been made, or AWS still updates the resource; how it ends is seen when the run is resumed.
    UnderWay(String),
    /// A call was made, but neither its answer nor the tag could be read; why. Resuming the run reads the tag.
    InDoubt(String),
    /// The resource no longer exists; what AWS said.
    Vanished(String),
    /// Not done on purpose: the tag isn't what it was when the write was planned, or more than tags would change.
    Skipped(String),
    /// Not done, and can be done when the run is resumed; why, or empty if it was only not its turn.
    Unfinished(String),
}

/// A write of a run, and how far it came. Its JSON is for [`PackedList`](crate::packed_list::PackedList) only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunWrite {
    /// The write.
    pub write: Write,
    /// Its outcome so far.
    pub outcome: WriteOutcome,
    /// When the journal got the outcome; RFC 3339, UTC. `None` for a write that did not come from the journal.
    pub written_at: Option<String>,
}

impl RunWrite {
    /// A write that has just ended, before it is in the journal.
    pub fn new(write: Write, outcome: WriteOutcome) -> Self {
        Self { write, outcome, written_at: None }
    }
}

impl WriteOutcome {
    /// From the columns of the journal.
    pub(super) fn of_columns(state: WriteState, error: Option<String>, request_id: Option<String>) -> Self {
        let why = error.unwrap_or_default();
        match state {
            WriteState::Planned => Self::Unfinished(why),
            WriteState::Started => Self::UnderWay(why),
            WriteState::Written => Self::Written { request_id },
            WriteState::Failed => Self::Failed(why),
            WriteState::Vanished => Self::Vanished(why),
            WriteState::Skipped => Self::Skipped(why),
            WriteState::InDoubt => Self::InDoubt(why),
        }
    }

    /// The state in the journal.
    pub fn state(&self) -> WriteState {
        match self {
            Self::Written { .. } => WriteState::Written,
            Self::Failed(_) | Self::RolledBack(_) => WriteState::Failed,
            Self::UnderWay(_) => WriteState::Started,
            Self::Vanished(_) => WriteState::Vanished,
            Self::Skipped(_) => WriteState::Skipped,
            Self::InDoubt(_) => WriteState::InDoubt,
            Self::Unfinished(_) => WriteState::Planned,
        }
    }

    /// Why it is not written, if more is known than its state.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Written { .. } => None,
            Self::Failed(why)
            | Self::RolledBack(why)
            | Self::UnderWay(why)
            | Self::InDoubt(why)
            | Self::Vanished(why)
            | Self::Skipped(why)
            | Self::Unfinished(why) => Some(why.as_str()).filter(|why| !why.is_empty()),
        }
    }

    /// The AWS request ID of the call that wrote it.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Written { request_id } => request_id.as_deref(),
            _ => None,
        }
    }
}

/// Implements the conversion of an enum to and from its text in the database.
macro_rules! sql_text {
    ($type:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $type {
            /// The text in the database.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_str()? {
                    $($text => Ok(Self::$variant),)+
                    other => Err(FromSqlError::Other(format!("{other:?} is unknown here").into())),
                }
            }
        }
    };
}

sql_text!(RunKind { Tag = "tag", Undo = "undo" });
sql_text!(WriteState {
    Planned = "planned",
    Started = "started",
    Written = "written",
    Failed = "failed",
    Vanished = "vanished",
    Skipped = "skipped",
    InDoubt = "in-doubt",
});
