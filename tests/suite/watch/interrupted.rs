//! A process that is stopped or killed at any point, and the next one: nothing is lost, nothing is tagged twice.

use std::process::Output;

use serde_json::json;

use super::lab::{Form, Lab, announce, record};
use crate::common::{Bench, Event};

/// At the so-manieth of our calls of an action, sends a signal to the process; the call itself succeeds.
const HOOK: &str = include_str!("../hooks/watch_signal.py");

/// Watches until the signal at a call ends it.
fn signalled(action: &str, count: u32, signal: &str, args: &[&str], send: impl FnOnce(&Lab)) -> (Lab, Output) {
    let bench = Bench::new();
    let pid_file = bench.path("pid");
    let hook = HOOK.replace("PID_FILE", &pid_file.display().to_string()).replace("SIGNAL", signal);
    let lab = Lab::with_hook(bench, &hook.replace("ACTION", action).replace("COUNT", &count.to_string()));
    send(&lab);
    let visibility = if args.contains(&"--visibility") { &[][..] } else { &["--visibility", "2"] };
    let child = lab.spawn(&[visibility, args].concat());
    lab.bench.write("pid.part", child.id().to_string());
    std::fs::rename(lab.bench.path("pid.part"), &pid_file).expect("the folder is ours");
    let output = child.wait_with_output().expect("it ends");
    (lab, output)
}

fn send_queues(count: usize) -> impl Fn(&Lab) {
    move |lab| {
        let all: Vec<Event> =
            (0..count).map(|number| lab.create_queue(&format!("jobs-{number}"), &format!("user{number}"))).collect();
        let files = lab.upload(&all[..count / 2]);
        let bodies = files.iter().map(|file| announce(Form::S3, file)).chain(all[count / 2..].iter().map(record));
        lab.send(&bodies.collect::<Vec<_>>());
    }
}

/// Works off what is left. Each queue has its owner, and was tagged by one call.
fn finish(lab: &Lab, count: usize) {
    lab.wait_until_visible();
    lab.watch(&["--tag"]).success();
    let owners: serde_json::Map<_, _> =
        (0..count).map(|number| (format!("jobs-{number}"), json!(format!("user{number}")))).collect();
    assert_eq!(lab.owners(), json!(owners));
    assert_eq!(lab.sent("TagQueue"), count);
    assert_eq!(lab.messages(&lab.queue), (0, 0));
}

#[test]
fn killed_while_it_reads_nothing_is_lost() {
    let (lab, output) = signalled("GET /trail/AWSLogs", 3, "SIGKILL", &["--tag"], send_queues(12));
    assert_eq!(output.status.code(), None, "it was killed");
    assert_eq!(lab.sent("DeleteMessageBatch"), 0, "nothing is deleted before the commit");
    finish(&lab, 12);
}

/// The rows are committed, and the tags are not written.
#[test]
fn killed_between_commit_and_tag_the_next_process_tags() {
    let (lab, _) = signalled("ListQueues", 1, "SIGKILL", &["--tag"], send_queues(12));
    assert_eq!((lab.sent("TagQueue"), lab.sent("DeleteMessageBatch")), (0, 0));
    finish(&lab, 12);
}

#[test]
fn killed_among_its_writes_the_next_process_makes_only_the_others() {
    let (lab, _) = signalled("TagQueue", 4, "SIGKILL", &["--tag"], send_queues(12));
    assert!((4..12).contains(&lab.sent("TagQueue")));
    finish(&lab, 12);
}

#[test]
fn killed_before_its_messages_are_deleted_the_next_process_only_deletes_them() {
    let (lab, _) = signalled("DeleteMessageBatch", 1, "SIGKILL", &["--tag"], send_queues(12));
    finish(&lab, 12);
}

#[test]
fn sigterm_ends_after_the_batch_under_way() {
    ends_after_the_batch("SIGTERM");
}

#[test]
fn ctrl_c_ends_after_the_batch_under_way() {
    ends_after_the_batch("SIGINT");
}

fn ends_after_the_batch(signal: &str) {
    let (lab, output) = signalled("GET /trail/AWSLogs", 3, signal, &["--tag", "--output", "json"], send_queues(12));
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("stopping after the current batch"), "{stderr}");
    let totals: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the totals");
    let received = totals["messages"]["received"].as_u64().expect("a count");
    assert!(received > 0, "{totals}");
    assert_eq!(
        (&totals["messages"]["deleted"], &totals["resources"]["tagged"]),
        (&json!(received), &json!(received)),
        "the batch is committed, tagged and deleted"
    );
    assert_eq!(lab.messages(&lab.queue), (12 - received, 0));
    finish(&lab, 12);
}

/// What waits for its resource goes back to the queue at once.
#[test]
fn messages_of_resources_that_are_not_there_yet_are_given_back() {
    let (lab, output) = signalled("ListQueues", 1, "SIGTERM", &["--tag", "--visibility", "600"], |lab| {
        let event = super::lab::queue_event("late", "https://sqs.us-east-1.amazonaws.com/123456789012/late", "alice");
        lab.send(&[record(&event)]);
    });
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(lab.messages(&lab.queue), (1, 0), "it can be received again now");
    lab.create_queue("late", "alice");
    lab.watch(&["--tag"]).success();
    assert_eq!(lab.owners(), json!({"late": "alice"}));
}

/// Work that takes longer than the visibility: no message is delivered a second time.
#[test]
fn messages_stay_invisible_while_they_are_worked_on() {
    let lab = Lab::new();
    lab.send(&[record(&super::lab::queue_event("late", "https://sqs.us-east-1.amazonaws.com/123456789012/late", "a"))]);
    let run = lab.watch(&["--tag", "--visibility", "2", "--retry-for", "6"]);
    run.success().shows(["1 received, 1 deleted"]);
    assert!(lab.sent("ChangeMessageVisibilityBatch") >= 2);
}
