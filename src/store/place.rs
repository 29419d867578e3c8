//! Whether the database's file is still where it was opened: SQLite goes on writing to a file that was deleted.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{Store, StoreError};

/// A file that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    identity: Option<Identity>,
}

/// Device and inode.
type Identity = (u64, u64);

impl Opened {
    pub(super) fn new(path: &Path) -> Self {
        // The working directory may change; the file's path does not.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Self { identity: identity(&path), path }
    }

    fn is_in_place(&self) -> bool {
        self.path.exists() && identity(&self.path) == self.identity
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<Identity> {
    // An open file can't be deleted there.
    None
}

impl Store {
    /// Checks that what is written now is not lost.
    ///
    /// # Errors
    /// [`StoreError::Replaced`]
    pub(super) fn check_in_place(&self) -> Result<(), StoreError> {
        if self.file.as_ref().is_none_or(Opened::is_in_place) { Ok(()) } else { Err(StoreError::Replaced) }
    }
}

/// Removes a database without a row, which a failed command has created. It stays where another process has it open.
pub fn remove_if_empty(path: &Path) {
    let is_without_bytes = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0);
    // Closing the last connection removes the WAL.
    let is_empty = is_without_bytes || has_no_rows(path).unwrap_or_default();
    if is_empty && !beside(path, "-wal").exists() {
        drop(fs::remove_file(path));
    }
}

fn has_no_rows(path: &Path) -> rusqlite::Result<bool> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let mut tables =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for table in tables {
        let name = table.replace('"', "\"\"");
        if connection.prepare(&format!("SELECT 1 FROM \"{name}\" LIMIT 1"))?.exists([])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A file that SQLite creates beside a database.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Batch;

    #[test]
    fn regression_a_database_that_is_deleted_or_replaced_takes_no_events() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        let mut store = Store::open(&path).unwrap();
        store.add(&Batch::default()).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(store.add(&Batch::default()), Err(StoreError::Replaced)));
        let _new = Store::open(&path).unwrap();
        assert!(matches!(store.add(&Batch::default()), Err(StoreError::Replaced)));
    }

    #[test]
    fn a_database_is_removed_only_if_it_is_empty_and_not_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        let store = Store::open(&path).unwrap();
        remove_if_empty(&path);
        assert!(path.exists(), "it is in use");
        drop(store);
        remove_if_empty(&path);
        assert!(!path.exists());
        let mut store = Store::open(&path).unwrap();
        let version = crate::store::Fingerprint::of(&[b"1"]);
        let unit = crate::store::ledger::ReadUnit { prefix: "logs/".to_owned(), name: "one".to_owned(), version };
        store.add(&Batch { units: vec![unit], ..Batch::default() }).unwrap();
        drop(store);
        remove_if_empty(&path);
        assert!(path.exists(), "it has a row");
    }
}
