//! What is in a database, read by SQLite itself and not by our own code.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// The rows of a query, their columns joined by `|`.
pub(crate) fn query(path: &Path, sql: &str) -> Vec<String> {
    try_query(path, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// All that loads wrote: events, and which units the ledger knows in which version.
pub(crate) fn loaded(path: &Path) -> Vec<String> {
    let events = query(
        path,
        "SELECT * FROM resource_events ORDER BY account_id, region, event_time, event_id, resource_type, resource_id",
    );
    let ledger =
        "SELECT prefix, hex(unit), hex(version) FROM ledger_units JOIN ledger_prefixes USING (prefix_id) ORDER BY 1, 2";
    events.into_iter().chain(query(path, ledger)).collect()
}

/// The events alone.
pub(crate) fn events(path: &Path) -> Vec<String> {
    query(
        path,
        "SELECT * FROM resource_events ORDER BY account_id, region, event_time, event_id, resource_type, resource_id",
    )
}

/// How many units the ledger knows; 0 as long as there is no database.
pub(crate) fn ledger_units(path: &Path) -> usize {
    let counted = try_query(path, "SELECT count(*) FROM ledger_units");
    counted.ok().and_then(|rows| rows[0].parse().ok()).unwrap_or_default()
}

/// How many events there are; 0 as long as there is no database.
pub(crate) fn event_count(path: &Path) -> usize {
    let counted = try_query(path, "SELECT count(*) FROM resource_events");
    counted.ok().and_then(|rows| rows[0].parse().ok()).unwrap_or_default()
}

/// Asserts that SQLite finds nothing wrong with a database.
pub(crate) fn assert_intact(path: &Path, about: &str) {
    assert_eq!(query(path, "PRAGMA integrity_check"), ["ok"], "{about}");
    assert_eq!(query(path, "PRAGMA foreign_key_check"), [""; 0], "{about}");
}

fn try_query(path: &Path, sql: &str) -> rusqlite::Result<Vec<String>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let values: Result<Vec<String>, _> = (0..columns)
            .map(|column| {
                row.get_ref(column).map(|value| match value {
                    rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                    rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    other => format!("{other:?}"),
                })
            })
            .collect();
        Ok(values?.join("|"))
    })?;
    rows.collect()
}
