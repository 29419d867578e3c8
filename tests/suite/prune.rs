//! `prune`: old events of deleted resources go; owners, the journal and the ledger stay.

use serde_json::{Value, json};

use crate::common::database::{assert_intact, query};
use crate::common::{Bench, Caller, Event, Trail};
use crate::tag::lab::Lab;

fn queue(action: &str, time: &str, name: &str, user: &str) -> Event {
    let url = format!("https://sqs.eu-west-1.amazonaws.com/123456789012/{name}");
    let event = Event::new("sqs.amazonaws.com", action).at(time).by(Caller::iam_user(user)).region("eu-west-1");
    match action {
        "CreateQueue" => event.request(json!({"queueName": name})).response(json!({"queueUrl": url})),
        _ => event.request(json!({"queueUrl": url})),
    }
}

/// alice's queue exists; bob's was deleted in 2020, carol's in 2024.
fn bench() -> Bench {
    let bench = Bench::new();
    [
        queue("CreateQueue", "2019-05-01T10:00:00Z", "exists", "alice"),
        queue("CreateQueue", "2019-05-02T10:00:00Z", "gone", "bob"),
        queue("DeleteQueue", "2020-05-01T10:00:00Z", "gone", "bob"),
        queue("CreateQueue", "2019-05-03T10:00:00Z", "gone-later", "carol"),
        queue("DeleteQueue", "2024-05-01T10:00:00Z", "gone-later", "carol"),
    ]
    .into_iter()
    .fold(Trail::new(), Trail::event)
    .write(&bench.path("logs/trail.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    bench
}

fn prune(bench: &Bench, args: &[&str]) -> Value {
    let args: Vec<&str> = ["prune", "--output", "json"].iter().chain(args).copied().collect();
    bench.trailcreator(args).run().success().json()
}

fn owner(bench: &Bench, id: &str) -> Value {
    let document = bench.trailcreator(["who", id, "--output", "json"]).run().json();
    document["resources"][0]["owner"].clone()
}

fn rows(bench: &Bench) -> Vec<String> {
    query(&bench.path("creators.db"), "SELECT DISTINCT resource_id FROM resource_events ORDER BY 1")
}

#[test]
fn events_of_resources_that_were_deleted_before_the_date_go_and_owners_stay() {
    let bench = bench();
    let all = rows(&bench);
    let planned = prune(&bench, &["--before", "2023", "--dry-run"]);
    assert_eq!(rows(&bench), all, "a dry run changes nothing");
    let pruned = prune(&bench, &["--before", "2023"]);
    assert_eq!(pruned["before"], "2023-01-01T00:00:00Z");
    assert_eq!(planned["events_removed"], pruned["events_removed"]);
    assert!(rows(&bench).iter().all(|id| !id.ends_with("/gone") && id != "gone"), "{:?}", rows(&bench));
    assert_eq!((owner(&bench, "exists"), owner(&bench, "gone")), (json!("alice"), Value::Null));
    assert!(rows(&bench).iter().any(|id| id.ends_with("gone-later")));
    assert_eq!(prune(&bench, &["--before", "2023"])["events_removed"], 0);
    assert_intact(&bench.path("creators.db"), "after prune");
}

#[test]
fn the_next_load_neither_misses_nor_loads_removed_events() {
    let bench = bench();
    prune(&bench, &["--before", "2023"]);
    let left = rows(&bench);
    let loaded = bench.trailcreator(["load-files", "logs", "--output", "json"]).run().success().json();
    assert_eq!((&loaded["files"]["already_loaded"], &loaded["new_ids"]), (&json!(1), &json!(0)));
    assert_eq!(rows(&bench), left);
}

#[test]
fn forgotten_creators_do_not_come_back_with_another_copy_of_the_trail() {
    let bench = bench();
    let pruned = prune(&bench, &["--before", "2023", "--forget-creators"]);
    assert!(pruned["creators_removed"].as_u64() >= Some(2), "{pruned:#}");
    let text = |bench: &Bench| bench.trailcreator(["who", "exists"]).run().stdout;
    assert!(text(&bench).contains("its creator was removed from the database"), "{}", text(&bench));
    std::fs::rename(bench.path("logs"), bench.path("copy")).expect("it is ours");
    let loaded = bench.trailcreator(["load-files", "copy"]).run();
    loaded.success();
    assert!(loaded.stdout.contains("not stored: their events are older than the last prune"), "{}", loaded.stdout);
    assert_eq!(owner(&bench, "exists"), Value::Null);
    let known = "SELECT count(*) FROM resource_events WHERE identity_user_name IN ('alice', 'bob')";
    assert_eq!(query(&bench.path("creators.db"), known), ["0"]);
    let of_predecessor = query(&bench.path("creators.db"), "SELECT count(*) FROM events WHERE user_id IS NULL");
    assert_eq!(of_predecessor, ["0"], "c7n-trailcreator needs a user in each row");
}

#[test]
fn a_run_is_undone_after_its_events_were_removed() {
    let mut lab = Lab::new();
    lab.volumes(&["alice"]);
    lab.load();
    lab.run(&["tag", "--type", "ebs"]).success();
    lab.run(&["prune", "--before", "1min", "--forget-creators"]).success();
    let undone = lab.run(&["undo", "1", "--output", "json"]).success().json();
    assert_eq!(undone["summary"]["results"]["written"], 1, "{undone:#}");
}

#[test]
fn mistakes_are_refused() {
    let bench = bench();
    let refused = |args: &[&str]| bench.trailcreator(args).run().code(2).stderr.clone();
    assert!(refused(&["prune"]).contains("--before"));
    assert!(refused(&["prune", "--before", "soon"]).contains("--before \"soon\" is not a date"));
    assert!(refused(&["prune", "--before", "2y", "--forget-creators", "--keep-parents"]).contains("--keep-parents"));
    assert!(refused(&["prune", "--before", "2999/01/01"]).contains("in the future"));
    let nothing = bench.trailcreator(["prune", "--before", "2023", "--db", "none.db"]).run().code(1).stderr.clone();
    assert!(nothing.contains("there is no database none.db"), "{nothing}");
}
