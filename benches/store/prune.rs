//! The memory and the disk that `prune` takes: it removes half of the events.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use trailcreator::model::event::{Action, ResourceEvent};
use trailcreator::store::{Batch, Store};

use super::{BATCH, Made, PARTS, peak, places, remove, wal_size};

/// The first parts, whose resources are deleted: with the delete events, these are half of all events.
const DELETED_PARTS: u64 = 4;
/// The beginning of the part after them.
const BEFORE: &str = "2020-05-01";
/// One of this many resources is kept.
const KEPT: u64 = 10;
/// Interval between memory samples.
const PAUSE: Duration = Duration::from_millis(5);

/// Deletes resources, and measures how their events are removed.
pub(crate) fn measure(path: &Path, events: u64) {
    delete_resources(path, events);
    let copy = super::beside(path, "-forgetting");
    std::fs::copy(path, &copy).expect("there is room for a copy");
    prune(path, &[]);
    prune(&copy, &["--forget-creators"]);
    remove(&copy);
}

fn delete_resources(path: &Path, events: u64) {
    let mut store = Store::open(path).expect("the database");
    let mut deletes = (0..DELETED_PARTS).flat_map(|part| deletes(events, part));
    loop {
        let batch = Batch { events: deletes.by_ref().take(BATCH).collect(), ..Batch::default() };
        if batch.events.is_empty() {
            return;
        }
        store.add(&batch).expect("it is stored");
    }
}

/// The delete events of the resources of a part, on the last day of its month.
fn deletes(events: u64, part: u64) -> impl Iterator<Item = ResourceEvent> {
    let mut first = part * (events / PARTS);
    let resources = places(events / PARTS).into_iter().flat_map(move |(place, count)| {
        let begin = first;
        first += count;
        (begin..begin + count).map(move |number| (Made::new(place, number), (number - begin) * 30_000 / count.max(1)))
    });
    resources.filter(|(made, _)| made.number % KEPT != 0).map(move |(made, share)| {
        let mut deleted = made.event(part, 1_000_000 + share);
        deleted.event.event_id = format!("00000000{}", &deleted.event.event_id[8..]).into();
        deleted.event.name = "DeleteResource".into();
        deleted.touched[0].action = Action::Delete;
        deleted
    })
}

/// Runs the program.
fn prune(path: &Path, options: &[&str]) {
    let size = || std::fs::metadata(path).map_or(0, |file| file.len()) / 1_000_000;
    let (before, begun) = (size(), Instant::now());
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailcreator"));
    command.arg("--db").arg(path).args(["prune", "--before", BEFORE, "--quiet"]).args(options).stdout(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let (mut memory, mut written, mut wal) = (None, 0, 0);
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        memory = peak::of(&child.id().to_string()).or(memory);
        written = peak::written(&child.id().to_string()).unwrap_or(written);
        wal = wal.max(wal_size(path));
        thread::sleep(PAUSE);
    };
    assert!(status.success(), "prune");
    println!(
        "prune {}: {:.0} s, peak memory {}, {} MB written, largest WAL {} MB, database {before} MB before, {} MB after",
        options.join(" "),
        begun.elapsed().as_secs_f64(),
        peak::text(memory),
        written / 1_000_000,
        wal / 1_000_000,
        size()
    );
}
