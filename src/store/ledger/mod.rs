//! The ledger: the units of input (objects, files) that were read, with their versions. Written in the same transaction as the
//! events from them, so that a load that is killed at any time can be resumed.
//!
//! A unit is stored below its prefix (a day's folder in a bucket, a directory) as 16-byte hashes, which are replaced when it
//! is read again: the ledger grows with the number of units, not with the number of loads. When all units of a day's prefix are
//! read, they become one row ([`ClosedDay`]), and consecutive closed days become one span of their region ([`days`]).

use std::collections::HashMap;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};

pub mod days;

use super::fingerprint::Fingerprint;
use super::{Store, StoreError};

/// A unit of input that was read completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadUnit {
    /// Its folder: `s3://bucket/AWSLogs/…/2024/01/31/`.
    pub prefix: String,
    /// Its name in the folder.
    pub name: String,
    /// The version that was read: of its content, the resource map and, if they excluded records, the filters.
    pub version: Fingerprint,
}

/// The prefix of a day with all units read. From then on they are stored as this one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedDay {
    /// `s3://bucket/AWSLogs/…/2024/01/31/`
    pub prefix: String,
    /// The version: of the resource map and, if they excluded records, the filters.
    pub version: Fingerprint,
}

impl Store {
    /// A view of the ledger for the thread that decides which units to read.
    ///
    /// # Errors
    /// The database fails.
    pub fn ledger(&self) -> Result<Ledger, StoreError> {
        let path = self.connection.path().unwrap_or_default();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(super::open::BUSY_TIMEOUT)?;
        Ok(Ledger { connection })
    }
}

pub(super) fn enter<'u>(
    transaction: &Transaction<'_>,
    units: impl Iterator<Item = &'u ReadUnit>,
) -> Result<(), StoreError> {
    let mut insert_prefix =
        transaction.prepare_cached("INSERT INTO ledger_prefixes (prefix) VALUES (?1) ON CONFLICT DO NOTHING")?;
    let mut find_prefix = transaction.prepare_cached("SELECT prefix_id FROM ledger_prefixes WHERE prefix = ?1")?;
    let mut insert_unit = transaction
        .prepare_cached("INSERT OR REPLACE INTO ledger_units (prefix_id, unit, version) VALUES (?1, ?2, ?3)")?;
    let mut ids: HashMap<&str, i64> = HashMap::new();
    for ReadUnit { prefix, name, version } in units {
        let id = match ids.get(prefix.as_str()) {
            Some(id) => *id,
            None => {
                insert_prefix.execute([prefix])?;
                let id = find_prefix.query_row([prefix], |row| row.get(0))?;
                ids.insert(prefix, id);
                id
            }
        };
        insert_unit.execute(params![id, unit_key(name).as_bytes(), version.as_bytes()])?;
    }
    Ok(())
}

/// The prefix under which the ledger notes what it knows about archived objects of a folder: they were not read.
pub fn archived_prefix(prefix: &str) -> String {
    format!("{ARCHIVED}{prefix}")
}

/// How such prefixes begin.
pub(super) const ARCHIVED: &str = "archived:";

fn unit_key(name: &str) -> Fingerprint {
    Fingerprint::of(&[name.as_bytes()])
}

/// Reads the ledger while the store is being written.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
}

impl Ledger {
    /// An empty ledger in memory, for records that are read without being stored.
    ///
    /// # Errors
    /// The database fails.
    pub fn empty() -> Result<Self, StoreError> {
        Ok(Self { connection: super::open::in_memory()? })
    }

    /// Whether any unit of a prefix was read. For the folders of a first load, that is the only question.
    ///
    /// # Errors
    /// The database fails.
    pub fn has_units(&self, prefix: &str) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM ledger_prefixes WHERE prefix = ?1")?;
        Ok(statement.exists([prefix])?)
    }

    /// The version of a unit when it was last read.
    ///
    /// # Errors
    /// The database fails.
    pub fn version(&self, prefix: &str, name: &str) -> Result<Option<Fingerprint>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT version FROM ledger_units JOIN ledger_prefixes USING (prefix_id) WHERE prefix = ?1 AND unit = ?2",
        )?;
        let version = statement
            .query_row(params![prefix, unit_key(name).as_bytes()], |row| row.get::<_, [u8; 16]>(0))
            .optional()?;
        Ok(version.map(Fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Batch;

    fn unit(name: &str, version: &str) -> ReadUnit {
        let version = Fingerprint::of(&[version.as_bytes()]);
        ReadUnit { prefix: "s3://b/2024/01/31/".to_owned(), name: name.to_owned(), version }
    }

    #[test]
    fn unit_is_stored_with_its_last_version() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("creators.db")).unwrap();
        let ledger = store.ledger().unwrap();
        let version = |name: &str| ledger.version("s3://b/2024/01/31/", name).unwrap();
        assert_eq!(version("a"), None);
        for (name, text) in [("a", "1"), ("b", "1"), ("a", "2")] {
            store.add(&Batch { units: vec![unit(name, text)], ..Batch::default() }).unwrap();
        }
        assert_eq!(version("a"), Some(Fingerprint::of(&[b"2"])));
        assert_eq!(version("b"), Some(Fingerprint::of(&[b"1"])));
        assert_eq!(ledger.version("s3://b/2024/02/01/", "a").unwrap(), None);
        assert!(ledger.has_units("s3://b/2024/01/31/").unwrap() && !ledger.has_units("s3://b/2024/02/01/").unwrap());
        let count = |table: &str| {
            let query = format!("SELECT count(*) FROM {table}");
            store.connection.query_row(&query, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!((count("ledger_prefixes"), count("ledger_units")), (1, 2));
    }

    #[test]
    fn digest_depends_on_borders_of_parts() {
        assert_ne!(Fingerprint::of(&[b"ab", b"c"]), Fingerprint::of(&[b"a", b"bc"]));
    }
}
