//! Whether the database's file is still where it was opened: SQLite goes on writing to a file that was deleted.

use std::fs;
use std::path::{Path, PathBuf};

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
}
