//! The size of a database's file, and giving unused space back.

use crate::store::{Store, StoreError};

/// The size of a database's file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileSize {
    /// In bytes, without what is only in the WAL.
    pub bytes: u64,
    /// Bytes of it that hold nothing.
    pub unused_bytes: u64,
}

impl Store {
    /// The size of the database.
    ///
    /// # Errors
    /// The database fails.
    pub fn size(&self) -> Result<FileSize, StoreError> {
        let number = |name: &str| -> Result<u64, StoreError> {
            Ok(self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0))?.unsigned_abs())
        };
        let page = number("page_size")?;
        Ok(FileSize { bytes: number("page_count")? * page, unused_bytes: number("freelist_count")? * page })
    }

    /// Gives unused space back to the file system: writes the database again, without it.
    ///
    /// # Errors
    /// Another process uses the database, or the disk has no room for a second copy. Nothing is lost.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        self.check_in_place()?;
        self.connection.execute_batch("VACUUM")?;
        // The copy is in the WAL until then. If another process reads, the last one to close the database does this.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}
