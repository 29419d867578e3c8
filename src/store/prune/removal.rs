//! The rows that a prune removes, in the order of their time.

use rusqlite::{Connection, params};

use crate::store::StoreError;
use crate::store::lookup::Needed;
use crate::store::recorded::temporary;

/// The cache of the temporary database, in KiB. SQLite sorts this much in memory at once. With twice as much it writes a tenth less, and takes 20 MB more.
const CACHE_KIB: i64 = 8 * 1024;

/// The columns of the key of `resource_events`, in the order of [`Row`].
pub(super) const KEY: &str = "event_time, account_id, region, event_id, resource_type, resource_id";

/// What a prune removes. The rows are in a temporary database in the order in which they were found, and SQLite sorts them once. A table in the order of
/// time would be written many times over, because the rows of a time are found all over the table of events.
#[derive(Debug)]
pub(super) struct Removal {
    rows: Connection,
    /// The lookup entries that the remaining rows need.
    pub(super) needed: Needed,
}

/// A row of `resource_events` by its key.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) event_time: String,
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) event_id: String,
    pub(super) resource_type: String,
    pub(super) resource_id: String,
    /// Whether it stays and only loses its creator.
    pub(super) stays: bool,
}

impl Removal {
    pub(super) fn new() -> Result<Self, StoreError> {
        let rows = temporary(CACHE_KIB, &format!("CREATE TABLE chosen ({KEY}, stays)"))?;
        Ok(Self { rows, needed: Needed::default() })
    }

    /// Where rows are noted.
    pub(super) fn rows(&self) -> &Connection {
        &self.rows
    }

    /// Passes the rows to `each`, oldest first, in batches of at least `at_once` rows. No batch ends between two rows of the same second.
    pub(super) fn each_batch(
        &self,
        at_once: usize,
        each: &mut dyn FnMut(&[Row]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.rows.prepare(&format!("SELECT {KEY}, stays FROM chosen ORDER BY event_time"))?;
        let mut found = statement.query([])?;
        let mut rows: Vec<Row> = Vec::new();
        while let Some(row) = found.next()? {
            let event_time: String = row.get(0)?;
            if rows.len() >= at_once && rows.last().is_some_and(|last| last.event_time != event_time) {
                each(&rows)?;
                rows.clear();
            }
            rows.push(Row {
                event_time,
                account_id: row.get(1)?,
                region: row.get(2)?,
                event_id: row.get(3)?,
                resource_type: row.get(4)?,
                resource_id: row.get(5)?,
                stays: row.get(6)?,
            });
        }
        if rows.is_empty() { Ok(()) } else { each(&rows) }
    }
}

/// Notes a row with [`KEY`] in a table of chosen rows.
pub(super) fn note_row(rows: &Connection, table: &str, row: &rusqlite::Row<'_>, stays: bool) -> Result<(), StoreError> {
    let mut note =
        rows.prepare_cached(&format!("INSERT INTO {table} ({KEY}, stays) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"))?;
    let text = |at| -> rusqlite::Result<&str> { Ok(row.get_ref(at)?.as_str()?) };
    note.execute(params![text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?, stays])?;
    Ok(())
}
