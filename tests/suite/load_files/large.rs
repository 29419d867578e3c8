//! Loads of many and large files: killed, interrupted, within bounds of memory.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::json;

use super::{bucket_names, create_bucket, create_record, figures, load};
use crate::common::database::{ledger_units, loaded};
#[cfg(target_os = "linux")]
use crate::common::memory;
use crate::common::{Bench, Event, Trail};

/// Files for a load with many transactions and different identifiers: one in `one_in` records creates a bucket.
fn write_many(bench: &Bench, files: usize, records: usize, one_in: usize) {
    for file in 0..files {
        let mut trail = Trail::new();
        for record in 0..records {
            let id = format!("{file:06}-{record:04}");
            let event = if record % one_in == 0 {
                create_bucket(&format!("b-{id}"))
            } else {
                Event::new("ec2.amazonaws.com", "DescribeInstances")
            };
            trail.push(event.field("eventID", json!(id)));
        }
        trail.write(&bench.path(format!("logs/{:02}/{file:06}.json.gz", file % 7)));
    }
}

/// Waits until the ledger has this many units or the process has ended.
fn wait_for_units(child: &mut Child, db: &Path, units: usize) {
    while ledger_units(db) < units && child.try_wait().expect("a child").is_none() {
        std::thread::yield_now();
    }
}

#[test]
fn killed_load_is_completed_by_the_same_command() {
    const FILES: usize = 800;
    let bench = Bench::new();
    write_many(&bench, FILES, 50, 1);
    load(&bench, &["logs", "--db", "undisturbed.db"]).success();
    let undisturbed = loaded(&bench.path("undisturbed.db"));
    let mut interrupted = 0;
    for (run, units) in [0, 1, 200, 500].into_iter().enumerate() {
        let db = format!("killed-{run}.db");
        let mut child = bench.trailcreator(["load-files", "logs", "--db", &db]).spawn();
        wait_for_units(&mut child, &bench.path(&db), units);
        child.kill().expect("a child");
        child.wait().expect("a child");
        interrupted += usize::from(ledger_units(&bench.path(&db)) < FILES);
        let rest = load(&bench, &["logs", "--db", &db]);
        let [read, already_loaded, ..] = figures(rest.success());
        assert_eq!(read + already_loaded, FILES as u64);
        assert_eq!(loaded(&bench.path(&db)), undisturbed, "killed at {units} units");
    }
    assert!(interrupted >= 2, "only {interrupted} loads were killed before they were done");
}

/// Starts a load of `logs` and then of stdin, which stays open: the load has read all files and waits.
fn start_waiting(bench: &Bench, files: usize) -> Child {
    let mut child = bench.trailcreator(["load-files", "logs", "-", "--jobs", "2"]).spawn();
    wait_for_units(&mut child, &bench.path("creators.db"), files);
    child
}

#[test]
fn interrupted_load_keeps_what_it_read_and_says_so() {
    for signal in ["-INT", "-TERM"] {
        let bench = Bench::new();
        write_many(&bench, 3, 2, 1);
        let mut child = start_waiting(&bench, 3);
        let stdin = child.stdin.take();
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
        // It does not wait for stdin, which is still open.
        let output = child.wait_with_output().expect("it ends");
        drop(stdin);
        assert_eq!(output.status.code(), Some(130), "{signal}");
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(messages.starts_with("stopping"), "{messages}");
        assert!(messages.contains("run the same command again to load the rest"), "{messages}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("read         3 log files"));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_load() {
    let peak = |files: usize| {
        let bench = Bench::new();
        write_many(&bench, files, 1500, 50);
        let mut child = start_waiting(&bench, files);
        let peak = memory::peak_so_far(&child).expect("it is alive");
        drop(child.stdin.take());
        child.wait().expect("it ends");
        peak
    };
    let (small, large) = (peak(12), peak(48));
    assert!(large < 100 * 1024, "{large} KiB");
    assert!(large * 10 <= small * 13, "{small} KiB, {large} KiB for four times as much");
}

#[test]
fn large_document_is_streamed_with_the_same_result() {
    let bench = Bench::new();
    let path: PathBuf = bench.path("large.json.gz");
    let mut file = flate2::write::GzEncoder::new(fs::File::create(&path).expect("a file"), flate2::Compression::fast());
    let filler = Event::new("s3.amazonaws.com", "ListBuckets").field("filler", json!("x".repeat(1_000_000)));
    let filler = Trail::new().event(filler).records()[0].to_string();
    write!(file, "{{\"Records\":[{}", create_record("first")).expect("disk");
    for _ in 0..40 {
        write!(file, ",{filler}").expect("disk");
    }
    write!(file, ",{}]}}", create_record("last")).expect("disk");
    file.finish().expect("disk");
    assert_eq!(figures(load(&bench, &["large.json.gz"]).success())[2..5], [42, 2, 2]);
    assert_eq!(bucket_names(&bench.path("creators.db")), ["first", "last"]);
}
