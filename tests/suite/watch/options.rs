//! The command line of `watch`, its events and its document.

use serde_json::json;

use super::lab::{Lab, events, record};
use crate::common::Bench;

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/trail";

#[test]
fn a_wrong_command_line_is_refused_with_advice() {
    let bench = Bench::new();
    let said = |args: &[&str], text: &str| {
        bench.trailcreator(args).run().code(2).says([text]);
    };
    said(&["watch"], "--queue");
    said(&["watch", "--queue", "trail"], "is not the URL of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME");
    said(&["watch", "--queue", URL, "--tag", "--id", "x"], "watch has no --id");
    said(&["watch", "--queue", URL, "--tag", "--all-types"], "watch has no --all-types");
    said(&["watch", "--queue", URL, "--tag", "--save-plan", "x"], "watch has no --save-plan");
    said(&["watch", "--queue", URL, "--tag", "--type", "sqss"], "sqs");
    said(&["watch", "--queue", URL, "--tag", "-c", "missing.yml"], "missing.yml");
    said(&["watch", "--queue", URL, "--wait", "0"], "1..=20");
    said(&["runs", "--output", "jsonl"], "--output jsonl is a format of list and watch only");
}

#[test]
fn a_queue_that_does_not_exist_is_an_error() {
    let lab = Lab::new();
    let url = lab.queue.replace("/trail", "/no-such-queue");
    let run = lab.run(&["watch", "--queue", &url]);
    run.code(1).says(["watching http://127.0.0.1", "no-such-queue", "hint: "]);
}

#[test]
fn jsonl_has_an_event_for_everything_that_happens() {
    let lab = Lab::new();
    lab.send(&[record(&lab.create_queue("jobs", "alice")), "hello".to_owned()]);
    let run = lab.watch(&["--tag", "--output", "jsonl", "--heartbeat", "1", "--gather", "3"]);
    run.code(4);
    let one = |name: &str| {
        let found = events(&run.stdout, name);
        assert!(!found.is_empty(), "no {name} in {}", run.stdout);
        assert_eq!(found[0]["format_version"], 1);
        assert!(found[0]["time"].is_string());
        found[0].clone()
    };
    assert_eq!(one("started")["tag"], json!(true));
    assert_eq!((&one("loaded")["messages"], &one("loaded")["matched"]), (&json!(2), &json!(1)));
    assert_eq!(one("unreadable")["reason"], "it is not JSON");
    assert_eq!(one("heartbeat")["resources"]["waiting"], 1, "it reports between messages and tags");
    assert_eq!((&one("tagged")["type"], &one("tagged")["run_id"]), (&json!("sqs"), &json!(1)));
    assert_eq!(one("stopped")["messages"], json!({"received": 2, "deleted": 1, "unreadable": 1}));
    run.says(["watching: 2 messages, 1 record, 1 event"]);
}

#[test]
fn without_tag_records_are_only_loaded() {
    let lab = Lab::new();
    lab.send(&[record(&lab.create_queue("jobs", "alice"))]);
    lab.watch(&["--creator-tag", "Owner"]).success().says(["watching trail: loading new records; Ctrl-C stops"]);
    assert_eq!((lab.sent("ListQueues"), lab.owners()), (0, json!({})));
    lab.run(&["who", "jobs"]).success().shows(["alice"]);
}

/// A settings file can hold further tags for `tag`: they don't turn on tagging.
#[test]
fn a_settings_file_turns_no_tagging_on() {
    let lab = Lab::new();
    lab.bench.write("trailcreator.yml", "tag: ['At={event_time}']\nwatch:\n  gather: 1\n");
    lab.send(&[record(&lab.create_queue("jobs", "alice"))]);
    let run = lab.run(&["watch", "--queue", &lab.queue, "--wait", "1", "--until-empty"]);
    run.success().says(["watching trail: loading new records; Ctrl-C stops"]);
    assert_eq!((lab.sent("TagQueue"), lab.owners()), (0, json!({})));
}
