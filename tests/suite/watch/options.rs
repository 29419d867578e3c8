//! The command line of `watch`, its events and its document.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::bulk::kill;
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

/// In a container, the check runs beside every command.
#[test]
fn health_is_the_age_of_the_last_sign_of_work() {
    let lab = Lab::new();
    let file = lab.bench.path("watch.health");
    let name = file.to_str().expect("UTF-8");
    let check = |limit: &str| {
        lab.bench
            .trailcreator(["watch", &format!("--check-health={limit}")])
            .env("TRAILCREATOR_HEALTH_FILE", name)
            .run()
    };
    check("120").code(0).says(["no process writes"]);

    let mut child = lab.spawn(&["--output", "jsonl", "--heartbeat", "1", "--health-file", name]);
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    lines.map_while(Result::ok).find(|line| line.contains("\"heartbeat\"")).expect("it goes on");
    check("120").code(0).says(["healthy"]);
    kill(&mut child);
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().append(true).open(&file).expect("it is left").set_modified(an_hour_ago).expect("it is ours");
    check("120").code(1).says(["no message could be received or processed for 36", "watch.health", "log"]);
    check("4000").code(0);

    lab.watch(&["--health-file", name]).success();
    assert!(!file.exists(), "a process that has ended is not unhealthy");
    lab.watch(&["--health-file", "nowhere/watch.health"])
        .code(1)
        .says(["writing the health file nowhere/watch.health"]);
    lab.bench.trailcreator(["watch", "--check-health"]).run().code(2).says(["--health-file"]);
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
