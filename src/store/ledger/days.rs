//! Closed days: they keep the ledger small and listings short.
//!
//! A day is closed when every unit of its prefix was read and no more are expected. Consecutive closed days become one span of
//! their folder (days without units between them count as closed if they were listed). So a
//! region needs one row, whatever the age of its trail, and one more if it was also read with session events
//! (`--chains`). A version covers the resource map: with another map, all days are open.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{ClosedDay, Ledger, archived_prefix};
use crate::store::Fingerprint;
use crate::store::{Store, StoreError};

/// The closed days of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClosedDays {
    spans: Vec<Span>,
    days: BTreeSet<Date>,
}

/// The version of a span, and that of another span that can exist beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanVersion {
    /// The version that days are closed in now.
    pub own: Fingerprint,
    /// The version of the same map with session events if `own` is without, and the other way round.
    pub other: Fingerprint,
    /// Whether days that are closed in the other version are closed in this one too.
    pub other_has_more: bool,
}

/// Consecutive days, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    /// `None`: the beginning of the trail.
    first: Option<Date>,
    last: Date,
}

impl ClosedDays {
    /// Whether a day is closed.
    pub fn contains(&self, day: Date) -> bool {
        self.days.contains(&day) || self.spans.iter().any(|span| span.contains(day))
    }

    /// The first day from `day` on that is not closed.
    pub fn next_open(&self, mut day: Date) -> Date {
        while self.contains(day) && day < Date::MAX {
            let last = self.spans.iter().filter(|span| span.contains(day)).map(|span| span.last).max().unwrap_or(day);
            day = last.saturating_add(1.day());
        }
        day
    }

    /// The first open day, if all days before it, from the beginning of the trail, are closed.
    pub fn open_from_beginning(&self) -> Option<Date> {
        let last = self.spans.iter().filter(|span| span.first.is_none()).map(|span| span.last).max()?;
        Some(self.next_open(last))
    }
}

impl Span {
    fn contains(self, day: Date) -> bool {
        self.first.is_none_or(|first| first <= day) && day <= self.last
    }

    /// Joins two spans if no day is between them.
    fn joined(self, other: Self) -> Option<Self> {
        let (earlier, later) = if self.first <= other.first { (self, other) } else { (other, self) };
        let adjoins = later.first.is_none_or(|first| first <= earlier.last.saturating_add(1.day()));
        adjoins.then(|| Self { first: earlier.first, last: earlier.last.max(later.last) })
    }
}

/// A folder of days that was listed without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFolder {
    /// `s3://bucket/AWSLogs/…/us-east-1/`
    pub prefix: String,
    /// The first day that was listed or already closed. `None`: the beginning of the trail.
    pub first: Option<Date>,
    /// The last day that can be closed.
    pub last: Date,
    /// The days with objects.
    pub days: BTreeSet<Date>,
}

/// `2023/07/10`, as in keys.
pub fn day_text(day: Date) -> String {
    format!("{:04}/{:02}/{:02}", day.year(), day.month(), day.day())
}

/// The day at the beginning of `rest`: `2023/07/10/…`.
pub fn day_at_start(rest: &str) -> Option<Date> {
    let (text, after) = rest.split_at_checked("YYYY/MM/DD".len())?;
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse().ok();
    let date = Date::new(number(0..4)?, i8::try_from(number(5..7)?).ok()?, i8::try_from(number(8..10)?).ok()?).ok()?;
    (after.starts_with('/') && day_text(date) == text).then_some(date)
}

impl Ledger {
    /// The closed days of a folder, in one of `versions`.
    ///
    /// # Errors
    /// The database fails.
    pub fn closed_days(&self, folder: &str, versions: &[Fingerprint]) -> Result<ClosedDays, StoreError> {
        let spans = spans_of(&self.connection, folder)?.into_iter();
        let spans = spans.filter(|(version, _)| versions.contains(version)).map(|(_, span)| span).collect();
        let days = rows_of(&self.connection, folder)?.into_iter();
        let days = days.filter(|(_, closed)| closed.is_some_and(|closed| versions.contains(&closed)));
        Ok(ClosedDays { spans, days: days.map(|(day, _)| day).collect() })
    }
}

impl Store {
    /// Joins the closed days at the beginning of a listed folder into one span.
    ///
    /// # Errors
    /// The database fails. Then nothing is changed.
    pub fn collapse(&mut self, folder: &ListedFolder, version: SpanVersion) -> Result<(), StoreError> {
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)?;
        let rows = rows_of(&transaction, &folder.prefix)?;
        let closes = |known: Fingerprint| known == version.own || version.other_has_more && known == version.other;
        let closed = |day: Date| rows.iter().any(|(other, closed)| *other == day && closed.is_some_and(closes));
        let in_span = |day: Date| folder.first.is_none_or(|first| first <= day) && day <= folder.last;
        let spans = spans_of(&transaction, &folder.prefix)?;
        let known = spans.iter().find(|(known, _)| *known == version.own).map(|(_, span)| *span);
        let is_known = |day: Date| spans.iter().any(|(known, span)| closes(*known) && span.contains(day));
        let with_objects = rows.iter().map(|(day, _)| *day).chain(folder.days.iter().copied());
        let first_open = with_objects.filter(|day| in_span(*day) && !closed(*day) && !is_known(*day)).min();
        let last = first_open.map_or(folder.last, |day| day.saturating_sub(1.day()));
        let found = Span { first: folder.first, last };
        let span = known.map_or(Some(found), |known| known.joined(found));
        if let Some(span) = span.filter(|_| folder.first.is_none_or(|first| first <= last)) {
            write_span(&transaction, &folder.prefix, version, span)?;
        }
        transaction.commit()?;
        Ok(())
    }
}

/// Replaces the units of closed days with one row each.
pub(in crate::store) fn close(transaction: &Transaction<'_>, days: &[ClosedDay]) -> Result<(), StoreError> {
    let mut enter = transaction.prepare_cached(
        "INSERT INTO ledger_prefixes (prefix, closed) VALUES (?1, ?2)
         ON CONFLICT (prefix) DO UPDATE SET closed = excluded.closed",
    )?;
    let mut forget = transaction.prepare_cached(
        "DELETE FROM ledger_units WHERE prefix_id = (SELECT prefix_id FROM ledger_prefixes WHERE prefix = ?1)",
    )?;
    let mut forget_prefix = transaction.prepare_cached("DELETE FROM ledger_prefixes WHERE prefix = ?1")?;
    for ClosedDay { prefix, version } in days {
        enter.execute(params![prefix, version.as_bytes()])?;
        forget.execute([prefix])?;
        // All objects of the day were read: none is archived any more.
        let archived = archived_prefix(prefix);
        forget.execute([&archived])?;
        forget_prefix.execute([&archived])?;
    }
    Ok(())
}

fn write_span(transaction: &Transaction<'_>, folder: &str, version: SpanVersion, span: Span) -> Result<(), StoreError> {
    let (first, last) = (span.first.map(day_text), day_text(span.last));
    let (own, other) = (version.own.as_bytes(), version.other.as_bytes());
    // The rows of earlier maps.
    let forget = "DELETE FROM ledger_spans WHERE prefix = ?1 AND version NOT IN (?2, ?3)";
    transaction.execute(forget, params![folder, own, other])?;
    transaction.execute(
        "INSERT OR REPLACE INTO ledger_spans (prefix, version, first_day, last_day) VALUES (?1, ?2, ?3, ?4)",
        params![folder, own, first, last],
    )?;
    let from = format!("{folder}{}", first.unwrap_or_default());
    // `0` is the character after `/`, so the whole folder of the last day is before it.
    let to = format!("{folder}{last}0");
    let days = "SELECT prefix_id FROM ledger_prefixes WHERE prefix > ?1 AND prefix < ?2 AND closed IS NOT NULL \
                AND closed IS NOT ?3";
    // A day that is closed in a version with more events is not covered by this span.
    let kept = version.other_has_more.then_some(other);
    for delete in ["DELETE FROM ledger_units", "DELETE FROM ledger_prefixes"] {
        transaction.execute(&format!("{delete} WHERE prefix_id IN ({days})"), params![from, to, kept])?;
    }
    Ok(())
}

fn spans_of(connection: &Connection, folder: &str) -> Result<Vec<(Fingerprint, Span)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT version, first_day, last_day FROM ledger_spans WHERE prefix = ?1")?;
    let rows = statement.query_map([folder], |row| {
        Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, String>(2)?))
    })?;
    let day = |text: &str| day_at_start(&format!("{text}/"));
    let span = |(version, first, last): ([u8; 16], Option<String>, String)| {
        let first = match first {
            Some(first) => Some(day(&first)?),
            None => None,
        };
        Some((Fingerprint(version), Span { first, last: day(&last)? }))
    };
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter_map(span).collect())
}

/// The days of a folder that have a row, with their versions.
fn rows_of(connection: &Connection, folder: &str) -> Result<Vec<(Date, Option<Fingerprint>)>, StoreError> {
    let end = format!("{}0", folder.trim_end_matches('/'));
    let mut statement = connection.prepare_cached(
        "SELECT prefix, closed FROM ledger_prefixes WHERE prefix > ?1 AND prefix < ?2 ORDER BY prefix",
    )?;
    let rows = statement
        .query_map([folder, &end], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<[u8; 16]>>(1)?)))?;
    let mut days = Vec::new();
    for row in rows {
        let (prefix, closed) = row?;
        let day = prefix.strip_prefix(folder).and_then(day_at_start);
        days.extend(day.map(|day| (day, closed.map(Fingerprint))));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Batch;
    use crate::store::ledger::ReadUnit;
    use jiff::civil::date;

    const FOLDER: &str = "s3://b/AWSLogs/1/CloudTrail/r/";

    fn version(text: &str) -> Fingerprint {
        Fingerprint::of(&[text.as_bytes()])
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("creators.db")).unwrap();
        (folder, store)
    }

    /// Of a map without sessions, and with them.
    fn plain() -> SpanVersion {
        SpanVersion { own: version("map"), other: version("map with sessions"), other_has_more: true }
    }

    fn with_sessions() -> SpanVersion {
        SpanVersion { own: version("map with sessions"), other: version("map"), other_has_more: false }
    }

    fn another() -> SpanVersion {
        let [own, other] = ["new map", "new map with sessions"].map(version);
        SpanVersion { own, other, other_has_more: true }
    }

    fn prefix(day: i8) -> String {
        format!("{FOLDER}2026/03/{day:02}/")
    }

    fn close_days(store: &mut Store, days: &[i8], text: &str) {
        let closed = days.iter().map(|day| ClosedDay { prefix: prefix(*day), version: version(text) }).collect();
        let units =
            days.iter().map(|day| ReadUnit { prefix: prefix(*day), name: "a".to_owned(), version: version("unit") });
        store.add(&Batch { units: units.collect(), closed, ..Batch::default() }).unwrap();
    }

    fn listed(first: Option<i8>, last: i8, days: &[i8]) -> ListedFolder {
        let day = |day: i8| date(2026, 3, day);
        ListedFolder {
            prefix: FOLDER.to_owned(),
            first: first.map(day),
            last: day(last),
            days: days.iter().map(|d| day(*d)).collect(),
        }
    }

    fn rows(store: &Store) -> [i64; 3] {
        ["ledger_prefixes", "ledger_units", "ledger_spans"].map(|table| {
            store.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        })
    }

    fn open(store: &Store, text: &str) -> Vec<i8> {
        let closed = store.ledger().unwrap().closed_days(FOLDER, &[version(text)]).unwrap();
        (1..=10).filter(|day| !closed.contains(date(2026, 3, *day))).collect()
    }

    #[test]
    fn closed_days_become_one_row_up_to_first_open_day() {
        let (_folder, mut store) = store();
        let broken = ReadUnit { prefix: prefix(5), name: "a".to_owned(), version: version("unit") };
        store.add(&Batch { units: vec![broken], ..Batch::default() }).unwrap();
        close_days(&mut store, &[1, 2, 4, 6], "map");
        assert_eq!(rows(&store), [5, 1, 0]);
        store.collapse(&listed(None, 7, &[1, 2, 4, 5, 6]), plain()).unwrap();
        assert_eq!(rows(&store), [2, 1, 1]);
        assert_eq!(open(&store, "map"), [5, 7, 8, 9, 10]);
        assert_eq!(open(&store, "other map"), (1..=10).collect::<Vec<_>>());
        close_days(&mut store, &[5], "map");
        store.collapse(&listed(None, 8, &[5]), plain()).unwrap();
        assert_eq!(rows(&store), [0, 0, 1]);
        assert_eq!(open(&store, "map"), [9, 10]);
        let closed = store.ledger().unwrap().closed_days(FOLDER, &[version("map")]).unwrap();
        assert_eq!(closed.open_from_beginning(), Some(date(2026, 3, 9)));
    }

    #[test]
    fn spans_are_joined_only_without_a_gap() {
        let (_folder, mut store) = store();
        store.collapse(&listed(Some(2), 3, &[]), plain()).unwrap();
        close_days(&mut store, &[6], "map");
        store.collapse(&listed(Some(6), 7, &[6]), plain()).unwrap();
        assert_eq!(open(&store, "map"), [1, 4, 5, 7, 8, 9, 10]);
        store.collapse(&listed(Some(4), 5, &[]), plain()).unwrap();
        assert_eq!(open(&store, "map"), [1, 7, 8, 9, 10]);
        store.collapse(&listed(Some(1), 2, &[]), plain()).unwrap();
        assert_eq!(open(&store, "map"), [7, 8, 9, 10]);
        let closed = store.ledger().unwrap().closed_days(FOLDER, &[version("map")]).unwrap();
        assert_eq!((closed.next_open(date(2026, 3, 2)), closed.open_from_beginning()), (date(2026, 3, 7), None));
    }

    #[test]
    fn another_map_reopens_days() {
        let (_folder, mut store) = store();
        close_days(&mut store, &[1], "map");
        store.collapse(&listed(None, 3, &[1]), plain()).unwrap();
        store.collapse(&listed(None, 3, &[1, 2]), another()).unwrap();
        assert_eq!(open(&store, "new map"), (1..=10).collect::<Vec<_>>());
        close_days(&mut store, &[1, 2], "new map");
        store.collapse(&listed(None, 3, &[1, 2]), another()).unwrap();
        assert_eq!(open(&store, "new map"), (4..=10).collect::<Vec<_>>());
        assert_eq!(rows(&store), [0, 0, 1]);
    }

    /// The open days for a load without and with `--chains`.
    fn open_days(store: &Store) -> [Vec<i8>; 2] {
        let open = |versions: &[Fingerprint]| {
            let closed = store.ledger().unwrap().closed_days(FOLDER, versions).unwrap();
            (1..=10).filter(|day| !closed.contains(date(2026, 3, *day))).collect()
        };
        [open(&[plain().own, plain().other]), open(&[with_sessions().own])]
    }

    #[test]
    fn days_read_with_sessions_are_closed_without_them_and_not_vice_versa() {
        let (_folder, mut store) = store();
        close_days(&mut store, &[1, 2], "map");
        store.collapse(&listed(None, 4, &[1, 2]), plain()).unwrap();
        assert_eq!(open_days(&store), [(5..=10).collect::<Vec<_>>(), (1..=10).collect()]);
        // With --chains, from the third day on: the span of the first load stays.
        close_days(&mut store, &[3, 6], "map with sessions");
        store.collapse(&listed(Some(3), 6, &[3, 6]), with_sessions()).unwrap();
        assert_eq!(open_days(&store), [(7..=10).collect::<Vec<_>>(), vec![1, 2, 7, 8, 9, 10]]);
        // Without: the days of both become one span, and those with sessions stay.
        close_days(&mut store, &[7], "map");
        store.collapse(&listed(None, 8, &[7]), plain()).unwrap();
        assert_eq!(open_days(&store), [vec![9, 10], vec![1, 2, 7, 8, 9, 10]]);
        close_days(&mut store, &[9], "map with sessions");
        store.collapse(&listed(None, 9, &[]), plain()).unwrap();
        assert_eq!(open_days(&store), [vec![10], vec![1, 2, 7, 8, 10]]);
        assert_eq!(rows(&store), [1, 0, 2], "a row for the ninth day with sessions, and two spans");
        close_days(&mut store, &[1, 2, 7], "map with sessions");
        store.collapse(&listed(None, 10, &[1, 2, 7]), with_sessions()).unwrap();
        assert_eq!(open_days(&store), [vec![], vec![0; 0]]);
        assert_eq!(rows(&store), [0, 0, 2]);
    }

    #[test]
    fn day_is_parsed_from_a_key() {
        assert_eq!(day_at_start("2026/03/01/x.json.gz"), Some(date(2026, 3, 1)));
        for other in ["2026/03/01", "2026/3/01/", "2026-03-01/", "2026/02/30/", "+026/03/01/", "é026/03/0/"] {
            assert_eq!(day_at_start(other), None, "{other}");
        }
    }
}
