//! How long the lookups of `who` and loads take in a large database, and how much room names need.

use std::fs;
use std::time::{Duration, Instant};

use trailcreator::model::event::{Action, Event, ResourceEvent, Touched};
use trailcreator::resource_map::ResourceMap;
use trailcreator::store::{Batch, Store};

/// Rows, unless `TRAILCREATOR_ROWS` says another number.
const ROWS: u64 = 2_000_000;

/// Rows of a transaction.
const BATCH: u64 = 5_000;

/// One resource of so many has a name that does not follow from its ID. Most of a trail's resources are instances, network
/// interfaces, snapshots and log groups, which have none.
const NAMED_ONE_IN: u64 = 10;

/// The longest lookup that is fast enough.
const LIMIT: Duration = Duration::from_millis(20);

/// Spreads numbers, so that IDs come in no order, as AWS's do.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn row(number: u64, is_named: bool) -> ResourceEvent {
    let seconds = number / 4;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let event = Event {
        event_id: format!("{:016x}-{number:016x}", scattered(number ^ 0xFF)).into(),
        account_id: format!("{:012}", 111_122_223_333 + number % 20).into(),
        region: "eu-west-1".into(),
        time: format!("{:04}-01-01T{:02}:{minutes:02}:{:02}Z", 1000 + hours / 24, hours % 24, seconds % 60).into(),
        name: "CreateSecurityGroup".into(),
        source: "ec2.amazonaws.com".into(),
        user_agent: Some("aws-cli/2.31.0".into()),
        source_ip: Some("203.0.113.7".into()),
        ..Event::default()
    };
    let names = if is_named { vec![name(number)] } else { Vec::new() };
    let touched = Touched {
        resource_type: "security-group".into(),
        resource_id: format!("sg-{:016x}", scattered(number)).into(),
        action: Action::Create,
        names,
        renamed_to: None,
    };
    ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
}

fn name(number: u64) -> String {
    format!("team-{:08x}-web", scattered(number) >> 32)
}

/// Fills a database, and returns the time and the size in bytes.
fn filled(path: &std::path::Path, rows: u64, with_names: bool) -> (Store, Duration, u64) {
    let mut store = Store::open(path).expect("a database");
    let begin = Instant::now();
    for batch in 0..rows / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let events = numbers.map(|number| row(number, with_names && number % NAMED_ONE_IN == 0)).collect();
        store.add(&Batch { events, ..Batch::default() }).expect("it is stored");
    }
    let time = begin.elapsed();
    (store, time, fs::metadata(path).expect("it is there").len())
}

/// `TRAILCREATOR_ROWS=10000000 cargo test --test suite -- --ignored --nocapture names_are_found_in_millions_of_rows`
#[test]
#[ignore = "minutes, and gigabytes of rows"]
fn names_are_found_in_millions_of_rows() {
    let rows = std::env::var("TRAILCREATOR_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS);
    let folder = tempfile::tempdir().expect("a folder");
    let (_, plain, plain_size) = filled(&folder.path().join("plain.db"), rows, false);
    let (store, named, named_size) = filled(&folder.path().join("named.db"), rows, true);
    let map = ResourceMap::built_in();
    let numbers = (0..40).map(|at| at * (rows / 40) / NAMED_ONE_IN * NAMED_ONE_IN);
    let texts = numbers.flat_map(|number| {
        let id = format!("sg-{:016x}", scattered(number));
        let account = 111_122_223_333 + number % 20;
        [name(number), format!("arn:aws:ec2:eu-west-1:{account:012}:security-group/{id}"), id]
    });
    map.naming();
    let mut times: Vec<(Duration, String)> = texts
        .map(|text| {
            let begin = Instant::now();
            let history = store.history_of_resource(map.naming(), &text).expect("it is read");
            let time = begin.elapsed();
            assert_eq!(history.events.len(), 1, "{text}");
            (time, text)
        })
        .collect();
    times.sort();
    let (median, slowest) = (&times[times.len() / 2], &times[times.len() - 1]);
    println!("{rows} rows: without names {plain:?}, {plain_size} bytes; with names {named:?}, {named_size} bytes");
    println!("lookup: median {:?}, slowest {:?} ({})", median.0, slowest.0, slowest.1);
    assert!(slowest.0 < LIMIT);
}
