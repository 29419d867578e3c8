//! How long `list` and `report --offline` take in a large database, and how much memory.
#![cfg(target_os = "linux")]

use std::time::Instant;

use trailcreator::model::event::{Action, Event, Identity, ResourceEvent, Touched};
use trailcreator::store::{Batch, Store};

use crate::common::{Bench, memory};

/// Rows, unless `TRAILCREATOR_ROWS` says another number.
const ROWS: u64 = 1_000_000;

/// Rows of a transaction.
const BATCH: u64 = 5_000;

/// Every third row deletes the volume of the row before it. All are of one type, account and region.
fn row(number: u64) -> ResourceEvent {
    let is_delete = number % 3 == 2;
    let volume = if is_delete { number - 1 } else { number };
    let (days, seconds) = (number / 86_400, number % 86_400);
    let event = Event {
        event_id: format!("{number:032x}").into(),
        account_id: "111122223333".into(),
        region: "eu-west-1".into(),
        time: format!(
            "{:04}-01-{:02}T{:02}:{:02}:{:02}Z",
            2000 + days / 28,
            1 + days % 28,
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )
        .into(),
        name: if is_delete { "DeleteVolume" } else { "CreateVolume" }.into(),
        source: "ec2.amazonaws.com".into(),
        user_agent: Some("aws-cli/2.31.0".into()),
        source_ip: Some("203.0.113.7".into()),
        identity: Identity {
            kind: Some("IAMUser".into()),
            user_name: Some(format!("user-{}", number % 50).into()),
            ..Identity::default()
        },
        ..Event::default()
    };
    let touched = Touched {
        resource_type: "ebs".into(),
        resource_id: format!("vol-{volume:017x}").into(),
        action: if is_delete { Action::Delete } else { Action::Create },
        names: Vec::new(),
        renamed_to: None,
    };
    ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
}

/// Seconds, and the largest memory in MiB.
fn run(bench: &Bench, rows: u64, command: &str) -> (f64, u64) {
    let line = format!("exec trailcreator --db {rows}.db {command} > /dev/null");
    let begin = Instant::now();
    let mut child = bench.shell(&line).spawn();
    let peak = memory::peak_until_end(&mut child);
    assert!(child.wait().expect("it ended").success(), "{line}");
    (begin.elapsed().as_secs_f64(), peak / 1024)
}

/// What may come with more rows, in MiB: a bit for each, and caches that fill.
const GROWTH: u64 = 40;

/// `TRAILCREATOR_ROWS=10000000 cargo test --release --test suite -- --ignored --nocapture take_the_same_memory`
#[test]
#[ignore = "minutes, and gigabytes of rows"]
fn list_and_report_take_the_same_memory_for_millions_of_rows() {
    let commands =
        ["list --output jsonl", "list --output csv --sort=-created", "list --by creator", "report --offline"];
    let rows = std::env::var("TRAILCREATOR_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS);
    let bench = Bench::new();
    let mut peaks = Vec::new();
    for rows in [rows / 4, rows] {
        let mut store = Store::open(&bench.path(format!("{rows}.db"))).expect("a database");
        for batch in 0..rows / BATCH {
            let events = (batch * BATCH..(batch + 1) * BATCH).map(row).collect();
            store.add(&Batch { events, ..Batch::default() }).expect("it is stored");
        }
        drop(store);
        for command in commands {
            let (seconds, peak) = run(&bench, rows, command);
            let pace = rows as f64 / seconds;
            eprintln!("{rows} rows, {command}: {seconds:.1} s, {pace:.0} rows a second, {peak} MiB");
            peaks.push(peak);
        }
    }
    for at in 0..commands.len() {
        assert!(peaks[at + commands.len()] < peaks[at] + GROWTH, "{peaks:?} MiB");
    }
}
