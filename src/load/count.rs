//! Counts the records of queued units: each thread has its own counts, which are added up at the end.

use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::mpsc;

use super::items::Items;
use super::{ArchivedObject, Failure, Figures, Item, OtherFile, Unit};
use crate::trail::count::{Calls, Counter, Key, Tally, TooManyValues};
use crate::trail::scan::{Buffers, Scan};
use tokio_util::sync::CancellationToken;

/// The capacity of the queue for reports of counting threads.
const REPORTS: usize = 16;

/// The result of a count.
#[derive(Debug)]
pub struct Counted {
    /// The figures.
    pub figures: Figures,
    /// The rows, most frequent first. Rows with equal counts are ordered by their values.
    pub ranked: Vec<(Key, Calls)>,
}

enum Report {
    Expected(u64),
    Other(OtherFile),
    Archived(ArchivedObject),
    Failed(Failure),
    Done { name: String, scan: Box<Scan> },
}

/// Counts the records of all units in `items`, until it ends or `stop` is set, on `jobs` threads. `watch` is called with the
/// current figures.
///
/// # Errors
/// There are more distinct values than the memory limit allows.
pub fn run(
    counter: &Counter,
    items: mpsc::Receiver<Item>,
    jobs: usize,
    stop: &CancellationToken,
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
        // The reports end when the last thread drops its sender.
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
    figures.sort();
    Ok(Counted { figures, ranked: total.ranked() })
}

fn take(figures: &mut Figures, report: Report) {
    match report {
        Report::Expected(count) => figures.expected += count,
        Report::Other(file) => figures.other(file),
        Report::Archived(object) => figures.archived(object),
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
            Item::Other(file) => Some(Report::Other(file)),
            Item::Archived(object) => Some(Report::Archived(object)),
            Item::Failed(failure) => Some(Report::Failed(failure)),
            // Only for the ledger, which a count does not have.
            _ => None,
        };
        if report.is_some_and(|report| reports.send(report).is_err()) {
            break;
        }
    }
    items.close();
    tally
}

/// Counts a unit. `None` if it was stopped before the end.
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
    if scan.broken.is_some() && items.is_stopped() {
        return None;
    }
    let scan = Box::new(scan.under_name(&name));
    Some(Report::Done { name, scan })
}
