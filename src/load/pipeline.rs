//! Scanners and the writer: units come out of a queue, are scanned by as many threads as wanted, and one thread writes
//! rows and ledger in batches, each one transaction.
//!
//! A unit enters the ledger in the batch that holds the last of its rows, and only if it was read to its end and none of its
//! records was broken: killed at any moment, the next run reads it again and the rows' keys make that harmless. The
//! database's content does not depend on the order in which threads are done.
//!
//! A day is closed in the batch that holds the last of its units, if each of them entered the ledger.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::items::Items;
use super::unit::Identity;
use super::{Failure, Figures, FoundDay, Item, Stop, Unit, Versions};
use crate::store::ledger::days::ListedFolder;
use crate::store::ledger::{Batch, ClosedDay, ReadUnit};
use crate::store::{Store, StoreError};
use crate::trail::record::ResourceEvent;
use crate::trail::scan::{Buffers, Scan, Scanner};

/// Reports of scanners that wait for the writer.
const REPORTS: usize = 16;

/// A transaction is committed when it has this many events…
const BATCH_EVENTS: usize = 4096;
/// …or this many units…
const BATCH_UNITS: usize = 1024;
/// …or is this old.
const BATCH_AGE: Duration = Duration::from_secs(1);

/// What a scanner tells the writer.
enum Report {
    Expected(u64),
    AlreadyLoaded,
    Skipped,
    Failed(Failure),
    /// Events of a unit that isn't done yet.
    Events(Vec<ResourceEvent>),
    /// A unit is done; all its events were reported.
    Done {
        name: String,
        scan: Box<Scan>,
        unit: Option<ReadUnit>,
        closes_day: bool,
    },
    DayFound(FoundDay),
    FolderFound(ListedFolder),
}

/// Loads what comes out of `items` until that ends or `stop` is set, on `jobs` threads beside the calling one, which
/// writes. `watch` sees the figures as they grow.
///
/// # Errors
/// The database's. What was committed before is kept.
pub fn run(
    store: &mut Store,
    scanner: &Scanner,
    items: mpsc::Receiver<Item>,
    jobs: usize,
    stop: &Stop,
    watch: &mut dyn FnMut(&Figures),
) -> Result<Figures, StoreError> {
    let versions = Versions::of(scanner);
    let items = Items::new(items, stop);
    let (reports, received) = sync_channel(REPORTS);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let worker = Worker { scanner, versions: &versions, items: &items, reports: reports.clone() };
            scope.spawn(move || worker.run());
        }
        // The writer ends when the last worker has dropped its sender.
        drop(reports);
        Writer::new(store, &versions, watch).run(&received)
    })
}

struct Worker<'a> {
    scanner: &'a Scanner,
    versions: &'a Versions,
    items: &'a Items<'a>,
    reports: SyncSender<Report>,
}

impl Worker<'_> {
    fn run(self) {
        let mut buffers = Buffers::default();
        while let Some(item) = self.items.next() {
            let report = match item {
                Item::Unit(unit) => self.scan(unit, &mut buffers),
                Item::Expected(count) => Some(Report::Expected(count)),
                Item::AlreadyLoaded => Some(Report::AlreadyLoaded),
                Item::Skipped => Some(Report::Skipped),
                Item::Failed(failure) => Some(Report::Failed(failure)),
                Item::DayFound(day) => Some(Report::DayFound(day)),
                Item::FolderFound(folder) => Some(Report::FolderFound(folder)),
            };
            // Nobody receives when the database has failed.
            if report.is_some_and(|report| self.reports.send(report).is_err()) {
                break;
            }
        }
        self.items.close();
    }

    /// Scans a unit; `None` where that was stopped midway.
    fn scan(&self, unit: Unit, buffers: &mut Buffers) -> Option<Report> {
        let Unit { name, identity, open, closes_day } = unit;
        let mut input = match open() {
            Ok(input) => self.items.stoppable(input),
            Err(error) => return Some(Report::Failed(Failure { name, reason: error.to_string() })),
        };
        let scan = self.scanner.scan(&mut input, buffers, &mut |events| {
            // A writer that is gone is noticed when the unit is done.
            drop(self.reports.send(Report::Events(events)));
        });
        if scan.broken.is_some() && self.items.is_stopped() {
            return None;
        }
        let unit = identity.filter(|_| is_whole(&scan)).map(|identity| self.read_unit(identity, &scan));
        Some(Report::Done { name, scan: Box::new(scan), unit, closes_day })
    }

    fn read_unit(&self, identity: Identity, scan: &Scan) -> ReadUnit {
        let version = self.versions.version(&identity.content, scan.counts.filtered > 0);
        ReadUnit { prefix: identity.prefix, name: identity.name, version }
    }
}

/// Whether reading the unit again could tell nothing more.
fn is_whole(scan: &Scan) -> bool {
    scan.broken.is_none() && scan.counts.broken_records == 0
}

/// How far a day is that may be closed.
#[derive(Default)]
struct Day {
    /// Units that entered the ledger.
    read: u64,
    /// Whether the filter left something out of one of its units.
    filtered: bool,
    /// How many units it has, once all are found.
    units: Option<u64>,
}

struct Writer<'a> {
    store: &'a mut Store,
    versions: &'a Versions,
    /// Days that aren't closed yet, by prefix.
    days: HashMap<String, Day>,
    /// Folders whose closed days become one span in the end.
    folders: Vec<ListedFolder>,
    watch: &'a mut dyn FnMut(&Figures),
    figures: Figures,
    batch: Batch,
    /// When the batch was begun.
    begun: Instant,
}

impl<'a> Writer<'a> {
    fn new(store: &'a mut Store, versions: &'a Versions, watch: &'a mut dyn FnMut(&Figures)) -> Self {
        let (days, folders) = (HashMap::new(), Vec::new());
        let (figures, batch) = (Figures::default(), Batch::default());
        Self { store, versions, days, folders, watch, figures, batch, begun: Instant::now() }
    }

    fn run(mut self, reports: &Receiver<Report>) -> Result<Figures, StoreError> {
        loop {
            match reports.recv_timeout(BATCH_AGE.saturating_sub(self.begun.elapsed())) {
                Ok(report) => self.take(report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.batch.events.len() >= BATCH_EVENTS
                || self.batch.units.len() + self.batch.closed.len() >= BATCH_UNITS
                || self.begun.elapsed() >= BATCH_AGE
            {
                self.commit()?;
            }
            (self.watch)(&self.figures);
        }
        self.commit()?;
        for folder in &self.folders {
            self.store.collapse(folder, self.versions.of_span())?;
        }
        self.figures.failures.sort();
        Ok(self.figures)
    }

    fn take(&mut self, report: Report) {
        let figures = &mut self.figures;
        match report {
            Report::Expected(count) => figures.expected += count,
            Report::AlreadyLoaded => figures.already_loaded += 1,
            Report::Skipped => figures.skipped += 1,
            Report::Failed(failure) => figures.lost(failure),
            Report::Events(mut events) => self.batch.events.append(&mut events),
            Report::Done { name, scan, unit, closes_day } => {
                if let Some(unit) = unit.as_ref().filter(|_| closes_day) {
                    self.day(&unit.prefix, |day| {
                        day.read += 1;
                        day.filtered |= scan.counts.filtered > 0;
                    });
                }
                self.batch.units.extend(unit);
                self.figures.scanned(name, *scan);
            }
            Report::DayFound(found) => self.day(&found.prefix, |day| {
                day.units = Some(found.units);
                day.filtered |= found.filtered;
            }),
            Report::FolderFound(folder) => self.folders.push(folder),
        }
    }

    /// Changes what is known of a day, and closes it when that was the last of it.
    fn day(&mut self, prefix: &str, change: impl FnOnce(&mut Day)) {
        if !self.days.contains_key(prefix) {
            self.days.insert(prefix.to_owned(), Day::default());
        }
        let day = self.days.get_mut(prefix).expect("inserted above");
        change(day);
        if day.units == Some(day.read) {
            let version = self.versions.of_day(day.filtered);
            self.batch.closed.push(ClosedDay { prefix: prefix.to_owned(), version });
            self.days.remove(prefix);
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let Batch { events, units, closed } = &self.batch;
        if !events.is_empty() || !units.is_empty() || !closed.is_empty() {
            self.figures.added(self.store.add(&self.batch)?);
            self.batch.events.clear();
            self.batch.units.clear();
            self.batch.closed.clear();
        }
        self.begun = Instant::now();
        Ok(())
    }
}
