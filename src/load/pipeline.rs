//! Scanners and the writer: `jobs` threads scan the units in the queue, and one thread writes events and ledger in batches,
//! each in one transaction.
//!
//! A unit enters the ledger in the batch with its last events, and only if it was read completely and none of its
//! records failed. After a kill, the next run reads the unit again, and the keys of the events make that harmless. The
//! contents of the database do not depend on the order in which threads finish.
//!
//! A day is closed in the batch with the last of its units, if all of them entered the ledger.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::items::Items;
use super::unit::Identity;
use super::{ArchivedObject, Failure, Figures, FoundDay, Item, OtherFile, Unit, Versions};
use crate::model::event::ResourceEvent;
use crate::store::ledger::days::ListedFolder;
use crate::store::ledger::{ClosedDay, ReadUnit};
use crate::store::{Store, StoreError};
use crate::trail::scan::{Buffers, Scan, Scanner};
use tokio_util::sync::CancellationToken;

/// The capacity of the queue for batches of reports of scanners.
const REPORTS: usize = 8;

/// A scanner hands its reports on when it has this many, or has to wait. To wake the writer takes longer than to write a report down.
const REPORTS_AT_ONCE: usize = 16;
/// Or when they have this many events.
const EVENTS_AT_ONCE: usize = 512;
/// Or when they are this old.
const REPORTS_AGE: Duration = Duration::from_millis(200);

/// A transaction is committed when it has this many events…
const BATCH_EVENTS: usize = 4096;
/// …or this many units…
const BATCH_UNITS: usize = 1024;
/// …or is this old.
const BATCH_AGE: Duration = Duration::from_secs(1);

/// A report of a scanner to the writer.
enum Report {
    Expected(u64),
    AlreadyLoaded,
    Other(OtherFile),
    Archived(ArchivedObject),
    Failed(Failure),
    /// Events of a unit that is not finished.
    Events(Vec<ResourceEvent>),
    /// A unit is finished, and all its events were reported.
    Done {
        name: String,
        scan: Box<Scan>,
        unit: Option<ReadUnit>,
        closes_day: bool,
    },
    DayFound(FoundDay),
    FolderFound(ListedFolder),
}

/// Loads all units in `items`, until it ends or `stop` is set, with `jobs` threads. The calling thread writes.
/// `watch` is called with the current figures.
///
/// # Errors
/// The database fails. Everything committed before is saved; scanners and source are stopped.
pub fn run(
    store: &mut Store,
    scanner: &Scanner,
    items: mpsc::Receiver<Item>,
    jobs: usize,
    stop: &CancellationToken,
    watch: &mut dyn FnMut(&Figures),
) -> Result<Figures, StoreError> {
    let versions = Versions::of(scanner);
    // A failure of the writer stops the scanners, which may be waiting for items that no source will send.
    let stop = stop.child_token();
    let items = Items::new(items, &stop);
    let (reports, received) = sync_channel(REPORTS);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let reports = Reports { sender: reports.clone(), ready: Vec::new(), events: 0, begun: Instant::now() };
            let worker = Worker { scanner, versions: &versions, items: &items, reports };
            scope.spawn(move || worker.run());
        }
        // The writer ends when the last worker drops its sender. When it fails, it drops the receiver: a scanner that waits for
        // space in the channel gets an error instead of waiting for ever.
        drop(reports);
        let written = Writer::new(store, &versions, watch).run(&received);
        drop(received);
        if written.is_err() {
            stop.cancel();
        }
        written
    })
}

/// What a scanner has for the writer.
struct Reports {
    sender: SyncSender<Vec<Report>>,
    ready: Vec<Report>,
    /// The number of events in them.
    events: usize,
    /// When the first of them was added.
    begun: Instant,
}

/// The writer is gone, because the database has failed.
struct WriterGone;

impl Reports {
    fn add(&mut self, report: Report) -> Result<(), WriterGone> {
        if self.ready.is_empty() {
            self.begun = Instant::now();
        }
        if let Report::Events(events) = &report {
            self.events += events.len();
        }
        self.ready.push(report);
        let is_full = self.ready.len() >= REPORTS_AT_ONCE || self.events >= EVENTS_AT_ONCE;
        if is_full || self.begun.elapsed() >= REPORTS_AGE { self.hand_on() } else { Ok(()) }
    }

    fn hand_on(&mut self) -> Result<(), WriterGone> {
        self.events = 0;
        if self.ready.is_empty() {
            return Ok(());
        }
        self.sender.send(std::mem::take(&mut self.ready)).map_err(|_| WriterGone)
    }
}

struct Worker<'a> {
    scanner: &'a Scanner,
    versions: &'a Versions,
    items: &'a Items<'a>,
    reports: Reports,
}

impl Worker<'_> {
    fn run(mut self) {
        // The receiver is gone if the database has failed. Then there is nothing more to do.
        drop(self.work());
        self.items.close();
    }

    fn work(&mut self) -> Result<(), WriterGone> {
        let mut buffers = Buffers::default();
        while let Some(item) = self.next()? {
            let report = match item {
                Item::Unit(unit) => match self.scan(unit, &mut buffers) {
                    Some(report) => report,
                    None => continue,
                },
                Item::Expected(count) => Report::Expected(count),
                Item::AlreadyLoaded => Report::AlreadyLoaded,
                Item::Other(file) => Report::Other(file),
                Item::Archived(object) => Report::Archived(object),
                Item::Failed(failure) => Report::Failed(failure),
                Item::DayFound(day) => Report::DayFound(day),
                Item::FolderFound(folder) => Report::FolderFound(folder),
            };
            self.reports.add(report)?;
        }
        self.reports.hand_on()
    }

    /// The next item. Hands on what is ready before it waits for one.
    fn next(&mut self) -> Result<Option<Item>, WriterGone> {
        if let Some(item) = self.items.ready() {
            return Ok(Some(item));
        }
        self.reports.hand_on()?;
        Ok(self.items.next())
    }

    /// Scans a unit. `None` if it was stopped before the end.
    fn scan(&mut self, unit: Unit, buffers: &mut Buffers) -> Option<Report> {
        let Unit { name, identity, open, closes_day } = unit;
        let mut input = match open() {
            Ok(input) => self.items.stoppable(input),
            Err(error) => return Some(Report::Failed(Failure { name, reason: error.to_string() })),
        };
        let scan = self.scanner.scan(&mut input, buffers, &mut |events| {
            // If the writer is gone, that is noticed when the unit is finished.
            drop(self.reports.add(Report::Events(events)));
        });
        if scan.broken.is_some() && self.items.is_stopped() {
            return None;
        }
        let scan = scan.under_name(&name);
        let unit = identity.filter(|_| is_whole(&scan)).map(|identity| read_unit(self.versions, identity, &scan));
        Some(Report::Done { name, scan: Box::new(scan), unit, closes_day })
    }
}

/// The ledger's entry of a unit that was read completely.
pub(super) fn read_unit(versions: &Versions, identity: Identity, scan: &Scan) -> ReadUnit {
    let version = versions.version(&identity.content, scan.counts.filtered > 0);
    ReadUnit { prefix: identity.prefix, name: identity.name, version }
}

/// Whether the unit was read completely, so that reading it again finds nothing new.
pub(super) fn is_whole(scan: &Scan) -> bool {
    scan.broken.is_none() && scan.counts.broken_records == 0
}

/// The progress of a day that can be closed.
#[derive(Default)]
struct Day {
    /// Units that entered the ledger.
    read: u64,
    /// Whether the filter excluded records of one of its units.
    filtered: bool,
    /// The number of its units, once all are found.
    units: Option<u64>,
}

struct Writer<'a> {
    store: &'a mut Store,
    versions: &'a Versions,
    /// Days that are not closed yet, by prefix.
    days: HashMap<String, Day>,
    /// Folders that get one span of closed days at the end.
    folders: Vec<ListedFolder>,
    watch: &'a mut dyn FnMut(&Figures),
    figures: Figures,
    /// The events of the next transaction, as scanners reported them.
    events: Vec<Vec<ResourceEvent>>,
    /// Its units.
    units: Vec<ReadUnit>,
    /// Its days.
    closed: Vec<ClosedDay>,
    /// When the batch was begun.
    begun: Instant,
}

impl<'a> Writer<'a> {
    fn new(store: &'a mut Store, versions: &'a Versions, watch: &'a mut dyn FnMut(&Figures)) -> Self {
        let (days, folders) = (HashMap::new(), Vec::new());
        let (events, units, closed) = (Vec::new(), Vec::new(), Vec::new());
        let (figures, begun) = (Figures::default(), Instant::now());
        Self { store, versions, days, folders, watch, figures, events, units, closed, begun }
    }

    fn run(mut self, reports: &Receiver<Vec<Report>>) -> Result<Figures, StoreError> {
        loop {
            match reports.recv_timeout(BATCH_AGE.saturating_sub(self.begun.elapsed())) {
                Ok(reports) => reports.into_iter().for_each(|report| self.take(report)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.events.iter().map(Vec::len).sum::<usize>() >= BATCH_EVENTS
                || self.units.len() + self.closed.len() >= BATCH_UNITS
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
        self.figures.sort();
        Ok(self.figures)
    }

    fn take(&mut self, report: Report) {
        let figures = &mut self.figures;
        match report {
            Report::Expected(count) => figures.expected += count,
            Report::AlreadyLoaded => figures.already_loaded += 1,
            Report::Other(file) => figures.other(file),
            Report::Archived(mut object) => {
                self.units.extend(object.note.take());
                figures.archived(object);
            }
            Report::Failed(failure) => figures.lost(failure),
            Report::Events(events) => self.events.push(events),
            Report::Done { name, scan, unit, closes_day } => {
                if let Some(unit) = unit.as_ref().filter(|_| closes_day) {
                    self.day(&unit.prefix, |day| {
                        day.read += 1;
                        day.filtered |= scan.counts.filtered > 0;
                    });
                }
                self.units.extend(unit);
                self.figures.scanned(name, *scan);
            }
            Report::DayFound(found) => self.day(&found.prefix, |day| {
                day.units = Some(found.units);
                day.filtered |= found.filtered;
            }),
            Report::FolderFound(folder) => self.folders.push(folder),
        }
    }

    /// Updates a day, and closes it if it is now complete.
    fn day(&mut self, prefix: &str, change: impl FnOnce(&mut Day)) {
        if !self.days.contains_key(prefix) {
            self.days.insert(prefix.to_owned(), Day::default());
        }
        let day = self.days.get_mut(prefix).expect("inserted above");
        change(day);
        if day.units == Some(day.read) {
            let version = self.versions.of_day(day.filtered);
            self.closed.push(ClosedDay { prefix: prefix.to_owned(), version });
            self.days.remove(prefix);
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let Self { events, units, closed, .. } = self;
        if !events.is_empty() || !units.is_empty() || !closed.is_empty() {
            self.figures.added(self.store.add_parts(events.iter().flatten(), units, closed)?);
            events.clear();
            units.clear();
            closed.clear();
        }
        self.begun = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::load::queue;
    use crate::model::event::Action;
    use crate::trail::filter::RecordFilter;
    use crate::trail::samples::{map, record};

    #[test]
    fn regression_a_database_error_ends_a_load_with_waiting_scanners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        let mut store = Store::open(&path).unwrap();
        let rules =
            map(&[("iam.amazonaws.com", "CreateRole", "iam-role", Action::Create, "requestParameters.roleName")]);
        let scanner = Scanner::new(Arc::new(rules), RecordFilter::default());
        let (sender, items) = queue();
        std::fs::remove_file(&path).unwrap();
        // The source goes on for as long as anything takes its units: it never ends by itself.
        let source = std::thread::spawn(move || {
            for number in 0_u32.. {
                let request = |role: u32| json!({"requestParameters": {"roleName": format!("r{number}-{role}")}, "eventID": format!("{number}-{role}")});
                let records: Vec<Value> =
                    (0..300).map(|role| record("iam.amazonaws.com", "CreateRole", &request(role))).collect();
                let text = json!({"Records": records}).to_string();
                let open: crate::load::unit::Open = Box::new(move || Ok(Box::new(Cursor::new(text.into_bytes()))));
                let unit = Unit { name: format!("unit {number}"), identity: None, open, closes_day: false };
                if sender.blocking_send(Item::Unit(unit)).is_err() {
                    return;
                }
            }
        });
        let stop = CancellationToken::default();
        let loaded = run(&mut store, &scanner, items, 4, &stop, &mut |_| ());
        assert!(matches!(loaded, Err(StoreError::Replaced)), "{loaded:?}");
        source.join().unwrap();
        assert!(!stop.is_cancelled(), "the caller did not ask for it");
    }
}
