//! The records of the journal: runs, writes, and their states.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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
}

/// A change of one tag from `old_value` to `new_value`. `None` means that the tag is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// The outcome of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteResult {
    /// The write.
    pub position: u32,
    /// Its new state.
    pub state: WriteState,
    /// The reason if it failed or was skipped.
    pub error: Option<String>,
    /// The AWS request ID of the call.
    pub request_id: Option<String>,
}

/// A write with its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournaledWrite {
    /// The write.
    pub write: Write,
    /// Its outcome.
    pub result: WriteResult,
    /// When it ended; RFC 3339, UTC.
    pub written_at: Option<String>,
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
});
