//! Errors of a database of c7n-trailcreator, with hints.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why a file is not a database of c7n-trailcreator, or can't be read completely.
#[derive(Debug, thiserror::Error)]
pub enum C7nDbError {
    /// It can't be accessed.
    #[error("{}: {error}", path.display())]
    Path {
        /// The path as given.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// It is not a database.
    #[error("{} is {what}", path.display())]
    NoDatabase {
        /// The path as given.
        path: PathBuf,
        /// What it is, as a phrase.
        what: &'static str,
    },
    /// It is a database of trailcreator.
    #[error("{} is a database of trailcreator itself, not of c7n-trailcreator", .0.display())]
    Ours(PathBuf),
    /// It has no table `events`.
    #[error("{} is not a database of c7n-trailcreator: it has no table `events`", .0.display())]
    NoTable(PathBuf),
    /// The table has no such columns.
    #[error("{} is not a database of c7n-trailcreator: its table `events` has no {}", path.display(), missing.join(", "))]
    NoColumns {
        /// The path as given.
        path: PathBuf,
        /// Names of columns.
        missing: Vec<&'static str>,
    },
    /// It has an unfinished transaction, which only a writer can roll back.
    #[error("{} holds an unfinished transaction: the program that wrote it was interrupted", .0.display())]
    Unfinished(PathBuf),
    /// An error of SQLite.
    #[error("reading {}: {error}", path.display())]
    Sqlite {
        /// The path as given.
        path: PathBuf,
        /// SQLite's error.
        error: rusqlite::Error,
    },
}

impl C7nDbError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Path { .. } => "check the path and its permissions",
            Self::NoDatabase { .. } => {
                "name the file that c7n-trailcreator wrote (its --db); use load-files for log files of a trail"
            }
            Self::Ours(_) => "no import is needed: name the file with --db",
            Self::NoTable(_) | Self::NoColumns { .. } => "name the file that c7n-trailcreator wrote (its --db)",
            Self::Unfinished(_) => {
                "SQLite rolls it back when it opens the file for writing: run `sqlite3 FILE 'DELETE FROM events WHERE 0'`, then \
                 the same command again"
            }
            Self::Sqlite { error, .. } => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    "another program is writing to it: wait until it finishes, then run the same command again"
                }
                Some(ErrorCode::DatabaseCorrupt) => {
                    "all rows read so far are saved; repair a copy with `sqlite3 FILE .recover | sqlite3 COPY`, and import that"
                }
                _ => {
                    "make the file readable; if it is on a read-only disk with a -wal file beside it, copy both files to a \
                     writable folder, and import that copy"
                }
            },
        }
    }
}
