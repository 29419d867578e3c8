//! Removes the lookup entries that no row needs: those of rows that a prune removed.
//!
//! Rows of the same time have their entries in all parts of the tables. If each transaction that removes rows also removed their entries, it
//! would write most pages of the tables again. So a prune notes the entries of the rows that stay, while it reads them ([`Needed`]). When the other rows are
//! removed, it reads the tables in the order of their key, and deletes what it did not note: each page is written once. It also removes
//! the entries that a killed prune left.
//!
//! Until then, an entry without a row does no harm: it leads to a second in which no row has the name.

use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Entry, Second, TIERS, Tier, digest, parts, text, text_or_null};
use crate::store::{Store, StoreError};

/// Bits of the filter for each entry, at least.
const BITS: u64 = 12;

/// Words of the filter, at least.
const FEWEST_WORDS: u64 = 1 << 10;

/// Words of the filter, at most: 16 MB. With more than 11,000,000 entries it has fewer bits for each, and keeps more entries without a row.
const MOST_WORDS: u64 = 1 << 21;

/// Bits of a word, as a power of two.
const WORD_BITS: u32 = u64::BITS.ilog2();

/// Entries that are read in a transaction.
const ENTRIES_AT_ONCE: usize = 50_000;

/// Before the first entry.
const FIRST: Entry = (i64::MIN, i64::MIN, Second::Number(i64::MIN));

/// The entries that rows need, in a Bloom filter: four bits of one word for each. It keeps a few others as well, but never loses one.
#[derive(Debug, Default)]
pub(in crate::store) struct Needed {
    words: Vec<u64>,
    /// The number of all entries.
    entries: u64,
    /// SQLite's `data_version` when the rows were read. It changes when another connection writes.
    version: i64,
    /// The last account and region, with their number.
    account_region: (String, String, Option<i64>),
    /// The last time.
    second: (String, Option<Second>),
}

impl Needed {
    /// Begins in the snapshot in which all rows are read.
    pub(in crate::store) fn begin(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.entries = 0;
        for Tier { name, .. } in TIERS {
            let count =
                connection.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get::<_, i64>(0))?;
            self.entries += count.unsigned_abs();
        }
        let words = (self.entries * BITS / u64::from(u64::BITS)).next_power_of_two().clamp(FEWEST_WORDS, MOST_WORDS);
        self.words = vec![0; usize::try_from(words).unwrap_or_default()];
        self.version = data_version(connection)?;
        Ok(())
    }

    /// Notes the entries of a row.
    pub(in crate::store) fn note(
        &mut self,
        connection: &Connection,
        [account, region, time]: [&str; 3],
        id: &str,
        names: Option<&str>,
    ) -> Result<(), StoreError> {
        if (self.account_region.0.as_str(), self.account_region.1.as_str()) != (account, region) {
            let query = "SELECT account_region_id FROM account_regions WHERE account_id = ?1 AND region = ?2";
            let number = connection.query_row(query, [account, region], |row| row.get(0)).optional()?;
            self.account_region = (account.to_owned(), region.to_owned(), number);
        }
        if self.second.1.is_none() || self.second.0 != time {
            self.second = (time.to_owned(), Some(Second::of(time)));
        }
        let (Some(account_region), Some(second)) = (self.account_region.2, &self.second.1) else { return Ok(()) };
        for part in parts(id, names) {
            let (at, bits) = place(&(digest(part), account_region, second), self.words.len());
            self.words[at] |= bits;
        }
        Ok(())
    }

    /// Whether a row may need the entry.
    fn has(&self, (part, account_region, second): &Entry) -> bool {
        let (at, bits) = place(&(*part, *account_region, second), self.words.len());
        self.words[at] & bits == bits
    }
}

/// The word of an entry among so many (a power of two), and its bits.
fn place(entry: &(i64, i64, &Second), words: usize) -> (usize, u64) {
    let mut hasher = DefaultHasher::new();
    entry.hash(&mut hasher);
    let hash = hasher.finish();
    let bits = (0..4).map(|bit| 1 << (hash >> (bit * WORD_BITS) & u64::from(u64::BITS - 1)));
    let bits = bits.fold(0, |bits: u64, bit: u64| bits | bit);
    let words = u64::try_from(words).unwrap_or(u64::MAX);
    (usize::try_from((hash >> (4 * WORD_BITS)) % words).unwrap_or_default(), bits)
}

fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}

impl Store {
    /// Removes the entries that no row needs, in short transactions. `watch` gets the number of entries that were read, and that of all.
    pub(in crate::store) fn sweep(
        &mut self,
        needed: &Needed,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<(), StoreError> {
        self.sweep_by(needed, ENTRIES_AT_ONCE, watch)
    }

    pub(super) fn sweep_by(
        &mut self,
        needed: &Needed,
        at_once: usize,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<(), StoreError> {
        let mut read = 0;
        for tier in TIERS {
            let mut last = FIRST;
            loop {
                watch(read, needed.entries.max(read));
                self.check_in_place()?;
                let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)?;
                let entries = entries_after(&transaction, tier, &last, at_once)?;
                remove_others(&transaction, tier, &entries, needed)?;
                transaction.commit()?;
                read += entries.len() as u64;
                let is_end = entries.len() < at_once;
                match entries.into_iter().next_back() {
                    Some(entry) if !is_end => last = entry,
                    _ => break,
                }
            }
        }
        Ok(())
    }
}

/// Entries of a table in the order of its key.
fn entries_after(
    transaction: &Transaction<'_>,
    tier: Tier,
    (part, account_region, second): &Entry,
    at_once: usize,
) -> Result<Vec<Entry>, StoreError> {
    let mut entries = transaction.prepare_cached(&format!(
        "SELECT part, account_region_id, event_time FROM {} \
         WHERE (part, account_region_id, event_time) > (?1, ?2, ?3) ORDER BY 1, 2, 3 LIMIT ?4",
        tier.name
    ))?;
    let limit = i64::try_from(at_once).unwrap_or(i64::MAX);
    let entries = entries.query_map(params![part, account_region, second, limit], |row| {
        Ok((row.get(0)?, row.get(1)?, Second::of_entry(row.get(2)?)))
    })?;
    Ok(entries.collect::<Result<_, _>>()?)
}

/// Removes those of these entries that no row needs.
fn remove_others(
    transaction: &Transaction<'_>,
    tier: Tier,
    entries: &[Entry],
    needed: &Needed,
) -> Result<(), StoreError> {
    // Rows that another process has written since may need them again.
    let is_changed = data_version(transaction)? != needed.version;
    let mut delete = transaction.prepare_cached(&format!(
        "DELETE FROM {} WHERE part = ?1 AND account_region_id = ?2 AND event_time = ?3",
        tier.name
    ))?;
    for entry in entries.iter().filter(|entry| !needed.has(entry)) {
        if !is_changed || !has_row(transaction, entry)? {
            let (part, account_region, second) = entry;
            delete.execute(params![part, account_region, second])?;
        }
    }
    Ok(())
}

/// Whether a row has an entry.
fn has_row(transaction: &Transaction<'_>, (part, account_region, second): &Entry) -> Result<bool, StoreError> {
    let mut rows = transaction.prepare_cached(
        "SELECT e.resource_id, e.names FROM account_regions r \
         JOIN resource_events e ON e.account_id = r.account_id AND e.region = r.region AND e.event_time = ?2 \
         WHERE r.account_region_id = ?1",
    )?;
    let mut rows = rows.query(params![account_region, second.clone().text()])?;
    while let Some(row) = rows.next()? {
        let names = text_or_null(row, 1)?;
        if parts(text(row, 0)?, names).any(|of_row| digest(of_row) == *part) {
            return Ok(true);
        }
    }
    Ok(false)
}
