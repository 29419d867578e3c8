//! What the journal holds: runs, writes, and how far they are.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;

use crate::names::{AccountId, Arn, Region, ResourceId, ResourceType, TagKey, TagValue};
use crate::store::organization_runs::OrganizationRunId;

/// A run's number, as `runs` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

impl std::fmt::Display for RunId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::str::FromStr for RunId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// It writes owners.
    Tag,
    /// It takes another run's writes back.
    Undo,
}

/// How far a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteState {
    /// No call was made.
    Planned,
    /// A call may have been made.
    Started,
    /// AWS accepted it.
    Written,
    /// AWS refused it.
    Failed,
    /// The resource was gone.
    Vanished,
    /// Not done on purpose: the tag's value wasn't the expected one any more.
    Skipped,
}

/// A change of one tag: from `old_value` to `new_value`, where `None` is the tag's absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Its number in the run. A write of an undo run has the number of the write that it takes back.
    pub position: u32,
    /// The resource's type.
    pub resource_type: ResourceType,
    /// Its id.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// Where it is.
    pub region: Region,
    /// The tag.
    pub key: TagKey,
    /// The key before, where it was spelled otherwise and the type ignores case.
    pub old_key: Option<TagKey>,
    /// Further keys that count as the tag: the resource must have none of them.
    pub owner_keys: Vec<TagKey>,
    /// The value before.
    pub old_value: Option<TagValue>,
    /// The value after.
    pub new_value: Option<TagValue>,
    /// The event that the value rests on.
    pub event_id: Option<String>,
}

impl Write {
    /// Whether the write is about a tag whose key is spelled so: as it was before, or as it is after.
    pub fn spells(&self, key: &str) -> bool {
        key == self.key.as_str() || self.old_key.as_ref().is_some_and(|old| old.as_str() == key)
    }
}

/// A run about to begin.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// What for.
    pub kind: RunKind,
    /// The run that it takes back.
    pub undoes: Option<RunId>,
    /// The account.
    pub account: AccountId,
    /// The region that was asked for; single resources may be elsewhere.
    pub region: Region,
    /// The tag that names the owner; single writes may be of others.
    pub key: TagKey,
    /// Who writes: the user or role session.
    pub caller: Arn,
    /// The run across an organization that it is part of.
    pub organization: Option<OrganizationRunId>,
}

/// A run with its figures.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// Its number.
    pub run_id: RunId,
    /// What for.
    pub kind: RunKind,
    /// The run that it takes back.
    pub undoes: Option<RunId>,
    /// The account.
    pub account_id: AccountId,
    /// The region that was asked for.
    pub region: Region,
    /// The tag that names the owner; single writes may be of others.
    pub tag_key: TagKey,
    /// Who wrote: the user or role session.
    pub caller_arn: Arn,
    /// The run across an organization that it is part of.
    pub organization_run: Option<OrganizationRunId>,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; none while writes are planned or started: it runs, or was interrupted.
    pub finished_at: Option<String>,
    /// How many writes are in which state.
    pub counts: WriteCounts,
}

/// How many writes are in which state.
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

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteResult {
    /// Which.
    pub position: u32,
    /// Its state now.
    pub state: WriteState,
    /// Why it isn't written.
    pub error: Option<String>,
    /// AWS's id of the call that wrote it.
    pub request_id: Option<String>,
}

/// A write with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournaledWrite {
    /// The write.
    pub write: Write,
    /// How it ended.
    pub result: WriteResult,
    /// When it ended; RFC 3339, UTC.
    pub written_at: Option<String>,
}

/// Spells an enum's variants as the database does, in both directions.
macro_rules! sql_text {
    ($type:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $type {
            /// How the database spells it.
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
