//! How much memory `tag --dry-run` takes for many resources of one type.
#![cfg(target_os = "linux")]

use trailcreator::model::event::{Action, Event, Identity, ResourceEvent, Touched};
use trailcreator::store::{Batch, Store};

use crate::common::{ACCOUNT, Bench, Moto, REGION, memory};

const SECRETS: &str = include_str!("../../servers/secrets/list_secrets.py");

/// The largest memory that a resource may take, in bytes: the listed resource, its create event and its line of the plan.
const BYTES_PER_RESOURCE: u64 = 8_000;

fn creation(number: u64) -> ResourceEvent {
    let event = Event {
        event_id: format!("{number:08x}-0000-4000-8000-{number:012x}"),
        account_id: ACCOUNT.into(),
        region: REGION.into(),
        time: format!(
            "2026-03-{:02}T{:02}:{:02}:{:02}Z",
            1 + number / 86_400,
            number / 3600 % 24,
            number / 60 % 60,
            number % 60
        ),
        name: "CreateSecret".to_owned(),
        source: "secretsmanager.amazonaws.com".to_owned(),
        user_agent: Some("aws-cli/2.31.0 md/awscrt os/linux lang/python#3.13".to_owned()),
        source_ip: Some("203.0.113.7".to_owned()),
        identity: Identity {
            kind: Some("IAMUser".to_owned()),
            arn: Some(format!("arn:aws:iam::123456789012:user/user-{}", number % 50)),
            user_name: Some(format!("user-{}", number % 50)),
            account_id: Some("123456789012".to_owned()),
            ..Identity::default()
        },
        ..Event::default()
    };
    let touched = Touched {
        resource_type: "secrets-manager".into(),
        resource_id: format!("team-{}/service-{number:07}/database", number % 50).into(),
        action: Action::Create,
        names: Vec::new(),
        renamed_to: None,
    };
    ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
}

/// The largest memory of a dry run with so many resources, in KiB.
fn peak(bench: &Bench, count: u64) -> u64 {
    let moto = Moto::start_with_options(SECRETS, &[("TRAIL_SECRETS", &count.to_string())]);
    let mut store = Store::open(&bench.path(format!("{count}.db"))).expect("a database");
    let events: Vec<ResourceEvent> = (0..count).map(creation).collect();
    for events in events.chunks(5_000) {
        store.add(&Batch { events: events.to_vec(), ..Batch::default() }).expect("it is stored");
    }
    drop((store, events));
    let line = format!(
        "exec trailcreator --db {count}.db tag --dry-run --type secrets-manager --output json --no-progress > {count}.json"
    );
    let mut child = bench.shell(&line).aws(&moto).spawn();
    let peak = memory::peak_until_end(&mut child);
    assert!(child.wait().expect("it ended").success(), "{line}");
    let plan: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bench.path(format!("{count}.json"))).expect("the output")).expect("JSON");
    assert_eq!(plan["summary"]["tag"], count, "all are in the plan");
    peak
}

/// Returns the figures.
fn grows_by_few_bytes(few: u64, many: u64) -> String {
    let bench = Bench::new();
    let (least, most) = (peak(&bench, few), peak(&bench, many));
    let growth = (most - least) * 1024 / (many - few);
    let figures = format!("{few} resources: {} MiB; {many}: {} MiB; {growth} bytes each", least / 1024, most / 1024);
    assert!(growth < BYTES_PER_RESOURCE, "{figures}");
    figures
}

#[test]
fn a_resource_of_a_plan_takes_little_memory() {
    eprintln!("{}", grows_by_few_bytes(1_000, 9_000));
}

/// `cargo test --release --test suite -- --ignored --nocapture two_hundred_thousand`
#[test]
#[ignore = "minutes, and hundreds of megabytes"]
fn a_plan_of_two_hundred_thousand_resources_takes_little_memory_for_each() {
    eprintln!("{}", grows_by_few_bytes(20_000, 200_000));
}
