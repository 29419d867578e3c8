//! Opening: makes what is missing, refuses what isn't ours, migrates what is older.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{Store, StoreError};

/// The migrations in their order. Append only: a database's `user_version` says how many it has seen.
const MIGRATIONS: [&str; 9] = [
    include_str!("../../migrations/0001_initial.sql"),
    include_str!("../../migrations/0002_athena_queries.sql"),
    include_str!("../../migrations/0003_ledger_spans.sql"),
    include_str!("../../migrations/0004_organization_runs.sql"),
    include_str!("../../migrations/0005_identities.sql"),
    include_str!("../../migrations/0006_keys_of_writes.sql"),
    include_str!("../../migrations/0007_sessions.sql"),
    include_str!("../../migrations/0008_renames.sql"),
    include_str!("../../migrations/0011_earlier_writes.sql"),
];

/// How long to wait for another program's lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Memory for pages, in KiB. Rows arrive nearly in the order of their key, so few pages are hot.
const PAGE_CACHE_KIB: i64 = 32 * 1024;

impl Store {
    /// Opens `path`, makes it where it is missing, and migrates it.
    ///
    /// # Errors
    /// Not a database, not ours, read-only, locked, or newer than this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        check_place(path)?;
        // Not SQLite's own default, which takes a name that begins with `file:` for a URI.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        if version_of_ours(&connection)? < known_version() {
            migrate(&mut connection)?;
        }
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Err(StoreError::ReadOnly);
        }
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
        Ok(Self::new(connection))
    }

    /// Opens `path` for commands that only read. What may be written is opened as [`Store::open`] does; what may not be, is
    /// read as it is.
    ///
    /// # Errors
    /// As [`Store::open`]; a read-only database that is older than this program is [`StoreError::ReadOnly`].
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        match Self::open(path) {
            Err(error) if error.is_of_permission() => {
                let store = read_only(path, false).or_else(|error| {
                    // SQLite wants to make files beside a database with a log; where none is left, nothing is lost without.
                    if has_log(path) { Err(error) } else { read_only(path, true) }
                });
                store.map_err(|_| error)
            }
            opened => opened,
        }
    }

    /// A database that is gone with this value: for events that are asked about once and not kept.
    ///
    /// # Errors
    /// SQLite's.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection)?;
        Ok(Self::new(connection))
    }
}

/// An empty database of the newest version that is in no file.
pub(super) fn in_memory() -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Opens a database that can't be written. `unchanging`: nobody else writes it either.
fn read_only(path: &Path, unchanging: bool) -> Result<Store, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if unchanging {
        let uri = format!("file:{}?immutable=1", uri_path(path));
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if version_of_ours(&connection)? < known_version() {
        return Err(StoreError::ReadOnly);
    }
    Ok(Store::new(connection))
}

/// A path as a `file:` URI has it.
///
/// Source: <https://www.sqlite.org/uri.html>
fn uri_path(path: &Path) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');
    percent_encode(path.as_os_str().as_encoded_bytes(), KEPT).to_string()
}

/// Whether there are changes in the log beside a database that are not in it yet.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

fn check_place(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Err(StoreError::IsFolder);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(StoreError::NoFolder(PathBuf::from(folder))),
        _ => Ok(()),
    }
}

fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("migrations are few")
}

/// How many migrations the database has seen; 0 for an empty file.
fn version_of_ours(connection: &Connection) -> Result<i64, StoreError> {
    // One statement, so that all is seen at one moment: another process may be making the database right now.
    let (found, ours, predecessors, others): (i64, bool, bool, bool) = connection.query_row(
        "SELECT user_version,
                EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'resource_events'),
                EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'events'),
                EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table')
         FROM pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    let known = known_version();
    if ours {
        return if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) };
    }
    match (predecessors, others || found != 0) {
        (true, _) => Err(StoreError::Predecessor),
        (false, true) => Err(StoreError::Foreign),
        (false, false) => Ok(0),
    }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = Transaction::new(connection, TransactionBehavior::Exclusive)?;
    // Another process may have migrated it while this one waited.
    let version = version_of_ours(&transaction)?;
    let done = usize::try_from(version).unwrap_or_default();
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known_version())?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_error(path: &Path) -> StoreError {
        Store::open(path).unwrap_err()
    }

    #[test]
    fn a_new_database_has_all_migrations_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        for _ in 0..2 {
            let store = Store::open(&path).unwrap();
            assert_eq!(version_of_ours(&store.connection).unwrap(), known_version());
            let mode: String = store.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
        }
    }

    #[test]
    fn a_database_made_by_two_at_once_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        std::thread::scope(|scope| {
            let opening: Vec<_> = (0..4).map(|_| scope.spawn(|| Store::open(&path).map(drop))).collect();
            opening.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
        });
    }

    #[test]
    fn what_is_not_ours_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        for (sql, refusal) in [
            ("CREATE TABLE events (account_id, rtype)", "c7n-trailcreator"),
            ("CREATE TABLE things (a)", "another program"),
            ("CREATE TABLE things (a); PRAGMA user_version = 1", "another program"),
            ("PRAGMA user_version = 7", "another program"),
        ] {
            Connection::open(&path).unwrap().execute_batch(sql).unwrap();
            let before = fs::read(&path).unwrap();
            let error = open_error(&path);
            assert!(error.to_string().contains(refusal), "{error}");
            assert!(error.hint().unwrap().contains("--db"));
            assert_eq!(fs::read(&path).unwrap(), before);
            fs::remove_file(&path).unwrap();
        }
        fs::write(&path, "this is a letter, not a database, and long enough to be read as one").unwrap();
        let error = open_error(&path);
        assert!(error.to_string().contains("not a database") && error.hint().is_some(), "{error}");
    }

    #[test]
    fn a_newer_database_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        Store::open(&path).unwrap().connection.pragma_update(None, "user_version", known_version() + 1).unwrap();
        let error = open_error(&path);
        assert!(matches!(error, StoreError::Newer { .. }) && error.hint().unwrap().contains("update trailcreator"));
    }

    #[test]
    fn a_missing_folder_and_a_folder_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let missing = open_error(&folder.path().join("no/creators.db"));
        assert!(matches!(&missing, StoreError::NoFolder(path) if path.ends_with("no")) && missing.hint().is_some());
        assert!(matches!(open_error(folder.path()), StoreError::IsFolder));
    }

    #[test]
    fn a_name_like_a_uri_is_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file:x?mode=memory");
        Store::open(&path).unwrap();
        assert!(path.exists());
    }
}
