//! Removes old events, and what only they need.
//!
//! [`choose`] reads all events in one snapshot, and notes the rows to change in a temporary database. Then rows are changed in
//! short transactions, oldest first, each to the end of a second. So at any moment the rows that remain of a resource are its last ones: a
//! resource that was deleted never looks as if it existed, also if the process is killed. The same command finishes the work.
//! The lookup entries of removed rows are deleted last.
//!
//! The ledger is not changed: what was read counts as read. The journal is not changed either; it has all that `undo` needs.

mod choose;
mod removal;
mod space;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use jiff::{Timestamp, ToSpan};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::insert::facts;
use super::sessions::bound::{drop_others, note_kept};
use super::{Store, StoreError};
use crate::model::event::PRUNED;
use crate::resource_map::ResourceMap;
use removal::{Removal, Row};
pub use space::FileSize;

/// Rows in a transaction, until the next second begins.
const ROWS_AT_ONCE: usize = 10_000;

/// A session lasts at most 36 hours: an event can need sessions that are so much older.
const LONGEST_SESSION_HOURS: i64 = 36;

/// In a dry run: that no event has the columns of the chosen rows, for a table `e`.
const IS_NOT_CHOSEN: &str = "NOT EXISTS (SELECT 1 FROM temp.chosen c WHERE c.account_id = e.account_id \
     AND c.region = e.region AND c.event_time = e.event_time AND c.event_id = e.event_id \
     AND c.resource_type = e.resource_type AND c.resource_id = e.resource_id)";

/// What to remove.
#[derive(Debug, Clone, Copy)]
pub struct Pruning<'p> {
    /// Names the resources of events.
    pub map: &'p ResourceMap,
    /// Events before this time are old.
    pub before: Timestamp,
    /// Keeps the events of deleted resources that others can inherit their owner from.
    pub keeps_parents: bool,
    /// Removes the creators from the old create events that are kept, and all other old events.
    pub forgets_creators: bool,
}

/// What was removed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Old events, before.
    pub old_events: u64,
    /// Old events that were removed.
    pub events: u64,
    /// Old create events that have lost their creator.
    pub creators: u64,
    /// Sessions.
    pub sessions: u64,
    /// Names of Identity Center users.
    pub people: u64,
}

/// What a prune is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneStep {
    /// Reads all events, three times.
    Choosing {
        /// The rows that were read so far.
        read: u64,
    },
    /// Has removed so many of the chosen events.
    Removing {
        /// Removed.
        done: u64,
        /// Chosen.
        total: u64,
    },
    /// Has looked at so many entries of names.
    RemovingNames {
        /// Looked at.
        done: u64,
        /// All.
        total: u64,
    },
    /// Removes the sessions and users that no event needs any more.
    Tidying,
}

impl Store {
    /// The number of rows that [`Store::prune`] would remove. Changes nothing.
    ///
    /// # Errors
    /// The database, or a temporary one, fails.
    pub fn prune_dry(&mut self, pruning: &Pruning<'_>, watch: &mut dyn FnMut(PruneStep)) -> Result<Pruned, StoreError> {
        let mut pruned = self.choose_watched(pruning, None, watch)?;
        self.connection.execute_batch("DROP TABLE IF EXISTS temp.kept")?;
        note_sessions(&self.connection, pruning, IS_NOT_CHOSEN)?;
        pruned.sessions = self.count("SELECT count(*) FROM sessions WHERE session NOT IN kept")?;
        self.connection.execute_batch("DROP TABLE kept")?;
        pruned.people =
            self.count(&format!("SELECT count(*) FROM identity_center_users u WHERE {}", is_unused(IS_NOT_CHOSEN)))?;
        Ok(pruned)
    }

    /// Removes old events, and the sessions, names of resources and names of people that only they need.
    ///
    /// # Errors
    /// The database fails. What was removed until then stays removed; the same call finishes the work.
    pub fn prune(&mut self, pruning: &Pruning<'_>, watch: &mut dyn FnMut(PruneStep)) -> Result<Pruned, StoreError> {
        self.check_in_place()?;
        let mut removal = Removal::new()?;
        let mut pruned = self.choose_watched(pruning, Some(&mut removal), watch)?;
        if pruning.forgets_creators {
            self.refuse_events_before(&time_text(pruning.before))?;
        }
        let total = pruned.events + pruned.creators;
        (pruned.events, pruned.creators) =
            self.remove(&removal, &mut |done| watch(PruneStep::Removing { done, total }))?;
        self.sweep(&removal.needed, &mut |done, total| watch(PruneStep::RemovingNames { done, total }))?;
        drop(removal);
        watch(PruneStep::Tidying);
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)?;
        pruned.people = transaction
            .execute(&format!("DELETE FROM identity_center_users AS u WHERE {}", is_unused("true")), [])?
            as u64;
        transaction.commit()?;
        pruned.sessions = self.remove_sessions(pruning)?;
        Ok(pruned)
    }

    fn choose_watched(
        &mut self,
        pruning: &Pruning<'_>,
        removal: Option<&mut Removal>,
        watch: &mut dyn FnMut(PruneStep),
    ) -> Result<Pruned, StoreError> {
        watch(PruneStep::Choosing { read: 0 });
        let watch = RefCell::new(watch);
        self.choose(pruning, removal, &|read| (watch.borrow_mut())(PruneStep::Choosing { read }))
    }

    /// From now on, loads store no event before this time.
    fn refuse_events_before(&mut self, before: &str) -> Result<(), StoreError> {
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)?;
        transaction.execute("INSERT OR IGNORE INTO forgotten VALUES (?1)", [before])?;
        transaction.execute("DELETE FROM forgotten WHERE before < (SELECT max(before) FROM forgotten)", [])?;
        Ok(transaction.commit()?)
    }

    /// Removes the chosen rows, or their creators. Returns how many of each.
    fn remove(&self, removal: &Removal, watch: &mut dyn FnMut(u64)) -> Result<(u64, u64), StoreError> {
        let (mut removed, mut forgotten) = (0, 0);
        watch(0);
        removal.each_batch(ROWS_AT_ONCE, &mut |rows| {
            self.check_in_place()?;
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            let (in_these, forgotten_in_these) = change(&transaction, rows)?;
            transaction.commit()?;
            removed += in_these;
            forgotten += forgotten_in_these;
            watch(removed + forgotten);
            Ok(())
        })?;
        Ok((removed, forgotten))
    }

    fn remove_sessions(&mut self, pruning: &Pruning<'_>) -> Result<u64, StoreError> {
        if !self.has_sessions()? {
            return Ok(0);
        }
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)?;
        note_sessions(&transaction, pruning, "true")?;
        let dropped = drop_others(&transaction)?;
        transaction.commit()?;
        self.bound = super::sessions::Bound::default();
        Ok(dropped)
    }

    fn count(&self, query: &str) -> Result<u64, StoreError> {
        Ok(self.connection.query_row(query, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }
}

/// Sessions that events after the time can need.
const NEW_SESSIONS: &str = "SELECT session FROM sessions WHERE called_at >= :bound";

/// The beginning of the first session that an event at `time` can need.
fn oldest_session(time: Timestamp) -> Timestamp {
    time.saturating_sub(LONGEST_SESSION_HOURS.hours()).unwrap_or(Timestamp::MIN)
}

/// What loads do not store, by `--forget-creators`.
#[derive(Debug)]
pub(super) struct Forgotten {
    /// Events before this time.
    pub(super) before: String,
    /// Sessions before this time.
    pub(super) sessions_before: String,
}

impl Forgotten {
    pub(super) fn of(transaction: &Transaction<'_>) -> Result<Option<Self>, StoreError> {
        let before = transaction.query_row("SELECT before FROM forgotten", [], |row| row.get::<_, String>(0));
        Ok(before.optional()?.map(|before| {
            let sessions_before =
                before.parse().map_or_else(|_| before.clone(), |time| time_text(oldest_session(time)));
            Self { before, sessions_before }
        }))
    }
}

/// That no event `e` with this condition is on behalf of a user `u`.
fn is_unused(condition: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM resource_events e WHERE e.on_behalf_of_user_id = u.user_id \
         AND e.on_behalf_of_store_arn = u.store_arn AND {condition})"
    )
}

/// Notes the sessions that events `e` with this condition need, and the new ones.
fn note_sessions(connection: &Connection, pruning: &Pruning<'_>, condition: &str) -> Result<(), StoreError> {
    note_kept(connection, NEW_SESSIONS, oldest_session(pruning.before).as_second(), condition)
}

/// Removes rows, or their creators. Returns how many of each.
fn change(transaction: &Transaction<'_>, rows: &[Row]) -> Result<(u64, u64), StoreError> {
    const KEY: &str = "account_id = ?1 AND region = ?2 AND event_time = ?3 AND event_id = ?4 AND resource_type = ?5 \
                       AND resource_id = ?6";
    let nothing: Vec<String> =
        facts().filter(|fact| *fact != "identity_type").map(|fact| format!("{fact} = NULL")).collect();
    let mut delete = transaction.prepare_cached(&format!("DELETE FROM resource_events WHERE {KEY}"))?;
    let mut forget = transaction.prepare_cached(&format!(
        "UPDATE resource_events SET {}, identity_type = '{PRUNED}' WHERE {KEY} AND identity_type IS NOT '{PRUNED}'",
        nothing.join(", ")
    ))?;
    let (mut removed, mut forgotten) = (0, 0);
    for row in rows {
        let key = params![row.account_id, row.region, row.event_time, row.event_id, row.resource_type, row.resource_id];
        if row.stays {
            forgotten += forget.execute(key)? as u64;
        } else {
            removed += delete.execute(key)? as u64;
        }
    }
    Ok((removed, forgotten))
}

/// A time as events have it.
fn time_text(time: Timestamp) -> String {
    format!("{time:.0}")
}
