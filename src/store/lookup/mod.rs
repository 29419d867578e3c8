//! Where the rows are that have an ID or another name with a given end.
//!
//! The view `resource_seconds` has an entry for each part of a row: what comes after the last `/` or `:` of its ID and of its other names.
//! Entries have a digest of the part, so that they are short. What an entry leads to is only a candidate. The row decides.
//!
//! Parts come in no order. In one large table, each new entry would change another page, and each page is written twice: to the WAL and to the
//! database. So there are several tables, [`TIERS`]: new entries go into the smallest one, and a full table is emptied into the next one in
//! the order of the key, which changes each page once for many entries.

mod sweep;

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, OptionalExtension, Row, ToSql, Transaction, params};
use smol_str::SmolStr;

use super::creations::{COLUMNS, SEPARATOR, stored_event};
use super::{Fingerprint, Store, StoreError};
use crate::model::event::{Event, StoredEvent};
use crate::resource_map::naming::last_part;
pub(super) use sweep::Needed;

/// Rows between two reports of progress.
const REPORTED_ROWS: u64 = 4096;

/// A table of entries.
#[derive(Debug, Clone, Copy)]
struct Tier {
    name: &'static str,
    /// Entries from which on it is emptied into the next one.
    capacity: u64,
}

const TIERS: [Tier; 4] = [
    Tier { name: "seconds_1", capacity: 1 << 15 },
    Tier { name: "seconds_2", capacity: 1 << 18 },
    Tier { name: "seconds_3", capacity: 1 << 21 },
    LAST_TIER,
];

const LAST_TIER: Tier = Tier { name: "seconds_4", capacity: u64::MAX };

/// A time as entries have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Second {
    /// Seconds since 1970.
    Number(i64),
    /// A text in another form than CloudTrail's.
    Text(String),
}

/// An entry of `resource_seconds`, in the order of its key.
type Entry = (i64, i64, Second);

impl Second {
    fn of(time: &str) -> Self {
        let number = if is_of_cloudtrail(time) { time.parse::<Timestamp>().ok() } else { None };
        number.map_or_else(|| Self::Text(time.to_owned()), |number| Self::Number(number.as_second()))
    }

    fn of_entry(value: Value) -> Self {
        match value {
            Value::Integer(number) => Self::Number(number),
            Value::Text(text) => Self::Text(text),
            // Nothing wrote it: no row has this time.
            _ => Self::Text(String::new()),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Number(number) => Timestamp::from_second(number).map(|time| time.to_string()).unwrap_or_default(),
            Self::Text(text) => text,
        }
    }
}

/// Whether a time has CloudTrail's form, `2023-07-10T11:54:39Z`. With a valid date, its number then gives the same text again, except for leap
/// seconds: `:60` would be read as `:59`.
fn is_of_cloudtrail(time: &str) -> bool {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = |(form, byte): (&u8, u8)| if *form == b'd' { byte.is_ascii_digit() } else { byte == *form };
    time.len() == FORM.len() && FORM.iter().zip(time.bytes()).all(fits) && !time.ends_with(":60Z")
}

impl ToSql for Second {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Number(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// The digest of a part.
fn digest(part: &str) -> i64 {
    let [a, b, c, d, ..] = Fingerprint::of(&[part.as_bytes()]).0;
    i64::from(i32::from_be_bytes([a, b, c, d]))
}

/// The parts of a row.
fn parts<'r>(id: &'r str, names: Option<&'r str>) -> impl Iterator<Item = &'r str> {
    let own = last_part(id);
    let others = names.into_iter().flat_map(|names| names.split(SEPARATOR)).map(last_part);
    std::iter::once(own).chain(others.filter(move |part| *part != own))
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r str> {
    Ok(row.get_ref(column)?.as_str()?)
}

fn text_or_null<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r str>> {
    Ok(row.get_ref(column)?.as_str_or_null()?)
}

impl Store {
    /// The rows with an ID or another name that ends in this part, passed to `each`. There can be as many as there are resources: paths end in
    /// `database`.
    pub(super) fn each_row_by_last_part(
        &self,
        part: &str,
        each: &mut dyn FnMut(StoredEvent),
    ) -> Result<(), StoreError> {
        let mut entries = self.connection.prepare_cached(
            "SELECT DISTINCT r.account_id, r.region, s.event_time FROM resource_seconds s JOIN account_regions r USING (account_region_id) \
             WHERE s.part = ?1",
        )?;
        let mut entries = entries.query([digest(part)])?;
        let mut rows = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM resource_events WHERE account_id = ?1 AND region = ?2 AND event_time = ?3"
        ))?;
        while let Some(entry) = entries.next()? {
            let (account, region): (String, String) = (entry.get(0)?, entry.get(1)?);
            let mut rows = rows.query(params![account, region, Second::of_entry(entry.get(2)?).text()])?;
            while let Some(row) = rows.next()? {
                let names = text_or_null(row, NAMES)?;
                if parts(text(row, ID)?, names).any(|of_row| of_row == part) {
                    each(stored_event(row)?);
                }
            }
        }
        Ok(())
    }
}

/// The places of the ID and of the names in [`COLUMNS`].
const ID: usize = 5;
const NAMES: usize = 27;

/// Enters rows, within a transaction.
pub(super) struct LookupInserter<'t> {
    account_regions: AccountRegions<'t>,
    insert: CachedStatement<'t>,
    /// The time of the last row: the next one often has it too.
    second: (SmolStr, Second),
    held: Vec<Entry>,
}

impl<'t> LookupInserter<'t> {
    pub(super) fn new(transaction: &'t Transaction<'_>) -> Result<Self, StoreError> {
        let insert = insert_into(transaction, TIERS[0])?;
        let second = (SmolStr::default(), Second::of(""));
        Ok(Self { account_regions: AccountRegions::new(transaction)?, insert, second, held: Vec::new() })
    }

    /// Enters a row. [`LookupInserter::finish`] writes it.
    pub(super) fn insert(&mut self, event: &Event, id: &str, names: Option<&str>) -> Result<(), StoreError> {
        let account_region = self.account_regions.number(event.account_id.as_str(), event.region.as_str())?;
        if self.second.0 != event.time {
            self.second = (event.time.clone(), Second::of(&event.time));
        }
        for part in parts(id, names) {
            self.held.push((digest(part), account_region, self.second.1.clone()));
        }
        Ok(())
    }

    /// Writes the entries.
    pub(super) fn finish(mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        if self.held.is_empty() {
            return Ok(());
        }
        // Neighbors are on one page.
        self.held.sort_unstable();
        for (part, account_region, second) in &self.held {
            self.insert.execute(params![part, account_region, second])?;
        }
        settle(transaction, &TIERS)
    }
}

fn insert_into<'t>(transaction: &'t Transaction<'_>, tier: Tier) -> rusqlite::Result<CachedStatement<'t>> {
    transaction.prepare_cached(&format!("INSERT OR IGNORE INTO {} VALUES (?1, ?2, ?3)", tier.name))
}

/// Empties each full table into the next one.
fn settle(transaction: &Transaction<'_>, tiers: &[Tier]) -> Result<(), StoreError> {
    for (tier, next) in tiers.iter().zip(&tiers[1..]) {
        // SQLite adds up the pages' numbers of entries.
        let mut count = transaction.prepare_cached(&format!("SELECT count(*) FROM {}", tier.name))?;
        if count.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs() < tier.capacity {
            break;
        }
        transaction.execute(&format!("INSERT OR IGNORE INTO {} SELECT * FROM {}", next.name, tier.name), [])?;
        transaction.execute(&format!("DELETE FROM {}", tier.name), [])?;
    }
    Ok(())
}

/// The numbers of accounts in regions.
struct AccountRegions<'t> {
    find: CachedStatement<'t>,
    insert: CachedStatement<'t>,
    /// The last one that was asked for.
    last: Option<(String, String, i64)>,
}

impl<'t> AccountRegions<'t> {
    fn new(transaction: &'t Transaction<'_>) -> Result<Self, StoreError> {
        let find = transaction
            .prepare_cached("SELECT account_region_id FROM account_regions WHERE account_id = ?1 AND region = ?2")?;
        let insert = transaction.prepare_cached(
            "INSERT INTO account_regions (account_id, region) VALUES (?1, ?2) RETURNING account_region_id",
        )?;
        Ok(Self { find, insert, last: None })
    }

    /// The number of an account in a region. Enters new ones.
    fn number(&mut self, account: &str, region: &str) -> Result<i64, StoreError> {
        if let Some((last_account, last_region, number)) = &self.last
            && (last_account.as_str(), last_region.as_str()) == (account, region)
        {
            return Ok(*number);
        }
        let known = self.find.query_row([account, region], |row| row.get(0)).optional()?;
        let number = match known {
            Some(number) => number,
            None => self.insert.query_row([account, region], |row| row.get(0))?,
        };
        self.last = Some((account.to_owned(), region.to_owned(), number));
        Ok(number)
    }
}

/// Counts rows, and reports their number now and then.
pub(super) struct Watched<'w> {
    count: u64,
    watch: &'w mut dyn FnMut(u64),
}

impl<'w> Watched<'w> {
    pub(super) fn new(watch: &'w mut dyn FnMut(u64)) -> Self {
        Self { count: 0, watch }
    }

    pub(super) fn row(&mut self) {
        self.count += 1;
        if self.count.is_multiple_of(REPORTED_ROWS) {
            (self.watch)(self.count);
        }
    }
}

/// Enters all rows of an earlier version. `watch` gets the number of rows so far: each row counts twice, once when it is read and once when
/// its entry is written.
pub(super) fn fill(transaction: &Transaction<'_>, watch: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
    transaction.execute_batch("CREATE TEMP TABLE unsorted (part INTEGER, account_region_id INTEGER, event_time)")?;
    let mut watched = Watched::new(watch);
    let mut rows =
        transaction.prepare("SELECT account_id, region, event_time, resource_id, names FROM resource_events")?;
    let mut note = transaction.prepare("INSERT INTO temp.unsorted VALUES (?1, ?2, ?3)")?;
    let mut inserter = LookupInserter::new(transaction)?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let [account_id, region, time] = [text(row, 0)?, text(row, 1)?, text(row, 2)?];
        let event =
            Event { account_id: account_id.into(), region: region.into(), time: time.into(), ..Event::default() };
        inserter.insert(&event, text(row, 3)?, text_or_null(row, 4)?)?;
        for (part, account_region, second) in inserter.held.drain(..) {
            note.execute(params![part, account_region, second])?;
        }
        watched.row();
    }
    let mut entries =
        transaction.prepare("SELECT part, account_region_id, event_time FROM temp.unsorted ORDER BY 1, 2, 3")?;
    let mut entries = entries.query([])?;
    let mut insert = insert_into(transaction, LAST_TIER)?;
    while let Some(entry) = entries.next()? {
        insert.execute(params![entry.get::<_, Value>(0)?, entry.get::<_, Value>(1)?, entry.get::<_, Value>(2)?])?;
        watched.row();
    }
    drop((rows, entries));
    Ok(transaction.execute_batch("DROP TABLE temp.unsorted")?)
}

#[cfg(test)]
mod tests;
