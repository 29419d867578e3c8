//! Loads Event history: all regions in parallel, each at its own rate, into one store.
//!
//! Everything runs in one task: the time is spent waiting, and the store has one writer.

use std::cell::{RefCell, RefMut};

use futures::future::join_all;
use jiff::Timestamp;
use jiff::civil::Date;

use super::client::{Client, Condition, NoRecord, Page};
use super::days::{Part, Span, parts};
use super::strategy::{Sweep, names_to_request, sounds_like_reading};
use crate::aws::CallError;
use crate::load::api::{ApiLoad, ApiLoadError};
use crate::load::unit::Identity;
use crate::load::{Failure, Figures, Versions};
use crate::model::Region;
use crate::model::event::ResourceEvent;
use crate::store::ledger::{Ledger, ReadUnit};
use crate::store::{Batch, Fingerprint};
use crate::store::{Store, StoreError};
use crate::trail::broken::BrokenRecord;
use crate::trail::extract::{self, Extraction};
use crate::trail::scan::Scanner;

/// The result of a load.
#[derive(Debug)]
pub struct Loaded {
    /// Its figures. A failed region is among the failures; its days that were loaded are among the units read.
    pub figures: Figures,
    /// The regions that could not be read completely, with the errors.
    pub failed: Vec<(Region, CallError)>,
}

impl ApiLoad<'_> {
    /// Loads the events of `span` that are not in the ledger, in all regions.
    ///
    /// # Errors
    /// The account ID is unknown, or the database fails. A failed region does not stop the others.
    pub async fn read_history(self, regions: &[Region], span: Span, now: Timestamp) -> Result<Loaded, ApiLoadError> {
        let Self { session, scanner, store, stop, watch } = self;
        let account = session.account().await?;
        let versions = Versions::of(scanner);
        let ledger = store.ledger()?;
        let sink = RefCell::new(Sink { store, scanner, figures: Figures::default(), watch });
        let mut loads = Vec::new();
        for region in regions {
            let place =
                RegionLedger { prefix: format!("history:{account}/{region}/"), versions: &versions, ledger: &ledger };
            let (parts, already_loaded) = parts(span, now, |day| place.knows_day(day))?;
            sink.borrow_mut().plan(&parts, already_loaded);
            let load = RegionLoad { client: Client::new(session, region), place, sink: &sink };
            loads.push(load.run(parts));
        }
        let ends = tokio::select! {
            ends = join_all(loads) => ends,
            () = stop.cancelled() => Vec::new(),
        };
        let mut figures = sink.into_inner().figures;
        let mut failed = Vec::new();
        for (region, end) in regions.iter().zip(ends) {
            match end {
                Ok(()) => {}
                Err(ApiLoadError::Store(error)) => return Err(error.into()),
                Err(ApiLoadError::Call(error)) => {
                    figures.broken += 1;
                    figures.fail(Failure { name: format!("Event history of {region}"), reason: error.to_string() });
                    failed.push((region.clone(), error));
                }
            }
        }
        figures.failures.sort();
        Ok(Loaded { figures, failed })
    }
}

/// A resumed part can have been longer by at most this many days: all days of Event history.
const MOST_DAYS: i64 = 90;

/// A region in the ledger: its days, and the event names of the part that is being requested name by name.
struct RegionLedger<'a> {
    prefix: String,
    versions: &'a Versions,
    ledger: &'a Ledger,
}

impl RegionLedger<'_> {
    fn knows_day(&self, day: Date) -> Result<bool, StoreError> {
        self.versions.is_loaded(self.ledger, &self.identity(&day.to_string(), whole_day()))
    }

    /// Whether the events of a name were read in a part that ended at the same time or later. When a part is resumed, its newest
    /// days are in the ledger by then, and it ends before them.
    fn knows_name(&self, name: &str, part: &Part) -> Result<bool, StoreError> {
        let Some(known) = self.ledger.version(&self.prefix, name)? else { return Ok(false) };
        Ok(part.longer(MOST_DAYS).any(|longer| self.versions.is_enough(known, &content_of(&longer), false)))
    }

    fn name(&self, name: &str, part: &Part) -> ReadUnit {
        self.unit(name, content_of(part))
    }

    fn unit(&self, name: &str, content: Fingerprint) -> ReadUnit {
        let Identity { prefix, name, content } = self.identity(name, content);
        // Requests are limited to the time range, so the filter excludes nothing.
        ReadUnit { prefix, name, version: self.versions.version(&content, false) }
    }

    fn identity(&self, name: &str, content: Fingerprint) -> Identity {
        Identity { prefix: self.prefix.clone(), name: name.to_owned(), content }
    }

    fn days(&self, days: &[Date]) -> Vec<ReadUnit> {
        days.iter().map(|day| self.unit(&day.to_string(), whole_day())).collect()
    }
}

/// The content of a complete day in the ledger.
fn whole_day() -> Fingerprint {
    Fingerprint::of(&[b"day"])
}

/// The content of one event name in a part, in the ledger.
fn content_of(part: &Part) -> Fingerprint {
    let [since, until] = [part.since.to_string(), part.until.to_string()];
    Fingerprint::of(&[b"name", since.as_bytes(), until.as_bytes()])
}

/// The load of one region.
struct RegionLoad<'a, 's> {
    client: Client,
    place: RegionLedger<'a>,
    sink: &'a RefCell<Sink<'s>>,
}

impl<'s> RegionLoad<'_, 's> {
    async fn run(mut self, parts: Vec<Part>) -> Result<(), ApiLoadError> {
        for part in parts {
            if let Some(rest) = self.sweep(part).await? {
                self.by_name(rest).await?;
            }
        }
        Ok(())
    }

    /// Reads all writing calls of a part. Returns the rest of it if requesting by name is better.
    async fn sweep(&mut self, mut part: Part) -> Result<Option<Part>, ApiLoadError> {
        let names = self.sink().names();
        let mut is_whole = true;
        for name in names.iter().filter(|name| sounds_like_reading(name)) {
            is_whole &= self.all_of_name(&part, name, None).await?;
        }
        let until = part.until;
        let mut pages = 0;
        let mut series = self.client.series(&Condition::Writes, part.since, until);
        while let Some(page) = series.next().await? {
            pages += 1;
            let reached = page.oldest.filter(|_| !page.is_last);
            let done = match reached {
                Some(moment) => part.take_days_after(moment),
                None if page.is_last => std::mem::take(&mut part.days),
                None => Vec::new(),
            };
            let mut sink = self.sink.borrow_mut();
            let (events, readable) = sink.read(&page);
            is_whole &= readable;
            let units = if is_whole && part.is_final { self.place.days(&done) } else { Vec::new() };
            sink.add(events, units, done.len())?;
            let sweep = reached.map(|reached| Sweep { pages, since: part.since, reached, until });
            if let Some(sweep) = sweep
                && sweep.is_worse_than(names.len() as u64)
            {
                return Ok(Some(Part { is_final: part.is_final && is_whole, ..part.before(sweep.reached) }));
            }
        }
        Ok(None)
    }

    /// Reads a part name by name.
    async fn by_name(&mut self, part: Part) -> Result<(), ApiLoadError> {
        let names = self.sink().names();
        let mut is_whole = true;
        for name in names {
            // Only a final part is the same when it is resumed.
            let unit = part.is_final.then(|| self.place.name(&name, &part));
            if unit.is_none() || !self.place.knows_name(&name, &part)? {
                is_whole &= self.all_of_name(&part, &name, unit).await?;
            }
        }
        let units = if is_whole && part.is_final { self.place.days(&part.days) } else { Vec::new() };
        self.sink().add(Vec::new(), units, part.days.len())?;
        Ok(())
    }

    /// Reads a part's events of one name. `unit` enters the ledger with the last of them. Returns whether all could be read.
    async fn all_of_name(&mut self, part: &Part, name: &str, unit: Option<ReadUnit>) -> Result<bool, ApiLoadError> {
        let mut is_whole = true;
        let condition = Condition::EventName(name.to_owned());
        let mut series = self.client.series(&condition, part.since, part.until);
        while let Some(page) = series.next().await? {
            let mut sink = self.sink.borrow_mut();
            let (events, readable) = sink.read(&page);
            is_whole &= readable;
            let units = unit.iter().filter(|_| page.is_last && is_whole).cloned().collect();
            sink.add(events, units, 0)?;
        }
        Ok(is_whole)
    }

    fn sink(&self) -> RefMut<'_, Sink<'s>> {
        self.sink.borrow_mut()
    }
}

/// Receives the pages of all regions.
struct Sink<'a> {
    store: &'a mut Store,
    scanner: &'a Scanner,
    figures: Figures,
    watch: &'a mut dyn FnMut(&Figures),
}

impl Sink<'_> {
    fn names(&self) -> Vec<String> {
        names_to_request(self.scanner.map())
    }

    fn plan(&mut self, parts: &[Part], already_loaded: u64) {
        let days: usize = parts.iter().map(|part| part.days.len()).sum();
        self.figures.expected += days as u64 + already_loaded;
        self.figures.already_loaded += already_loaded;
    }

    /// The matching events of a page, and whether all of its records could be read.
    fn read(&mut self, page: &Page) -> (Vec<ResourceEvent>, bool) {
        let mut events = Vec::new();
        let mut readable = true;
        for record in &page.records {
            self.figures.counts.records += 1;
            self.figures.counts.bytes += record.as_ref().map_or(0, String::len) as u64;
            match self.figures.counts.take(reading(self.scanner, record)) {
                Ok(event) => events.extend(event),
                Err(reason) => {
                    readable = false;
                    self.figures
                        .fail(Failure { name: "an event in Event history".to_owned(), reason: reason.to_string() });
                }
            }
        }
        (events, readable)
    }

    /// Writes a page's events with the units that they complete, and counts the completed days.
    fn add(&mut self, events: Vec<ResourceEvent>, units: Vec<ReadUnit>, days: usize) -> Result<(), StoreError> {
        if !events.is_empty() || !units.is_empty() {
            self.figures.added(self.store.add(&Batch { events, units, ..Batch::default() })?);
        }
        self.figures.read += days as u64;
        (self.watch)(&self.figures);
        Ok(())
    }
}

/// The result for an event. Its record is the same as in a trail's log file.
pub(super) fn reading(scanner: &Scanner, record: &Result<String, NoRecord>) -> Extraction {
    match record {
        Ok(record) => extract::read_record(scanner.map(), scanner.filter(), record),
        Err(no_record) => Extraction::Broken(BrokenRecord::NotDelivered(no_record.to_string())),
    }
}
