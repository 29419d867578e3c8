//! Renames from log files to `who`: loaded in any order, in one load or in several.

use serde_json::{Value, json};

use crate::common::database::query;
use crate::common::{ACCOUNT, Bench, Caller, Event, Trail};

fn call(name: &str, day: u8, user: &str, request: Value) -> Event {
    let event = Event::new("rds.amazonaws.com", name).at(&format!("2026-03-{day:02}T10:00:00Z"));
    let id = format!("event-{name}-{day}");
    event.by(Caller::iam_user(user)).request(request).field("eventID", json!(id)).region("eu-west-1")
}

fn made(name: &str, day: u8, user: &str) -> Event {
    call("CreateDBInstance", day, user, json!({"dBInstanceIdentifier": name}))
        .response(json!({"dBInstanceIdentifier": name.to_lowercase()}))
}

fn renamed(old: &str, new: &str, day: u8) -> Event {
    let request = json!({"dBInstanceIdentifier": old, "newDBInstanceIdentifier": new, "applyImmediately": true});
    call("ModifyDBInstance", day, "carol", request)
}

/// alice's `orders` became `orders-2025`; bob's later `orders` too, after alice's was gone.
fn events() -> Vec<Event> {
    let grown = json!({"dBInstanceIdentifier": "orders", "allocatedStorage": 100});
    vec![
        made("Orders", 1, "alice"),
        call("ModifyDBInstance", 2, "dora", grown),
        renamed("ORDERS", "Orders-2025", 3),
        made("orders", 4, "bob"),
        renamed("orders", "orders-2026", 6),
    ]
}

fn who(bench: &Bench, id: &str) -> Value {
    let document = bench.trailcreator(["who", id, "--output", "json"]).run().success().json();
    let [resource] = document["resources"].as_array().expect("a list").as_slice() else { panic!("{document:#}") };
    resource.clone()
}

fn load(bench: &Bench, file: &str, events: &[Event]) -> Value {
    let trail = events.iter().cloned().fold(Trail::new(), Trail::event);
    trail.write(&bench.path(file));
    bench.trailcreator(["load-files", file, "--output", "json"]).run().success().json()
}

#[test]
fn whoever_made_it_is_found_by_its_new_name_in_whatever_order_the_files_come() {
    let events = events();
    let two_loads = |first: &[usize]| -> [Vec<Event>; 2] {
        let (one, other): (Vec<_>, Vec<_>) = events.iter().cloned().enumerate().partition(|(at, _)| first.contains(at));
        [one, other].map(|part| part.into_iter().map(|(_, event)| event).collect())
    };
    let mut rows = Vec::new();
    for first in [&[0, 1, 2][..], &[2, 3, 4], &[4, 2], &[3, 0], &[1]] {
        let bench = Bench::new();
        let mut ids = 0;
        for (part, file) in two_loads(first).iter().zip(["one.json.gz", "two.json.gz"]) {
            let loaded = load(&bench, file, part);
            assert_eq!(loaded["without_ids"], json!({}), "{loaded:#}");
            ids += loaded["new_ids"].as_u64().expect("a number");
        }
        assert_eq!(ids, 4, "what doesn't rename is no event of it");
        let owners = ["orders-2025", "orders-2026", "orders"].map(|id| who(&bench, id)["owner"].clone());
        assert_eq!(owners, [json!("alice"), json!("bob"), Value::Null], "{first:?}");
        rows.push(query(&bench.path("creators.db"), "SELECT * FROM resource_events ORDER BY event_time"));
    }
    assert!(rows.iter().all(|other| *other == rows[0]), "{rows:#?}");
}

#[test]
fn the_evidence_names_the_rename_and_the_old_name_says_the_new_one() {
    let bench = Bench::new();
    load(&bench, "logs.json.gz", &events()[..3]);
    let text = bench.trailcreator(["who", &format!("arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders-2025")]).run();
    let expected = format!(
        "orders-2025 (rds, account {ACCOUNT}, eu-west-1)
  owner    alice (IAM user name)
  created  2026-03-01T10:00:00Z by CreateDBInstance of rds.amazonaws.com
  by       arn:aws:iam::{ACCOUNT}:user/alice
  from     203.0.113.7 with AWS CLI 2.31.0
  event    event-CreateDBInstance-1
  why      CreateDBInstance at 2026-03-01T10:00:00Z is the only create event on record, renamed from orders to orders-2025 by ModifyDBInstance at 2026-03-03T10:00:00Z
  also     2026-03-03T10:00:00Z ModifyDBInstance (renamed to orders-2025) by arn:aws:iam::{ACCOUNT}:user/carol with AWS CLI 2.31.0
"
    );
    assert_eq!(text.success().stdout, expected);
    let old = who(&bench, "orders");
    let reason =
        "renamed to orders-2025 at 2026-03-03T10:00:00Z by ModifyDBInstance; its owner was alice (IAM user name)";
    assert_eq!((&old["owner"], &old["owner_reason"]), (&Value::Null, &json!(reason)));
    let other = &old["other_events"][1];
    assert_eq!((&other["action"], &other["renamed_to"]), (&json!("rename"), &json!("orders-2025")));
    bench.trailcreator(["who", "orders-2025", "--region", "us-east-1"]).run().code(4);
}

#[test]
fn check_shows_what_a_map_reads_of_a_rename() {
    let bench = Bench::new();
    let map = "resources:
  - type: thing
    events: [{event: MakeThing, service: my.example.com, ids: requestParameters.name}]
    renames: [{event: ChangeThing, service: my.example.com, from: requestParameters.name, to: lower(requestParameters.newName)}]
";
    std::fs::write(bench.path("mine.yml"), map).expect("it can be written");
    let change = |request: Value| Event::new("my.example.com", "ChangeThing").request(request);
    let trail = Trail::new()
        .event(Event::new("my.example.com", "MakeThing").request(json!({"name": "a"})))
        .event(change(json!({"name": "a", "newName": "B"})))
        .event(change(json!({"name": "b", "colour": "red"})));
    trail.write(&bench.path("events.json"));
    let run = bench.trailcreator(["resource-map", "check", "mine.yml", "--events", "events.json"]).run();
    assert!(run.success().stdout.contains(": rename thing a to b\n"), "{}", run.stdout);
    assert!(run.stdout.contains("3 records, 2 with events of the maps, 0 without identifiers"), "{}", run.stdout);
    bench.trailcreator(["load-files", "events.json", "--extend-map", "mine.yml"]).run().success();
    assert_eq!(who(&bench, "b")["owner"], "admin");
    let listed = bench.trailcreator(["resource-map", "list", "--type", "rds", "--output", "json"]).run();
    let listed = listed.success().json();
    let events = listed["resource_types"][0]["events"].as_array().expect("a list");
    let last = events.last().expect("some");
    let to = "lower(requestParameters.newDBInstanceIdentifier)";
    assert_eq!(
        (&last["action"], &last["event"], &last["to"]),
        (&json!("rename"), &json!("ModifyDBInstance"), &json!(to))
    );
}
