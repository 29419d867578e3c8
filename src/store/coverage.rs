//! The contents of the database: the time range of the events in each account-region, and the sources that were read.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::ledger::ARCHIVED;
use super::{Store, StoreError};
use crate::model::{AccountId, Region};

/// What was loaded, as far as it is recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Account-regions, by account and region.
    pub places: Vec<CoveredPlace>,
    /// Sources, by name.
    pub sources: Vec<CoveredSource>,
}

/// The events of an account-region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoveredPlace {
    /// The account.
    pub account_id: AccountId,
    /// The region.
    pub region: Region,
    /// The time of its first event, as CloudTrail wrote it. The loaded time range can begin earlier.
    pub first_event: String,
    /// The time of its last event.
    pub last_event: String,
}

/// A source of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoveredSource {
    /// `s3://BUCKET`, `files`, `athena`, `history`, `import`.
    pub source: String,
    /// The first day read, for sources that record days: `2023/07/10`. `None` if the trail was read from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_day: Option<String>,
    /// The last day read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_day: Option<String>,
}

impl Store {
    /// Returns what was loaded. Makes a few lookups for each account-region, regardless of the number of events, and reads the
    /// folders in the ledger.
    ///
    /// # Errors
    /// The database fails.
    pub fn coverage(&self) -> Result<Coverage, StoreError> {
        Ok(Coverage { places: self.covered_places()?, sources: self.covered_sources()? })
    }

    fn covered_places(&self) -> Result<Vec<CoveredPlace>, StoreError> {
        // `(account_id, region) > (?1, ?2)` would be one statement, but SQLite then walks through all rows of the account.
        let mut next_region = self.connection.prepare(
            "SELECT account_id, region, event_time FROM resource_events WHERE account_id = ?1 AND region > ?2
             ORDER BY region, event_time LIMIT 1",
        )?;
        let mut next_account = self.connection.prepare(
            "SELECT account_id, region, event_time FROM resource_events WHERE account_id > ?1
             ORDER BY account_id, region, event_time LIMIT 1",
        )?;
        let mut last = self
            .connection
            .prepare("SELECT MAX(event_time) FROM resource_events WHERE account_id = ?1 AND region = ?2")?;
        let mut places: Vec<CoveredPlace> = Vec::new();
        let mut first = self
            .connection
            .query_row(
                "SELECT account_id, region, event_time FROM resource_events
                 ORDER BY account_id, region, event_time LIMIT 1",
                [],
                place_of,
            )
            .optional()?;
        while let Some((account, region, first_event)) = first {
            let last_event = last.query_row(params![account, region], |row| row.get(0))?;
            first = match next_region.query_row(params![account, region], place_of).optional()? {
                Some(place) => Some(place),
                None => next_account.query_row(params![account], place_of).optional()?,
            };
            let (account_id, region) = (AccountId::new(account), Region::new(region));
            places.push(CoveredPlace { account_id, region, first_event, last_event });
        }
        Ok(places)
    }

    fn covered_sources(&self) -> Result<Vec<CoveredSource>, StoreError> {
        let mut sources: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
        let mut note = |prefix: &str, first: Option<&str>, last: Option<&str>| {
            let days = sources.entry(source_of(prefix)).or_default();
            if let Some(first) = first {
                days.0 = Some(days.0.take().map_or(first.to_owned(), |known| known.min(first.to_owned())));
            }
            days.1 = days.1.take().max(last.map(str::to_owned));
        };
        let mut query = self.connection.prepare("SELECT prefix FROM ledger_prefixes")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let prefix: String = row.get(0)?;
            if prefix.starts_with(ARCHIVED) {
                continue;
            }
            let day = day_of(&prefix);
            note(&prefix, day, day);
        }
        let mut from_beginning = BTreeSet::new();
        let mut query = self.connection.prepare("SELECT prefix, first_day, last_day FROM ledger_spans")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (prefix, first, last): (String, Option<String>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            note(&prefix, first.as_deref(), Some(&last));
            if first.is_none() {
                from_beginning.insert(source_of(&prefix));
            }
        }
        let source = |(source, (first_day, last_day)): (String, (Option<String>, Option<String>))| {
            let first_day = first_day.filter(|_| !from_beginning.contains(&source));
            CoveredSource { source, first_day, last_day }
        };
        Ok(sources.into_iter().map(source).collect())
    }
}

fn place_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<(String, String, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// For `s3://BUCKET/…` the bucket. Other sources have a keyword before a colon.
fn source_of(prefix: &str) -> String {
    if let Some(rest) = prefix.strip_prefix("s3://") {
        return format!("s3://{}", rest.split('/').next().unwrap_or(rest));
    }
    match prefix.split(':').next() {
        Some("file" | "stdin") => "files".to_owned(),
        Some(word) => word.to_owned(),
        None => prefix.to_owned(),
    }
}

/// The day at the end of `s3://…/2023/07/10/`.
fn day_of(prefix: &str) -> Option<&str> {
    const DAY: usize = "2023/07/10".len();
    let folder = prefix.strip_prefix("s3://")?.strip_suffix('/')?;
    let day = folder.get(folder.len().checked_sub(DAY)?..)?;
    let is_day = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'/',
        _ => byte.is_ascii_digit(),
    });
    is_day.then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{Action, Event, ResourceEvent, Touched};
    use crate::store::ledger::{ClosedDay, ReadUnit};
    use crate::store::{Batch, Fingerprint};

    fn event(account: &str, region: &str, time: &str) -> ResourceEvent {
        let event = Event {
            event_id: format!("{account}{region}{time}").into(),
            account_id: account.into(),
            region: region.into(),
            time: time.into(),
            ..Event::default()
        };
        let touched = Touched {
            resource_type: "sqs".into(),
            resource_id: "q".into(),
            action: Action::Create,
            names: Vec::new(),
            renamed_to: None,
        };
        ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
    }

    fn unit(prefix: &str) -> ReadUnit {
        ReadUnit { prefix: prefix.to_owned(), name: "u".to_owned(), version: Fingerprint::of(&[]) }
    }

    #[test]
    fn account_regions_have_first_and_last_event() {
        let mut store = Store::in_memory().unwrap();
        assert_eq!(store.coverage().unwrap(), Coverage::default());
        let events = vec![
            event("1", "eu", "2026-02-01T00:00:00Z"),
            event("1", "eu", "2026-01-01T00:00:00Z"),
            event("1", "us", "2026-03-01T00:00:00Z"),
            event("2", "eu", "2026-04-01T00:00:00Z"),
            event("", "eu", "2026-05-01T00:00:00Z"),
        ];
        store.add(&Batch { events, ..Batch::default() }).unwrap();
        let places = store.coverage().unwrap().places;
        let actual: Vec<_> = places
            .iter()
            .map(|place| {
                format!("{} {} {} {}", place.account_id, place.region, &place.first_event[..7], &place.last_event[..7])
            })
            .collect();
        assert_eq!(
            actual,
            [" eu 2026-05 2026-05", "1 eu 2026-01 2026-02", "1 us 2026-03 2026-03", "2 eu 2026-04 2026-04"]
        );
    }

    #[test]
    fn sources_have_the_days_they_record() {
        let mut store = Store::in_memory().unwrap();
        let day = |day: &str| format!("s3://trail/AWSLogs/1/CloudTrail/eu-west-1/{day}/");
        let units = vec![unit(&day("2026/01/31")), unit("file:logs/"), unit("history:1/eu-west-1/"), unit("athena:")];
        let closed = vec![ClosedDay { prefix: day("2026/01/05"), version: Fingerprint::of(&[]) }];
        store.add(&Batch { units, closed, ..Batch::default() }).unwrap();
        let actual: Vec<_> = store
            .coverage()
            .unwrap()
            .sources
            .into_iter()
            .map(|source| (source.source, source.first_day.unwrap_or_default(), source.last_day.unwrap_or_default()))
            .collect();
        let row = |source: &str, first: &str, last: &str| (source.to_owned(), first.to_owned(), last.to_owned());
        assert_eq!(
            actual,
            [
                row("athena", "", ""),
                row("files", "", ""),
                row("history", "", ""),
                row("s3://trail", "2026/01/05", "2026/01/31")
            ]
        );
    }
}
