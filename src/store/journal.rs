//! Runs and their writes: what was done to AWS, so that it can be resumed and taken back.
//!
//! A run's writes are stored as planned before the first call; each is marked `started` before its call and gets its
//! outcome after it. So at any moment: `planned` = no call was made; `started` = a call may have been made; the rest is
//! over. A run is finished when none of its writes is planned or started.
//!
//! Every method is one transaction, takes `&self` and never waits for anything but SQLite: concurrent work in one task
//! shares the store without a lock.

use std::collections::HashMap;

use jiff::{Timestamp, Unit};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, named_params, params};
use serde::Serialize;

use super::{Store, StoreError};
use crate::names::{AccountId, Arn, Region, ResourceId, ResourceType, TagKey, TagValue};

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
    /// The value before.
    pub old_value: Option<TagValue>,
    /// The value after.
    pub new_value: Option<TagValue>,
    /// The event that the value rests on.
    pub event_id: Option<String>,
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
    /// The tag.
    pub key: TagKey,
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
    /// The tag.
    pub tag_key: TagKey,
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

const RUN_COLUMNS: &str = "
    SELECT runs.run_id, kind, undoes, account_id, runs.region, tag_key, started_at, finished_at,
           COUNT(*) FILTER (WHERE state = 'planned') AS planned,
           COUNT(*) FILTER (WHERE state = 'started') AS started,
           COUNT(*) FILTER (WHERE state = 'written') AS written,
           COUNT(*) FILTER (WHERE state = 'failed') AS failed,
           COUNT(*) FILTER (WHERE state = 'vanished') AS vanished,
           COUNT(*) FILTER (WHERE state = 'skipped') AS skipped
    FROM runs LEFT JOIN writes USING (run_id)";

impl Store {
    /// Stores a run and all its writes as planned.
    ///
    /// # Errors
    /// SQLite's.
    pub fn begin_run(&self, run: &NewRun, writes: &[Write]) -> Result<RunId, StoreError> {
        let transaction = self.journal_transaction()?;
        transaction.execute(
            "INSERT INTO runs (kind, undoes, account_id, region, tag_key, started_at) VALUES (?, ?, ?, ?, ?, ?)",
            params![
                run.kind,
                run.undoes.map(|run| run.0),
                run.account.as_str(),
                run.region.as_str(),
                run.key.as_str(),
                now()
            ],
        )?;
        let run_id = RunId(transaction.last_insert_rowid());
        {
            let mut insert = transaction.prepare(
                "INSERT INTO writes (run_id, position, resource_type, resource_id, arn, region, old_value, new_value, \
                                     event_id, state)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'planned')",
            )?;
            for write in writes {
                insert.execute(params![
                    run_id.0,
                    write.position,
                    write.resource_type.as_str(),
                    write.id.as_str(),
                    write.arn.as_str(),
                    write.region.as_str(),
                    write.old_value.as_ref().map(TagValue::as_str),
                    write.new_value.as_ref().map(TagValue::as_str),
                    write.event_id,
                ])?;
            }
        }
        transaction.commit()?;
        Ok(run_id)
    }

    /// Marks writes as started, before their call.
    ///
    /// # Errors
    /// SQLite's.
    pub fn start_writes(&self, run: RunId, positions: &[u32]) -> Result<(), StoreError> {
        let transaction = self.journal_transaction()?;
        {
            let mut update =
                transaction.prepare_cached("UPDATE writes SET state = 'started' WHERE run_id = ? AND position = ?")?;
            for position in positions {
                update.execute(params![run.0, position])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Stores how writes ended, after their call.
    ///
    /// # Errors
    /// SQLite's.
    pub fn end_writes(&self, run: RunId, results: &[WriteResult]) -> Result<(), StoreError> {
        let transaction = self.journal_transaction()?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE writes SET state = :state, error = :error, request_id = :request_id, written_at = :now
                 WHERE run_id = :run AND position = :position",
            )?;
            let now = now();
            for result in results {
                update.execute(named_params! {
                    ":state": result.state, ":error": result.error, ":request_id": result.request_id, ":now": now,
                    ":run": run.0, ":position": result.position,
                })?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Marks a run as finished if no write of it is planned or started; says whether it is.
    ///
    /// # Errors
    /// SQLite's.
    pub fn finish_run(&self, run: RunId) -> Result<bool, StoreError> {
        let transaction = self.journal_transaction()?;
        let changed = transaction.execute(
            "UPDATE runs SET finished_at = COALESCE(finished_at, :now) WHERE run_id = :run AND NOT EXISTS (
                 SELECT 1 FROM writes WHERE writes.run_id = :run AND state IN ('planned', 'started'))",
            named_params! {":now": now(), ":run": run.0},
        )?;
        transaction.commit()?;
        Ok(changed > 0)
    }

    /// All runs, the latest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        let mut query =
            self.connection.prepare(&format!("{RUN_COLUMNS} GROUP BY runs.run_id ORDER BY runs.run_id DESC"))?;
        let runs = query.query_map([], run_of)?.collect::<Result<_, _>>()?;
        Ok(runs)
    }

    /// One run.
    ///
    /// # Errors
    /// SQLite's.
    pub fn run(&self, run: RunId) -> Result<Option<Run>, StoreError> {
        let query = format!("{RUN_COLUMNS} WHERE runs.run_id = ? GROUP BY runs.run_id");
        Ok(self.connection.query_row(&query, [run.0], run_of).optional()?)
    }

    /// A run's writes in the order of their numbers.
    ///
    /// # Errors
    /// SQLite's.
    pub fn writes_of(&self, run: RunId) -> Result<Vec<JournaledWrite>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT position, resource_type, resource_id, arn, region, old_value, new_value, event_id, state, error,
                    request_id, written_at
             FROM writes WHERE run_id = ? ORDER BY position",
        )?;
        let writes = query.query_map([run.0], write_of)?.collect::<Result<_, _>>()?;
        Ok(writes)
    }

    /// The numbers of a run's writes that were taken back, and by which run.
    ///
    /// # Errors
    /// SQLite's.
    pub fn taken_back(&self, run: RunId) -> Result<HashMap<u32, RunId>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT position, run_id FROM writes JOIN runs USING (run_id) WHERE undoes = ? AND state = 'written'",
        )?;
        let pairs = query.query_map([run.0], |row| Ok((row.get(0)?, RunId(row.get(1)?))))?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }

    fn journal_transaction(&self) -> Result<Transaction<'_>, StoreError> {
        Ok(Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?)
    }
}

/// To the second: people compare it with CloudTrail's times.
fn now() -> String {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now).to_string()
}

fn run_of(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        run_id: RunId(row.get("run_id")?),
        kind: row.get("kind")?,
        undoes: row.get::<_, Option<i64>>("undoes")?.map(RunId),
        account_id: AccountId::new(row.get::<_, String>("account_id")?),
        region: Region::new(row.get::<_, String>("region")?),
        tag_key: TagKey::new(row.get::<_, String>("tag_key")?),
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        counts: WriteCounts {
            planned: row.get("planned")?,
            started: row.get("started")?,
            written: row.get("written")?,
            failed: row.get("failed")?,
            vanished: row.get("vanished")?,
            skipped: row.get("skipped")?,
        },
    })
}

fn write_of(row: &Row<'_>) -> rusqlite::Result<JournaledWrite> {
    let position = row.get("position")?;
    Ok(JournaledWrite {
        write: Write {
            position,
            resource_type: ResourceType::new(row.get::<_, String>("resource_type")?),
            id: ResourceId::new(row.get::<_, String>("resource_id")?),
            arn: Arn::new(row.get::<_, String>("arn")?),
            region: Region::new(row.get::<_, String>("region")?),
            old_value: row.get::<_, Option<String>>("old_value")?.map(TagValue::new),
            new_value: row.get::<_, Option<String>>("new_value")?.map(TagValue::new),
            event_id: row.get("event_id")?,
        },
        result: WriteResult {
            position,
            state: row.get("state")?,
            error: row.get("error")?,
            request_id: row.get("request_id")?,
        },
        written_at: row.get("written_at")?,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("creators.db")).unwrap();
        (folder, store)
    }

    fn new_run(kind: RunKind, undoes: Option<RunId>) -> NewRun {
        NewRun { kind, undoes, account: "123456789012".into(), region: "eu-west-1".into(), key: "Owner".into() }
    }

    fn write(position: u32) -> Write {
        Write {
            position,
            resource_type: "sqs".into(),
            id: format!("q{position}").into(),
            arn: format!("arn:aws:sqs:eu-west-1:123456789012:q{position}").into(),
            region: "eu-west-1".into(),
            old_value: (position == 1).then(|| "old".into()),
            new_value: Some("alice".into()),
            event_id: Some("e".to_owned()),
        }
    }

    fn ended(position: u32, state: WriteState) -> WriteResult {
        WriteResult { position, state, error: None, request_id: Some(format!("r{position}")) }
    }

    #[test]
    fn a_run_is_finished_when_all_its_writes_ended() {
        let (_folder, store) = store();
        let run = store.begin_run(&new_run(RunKind::Tag, None), &[write(0), write(1), write(2)]).unwrap();
        store.start_writes(run, &[0, 1]).unwrap();
        store.end_writes(run, &[ended(0, WriteState::Written)]).unwrap();
        assert!(!store.finish_run(run).unwrap());
        let counts = store.run(run).unwrap().unwrap().counts;
        assert_eq!(counts, WriteCounts { planned: 1, started: 1, written: 1, ..WriteCounts::default() });

        store.end_writes(run, &[ended(1, WriteState::Failed), ended(2, WriteState::Vanished)]).unwrap();
        assert!(store.finish_run(run).unwrap());
        assert!(store.runs().unwrap()[0].finished_at.is_some());
    }

    #[test]
    fn writes_come_back_as_they_were_stored() {
        let (_folder, store) = store();
        let run = store.begin_run(&new_run(RunKind::Tag, None), &[write(1), write(0)]).unwrap();
        store.end_writes(run, &[ended(1, WriteState::Written)]).unwrap();
        let writes = store.writes_of(run).unwrap();
        assert_eq!(writes.iter().map(|row| row.write.clone()).collect::<Vec<_>>(), [write(0), write(1)]);
        assert_eq!(writes[1].result, ended(1, WriteState::Written));
        assert_eq!(writes[0].result.state, WriteState::Planned);
    }

    #[test]
    fn only_what_an_undo_wrote_is_taken_back() {
        let (_folder, store) = store();
        let run = store.begin_run(&new_run(RunKind::Tag, None), &[write(0), write(1)]).unwrap();
        let undo = store.begin_run(&new_run(RunKind::Undo, Some(run)), &[write(0), write(1)]).unwrap();
        store.end_writes(undo, &[ended(1, WriteState::Written), ended(0, WriteState::Skipped)]).unwrap();
        assert_eq!(store.taken_back(run).unwrap(), HashMap::from([(1, undo)]));
        assert!(store.taken_back(undo).unwrap().is_empty());
    }
}
