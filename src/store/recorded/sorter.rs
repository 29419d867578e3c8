//! Events sorted by group in a temporary database, which SQLite keeps on disk where it is large and removes at the end.

use rusqlite::{Connection, params};

use super::super::StoreError;
use super::name_of;
use crate::model::event::StoredEvent;

/// The cache of the temporary database, in KiB. SQLite sorts this much in memory at once.
const CACHE_KIB: i64 = 32 * 1024;

/// A temporary table, filled first and read in order then.
#[derive(Debug)]
pub struct Sorter {
    connection: Connection,
}

impl Sorter {
    /// An empty one.
    ///
    /// # Errors
    /// SQLite can't make a temporary database.
    pub fn new() -> Result<Self, StoreError> {
        let connection = Connection::open("")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "journal_mode", "off")?;
        connection.pragma_update(None, "synchronous", "off")?;
        connection.execute_batch(
            "CREATE TABLE events (
                 account_id TEXT, region TEXT, event_time TEXT, event_id TEXT, resource_type TEXT, resource_id TEXT,
                 action TEXT, renamed_to TEXT, names TEXT, place INTEGER, number INTEGER
             );
             CREATE TABLE texts (key TEXT, text TEXT);
             BEGIN;",
        )?;
        Ok(Self { connection })
    }

    /// Adds an event of a group.
    pub(super) fn add(&self, group: u32, number: usize, stored: &StoredEvent) -> Result<(), StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?;
        let StoredEvent { resource_type, resource_id, action, names, renamed_to, event } = stored;
        let names = (!names.is_empty()).then(|| names.join("\n"));
        statement.execute(params![
            event.account_id.as_str(),
            event.region.as_str(),
            event.time,
            event.event_id,
            resource_type.as_str(),
            resource_id.as_str(),
            action.as_str(),
            renamed_to.as_ref().map(crate::model::ResourceId::as_str),
            names,
            group,
            i64::try_from(number).unwrap_or(i64::MAX),
        ])?;
        Ok(())
    }

    /// Passes the events of each group to `each`, in the order of their numbers.
    pub(super) fn each_group(&self, each: &mut dyn FnMut(Vec<(usize, StoredEvent)>)) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare("SELECT * FROM events ORDER BY place, number")?;
        let mut rows = statement.query([])?;
        let (mut group, mut events) = (None, Vec::new());
        while let Some(row) = rows.next()? {
            let place: i64 = row.get(9)?;
            if group != Some(place) && !events.is_empty() {
                each(std::mem::take(&mut events));
            }
            group = Some(place);
            events.push((usize::try_from(row.get::<_, i64>(10)?).unwrap_or(usize::MAX), name_of(row)?));
        }
        if !events.is_empty() {
            each(events);
        }
        Ok(())
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
