//! Runs that are killed or interrupted between their calls, and what resuming and undoing make of them.

use serde_json::json;

use super::lab::Lab;
use crate::common::Bench;

/// Each volume has an owner of its own, so that each is a call of its own.
const VOLUMES: usize = 40;

/// At our fifth CreateTags, sends `SIGNAL` to the process with the id in `PID_FILE`; the call itself succeeds. The process
/// is started before its id is written, so the file is waited for.
const HOOK: &str = include_str!("../hooks/tag_interrupted.py");

/// A run that got the signal in its middle; its exit code and stderr, and the volumes.
fn signalled(signal: &str) -> (Lab, Vec<String>, Option<i32>, String) {
    signalled_in(signal, &["tag"])
}

fn signalled_in(signal: &str, args: &[&str]) -> (Lab, Vec<String>, Option<i32>, String) {
    let bench = Bench::new();
    let pid_file = bench.path("pid");
    let hook = HOOK.replace("PID_FILE", &pid_file.display().to_string()).replace("SIGNAL", signal);
    let mut lab = Lab::with_hook(bench, &hook);
    let owners: Vec<String> = (0..VOLUMES).map(|number| format!("user{number}")).collect();
    let volumes = lab.volumes(&owners.iter().map(String::as_str).collect::<Vec<_>>());
    lab.load();
    let child = lab.bench.trailcreator(args).aws(&lab.moto).spawn();
    lab.bench.write("pid.part", child.id().to_string());
    std::fs::rename(lab.bench.path("pid.part"), &pid_file).expect("the folder is ours");
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8(output.stderr).expect("stderr is UTF-8");
    (lab, volumes, output.status.code(), stderr)
}

fn counts(lab: &Lab) -> serde_json::Value {
    lab.run(&["runs", "--output", "json"]).success().json()["runs"][0].clone()
}

fn owned(lab: &Lab) -> usize {
    let tagged = lab.moto.boto3(
        "result = sum(1 for volume in pages('ec2', 'describe_volumes', 'Volumes') if any(tag['Key'] == 'Owner' for tag in volume.get('Tags', [])))",
    );
    usize::try_from(tagged.as_u64().expect("a count")).expect("few")
}

#[test]
fn a_killed_run_is_resumed_to_the_end_an_undisturbed_one_has() {
    let (lab, volumes, code, _) = signalled("SIGKILL");
    assert_eq!(code, None, "it was killed");
    let before = counts(&lab);
    assert_eq!(before["finished_at"], json!(null));
    assert!(before["counts"]["planned"].as_u64() > Some(0), "{before}");
    assert!(before["counts"]["started"].as_u64() > Some(0), "{before}");
    assert!(owned(&lab) < VOLUMES);
    lab.run(&["runs"]).success().says(["run 1 is not finished", "apply --resume 1"]);

    lab.run(&["apply", "--resume", "1"]).success();
    let after = counts(&lab);
    assert_eq!(after["counts"]["written"], VOLUMES, "{after}");
    assert!(after["finished_at"].is_string());
    for (number, volume) in volumes.iter().enumerate().step_by(7) {
        assert_eq!(lab.volume_tags(volume), json!({"Owner": format!("user{number}")}));
    }
    assert_eq!(owned(&lab), VOLUMES);
    lab.run(&["apply", "--resume", "1"]).success().says(["finished"]);

    lab.run(&["undo", "1"]).success();
    assert_eq!(owned(&lab), 0);
}

#[test]
fn undo_takes_back_what_a_killed_run_wrote_journaled_or_not() {
    let (lab, ..) = signalled("SIGKILL");
    assert!(owned(&lab) > 0);
    lab.run(&["undo", "1"]).success();
    assert_eq!(owned(&lab), 0);
}

#[test]
fn a_new_tag_after_a_killed_one_does_the_rest() {
    let (lab, ..) = signalled("SIGKILL");
    lab.run(&["tag"]).success();
    assert_eq!(owned(&lab), VOLUMES);
}

#[test]
fn ctrl_c_waits_for_calls_under_way_and_suggests_how_to_resume() {
    ends_after_the_calls_under_way("SIGINT");
}

#[test]
fn sigterm_is_as_ctrl_c() {
    ends_after_the_calls_under_way("SIGTERM");
}

fn ends_after_the_calls_under_way(signal: &str) {
    let (lab, _, code, stderr) = signalled(signal);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("resume with: trailcreator apply --resume 1"), "{stderr}");
    let run = counts(&lab);
    assert_eq!(run["counts"]["started"], 0, "all calls under way were journaled: {run}");
    assert!(run["counts"]["planned"].as_u64() > Some(0), "{run}");
    assert_eq!(owned(&lab), usize::try_from(run["counts"]["written"].as_u64().expect("a count")).expect("few"));

    lab.run(&["apply", "--resume", "1"]).success();
    assert_eq!(owned(&lab), VOLUMES);
}

#[test]
fn additional_tags_are_resumed_and_undone_with_the_owner() {
    let (lab, volumes, code, _) = signalled_in("SIGKILL", &["tag", "--tag", "At={event_time}"]);
    assert_eq!(code, None, "it was killed");
    lab.run(&["apply", "--resume", "1"]).success();
    for (number, id) in volumes.iter().enumerate() {
        assert_eq!(lab.volume_tags(id), json!({"Owner": format!("user{number}"), "At": "2026-03-01T10:00:00Z"}));
    }
    lab.run(&["undo", "1"]).success();
    assert!(volumes.iter().all(|id| lab.volume_tags(id) == json!({})));
}
