//! Files that were edited or damaged, and folders with more than files in them.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Bench, Event, Trail, database};

fn loaded() -> Bench {
    let bench = Bench::new();
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").response(json!({"queueUrl": "https://sqs/1/q"}));
    Trail::new().event(event).write(&bench.path("logs/a.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    bench
}

fn action(more: &[(&str, Value)]) -> Value {
    let mut action = json!({"type": "sqs", "id": "q", "arn": "arn:aws:sqs:us-east-1:123456789012:q",
        "account_id": "123456789012", "region": "us-east-1", "key": "Owner", "value": "ann"});
    more.iter().for_each(|(name, value)| action[*name] = value.clone());
    action
}

/// What a plan edited by hand can hold, and what is said of it.
#[test]
fn edited_plans_are_checked_before_anything_is_written() {
    let bench = loaded();
    let one = |name: &str, value: Value| vec![action(&[(name, value)])];
    for (actions, said) in [
        (one("value", json!("")), "the value of Owner is empty"),
        (one("value", json!(" ")), "the value of Owner is empty"),
        (one("value", json!("x".repeat(257))), "more than 256 characters"),
        (one("value", json!("a\u{1b}[2J")), "control characters"),
        (one("value", json!("a\nb")), "control characters"),
        (one("value", json!("a\u{202e}b")), "control characters"),
        (one("value", json!("AWS:x")), "reserved"),
        (one("id", json!("")), "the id or ARN is empty"),
        (one("vaule", json!("x")), "unknown field `vaule`"),
        (one("value", json!(7)), "not a plan"),
        (vec![action(&[]), action(&[("value", json!("bob"))])], "two values for Owner"),
        (vec![action(&[]), action(&[("key", json!("owner")), ("value", json!("bob"))])], "two values for owner"),
    ] {
        bench.write("plan.json", json!({"format_version": 1, "actions": actions}).to_string());
        bench.trailcreator(["apply", "plan.json"]).run().code(2).says([said]);
    }
    bench.write("plan.json", json!({"format_version": 1, "actions": [], "acitons": []}).to_string());
    bench.trailcreator(["apply", "plan.json"]).run().code(2).says(["unknown field `acitons`"]);
}

#[test]
fn an_unknown_action_in_a_damaged_database_is_an_error() {
    let bench = loaded();
    let connection = rusqlite::Connection::open(bench.path("creators.db")).unwrap();
    connection
        .execute_batch("PRAGMA ignore_check_constraints = 1; UPDATE resource_events SET action = 'destroy'")
        .unwrap();
    drop(connection);
    for command in [&["who", "q"][..], &["report", "--offline"]] {
        bench.trailcreator(command).run().code(1).says(["the database is damaged", "destroy"]);
    }
}

#[cfg(unix)]
#[test]
fn pipes_links_and_unreadable_files_in_folders_are_named() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let bench = Bench::new();
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").response(json!({"queueUrl": "https://sqs/1/q"}));
    Trail::new().event(event).write(&bench.path("logs/a.json.gz"));
    bench.shell("mkfifo logs/pipe.json").run().success();
    symlink(bench.path("logs"), bench.path("logs/loop")).unwrap();
    for (name, is_folder) in [("denied.json", false), ("denied", true)] {
        if is_folder {
            fs::create_dir(bench.path("logs/denied")).unwrap()
        } else {
            drop(bench.write("logs/denied.json", "{}"))
        }
        fs::set_permissions(bench.path("logs").join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let run = bench.unprivileged(["--db", "/dev/null/none.db", "count", "logs"]).run();
    run.code(4).shows(["pipe.json: it is a pipe, socket or device", "denied.json: ", "logs/denied: "]);
    fs::set_permissions(bench.path("logs/denied"), fs::Permissions::from_mode(0o700)).unwrap();
    bench.trailcreator(["load-files", "logs"]).run().code(4);
    assert_eq!(database::event_count(&bench.path("creators.db")), 1);
}

/// It took 57 seconds: the time grew with the square of the depth.
#[cfg(unix)]
#[test]
fn a_deeply_nested_folder_is_walked_in_linear_time() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path(vec!["d"; 1300].join("/"))).unwrap();
    let begun = Instant::now();
    bench.trailcreator(["load-files", "d"]).run().code(1);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
