//! Opens a database: creates it if it does not exist, refuses files of other programs, and migrates older versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use super::place::Opened;
use super::{Store, StoreError, lookup, naming};

/// The migrations in order. Append only, and change [`SCHEMA`] too: `user_version` is the number of applied migrations.
pub(super) const MIGRATIONS: [&str; 17] = [
    include_str!("../../migrations/0001_initial.sql"),
    include_str!("../../migrations/0002_athena_queries.sql"),
    include_str!("../../migrations/0003_ledger_spans.sql"),
    include_str!("../../migrations/0004_organization_runs.sql"),
    include_str!("../../migrations/0005_identities.sql"),
    include_str!("../../migrations/0006_keys_of_writes.sql"),
    include_str!("../../migrations/0007_sessions.sql"),
    include_str!("../../migrations/0008_renames.sql"),
    include_str!("../../migrations/0009_spelling_of_keys.sql"),
    include_str!("../../migrations/0010_rollbacks.sql"),
    include_str!("../../migrations/0011_earlier_writes.sql"),
    include_str!("../../migrations/0012_skip_tags.sql"),
    include_str!("../../migrations/0013_names.sql"),
    include_str!("../../migrations/0014_writes_in_doubt.sql"),
    include_str!("../../migrations/0015_reports.sql"),
    include_str!("../../migrations/0016_prune.sql"),
    include_str!("../../migrations/0017_seconds.sql"),
];

/// The schema of new databases: what all [`MIGRATIONS`] lead to.
const SCHEMA: &str = include_str!("../../migrations/schema.sql");

/// The version that keeps the names of resources.
const NAMES: i64 = 13;

/// The version that finds rows by the digests of their names.
const SECONDS: i64 = 17;

/// A database of at least this size can take seconds to migrate, in bytes.
const LARGE: i64 = 64 * 1024 * 1024;

/// How far a migration has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The version that it has reached.
    pub version: i64,
    /// Rows that are read or written since then.
    pub rows: u64,
}

/// How long to wait for another program's lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait before a database that was locked is opened again.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// The size of a page, in bytes. Most rows take half a KiB: in larger pages, fewer of them are read and written.
const PAGE_SIZE: i64 = 8 * 1024;

/// Prepared statements that are kept for the next transaction. A transaction of a load uses fewer.
const CACHED_STATEMENTS: usize = 32;

/// Page cache, in KiB. Rows arrive nearly in key order, so few pages are in use; the index of IDs is written all over.
const PAGE_CACHE_KIB: i64 = 16 * 1024;

/// Page cache of commands that only read, in KiB: they read pages once, in order, or few.
const READ_CACHE_KIB: i64 = 8 * 1024;

impl Store {
    /// Opens `path`. Creates it if it does not exist, and migrates it.
    ///
    /// # Errors
    /// The file is not a database, belongs to another program, is read-only or locked, or is newer than this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_watched(path, &mut |_| ())
    }

    /// As [`Store::open`]. `watch` is called while a large database is migrated.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_watched(path: &Path, watch: &mut dyn FnMut(Migration)) -> Result<Self, StoreError> {
        check_place(path)?;
        create_private(path);
        let begun = Instant::now();
        loop {
            match Self::open_once(path, watch) {
                // SQLite does not wait while another process turns the WAL on, recovers it or removes it with its last connection.
                // Source: https://www.sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode".
                Err(error) if error.is_busy() && begun.elapsed() < BUSY_TIMEOUT => thread::sleep(BUSY_PAUSE),
                opened => return opened,
            }
        }
    }

    fn open_once(path: &Path, watch: &mut dyn FnMut(Migration)) -> Result<Self, StoreError> {
        // SQLite's default would treat a name that begins with `file:` as a URI.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        // What another program wrote into the schema may call no function with side effects.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // The page size only affects a new database.
        connection.execute_batch(&format!("PRAGMA foreign_keys = on; PRAGMA page_size = {PAGE_SIZE}"))?;
        if version_of_ours(&connection)? < known_version() {
            migrate(&mut connection, watch)?;
        }
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Err(StoreError::ReadOnly);
        }
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = wal; PRAGMA synchronous = normal; PRAGMA cache_size = -{PAGE_CACHE_KIB}"
        ))?;
        // The first read opens the WAL. From then on other processes see that the database is in use.
        version_of_ours(&connection)?;
        Ok(Self { file: Some(Opened::new(path)), ..Self::new(connection) })
    }

    /// Opens `path` for commands that only read. A writable file is opened as in [`Store::open`], a read-only file without
    /// changing it.
    ///
    /// # Errors
    /// As [`Store::open`]; a read-only database that is older than this program is [`StoreError::ReadOnly`].
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        Self::open_to_read_watched(path, &mut |_| ())
    }

    /// As [`Store::open_to_read`]. `watch` is called while a large database is migrated.
    ///
    /// # Errors
    /// As [`Store::open_to_read`].
    pub fn open_to_read_watched(path: &Path, watch: &mut dyn FnMut(Migration)) -> Result<Self, StoreError> {
        Self::open_or_read_only(path, watch)?.with_small_cache()
    }

    /// With the page cache of a command that only reads. Journal pages are written in order, so a small cache is enough.
    ///
    /// # Errors
    /// SQLite's.
    pub fn with_small_cache(self) -> Result<Self, StoreError> {
        self.connection.execute_batch(&format!("PRAGMA cache_size = -{READ_CACHE_KIB}"))?;
        Ok(self)
    }

    fn open_or_read_only(path: &Path, watch: &mut dyn FnMut(Migration)) -> Result<Self, StoreError> {
        match Self::open_watched(path, watch) {
            Err(error) if error.is_of_permission() => {
                let store = read_only(path, false).or_else(|error| {
                    // SQLite creates files beside a database in WAL mode. Without a WAL file, reading without them loses nothing.
                    if has_log(path) { Err(error) } else { read_only(path, true) }
                });
                store.map_err(|_| error)
            }
            opened => opened,
        }
    }

    /// An in-memory database, for events that are looked up once and not stored.
    ///
    /// # Errors
    /// The database fails.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self::new(in_memory()?))
    }
}

/// An empty in-memory database of the latest version.
pub(super) fn in_memory() -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection, &mut |_| ())?;
    Ok(connection)
}

/// Opens a read-only database. `unchanging`: no other program writes it either.
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

/// A path in the form of a `file:` URI.
///
/// Source: <https://www.sqlite.org/uri.html>
fn uri_path(path: &Path) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');
    percent_encode(path.as_os_str().as_encoded_bytes(), KEPT).to_string()
}

/// Whether the WAL beside a database has changes that are not in the database yet.
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

/// Creates a file for its user only, if there is none: it will hold account data. SQLite gives the files beside it its mode, but would create
/// the database itself for all to read. What goes wrong here goes wrong when it is opened, and is reported then.
fn create_private(path: &Path) {
    if path.exists() {
        return;
    }
    // SQLite follows a link that leads nowhere yet.
    let target = fs::read_link(path).map_or_else(|_| path.to_owned(), |target| path.with_file_name(target));
    let mut options = fs::OpenOptions::new();
    // Never a file that exists: closing it would end this process's locks on it.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(target));
}

/// The number of applied migrations; 0 for an empty file.
fn version_of_ours(connection: &Connection) -> Result<i64, StoreError> {
    // One statement, so that the view is consistent: another process may be creating the database now.
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
        let trigger = "SELECT name FROM sqlite_schema WHERE type = 'trigger' LIMIT 1";
        if let Some(name) = connection.query_row(trigger, [], |row| row.get(0)).optional()? {
            return Err(StoreError::Trigger(name));
        }
        return if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) };
    }
    match (predecessors, others || found != 0) {
        (true, _) => Err(StoreError::Predecessor),
        (false, true) => Err(StoreError::Foreign),
        (false, false) => Ok(0),
    }
}

fn migrate(connection: &mut Connection, watch: &mut dyn FnMut(Migration)) -> Result<(), StoreError> {
    let transaction = Transaction::new(connection, TransactionBehavior::Exclusive)?;
    // Another process may have migrated it in the meantime.
    let version = version_of_ours(&transaction)?;
    if version == 0 {
        transaction.execute_batch(SCHEMA)?;
    } else {
        let number = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let is_large = number("page_count")?.saturating_mul(number("page_size")?) >= LARGE;
        for (number, migration) in (1..).zip(MIGRATIONS).skip_while(|(number, _)| *number <= version) {
            if is_large {
                watch(Migration { version: number, rows: 0 });
            }
            transaction.execute_batch(migration)?;
        }
    }
    let mut watch = |rows| watch(Migration { version: known_version(), rows });
    if (1..NAMES).contains(&version) {
        naming::fill_names(&transaction, &mut watch)?;
    }
    if (1..SECONDS).contains(&version) {
        lookup::fill(&transaction, &mut watch)?;
    }
    transaction.pragma_update(None, "user_version", known_version())?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn open_error(path: &Path) -> StoreError {
        Store::open(path).unwrap_err()
    }

    #[test]
    fn regression_a_trigger_of_another_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        let trigger = "CREATE TRIGGER loses AFTER INSERT ON resource_events BEGIN DELETE FROM resource_events; END";
        Store::open(&path).unwrap().connection.execute_batch(trigger).unwrap();
        let error = open_error(&path);
        assert!(error.to_string().contains("the trigger \"loses\"") && error.hint().is_some(), "{error}");
    }

    #[test]
    fn new_database_has_the_latest_version_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        for _ in 0..2 {
            let store = Store::open(&path).unwrap();
            assert_eq!(version_of_ours(&store.connection).unwrap(), known_version());
            let mode: String = store.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
            let number = |name| store.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
            // `synchronous` 1 is `normal`.
            let set = ["foreign_keys", "page_size", "synchronous", "cache_size"].map(number);
            assert_eq!(set, [1, PAGE_SIZE, 1, -PAGE_CACHE_KIB]);
        }
    }

    /// The definitions by kind and name, without comments, white space and quotes.
    fn definitions(connection: &Connection) -> BTreeMap<(String, String), String> {
        let query = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
        let mut statement = connection.prepare(query).unwrap();
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, String>(2)?)));
        let bare = |sql: String| {
            let code = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
            code.flat_map(str::chars).filter(|character| !character.is_whitespace() && *character != '"').collect()
        };
        rows.unwrap().map(Result::unwrap).map(|(key, sql)| (key, bare(sql))).collect()
    }

    #[test]
    fn the_schema_of_new_databases_is_what_all_migrations_lead_to() {
        let [new, migrated] = [&[SCHEMA][..], &MIGRATIONS].map(|scripts| {
            let connection = Connection::open_in_memory().unwrap();
            scripts.iter().for_each(|script| connection.execute_batch(script).unwrap());
            connection
        });
        assert_eq!(definitions(&new), definitions(&migrated));
        let rows = |connection: &Connection| {
            let tables = definitions(connection).into_keys().filter(|(kind, _)| kind == "table");
            let count = |(_, name)| {
                connection.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get::<_, i64>(0))
            };
            tables.map(count).sum::<rusqlite::Result<i64>>().unwrap()
        };
        assert_eq!((rows(&new), rows(&migrated)), (0, 0), "a migration that adds rows has to be in the schema too");
    }

    #[test]
    fn concurrent_creation_creates_once() {
        // One round in some hundred meets the moments in which SQLite does not wait.
        for _ in 0..50 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("creators.db");
            std::thread::scope(|scope| {
                let opening: Vec<_> = (0..4).map(|_| scope.spawn(|| Store::open(&path).map(drop))).collect();
                opening.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
            });
        }
    }

    #[test]
    fn other_files_are_refused_and_not_changed() {
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
    fn newer_database_is_refused_with_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        Store::open(&path).unwrap().connection.pragma_update(None, "user_version", known_version() + 1).unwrap();
        let error = open_error(&path);
        assert!(matches!(error, StoreError::Newer { .. }) && error.hint().unwrap().contains("update trailcreator"));
    }

    #[test]
    fn missing_folder_and_folder_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let missing = open_error(&folder.path().join("no/creators.db"));
        assert!(matches!(&missing, StoreError::NoFolder(path) if path.ends_with("no")) && missing.hint().is_some());
        assert!(matches!(open_error(folder.path()), StoreError::IsFolder));
    }

    #[test]
    fn name_like_a_uri_is_a_file_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file:x?mode=memory");
        Store::open(&path).unwrap();
        assert!(path.exists());
    }
}
