//! How much memory `runs`, `undo` and `apply --resume` take for a run of many writes.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;

use serde_json::Value;
use trailcreator::model::RunId;
use trailcreator::store::Store;
use trailcreator::store::journal::{NewRun, RunKind, Write, WriteOutcome};

use crate::common::{ACCOUNT, Bench, Moto, REGION, memory};

const SECRETS: &str = include_str!("../../servers/secrets/list_secrets.py");

/// Writes whose outcomes are stored in one transaction.
const BATCH: usize = 10_000;

/// Commands that print a run, and whether its writes were made.
const PRINTING: &[(&str, bool)] = &[("runs RUN", true), ("runs RUN --output json", true)];

/// Commands that compare the writes of a run with their resources.
const COMPARING: &[(&str, bool)] = &[
    ("undo RUN --dry-run", true),
    ("undo RUN --dry-run --output json", true),
    ("apply --resume RUN --dry-run --output json", false),
];

/// Writes of a type that `undo` prints without `--all`.
const SHOWN: usize = 10;

/// The largest memory of a write of a run that is only printed, in bytes.
const BYTES_PER_PRINTED_WRITE: u64 = 64;

/// The largest memory of a write that is compared with its resource, in bytes: the write, and the resource as listed.
const BYTES_PER_COMPARED_WRITE: u64 = 5_000;

fn write(number: u32) -> Write {
    let name = format!("team-{}/service-{number:07}/database", number % 50);
    Write {
        position: number,
        resource_type: "secrets-manager".into(),
        id: name.as_str().into(),
        arn: format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf").into(),
        region: REGION.into(),
        key: "Owner".into(),
        old_key: None,
        owner_keys: Vec::new(),
        skip_tags: Vec::new(),
        old_value: None,
        new_value: Some("alice".into()),
        event_id: Some(format!("{number:08x}-0000-4000-8000-{number:012x}")),
    }
}

/// A database with a run of so many writes; the run is interrupted unless `made`.
fn database(bench: &Bench, count: u32, made: bool) -> (String, RunId) {
    let name = format!("{count}-{made}.db");
    let store = Store::open(&bench.path(&name)).expect("a database");
    let run = NewRun {
        kind: RunKind::Tag,
        undoes: None,
        account: ACCOUNT.into(),
        region: REGION.into(),
        key: "Owner".into(),
        caller: "arn:aws:iam::123456789012:user/ops".into(),
        organization: None,
    };
    let writes: Vec<Write> = (0..count).map(write).collect();
    let run = store.begin_run(&run, &writes).expect("it is stored");
    for batch in writes.chunks(BATCH).filter(|_| made) {
        let outcome = |write: &Write| (write.position, WriteOutcome::Written { request_id: Some("r-1".to_owned()) });
        let outcomes: BTreeMap<u32, WriteOutcome> = batch.iter().map(outcome).collect();
        store.end_writes(run, &outcomes).expect("it is stored");
    }
    store.finish_run(run).expect("it is stored");
    (name, run)
}

/// The largest memory of a command, in KiB, and what it printed.
fn peak(bench: &Bench, moto: &Moto, line: &str) -> (u64, String) {
    let mut child = bench.shell(&format!("exec trailcreator --no-progress {line} > printed")).aws(moto).spawn();
    let peak = memory::peak_until_end(&mut child);
    assert!(child.wait().expect("it ended").success(), "{line}");
    (peak, std::fs::read_to_string(bench.path("printed")).expect("the output"))
}

/// The largest memory of commands on runs of so many writes, in KiB.
fn peaks(count: u32, commands: &[(&'static str, bool)]) -> Vec<u64> {
    let bench = Bench::new();
    let count_text = count.to_string();
    let tagged = Moto::start_with_options(SECRETS, &[("TRAIL_SECRETS", &count_text), ("TRAIL_SECRETS_OWNER", "alice")]);
    let untagged = Moto::start_with_options(SECRETS, &[("TRAIL_SECRETS", &count_text)]);
    let databases = [database(&bench, count, true), database(&bench, count, false)];
    let peaks = commands.iter().map(|(command, made)| {
        let ((database, run), moto) = if *made { (&databases[0], &tagged) } else { (&databases[1], &untagged) };
        let line = format!("--db {database} {}", command.replace("RUN", &run.to_string()));
        let (peak, printed) = peak(&bench, moto, &line);
        check(command, &printed, count);
        peak
    });
    peaks.collect()
}

/// All writes are printed.
fn check(command: &str, printed: &str, count: u32) {
    let count = usize::try_from(count).expect("a small number");
    if !command.contains("json") {
        let lines = if command.starts_with("runs") { count + 1 } else { SHOWN + 1 };
        return assert_eq!(printed.lines().count(), lines, "{command}");
    }
    let document: Value = serde_json::from_str(printed).expect("JSON");
    let list = if command.starts_with("runs") { "writes" } else { "actions" };
    let writes = document[list].as_array().expect("a list");
    assert_eq!(writes.len(), count, "{command}");
    if list == "actions" {
        assert!(writes.iter().all(|write| write["result"] == "planned"), "{command}: {}", writes[0]);
    }
}

/// Returns the figures, one line for each command.
fn grows_by_few_bytes(commands: &[(&'static str, bool)], few: u32, many: u32, bound: u64) -> String {
    let (mut all, mut too_much) = (Vec::new(), Vec::new());
    for ((command, least), most) in commands.iter().zip(peaks(few, commands)).zip(peaks(many, commands)) {
        let growth = most.saturating_sub(least) * 1024 / u64::from(many - few);
        let (least, most) = (least / 1024, most / 1024);
        let figures = format!("{}: {few} writes: {least} MiB; {many}: {most} MiB; {growth} bytes each", command.0);
        too_much.extend((growth >= bound).then(|| figures.clone()));
        all.push(figures);
    }
    assert!(too_much.is_empty(), "{too_much:?} of {all:?}");
    all.join("\n")
}

#[test]
fn printing_a_run_takes_the_same_memory_for_any_number_of_writes() {
    // Of fewer the page cache is not full yet.
    eprintln!("{}", grows_by_few_bytes(PRINTING, 40_000, 80_000, BYTES_PER_PRINTED_WRITE));
}

#[test]
fn a_write_that_is_compared_with_its_resource_takes_little_memory() {
    eprintln!("{}", grows_by_few_bytes(COMPARING, 1_000, 9_000, BYTES_PER_COMPARED_WRITE));
}

/// `cargo test --release --test suite -- --ignored --nocapture two_hundred_thousand_writes`
#[test]
#[ignore = "minutes, and hundreds of megabytes"]
fn a_run_of_two_hundred_thousand_writes_takes_little_memory_for_each() {
    eprintln!("{}", grows_by_few_bytes(&[PRINTING, COMPARING].concat(), 20_000, 200_000, BYTES_PER_COMPARED_WRITE));
}
