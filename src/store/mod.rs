//! The SQLite database: the only module that knows SQL.
//!
//! One writer. Migrations (`migrations/NNNN_name.sql`, embedded) are applied on `user_version` in one exclusive
//! transaction; a database newer than the program is refused. Loading is idempotent: rows carry their event id and
//! resource id as key, and the unit they came from enters the ledger in the same transaction.
//!
//! * [`creations`]: what trails told, written by loaders, read by the tagger and `who`
//! * `ledger`: what was read
//! * [`journal`]: what was written to AWS

pub mod creations;
pub mod journal;

use std::path::Path;

/// A database, open.
#[derive(Debug)]
pub struct Store {
    #[allow(dead_code)]
    connection: rusqlite::Connection,
}

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite's own complaint.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        todo!()
    }
}

impl Store {
    /// Opens `path`, makes it where it is missing, and migrates it.
    ///
    /// # Errors
    /// Not a database, read-only, or newer than this program.
    pub fn open(_path: &Path) -> Result<Self, StoreError> {
        todo!()
    }
}
