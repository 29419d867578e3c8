//! Writes that AWS refuses because something else is going on with the resource, in every protocol; and refusals that stay.

use serde_json::{Value, json};

use super::lab::{Lab, entry};
use crate::common::{Bench, Caller, Event};

/// Attempts at a write that meets a conflict each time.
const ATTEMPTS: usize = 8;

/// Each of these calls is answered with a conflict `TIMES` times. Of the Tagging API only the topic's ARN is known; the others go
/// to their services.
const CONFLICTS: &str = include_str!("../hooks/tag_conflicts.py");

/// A resource of each protocol, and one that only the Tagging API writes; their ids.
fn one_of_each(times: usize) -> (Lab, Vec<String>) {
    let mut lab = Lab::with_hook(Bench::new(), &CONFLICTS.replace("TIMES", &times.to_string()));
    let mut ids = lab.volumes(&["alice"]);
    ids.push(lab.queue("jobs", "alice", &json!({})));
    lab.role("deploy", "alice", &json!({}));
    ids.push("deploy".to_owned());
    lab.moto.boto3("client('s3').create_bucket(Bucket='logs')");
    let bucket = Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": "logs"}));
    lab.event(bucket.by(Caller::iam_user("alice")));
    ids.push("logs".to_owned());
    let files = lab.moto.boto3("result = client('efs').create_file_system(CreationToken='x')['FileSystemId']");
    let event = Event::new("elasticfilesystem.amazonaws.com", "CreateFileSystem");
    lab.event(event.response(json!({"fileSystemId": files})).by(Caller::iam_user("alice")));
    ids.push(files.as_str().expect("a text").to_owned());
    // An owner of its own makes it a call of its own.
    ids.push(lab.topic("busy", "carol"));
    lab.load();
    (lab, ids)
}

const TYPES: &str = "ebs,sqs,iam-role,s3,efs,sns";

#[test]
fn a_conflict_that_passes_ends_as_written_in_every_protocol() {
    let (lab, ids) = one_of_each(2);
    let report = lab.run(&["tag", "--type", TYPES, "--output", "json"]).success().json();
    assert_eq!(report["summary"]["results"], json!({"written": ids.len()}), "{report:#}");
    for id in &ids {
        assert_eq!(entry(&report["actions"], id)["result"], "written");
    }
    let attempts = [lab.sent("CreateTags"), lab.sent("TagQueue"), lab.sent("TagRole")];
    assert_eq!(attempts, [3, 3, 3]);
    assert_eq!(lab.topic_tags(ids.last().expect("the topic")), json!({"Owner": "carol"}));
}

#[test]
fn a_conflict_that_does_not_pass_ends_as_failed_with_aws_s_words_after_bounded_attempts() {
    let (mut lab, ids) = one_of_each(1000);
    let other = lab.topic("calm", "bob");
    lab.load();
    let report = lab.run(&["tag", "--type", TYPES, "--output", "json"]).code(4).json();
    assert_eq!(report["summary"]["results"], json!({"failed": ids.len(), "written": 1}), "{report:#}");
    for id in &ids {
        let error = entry(&report["failed"], id)["error"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains("try again") && error.contains("8 attempts"), "{id}: {error}");
    }
    assert_eq!(lab.topic_tags(&other), json!({"Owner": "bob"}), "the others are not held up");
    let attempts = [lab.sent("CreateTags"), lab.sent("TagQueue"), lab.sent("TagRole")];
    assert_eq!(attempts, [ATTEMPTS; 3]);
    assert_eq!(run_counts(&lab), json!({"failed": ids.len(), "written": 1}));
}

fn run_counts(lab: &Lab) -> Value {
    let mut counts = lab.run(&["runs", "--output", "json"]).success().json()["runs"][0]["counts"].take();
    counts.as_object_mut().expect("counts by state").retain(|_, count| *count != 0);
    counts
}

/// The queue's write meets a conflict each time; at the third, the signal comes.
const INTERRUPTED: &str = include_str!("../hooks/tag_conflicts_interrupted.py");

#[test]
fn a_write_that_waits_for_another_attempt_when_the_run_is_interrupted_is_resumed() {
    let bench = Bench::new();
    let (pid_file, calm_file) = (bench.path("pid"), bench.path("calm"));
    let hook = INTERRUPTED.replace("PID_FILE", &pid_file.display().to_string());
    let mut lab = Lab::with_hook(bench, &hook.replace("CALM_FILE", &calm_file.display().to_string()));
    let queue = lab.queue("jobs", "alice", &json!({}));
    lab.load();
    let child = lab.bench.trailcreator(["tag", "--type", "sqs"]).aws(&lab.moto).spawn();
    lab.bench.write("pid.part", child.id().to_string());
    std::fs::rename(lab.bench.path("pid.part"), &pid_file).expect("the folder is ours");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(run_counts(&lab), json!({"planned": 1}));
    assert_eq!(lab.queue_tags(&queue), json!({}));

    lab.bench.write("calm", "");
    lab.run(&["apply", "--resume", "1"]).success();
    assert_eq!(lab.queue_tags(&queue), json!({"Owner": "alice"}));
}

/// The organization's tag policy allows no owner on the volume and the topic, the queue has all the tags it can have.
const REFUSALS: &str = include_str!("../hooks/tag_conflicts_refusals.py");

#[test]
fn refusals_by_tag_policies_and_limits_say_what_to_do() {
    let mut lab = Lab::with_hook(Bench::new(), REFUSALS);
    let volume = lab.volumes(&["alice"]).remove(0);
    let topic = lab.topic("alarms", "alice");
    let queue = lab.queue("jobs", "bob", &json!({}));
    lab.load();
    let report = lab.run(&["tag", "--output", "json"]).code(4).json();
    let error = |id: &str| entry(&report["failed"], id)["error"].as_str().unwrap_or_default().to_owned();
    for id in [&volume, &topic] {
        let error = error(id);
        assert!(error.contains("aws organizations describe-effective-policy --policy-type TAG_POLICY"), "{error}");
    }
    assert!(error(&queue).contains("as many tags as AWS allows"), "{}", error(&queue));
    assert_eq!((lab.sent("CreateTags"), lab.sent("TagQueue")), (1, 1), "what stays is not tried again");
}
