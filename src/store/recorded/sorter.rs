//! Events sorted by group in a temporary database, which SQLite keeps on disk where it is large and removes at the end.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};

use super::super::StoreError;
use super::super::creations::{COLUMNS, stored_event};
use super::{FACTS, Group};
use crate::model::event::StoredEvent;

/// The cache of the temporary database, in KiB. SQLite sorts this much in memory at once.
const CACHE_KIB: i64 = 8 * 1024;

/// The places of the columns after [`COLUMNS`].
const PLACE: usize = 28;
const NUMBER: usize = PLACE + 1;
const NOTE: usize = NUMBER + 1;

/// An empty temporary database. `tables`: the statements that create its tables, without comments.
pub(in crate::store) fn temporary(cache_kib: i64, tables: &str) -> Result<Connection, StoreError> {
    let connection = Connection::open("")?;
    connection.execute_batch(&format!(
        "PRAGMA cache_size = -{cache_kib}; PRAGMA journal_mode = off; PRAGMA synchronous = off; {tables}; BEGIN"
    ))?;
    Ok(connection)
}

/// A temporary table, filled first and read in order then.
#[derive(Debug)]
pub struct Sorter {
    connection: Connection,
    /// Adds an event.
    insert: String,
}

impl Sorter {
    /// An empty one.
    ///
    /// # Errors
    /// SQLite can't make a temporary database.
    pub fn new() -> Result<Self, StoreError> {
        let tables = format!(
            "CREATE TABLE events ({COLUMNS}, place INTEGER, number INTEGER, note TEXT);
             CREATE TABLE texts (key TEXT, text TEXT);"
        );
        let insert = format!("INSERT INTO events VALUES ({}, NULL)", vec!["?"; NOTE].join(", "));
        Ok(Self { connection: temporary(CACHE_KIB, &tables)?, insert })
    }

    /// Adds an event of a group: a row with [`COLUMNS`].
    pub(super) fn add(&self, group: u64, number: u64, row: &Row<'_>, has_facts: bool) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(&self.insert)?;
        for column in 0..PLACE {
            let is_kept = has_facts || !FACTS.contains(&column);
            let value = if is_kept { row.get_ref(column)? } else { ValueRef::Null };
            statement.raw_bind_parameter(column + 1, ToSqlOutput::Borrowed(value))?;
        }
        statement.raw_bind_parameter(PLACE + 1, signed(group))?;
        statement.raw_bind_parameter(NUMBER + 1, signed(number))?;
        statement.raw_execute()?;
        Ok(())
    }

    /// Adds a note to a group.
    pub(super) fn add_note(&self, group: u64, number: u64, note: &str) -> Result<(), StoreError> {
        let mut statement =
            self.connection.prepare_cached("INSERT INTO events (place, number, note) VALUES (?1, ?2, ?3)")?;
        statement.execute(params![signed(group), signed(number), note])?;
        Ok(())
    }

    /// Passes each group to `each`, in the order of numbers. Of events that repeat each other, the [`superfluous`] ones are left out.
    pub(super) fn each_group(
        &self,
        is_repeated: &dyn Fn(&StoredEvent, &StoredEvent) -> bool,
        each: &mut dyn FnMut(Group) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let query = format!("SELECT {COLUMNS}, place, number, note FROM events ORDER BY place, number");
        let mut statement = self.connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        let (mut place, mut group) = (None, Group::default());
        // The place of the first event that the last one repeats.
        let mut begin = 0;
        while let Some(row) = rows.next()? {
            let next: i64 = row.get(PLACE)?;
            if place.replace(next).is_some_and(|place| place != next) {
                each(std::mem::take(&mut group))?;
            }
            if let Some(note) = row.get(NOTE)? {
                group.notes.push(note);
                continue;
            }
            let event = stored_event(row)?;
            if group.events.last().is_some_and(|(_, last)| is_repeated(last, &event)) {
                if let Some(at) = superfluous(&group.events[begin..], &event) {
                    group.events.remove(begin + at);
                }
            } else {
                begin = group.events.len();
            }
            group.events.push((usize::try_from(row.get::<_, i64>(NUMBER)?).unwrap_or(usize::MAX), event));
        }
        if place.is_some() { each(group) } else { Ok(()) }
    }

    /// Adds a text with the key that it is sorted by.
    ///
    /// # Errors
    /// The temporary database fails: the disk is full.
    pub fn add_text(&self, key: &str, text: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached("INSERT INTO texts VALUES (?1, ?2)")?.execute([key, text])?;
        Ok(())
    }

    /// Passes the texts to `each` in the order of their keys, then as they were added; or in the reverse order of their keys.
    ///
    /// # Errors
    /// The temporary database fails.
    pub fn each_text(
        &self,
        is_descending: bool,
        most: Option<u64>,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), StoreError> {
        let order = if is_descending { "DESC" } else { "ASC" };
        let most = most.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX));
        let query = format!("SELECT text FROM texts ORDER BY key {order}, rowid LIMIT ?1");
        let mut statement = self.connection.prepare(&query)?;
        let mut rows = statement.query([most])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str().unwrap_or_default());
        }
        Ok(())
    }
}

/// The place of an event that can be left out, of those that repeat each other, when `next` follows them.
///
/// Usually the first and the last event are enough. But after a rename in the same second, either of them can be of another resource. Then the
/// first event of a later second counts, or the last one of an earlier second. So these four stay.
fn superfluous(events: &[(usize, StoredEvent)], next: &StoredEvent) -> Option<usize> {
    let time = |at: usize| events[at].1.event.time.as_str();
    let last = events.len().checked_sub(1)?;
    let at = if time(last) == next.event.time { last } else { last.checked_sub(1)? };
    let is_first = at == 0 || time(at) > time(0) && time(at - 1) == time(0);
    (!is_first).then_some(at)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
