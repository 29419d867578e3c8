//! Runs and their writes: a journal of all changes to AWS, so that they can be resumed and undone.
//!
//! A run's writes are stored as planned before the first call. Each is marked `started` before its call and gets its
//! outcome after it. So at any time `planned` means that no call was made, `started` that a call may have been made, and all other
//! states are final. A run is finished when none of its writes is planned, started or in doubt.
//!
//! Every method is one transaction, takes `&self`, and waits only for SQLite. So concurrent work in one task
//! shares the store without a lock.

mod earlier;
mod record;
mod rollback;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};

use rusqlite::types::FromSqlError;
use rusqlite::{OptionalExtension, Params, Row, Transaction, TransactionBehavior, named_params, params};

pub use record::{NewRun, Run, RunKind, RunWrite, Write, WriteCounts, WriteOutcome, WriteState};

use super::{Store, StoreError, now};
use crate::model::{AccountId, Arn, Region, ResourceId, ResourceType, RunId, TagKey, TagValue};
use crate::plan::SkipTag;
use crate::text::secrets;

const RUN_COLUMNS: &str = "
    SELECT runs.run_id, kind, undoes, account_id, runs.region, runs.tag_key, caller_arn, runs.organization_run_id,
           started_at, finished_at,
           COUNT(*) FILTER (WHERE state = 'planned') AS planned,
           COUNT(*) FILTER (WHERE state = 'started') AS started,
           COUNT(*) FILTER (WHERE state = 'written') AS written,
           COUNT(*) FILTER (WHERE state = 'failed') AS failed,
           COUNT(*) FILTER (WHERE state = 'vanished') AS vanished,
           COUNT(*) FILTER (WHERE state = 'skipped') AS skipped,
           COUNT(*) FILTER (WHERE state = 'in-doubt') AS in_doubt
    FROM runs LEFT JOIN writes USING (run_id)";

impl Store {
    /// Stores a run and all its writes as planned.
    ///
    /// # Errors
    /// The database fails.
    pub fn begin_run(&self, run: &NewRun, writes: impl IntoIterator<Item: Borrow<Write>>) -> Result<RunId, StoreError> {
        let transaction = self.journal_transaction()?;
        transaction.execute(
            "INSERT INTO runs (kind, undoes, account_id, region, tag_key, caller_arn, organization_run_id, started_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                run.kind,
                run.undoes.map(|run| run.0),
                run.account.as_str(),
                run.region.as_str(),
                run.key.as_str(),
                run.caller.as_str(),
                run.organization,
                now()
            ],
        )?;
        let run_id = RunId(transaction.last_insert_rowid());
        {
            let mut insert = transaction.prepare(
                "INSERT INTO writes (run_id, position, resource_type, resource_id, arn, region, tag_key, old_key, \
                                     owner_keys, skip_tags, old_value, new_value, event_id, state)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'planned')",
            )?;
            for write in writes {
                let write: &Write = write.borrow();
                insert.execute(params![
                    run_id.0,
                    write.position,
                    write.resource_type.as_str(),
                    write.id.as_str(),
                    write.arn.as_str(),
                    write.region.as_str(),
                    write.key.as_str(),
                    write.old_key.as_ref().map(TagKey::as_str),
                    text_of_keys(&write.owner_keys),
                    text_of_skip_tags(&write.skip_tags),
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
    /// The database fails.
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

    /// Stores the outcomes of writes by their numbers, after their calls.
    ///
    /// # Errors
    /// The database fails.
    pub fn end_writes(&self, run: RunId, outcomes: &BTreeMap<u32, WriteOutcome>) -> Result<(), StoreError> {
        let transaction = self.journal_transaction()?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE writes SET state = :state, error = :error, request_id = :request_id, written_at = :now
                 WHERE run_id = :run AND position = :position",
            )?;
            let now = now();
            for (position, outcome) in outcomes {
                // AWS's messages are clean already; this holds for those that answers give for single resources too.
                let reason = outcome.reason().map(secrets::redacted);
                update.execute(named_params! {
                    ":state": outcome.state(), ":error": reason, ":request_id": outcome.request_id(), ":now": now,
                    ":run": run.0, ":position": position,
                })?;
            }
        }
        rollback::forget(&transaction, run, outcomes)?;
        Ok(transaction.commit()?)
    }

    /// Marks a run as finished if none of its writes is planned, started or in doubt. Returns whether it is finished.
    ///
    /// # Errors
    /// The database fails.
    pub fn finish_run(&self, run: RunId) -> Result<bool, StoreError> {
        let transaction = self.journal_transaction()?;
        let changed = transaction.execute(
            "UPDATE runs SET finished_at = COALESCE(finished_at, :now) WHERE run_id = :run AND NOT EXISTS (
                 SELECT 1 FROM writes WHERE writes.run_id = :run AND state IN ('planned', 'started', 'in-doubt'))",
            named_params! {":now": now(), ":run": run.0},
        )?;
        transaction.commit()?;
        Ok(changed > 0)
    }

    /// All runs, the latest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        let mut runs = self.runs_where("TRUE", [])?;
        runs.reverse();
        Ok(runs)
    }

    /// Runs in the order of their numbers.
    pub(super) fn runs_where(&self, condition: &str, values: impl Params) -> Result<Vec<Run>, StoreError> {
        let query = format!("{RUN_COLUMNS} WHERE {condition} GROUP BY runs.run_id ORDER BY runs.run_id");
        let mut query = self.connection.prepare_cached(&query)?;
        let runs = query.query_map(values, run_of)?.collect::<Result<_, _>>()?;
        Ok(runs)
    }

    /// One run.
    ///
    /// # Errors
    /// The database fails.
    pub fn run(&self, run: RunId) -> Result<Option<Run>, StoreError> {
        let query = format!("{RUN_COLUMNS} WHERE runs.run_id = ? GROUP BY runs.run_id");
        Ok(self.connection.query_row(&query, [run.0], run_of).optional()?)
    }

    /// A run's writes in the order of their numbers.
    ///
    /// # Errors
    /// The database fails.
    pub fn writes_of(&self, run: RunId) -> Result<Vec<RunWrite>, StoreError> {
        let mut writes = Vec::new();
        self.each_write_of(run, &mut |write| {
            writes.push(write);
            Ok(())
        })?;
        Ok(writes)
    }

    /// Passes a run's writes to `each` in the order of their numbers, one at a time.
    ///
    /// # Errors
    /// The database fails, or `each`.
    pub fn each_write_of(
        &self,
        run: RunId,
        each: &mut dyn FnMut(RunWrite) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut query = self.connection.prepare(
            "SELECT position, resource_type, resource_id, arn, writes.region,
                    COALESCE(writes.tag_key, runs.tag_key) AS tag_key, old_key, owner_keys, skip_tags, old_value, new_value, event_id, state, error,
                    request_id, written_at
             FROM writes JOIN runs USING (run_id) WHERE run_id = ? ORDER BY position",
        )?;
        let mut rows = query.query([run.0])?;
        while let Some(row) = rows.next()? {
            each(write_of(row)?)?;
        }
        Ok(())
    }

    /// The numbers of a run's writes that were undone, with the run that did it.
    ///
    /// # Errors
    /// The database fails.
    pub fn undone(&self, run: RunId) -> Result<HashMap<u32, RunId>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT position, run_id FROM writes JOIN runs USING (run_id) WHERE undoes = ? AND state = 'written'",
        )?;
        let pairs = query.query_map([run.0], |row| Ok((row.get(0)?, RunId(row.get(1)?))))?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }

    pub(super) fn journal_transaction(&self) -> Result<Transaction<'_>, StoreError> {
        self.check_in_place()?;
        Ok(Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?)
    }
}

fn run_of(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        run_id: RunId(row.get("run_id")?),
        kind: row.get("kind")?,
        undoes: row.get::<_, Option<i64>>("undoes")?.map(RunId),
        account_id: AccountId::new(row.get::<_, String>("account_id")?),
        region: Region::new(row.get::<_, String>("region")?),
        tag_key: TagKey::new(row.get::<_, String>("tag_key")?),
        caller_arn: Arn::new(row.get::<_, String>("caller_arn")?),
        organization_run: row.get("organization_run_id")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        counts: WriteCounts {
            planned: row.get("planned")?,
            started: row.get("started")?,
            written: row.get("written")?,
            failed: row.get("failed")?,
            vanished: row.get("vanished")?,
            skipped: row.get("skipped")?,
            in_doubt: row.get("in_doubt")?,
        },
    })
}

/// Keys, one a line: no key holds a line break. NULL: none.
fn text_of_keys(keys: &[TagKey]) -> Option<String> {
    (!keys.is_empty()).then(|| keys.iter().map(TagKey::as_str).collect::<Vec<_>>().join("\n"))
}

fn keys_of_text(text: Option<&str>) -> Vec<TagKey> {
    text.into_iter().flat_map(str::lines).map(TagKey::from).collect()
}

fn text_of_skip_tags(tags: &[SkipTag]) -> Option<String> {
    (!tags.is_empty()).then(|| serde_json::to_string(tags).expect("texts are JSON"))
}

fn skip_tags_of_text(text: Option<String>) -> rusqlite::Result<Vec<SkipTag>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|error| FromSqlError::Other(error.into()).into())
}

fn write_of(row: &Row<'_>) -> rusqlite::Result<RunWrite> {
    Ok(RunWrite {
        write: Write {
            position: row.get("position")?,
            resource_type: ResourceType::new(row.get::<_, String>("resource_type")?),
            id: ResourceId::new(row.get::<_, String>("resource_id")?),
            arn: Arn::new(row.get::<_, String>("arn")?),
            region: Region::new(row.get::<_, String>("region")?),
            key: TagKey::new(row.get::<_, String>("tag_key")?),
            old_key: row.get::<_, Option<String>>("old_key")?.map(TagKey::new),
            owner_keys: keys_of_text(row.get::<_, Option<String>>("owner_keys")?.as_deref()),
            skip_tags: skip_tags_of_text(row.get("skip_tags")?)?,
            old_value: row.get::<_, Option<String>>("old_value")?.map(TagValue::new),
            new_value: row.get::<_, Option<String>>("new_value")?.map(TagValue::new),
            event_id: row.get("event_id")?,
        },
        outcome: WriteOutcome::of_columns(row.get("state")?, row.get("error")?, row.get("request_id")?),
        written_at: row.get("written_at")?,
    })
}
