//! The ledger: which units of input (objects, files) were read, in which version. Written in the same transaction as the
//! rows that came of them, so that a load killed at any moment goes on where it was.
//!
//! A unit is kept below its prefix (a day's folder of a bucket, a directory) as 16-byte hashes, replaced in place when it
//! is read again: the ledger grows with the number of units, not with the number of loads. A day's prefix whose units were
//! all read becomes one row ([`ClosedDay`]), and closed days in a row one span of their region ([`days`]).

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

pub mod days;

use super::creations::Inserter;
use super::{Store, StoreError};
use crate::trail::record::ResourceEvent;

/// The first 16 bytes of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The digest of a list of parts; their borders count.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut first = [0; 16];
        first.copy_from_slice(&hasher.finalize()[..16]);
        Self(first)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A unit of input that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadUnit {
    /// What it is below: `s3://bucket/AWSLogs/…/2024/01/31/`.
    pub prefix: String,
    /// Its name there.
    pub name: String,
    /// The version in which it was read: of its content, the resource map and, where they left something out, the filters.
    pub version: Fingerprint,
}

/// A day's prefix all of whose units were read; they are kept as this one row from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedDay {
    /// `s3://bucket/AWSLogs/…/2024/01/31/`
    pub prefix: String,
    /// Of the resource map and, where they left something out, the filters.
    pub version: Fingerprint,
}

/// What one transaction adds.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events.
    pub events: Vec<ResourceEvent>,
    /// Units all of whose events are in this batch or in earlier ones.
    pub units: Vec<ReadUnit>,
    /// Days whose last unit is in this batch or in an earlier one.
    pub closed: Vec<ClosedDay>,
}

/// What a transaction added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// Rows that are new (or changed): an event and a resource's id each.
    pub ids: u64,
    /// Sessions that are new.
    pub sessions: u64,
    /// Sessions that were dropped, as there are too many.
    pub dropped_sessions: u64,
}

impl Store {
    /// Adds a batch in one transaction.
    ///
    /// # Errors
    /// SQLite's. Then nothing of the batch is kept.
    pub fn add(&mut self, batch: &Batch) -> Result<Added, StoreError> {
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)?;
        let mut added = Added::default();
        let mut inserter = Inserter::new(&transaction)?;
        for event in &batch.events {
            inserter.insert(event, &mut added)?;
        }
        drop(inserter);
        added.dropped_sessions = self.bound.keep(&transaction, added.sessions)?;
        // Their rows would be deleted right away.
        let closed: HashSet<&str> = batch.closed.iter().map(|day| day.prefix.as_str()).collect();
        enter(&transaction, batch.units.iter().filter(|unit| !closed.contains(unit.prefix.as_str())))?;
        days::close(&transaction, &batch.closed)?;
        transaction.commit()?;
        Ok(added)
    }

    /// A view of the ledger for the thread that decides what to read.
    ///
    /// # Errors
    /// SQLite's.
    pub fn ledger(&self) -> Result<Ledger, StoreError> {
        let path = self.connection.path().unwrap_or_default();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(super::open::BUSY_TIMEOUT)?;
        Ok(Ledger { connection })
    }
}

fn enter<'u>(transaction: &Transaction<'_>, units: impl Iterator<Item = &'u ReadUnit>) -> Result<(), StoreError> {
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

fn unit_key(name: &str) -> Fingerprint {
    Fingerprint::of(&[name.as_bytes()])
}

/// Reads the ledger while the store is being written to.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
}

impl Ledger {
    /// A ledger that knows nothing, in memory: for what is read without being kept.
    ///
    /// # Errors
    /// SQLite's.
    pub fn empty() -> Result<Self, StoreError> {
        Ok(Self { connection: super::open::in_memory()? })
    }

    /// The version in which a unit was read last.
    ///
    /// # Errors
    /// SQLite's.
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

    fn unit(name: &str, version: &str) -> ReadUnit {
        let version = Fingerprint::of(&[version.as_bytes()]);
        ReadUnit { prefix: "s3://b/2024/01/31/".to_owned(), name: name.to_owned(), version }
    }

    #[test]
    fn a_unit_is_kept_in_its_last_version() {
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
        let count = |table: &str| {
            let query = format!("SELECT count(*) FROM {table}");
            store.connection.query_row(&query, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!((count("ledger_prefixes"), count("ledger_units")), (1, 2));
    }

    #[test]
    fn borders_of_parts_count() {
        assert_ne!(Fingerprint::of(&[b"ab", b"c"]), Fingerprint::of(&[b"a", b"bc"]));
    }
}
