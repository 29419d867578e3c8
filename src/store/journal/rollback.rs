//! Resources with a rolled-back last update by this database.
//!
//! A run that repeats every hour must not repeat such an update. The entry stays until a write of the resource goes well.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use super::WriteOutcome;
use crate::model::Arn;
use crate::model::RunId;
use crate::plan::updates::Rollback;
use crate::store::{Store, StoreError, now};

impl Store {
    /// The resources with a rolled-back last update.
    ///
    /// # Errors
    /// SQLite's.
    pub fn rollbacks(&self) -> Result<Vec<Rollback>, StoreError> {
        let mut query = self.connection.prepare("SELECT arn, run_id, reason FROM rollbacks ORDER BY arn")?;
        let rows = query.query_map([], |row| {
            Ok(Rollback { arn: Arn::new(row.get::<_, String>(0)?), run: RunId(row.get(1)?), reason: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Stores that the update by this write was rolled back.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_rollback(&self, run: RunId, position: u32, reason: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO rollbacks (arn, run_id, reason, at)
             SELECT arn, run_id, ?3, ?4 FROM writes WHERE run_id = ?1 AND position = ?2",
            params![run.0, position, reason, now()],
        )?;
        Ok(())
    }
}

/// Removes the rollbacks of resources after a successful write.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    run: RunId,
    outcomes: &BTreeMap<u32, WriteOutcome>,
) -> Result<(), StoreError> {
    let has_any: bool = transaction.query_row("SELECT EXISTS (SELECT 1 FROM rollbacks)", [], |row| row.get(0))?;
    if !has_any {
        return Ok(());
    }
    let mut delete = transaction.prepare_cached(
        "DELETE FROM rollbacks WHERE arn = (SELECT arn FROM writes WHERE run_id = ? AND position = ?)",
    )?;
    for (position, _) in outcomes.iter().filter(|(_, outcome)| matches!(outcome, WriteOutcome::Written { .. })) {
        delete.execute(params![run.0, position])?;
    }
    Ok(())
}
