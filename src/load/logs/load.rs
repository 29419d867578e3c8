//! Loads a log group: some days at once, all at one rate, into the store.
//!
//! Everything runs in one task: the time is spent waiting, and the store has one writer.

use std::cell::RefCell;

use futures::future::try_join_all;
use jiff::Timestamp;
use jiff::civil::Date;

use super::Group;
use super::client::{Client, Page};
use super::pattern::pattern;
use super::slices::{Cutter, LATE_EVENTS, Stretch, slices, start_of_day};
use crate::aws::CallError;
use crate::load::api::{ApiLoad, ApiLoadError};
use crate::load::unit::Identity;
use crate::load::{Failure, Figures, Versions};
use crate::model::Region;
use crate::model::event::ResourceEvent;
use crate::store::ledger::ReadUnit;
use crate::store::{Batch, Fingerprint, Store, StoreError};
use crate::trail::extract;
use crate::trail::scan::Scanner;

/// Series of pages at once: enough for the rate that AWS allows, at the time that it takes to answer.
const SERIES: usize = 4;

/// The result of a load.
#[derive(Debug)]
pub struct Loaded {
    /// Its figures. Units are days.
    pub figures: Figures,
    /// The time range that was requested, by the time stamps of log events.
    pub since: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
    /// Why it ended early, if it did.
    pub failed: Option<CallError>,
}

impl ApiLoad<'_> {
    /// Loads the days of the scanner's time range that are not in the ledger.
    ///
    /// # Errors
    /// The account or the group can't be looked up, or the database fails.
    pub async fn read_logs(self, region: &Region, group: &Group, now: Timestamp) -> Result<Loaded, ApiLoadError> {
        let Self { session, scanner, store, stop, watch } = self;
        let account = session.account().await?;
        let client = Client::new(session, region, group, pattern(scanner.map()));
        let window = scanner.filter().window;
        // There are no events before it, so its day is complete.
        let oldest = start_of_day(client.oldest(now).await?);
        let since = window.since().map_or(oldest, |since| since.max(oldest));
        let late = |until: Timestamp| until.saturating_add(LATE_EVENTS).unwrap_or(now);
        let until = window.until().map_or(now, |until| late(until).min(now));
        let versions = Versions::of(scanner);
        let keys = GroupKeys { prefix: format!("logs:{account}/{region}/{}/", group.name), versions: &versions };
        let ledger = store.ledger()?;
        let is_loaded = |day: Date| versions.is_loaded(&ledger, &keys.identity(day));
        let (slices, already_loaded) = slices(since, until, now, is_loaded)?;
        let figures = Figures { expected: slices.len() as u64 + already_loaded, already_loaded, ..Figures::default() };
        let sink = RefCell::new(Sink { store, scanner, figures, watch });
        let cutter = RefCell::new(Cutter::new(slices));
        let reading = try_join_all((0..SERIES).map(|_| read(&client, &keys, &sink, &cutter)));
        let end = tokio::select! {
            end = reading => end.map(drop),
            () = stop.cancelled() => Ok(()),
        };
        let mut figures = sink.into_inner().figures;
        figures.sort();
        let failed = match end {
            Ok(()) => None,
            Err(ApiLoadError::Call(error)) => Some(error),
            Err(ApiLoadError::Store(error)) => return Err(error.into()),
        };
        Ok(Loaded { figures, since, until, failed })
    }
}

/// Reads days until there are no more.
async fn read(
    client: &Client,
    keys: &GroupKeys<'_>,
    sink: &RefCell<Sink<'_>>,
    cutter: &RefCell<Cutter>,
) -> Result<(), ApiLoadError> {
    loop {
        let Some(stretch) = cutter.borrow_mut().next() else { return Ok(()) };
        let pages = read_stretch(client, keys, sink, &stretch).await?;
        cutter.borrow_mut().took(stretch.days.len(), pages);
    }
}

/// Reads some days, and returns the number of their pages. They enter the ledger with the last one, if all of their records could
/// be read.
async fn read_stretch(
    client: &Client,
    keys: &GroupKeys<'_>,
    sink: &RefCell<Sink<'_>>,
    stretch: &Stretch,
) -> Result<u64, ApiLoadError> {
    let mut pages = client.pages(stretch.since, stretch.until);
    let (mut is_whole, mut filtered, mut count) = (true, false, 0);
    while let Some(page) = pages.next().await? {
        count += 1;
        let mut sink = sink.borrow_mut();
        let before = sink.figures.counts.filtered;
        let (events, readable) = sink.read(&page);
        is_whole &= readable;
        filtered |= sink.figures.counts.filtered > before;
        let done: &[Date] = if page.is_last { &stretch.days } else { &[] };
        let units = done.iter().filter(|_| is_whole && stretch.is_final).map(|day| keys.unit(*day, filtered));
        sink.add(events, units.collect(), done.len() as u64)?;
    }
    Ok(count)
}

/// A log group in the ledger.
struct GroupKeys<'a> {
    prefix: String,
    versions: &'a Versions,
}

impl GroupKeys<'_> {
    fn identity(&self, day: Date) -> Identity {
        // What is in a complete day does not change.
        Identity { prefix: self.prefix.clone(), name: day.to_string(), content: Fingerprint::of(&[b"day"]) }
    }

    fn unit(&self, day: Date, filtered: bool) -> ReadUnit {
        let Identity { prefix, name, content } = self.identity(day);
        ReadUnit { prefix, name, version: self.versions.version(&content, filtered) }
    }
}

/// Receives the pages of all days.
struct Sink<'a> {
    store: &'a mut Store,
    scanner: &'a Scanner,
    figures: Figures,
    watch: &'a mut dyn FnMut(&Figures),
}

impl Sink<'_> {
    /// The matching events of a page, and whether all of its records could be read.
    fn read(&mut self, page: &Page) -> (Vec<ResourceEvent>, bool) {
        let mut events = Vec::new();
        let mut readable = true;
        for record in &page.messages {
            self.figures.counts.records += 1;
            self.figures.counts.bytes += record.len() as u64;
            let reading = extract::read_record(self.scanner.map(), self.scanner.filter(), record);
            match self.figures.counts.take(reading) {
                Ok(event) => events.extend(event),
                Err(reason) => {
                    readable = false;
                    let name = "an event in the log group".to_owned();
                    self.figures.fail(Failure { name, reason: reason.to_string() });
                }
            }
        }
        (events, readable)
    }

    /// Writes a page's events with the units that they complete, and counts the days that are done.
    fn add(&mut self, events: Vec<ResourceEvent>, units: Vec<ReadUnit>, days: u64) -> Result<(), StoreError> {
        if !events.is_empty() || !units.is_empty() {
            self.figures.added(self.store.add(&Batch { events, units, ..Batch::default() })?);
        }
        self.figures.read += days;
        (self.watch)(&self.figures);
        Ok(())
    }
}
