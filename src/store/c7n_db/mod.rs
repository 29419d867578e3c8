//! Reads a database of c7n-trailcreator: its only table `events`, row by row.
//!
//! The database is never written, and if possible no lock file is created beside it. This module knows the structure of a row
//! (ten texts, some of them absent), and `load::import` its meaning. Memory does not depend on the number of rows, or
//! on the size of values.

mod error;

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use super::beside;
use super::open::BUSY_TIMEOUT;
pub use error::C7nDbError;

/// The columns of the table, in the order of [`PredecessorRow`]'s fields.
const COLUMNS: [&str; 10] = [
    "account_id",
    "region",
    "event_date",
    "event_name",
    "event_source",
    "user_agent",
    "client_ip",
    "user_id",
    "rtype",
    "resource_ids",
];

/// A longer value (in bytes) makes its row fail, without being read. A complete CloudTrail record has at most 256 KiB.
const MAX_VALUE_BYTES: usize = 256 * 1024;

/// Characters that need no escape in the path of a SQLite URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// A row. A value is `None` for NULL or an empty text: c7n-trailcreator wrote both for unknown values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PredecessorRow {
    /// `account_id`: `recipientAccountId`.
    pub account_id: Option<String>,
    /// `region`.
    pub region: Option<String>,
    /// `event_date`, unchanged.
    pub event_date: Option<String>,
    /// `event_name`.
    pub event_name: Option<String>,
    /// `event_source`.
    pub event_source: Option<String>,
    /// `user_agent`.
    pub user_agent: Option<String>,
    /// `client_ip`.
    pub client_ip: Option<String>,
    /// `user_id`: `root`, a SAML user name, or an ARN.
    pub user_id: Option<String>,
    /// `rtype`: Cloud Custodian's name of the type.
    pub rtype: Option<String>,
    /// `resource_ids`: one ID, or several joined.
    pub resource_ids: Option<String>,
}

/// An open database of c7n-trailcreator.
#[derive(Debug)]
pub struct Predecessor {
    connection: Connection,
    path: PathBuf,
}

impl Predecessor {
    /// Opens `path` and checks that it is a database of c7n-trailcreator.
    ///
    /// # Errors
    /// It is not, or it can't be read.
    pub fn open(path: &Path) -> Result<Self, C7nDbError> {
        check_file(path)?;
        let connection = connect(path).map_err(|error| unreadable(path, error))?;
        let predecessor = Self { connection, path: path.to_owned() };
        predecessor.check_table()?;
        Ok(predecessor)
    }

    /// The maximum number of rows, without reading them.
    ///
    /// # Errors
    /// The database fails.
    pub fn rows_at_most(&self) -> Result<u64, C7nDbError> {
        let query = "SELECT coalesce(max(rowid), 0) FROM events";
        let last: i64 = self.connection.query_row(query, [], |row| row.get(0)).map_err(|error| self.failed(error))?;
        Ok(u64::try_from(last).unwrap_or_default())
    }

    /// The first rowid that is at least `from`.
    ///
    /// # Errors
    /// The database fails.
    pub fn first_rowid(&self, from: i64) -> Result<Option<i64>, C7nDbError> {
        let query = "SELECT min(rowid) FROM events WHERE rowid >= ?1";
        self.connection.query_row(query, [from], |row| row.get(0)).map_err(|error| self.failed(error))
    }

    /// Passes every row from a rowid on to `each`, with its rowid and in the order of rowids, until `each` stops. A row that c7n-trailcreator can't have
    /// written is passed as an error.
    ///
    /// # Errors
    /// The database fails, or `each` does.
    pub fn for_each<E: From<C7nDbError>>(
        &self,
        from: i64,
        each: &mut dyn FnMut(i64, Result<PredecessorRow, BadValue>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        // A value that is too long is returned as an empty blob: SQLite knows its length without loading it.
        let columns = COLUMNS.map(|name| format!("iif(octet_length({name}) > {MAX_VALUE_BYTES}, zeroblob(0), {name})"));
        let query = format!("SELECT {}, rowid FROM events WHERE rowid >= ?1 ORDER BY rowid", columns.join(", "));
        let mut statement = self.connection.prepare(&query).map_err(|error| self.failed(error))?;
        let mut rows = statement.query([from]).map_err(|error| self.failed(error))?;
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            let rowid = row.get(COLUMNS.len()).map_err(|error| self.failed(error))?;
            if each(rowid, read(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn check_table(&self) -> Result<(), C7nDbError> {
        let failed = |error| unreadable(&self.path, error);
        let mut statement =
            self.connection.prepare("SELECT lower(name) FROM sqlite_schema WHERE type = 'table'").map_err(failed)?;
        let tables = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        let tables: Vec<String> = tables.collect::<Result<_, _>>().map_err(failed)?;
        if tables.iter().any(|name| name == "resource_events") {
            return Err(C7nDbError::Ours(self.path.clone()));
        }
        if !tables.iter().any(|name| name == "events") {
            return Err(C7nDbError::NoTable(self.path.clone()));
        }
        let mut statement =
            self.connection.prepare("SELECT lower(name) FROM pragma_table_info('events')").map_err(failed)?;
        let columns = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        let columns: Vec<String> = columns.collect::<Result<_, _>>().map_err(failed)?;
        let missing: Vec<&str> = COLUMNS.into_iter().filter(|name| !columns.iter().any(|has| has == name)).collect();
        if missing.is_empty() { Ok(()) } else { Err(C7nDbError::NoColumns { path: self.path.clone(), missing }) }
    }

    fn failed(&self, error: rusqlite::Error) -> C7nDbError {
        C7nDbError::Sqlite { path: self.path.clone(), error }
    }
}

fn check_file(path: &Path) -> Result<(), C7nDbError> {
    let metadata = fs::metadata(path).map_err(|error| C7nDbError::Path { path: path.to_owned(), error })?;
    let what = match metadata.file_type() {
        kind if kind.is_dir() => "a folder",
        kind if !kind.is_file() => "not a file",
        _ if metadata.len() == 0 => "empty",
        _ => return Ok(()),
    };
    Err(C7nDbError::NoDatabase { path: path.to_owned(), what })
}

fn unreadable(path: &Path, error: rusqlite::Error) -> C7nDbError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            C7nDbError::NoDatabase { path: path.to_owned(), what: "not a SQLite database" }
        }
        Some(ErrorCode::ReadOnly) if !is_empty(&beside(path, "-journal")) => C7nDbError::Unfinished(path.to_owned()),
        _ => C7nDbError::Sqlite { path: path.to_owned(), error },
    }
}

/// Opens read-only. For a database in WAL mode, SQLite still creates files beside it. If that is not possible, and the WAL
/// is empty, the file is opened as immutable.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    match opened {
        Err(error) if wants_to_write(&error) && is_at_rest(path) => {
            let encoded = percent_encode(path.as_os_str().as_encoded_bytes(), PATH);
            Connection::open_with_flags(format!("file:{encoded}?immutable=1"), flags | OpenFlags::SQLITE_OPEN_URI)
        }
        opened => opened,
    }
}

fn wants_to_write(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Whether no other file has part of the database's content.
fn is_at_rest(path: &Path) -> bool {
    ["-wal", "-journal"].into_iter().all(|suffix| is_empty(&beside(path, suffix)))
}

/// Whether a file does not exist or is empty.
fn is_empty(path: &Path) -> bool {
    fs::metadata(path).map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |file| file.len() == 0)
}

/// A value that c7n-trailcreator can't have written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// SQLite can't read it; its error.
    #[error("{column}: {error}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// SQLite's error.
        error: String,
    },
    /// It is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
    /// It is a blob, or too long to be an identifier.
    #[error("{0} is not text, or is longer than {MAX_VALUE_BYTES} bytes")]
    NotText(&'static str),
}

fn read(row: &Row<'_>) -> Result<PredecessorRow, BadValue> {
    let text = |column: usize| {
        let name = COLUMNS[column];
        let value =
            row.get_ref(column).map_err(|error| BadValue::Unreadable { column: name, error: error.to_string() })?;
        Ok(match value {
            ValueRef::Null => None,
            ValueRef::Text(bytes) => {
                let text = std::str::from_utf8(bytes).map_err(|_| BadValue::NotUtf8(name))?;
                (!text.is_empty()).then(|| text.to_owned())
            }
            // A spreadsheet or a data frame removes leading zeros of account IDs.
            ValueRef::Integer(number) if name == "account_id" => Some(format!("{number:012}")),
            ValueRef::Integer(number) => Some(number.to_string()),
            ValueRef::Real(number) => Some(number.to_string()),
            ValueRef::Blob(_) => return Err(BadValue::NotText(name)),
        })
    };
    Ok(PredecessorRow {
        account_id: text(0)?,
        region: text(1)?,
        event_date: text(2)?,
        event_name: text(3)?,
        event_source: text(4)?,
        user_agent: text(5)?,
        client_ip: text(6)?,
        user_id: text(7)?,
        rtype: text(8)?,
        resource_ids: text(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "CREATE TABLE events (account_id varchar(16), region varchar(16), event_date datetime,
        event_name varchar(128), event_source varchar(128), user_agent varchar(128), client_ip varchar(32),
        user_id varchar(128), rtype varchar(42), resource_ids varchar(256));";

    fn database(folder: &Path, sql: &str) -> PathBuf {
        let path = folder.join("c7n #1?.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        path
    }

    fn rows(path: &Path) -> Vec<(i64, Result<PredecessorRow, BadValue>)> {
        let mut rows = Vec::new();
        let mut keep = |rowid, row| {
            rows.push((rowid, row));
            Ok::<_, C7nDbError>(ControlFlow::Continue(()))
        };
        Predecessor::open(path).unwrap().for_each(i64::MIN, &mut keep).unwrap();
        rows
    }

    #[test]
    fn rows_have_their_rowid_and_empty_values_are_absent() {
        let folder = tempfile::tempdir().unwrap();
        let sql = format!(
            "{TABLE} INSERT INTO events VALUES ('1', 'r', 'd', 'n', 's', 'ua', 'ip', 'u', 't', 'i');
             INSERT INTO events (rowid, account_id, user_id, user_agent) VALUES (7, NULL, '', 'ü');"
        );
        let found = rows(&database(folder.path(), &sql));
        let some = |text: &str| Some(text.to_owned());
        let whole = PredecessorRow {
            account_id: some("1"),
            region: some("r"),
            event_date: some("d"),
            event_name: some("n"),
            event_source: some("s"),
            user_agent: some("ua"),
            client_ip: some("ip"),
            user_id: some("u"),
            rtype: some("t"),
            resource_ids: some("i"),
        };
        let empty = PredecessorRow { user_agent: some("ü"), ..PredecessorRow::default() };
        assert_eq!(found, [(1, Ok(whole)), (7, Ok(empty))]);
    }

    #[test]
    fn value_that_is_not_text_or_too_long_fails_only_its_row() {
        let folder = tempfile::tempdir().unwrap();
        let untyped = "CREATE TABLE events (account_id, region, event_date, event_name, event_source, user_agent, client_ip, \
                       user_id, rtype, resource_ids);";
        let sql = format!(
            "{untyped} INSERT INTO events (region) VALUES (x'00ff'), (CAST(x'ff' AS TEXT)), (printf('%.*c', {}, 'x')),
             (printf('%.*c', {MAX_VALUE_BYTES}, 'x')); INSERT INTO events (account_id, region) VALUES (12345678901, 5)",
            MAX_VALUE_BYTES + 1
        );
        let found: Vec<_> = rows(&database(folder.path(), &sql)).into_iter().map(|(_, row)| row).collect();
        for (row, reason) in found.iter().zip(["not text", "not UTF-8", "longer than"]) {
            assert!(row.as_ref().unwrap_err().to_string().contains(reason), "{row:?}");
        }
        assert_eq!(found[3].as_ref().unwrap().region.as_ref().unwrap().len(), MAX_VALUE_BYTES);
        let numbers = found[4].as_ref().unwrap();
        assert_eq!((numbers.account_id.as_deref(), numbers.region.as_deref()), (Some("012345678901"), Some("5")));
    }

    #[test]
    #[cfg(unix)]
    fn wal_database_is_read_in_a_read_only_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(
            folder.path(),
            &format!("PRAGMA journal_mode = wal; {TABLE} INSERT INTO events (region) VALUES ('r')"),
        );
        let copy = beside(&path, "-wal");
        // As on a read-only disk: the files that SQLite creates beside the database can't be created.
        std::os::unix::fs::symlink("no/such/folder", beside(&path, "-shm")).unwrap();
        assert!(!copy.exists());
        assert_eq!(rows(&path).len(), 1);
        fs::write(&copy, "something waits here").unwrap();
        let refused = Predecessor::open(&path);
        assert!(matches!(refused, Err(C7nDbError::Sqlite { .. })), "{refused:?}");
    }

    #[test]
    fn upper_case_names_and_additional_columns_are_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let sql = format!(
            "{}; ALTER TABLE Events ADD COLUMN more; INSERT INTO events (region) VALUES ('r')",
            TABLE.replace("events", "Events").replace("rtype", "RType")
        );
        let path = database(folder.path(), &sql);
        assert_eq!(rows(&path)[0].1.as_ref().unwrap().region.as_deref(), Some("r"));
        assert_eq!(Predecessor::open(&path).unwrap().rows_at_most().unwrap(), 1);
    }
}
