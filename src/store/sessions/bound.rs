//! Limits the number of sessions: drops the oldest ones that nothing needs.

use rusqlite::{Connection, Transaction, named_params};

use crate::store::StoreError;

/// The maximum number of sessions, in addition to those that are needed. They take 400 to 500 MB (80 to 100 bytes each),
/// and their callers about 350 bytes each.
pub const MAX_SESSIONS: u64 = 5_000_000;

/// The share of sessions, as a divisor, that is dropped at once when there are too many, because choosing them requires reading
/// all of them.
const SLACK_DIVISOR: u64 = 10;

/// The number of further sessions until the limit.
#[derive(Debug)]
pub(in crate::store) struct Bound {
    limit: u64,
    /// `None`: not counted yet.
    room: Option<u64>,
}

impl Default for Bound {
    fn default() -> Self {
        Self::new(MAX_SESSIONS)
    }
}

impl Bound {
    pub(in crate::store) fn new(limit: u64) -> Self {
        Self { limit, room: None }
    }

    /// Counts new sessions. If there are too many now, drops others and returns their number.
    pub(in crate::store) fn keep(&mut self, transaction: &Transaction<'_>, added: u64) -> Result<u64, StoreError> {
        if added == 0 {
            return Ok(0);
        }
        let room = match self.room {
            Some(room) => room.checked_sub(added),
            None => self.limit.checked_sub(count(transaction)?),
        };
        if room.is_some() {
            self.room = room;
            return Ok(0);
        }
        let slack = self.limit / SLACK_DIVISOR;
        let dropped = drop_oldest(transaction, self.limit - slack)?;
        // The needed sessions can exceed the limit. The next attempt makes sense only after many more.
        self.room = Some(self.limit.saturating_sub(count(transaction)?).max(slack));
        Ok(dropped)
    }
}

fn count(transaction: &Transaction<'_>) -> Result<u64, StoreError> {
    let count: i64 = transaction.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Drops all sessions except the newest `keep`, and those that a stored event or a kept session needs.
///
/// A session lasts at most 36 hours, so only a few are needed by the newest ones alone.
fn drop_oldest(transaction: &Transaction<'_>, keep: u64) -> Result<u64, StoreError> {
    let newest = "SELECT * FROM (SELECT session FROM sessions ORDER BY called_at DESC, session LIMIT :bound)";
    note_kept(transaction, newest, i64::try_from(keep).unwrap_or(i64::MAX), "true")?;
    drop_others(transaction)
}

/// Notes the sessions to keep in a temporary table: those that `first` selects by `:bound`, and those that they or an event with
/// `condition` need.
pub(in crate::store) fn note_kept(
    connection: &Connection,
    first: &str,
    bound: i64,
    condition: &str,
) -> Result<(), StoreError> {
    connection.execute_batch("CREATE TEMP TABLE kept (session BLOB PRIMARY KEY) WITHOUT ROWID")?;
    connection.execute(
        &format!(
            "WITH RECURSIVE reached (session) AS (
                 {first}
                 UNION SELECT identity_access_key_id FROM resource_events e
                       WHERE identity_access_key_id IS NOT NULL AND {condition}
                 UNION
                 SELECT led.session FROM reached JOIN sessions AS found ON found.session = reached.session
                 JOIN (SELECT 1 AS by_key UNION ALL SELECT 0) AS ways
                 JOIN sessions AS led ON led.session = iif(ways.by_key, found.caller_key, found.shared_event_id)
             )
             INSERT INTO kept SELECT session FROM reached"
        ),
        named_params! {":bound": bound},
    )?;
    Ok(())
}

/// Drops the sessions that [`note_kept`] did not note, and its table.
pub(in crate::store) fn drop_others(transaction: &Transaction<'_>) -> Result<u64, StoreError> {
    let dropped = transaction.execute("DELETE FROM sessions WHERE session NOT IN kept", [])?;
    transaction.execute_batch(
        "DROP TABLE kept;
         DELETE FROM session_calls WHERE call_id NOT IN (SELECT call_id FROM sessions)",
    )?;
    Ok(dropped as u64)
}
