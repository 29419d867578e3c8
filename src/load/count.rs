//! Counting what comes out of the queue: threads count, each for itself; in the end their counts are added up.

use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::mpsc;

use super::items::Items;
use super::{Failure, Figures, Item, Stop, Unit};
use crate::trail::count::{Calls, Counter, Key, Tally, TooManyValues};
use crate::trail::scan::{Buffers, Scan};

/// Reports of counters that wait to be told.
const REPORTS: usize = 16;

/// What was counted.
#[derive(Debug)]
pub struct Counted {
    /// What was read.
    pub figures: Figures,
    /// The most frequent first; of equal ones, by their values.
    pub ranked: Vec<(Key, Calls)>,
}

enum Report {
    Expected(u64),
    Skipped,
    Failed(Failure),
    Done { name: String, scan: Box<Scan> },
}

/// Counts what comes out of `items` until that ends or `stop` is set, on `jobs` threads. `watch` sees the figures as they
/// grow.
///
/// # Errors
/// There are more distinct values than memory is allowed for.
pub fn run(
    counter: &Counter,
    items: mpsc::Receiver<Item>,
    jobs: usize,
    stop: &Stop,
    watch: &mut dyn FnMut(&Figures),
) -> Result<Counted, TooManyValues> {
    let items = &Items::new(items, stop);
    let (reports, received) = sync_channel(REPORTS);
    let (mut figures, mut total) = (Figures::default(), Tally::default());
    std::thread::scope(|scope| {
        let start = |_| {
            let reports = reports.clone();
            scope.spawn(move || count(counter, items, &reports))
        };
        let threads: Vec<_> = (0..jobs.max(1)).map(start).collect();
        // The reports end when the last thread has dropped its sender.
        drop(reports);
        for report in received {
            take(&mut figures, report);
            watch(&figures);
        }
        for thread in threads {
            total.merge(thread.join().expect("counting does not panic"));
        }
    });
    counter.check()?;
    figures.failures.sort();
    Ok(Counted { figures, ranked: total.ranked() })
}

fn take(figures: &mut Figures, report: Report) {
    match report {
        Report::Expected(count) => figures.expected += count,
        Report::Skipped => figures.skipped += 1,
        Report::Failed(failure) => figures.lost(failure),
        Report::Done { name, scan } => figures.scanned(name, *scan),
    }
}

fn count(counter: &Counter, items: &Items<'_>, reports: &SyncSender<Report>) -> Tally {
    let (mut buffers, mut tally) = (Buffers::default(), Tally::default());
    while counter.check().is_ok()
        && let Some(item) = items.next()
    {
        let report = match item {
            Item::Unit(unit) => count_unit(counter, items, unit, &mut buffers, &mut tally),
            Item::Expected(count) => Some(Report::Expected(count)),
            Item::Skipped => Some(Report::Skipped),
            Item::Failed(failure) => Some(Report::Failed(failure)),
            // What is for the ledger alone; there is none.
            _ => None,
        };
        if report.is_some_and(|report| reports.send(report).is_err()) {
            break;
        }
    }
    items.close();
    tally
}

/// Counts a unit; `None` where that was stopped midway.
fn count_unit(
    counter: &Counter,
    items: &Items<'_>,
    unit: Unit,
    buffers: &mut Buffers,
    tally: &mut Tally,
) -> Option<Report> {
    let Unit { name, open, .. } = unit;
    let mut input = match open() {
        Ok(input) => items.stoppable(input),
        Err(error) => return Some(Report::Failed(Failure { name, reason: error.to_string() })),
    };
    let scan = counter.scan(&mut input, buffers, tally);
    (scan.broken.is_none() || !items.is_stopped()).then(|| Report::Done { name, scan: Box::new(scan) })
}
