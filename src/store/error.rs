//! Database errors, with hints.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An error of SQLite.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The folder of the file does not exist.
    #[error("folder {} does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The path is a folder.
    #[error("it is a folder")]
    IsFolder,
    /// The file was deleted or replaced while it was in use: what is written now would be lost.
    #[error("it was deleted or replaced while in use")]
    Replaced,
    /// The file can be read but not written.
    #[error("it is read-only")]
    ReadOnly,
    /// A database of c7n-trailcreator.
    #[error("it was written by c7n-trailcreator")]
    Predecessor,
    /// A database of another program.
    #[error("it is a SQLite database of another program")]
    Foreign,
    /// SQL in the file would run with each write: it changes what is stored.
    #[error("it has the trigger {0:?}, which trailcreator did not create")]
    Trigger(String),
    /// Written by a newer version of trailcreator.
    #[error("it has schema version {found}, but this version of trailcreator supports only up to {known}")]
    Newer {
        /// Its schema version.
        found: i64,
        /// The latest schema version that this program supports.
        known: i64,
    },
}

impl StoreError {
    /// Whether the file or its folder can't be written, or the file can't be opened.
    pub fn is_of_permission(&self) -> bool {
        match self {
            Self::ReadOnly => true,
            Self::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
            }
            _ => false,
        }
    }

    /// Whether another connection has a lock that keeps this one out.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoFolder(_) => Some("create the folder, or name another file with --db"),
            Self::IsFolder | Self::Foreign => Some("name another file with --db; it is created if it does not exist"),
            Self::Trigger(_) => Some("drop the trigger, or name another file with --db"),
            Self::Replaced => Some("run the same command again; what was stored in the deleted file is lost"),
            Self::ReadOnly => Some(READ_ONLY),
            Self::Predecessor => Some("name another file with --db, and import this one; the file was not changed"),
            Self::Newer { .. } => Some("update trailcreator, or name another file with --db"),
            Self::Sqlite(error) => error.sqlite_error_code().and_then(hint_of_code),
        }
    }
}

const READ_ONLY: &str = "make the file and its folder writable, or name another file with --db";

fn hint_of_code(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::NotADatabase => Some("name another file with --db; it is created if it does not exist"),
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Some(READ_ONLY),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            Some("another program is writing to it: wait until it finishes, then run the same command again")
        }
        ErrorCode::DiskFull => Some("free disk space, then run the same command again to resume"),
        ErrorCode::SystemIoFailure => {
            Some("check the disk: it may be full, over a quota or failing; then run the same command again to resume")
        }
        ErrorCode::DatabaseCorrupt => Some("restore a copy, or load again into another file (--db)"),
        _ => None,
    }
}
