//! Runs across an organization: interrupted and resumed, undone, planned now and applied later.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::lab::{Lab, owner};
use crate::common::Bench;

const ACCOUNTS: usize = 8;

/// At our ninth TagQueue, sends `SIGNAL` to the process with the id in `PID_FILE`; the call itself succeeds.
const SIGNALLING: &str = include_str!("../hooks/org_interrupted_signalling.py");

/// A run that got the signal in its middle; its exit code and stderr.
fn signalled(signal: &str) -> (Lab, Option<i32>, String) {
    let bench = Bench::new();
    let pid_file = bench.path("pid");
    let disturb = SIGNALLING.replace("PID_FILE", &pid_file.display().to_string()).replace("SIGNAL", signal);
    let lab = Lab::on(bench, ACCOUNTS, &disturb);
    let args = ["tag-org", "accounts.yml", "--max-concurrency", "3"];
    let child = lab.bench.trailcreator(args).aws(&lab.moto).spawn();
    lab.bench.write("pid.part", child.id().to_string());
    fs::rename(lab.bench.path("pid.part"), &pid_file).expect("the folder is ours");
    let output = child.wait_with_output().expect("it ends");
    (lab, output.status.code(), String::from_utf8(output.stderr).expect("stderr is UTF-8"))
}

fn owners(lab: &Lab) -> Vec<Option<String>> {
    lab.owners().into_values().flatten().collect()
}

/// The rest is done, and nothing twice.
fn resumes(lab: &Lab) {
    let tagged = owners(lab).into_iter().flatten().count();
    assert!((1..ACCOUNTS * 4).contains(&tagged), "{tagged}");
    lab.run(&["runs"])
        .success()
        .says(["run org-1 is not finished", "trailcreator tag-org accounts.yml --resume org-1"]);
    let other = lab.run(&["tag-org", "accounts.yml", "--resume", "--creator-tag", "Creator"]);
    other.code(2).says(["different options", "--creator-tag was \"Owner\""]);
    let inheriting = lab.run(&["tag-org", "accounts.yml", "--resume", "--inherit"]);
    inheriting.code(2).says(["different options", "--inherit was false"]);
    lab.run(&["tag-org", "accounts.yml", "--resume"]).success();
    let expected: Vec<Option<String>> = (0..ACCOUNTS).flat_map(|number| vec![Some(owner(number)); 4]).collect();
    assert_eq!(owners(lab), expected);

    let mut writes: BTreeMap<(Option<String>, String), usize> = BTreeMap::new();
    for request in lab.moto.our_requests().into_iter().filter(|request| request.action == "TagQueue") {
        *writes.entry((request.region, request.body)).or_default() += 1;
    }
    assert_eq!(writes.len(), ACCOUNTS * 3);
    assert!(writes.values().all(|count| *count == 1), "{writes:?}");
    let runs = lab.run(&["runs", "--output", "json"]).success().json();
    assert_eq!(runs["organization_runs"][0]["written"], ACCOUNTS * 4);
    assert!(runs["runs"].as_array().expect("a list").iter().all(|run| run["finished_at"].is_string()), "{runs}");
    lab.run(&["tag-org", "accounts.yml", "--resume", "org-1"]).code(2).says(["org-1 is finished"]);
}

#[test]
fn a_killed_run_is_resumed_with_what_is_left() {
    let (lab, code, _) = signalled("SIGKILL");
    assert_eq!(code, None, "it was killed");
    resumes(&lab);
    let before = lab.moto.our_requests().len();
    lab.run(&["undo", "org-1"]).code(2).says(["--config"]);
    lab.run(&["undo", "org-1", "-c", "accounts.yml", "--dry-run"]).success().says(["32 to undo, nothing was written"]);
    assert_eq!(lab.requests_since(before).iter().filter(|request| request.is_write()).count(), 0);
    lab.run(&["undo", "org-1", "-c", "accounts.yml"]).success().says(["32 undone"]);
    assert_eq!(owners(&lab), vec![None; ACCOUNTS * 4]);
    lab.run(&["runs"]).success().shows(["undo of org-1 accounts:8"]);
    let before = lab.moto.our_requests().len();
    lab.run(&["undo", "org-1", "-c", "accounts.yml"]).success();
    assert_eq!(lab.requests_since(before).len(), 0, "nothing is left to undo");
}

#[test]
fn ctrl_c_waits_for_calls_under_way_and_suggests_how_to_resume() {
    let (lab, code, stderr) = signalled("SIGINT");
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("trailcreator tag-org accounts.yml --resume org-1"), "{stderr}");
    let runs = lab.run(&["runs", "--output", "json"]).success().json();
    let started = runs["runs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| run["counts"]["started"].as_u64())
        .collect::<Vec<_>>();
    assert!(started.iter().all(|count| *count == Some(0)), "all calls under way were journaled: {runs}");
    resumes(&lab);
}

#[test]
fn plans_are_saved_now_and_applied_later() {
    let lab = Lab::new(3, "");
    lab.run(&["tag-org", "accounts.yml", "--save-plan", "plans.jsonl"]).success().says(["9 plans are in plans.jsonl"]);
    assert_eq!(lab.moto.writes(), 0);
    fs::remove_file(lab.bench.path("creators.db")).expect("it was made by loading");
    lab.run(&["apply", "plans.jsonl"]).code(2).says(["--config"]);
    lab.run(&["apply", "plans.jsonl", "-c", "accounts.yml", "-a", "account-1"]).success().says(["4 tagged"]);
    assert_eq!(owners(&lab).into_iter().flatten().count(), 4);
    let report = lab.run(&["apply", "plans.jsonl", "-c", "accounts.yml", "--output", "json"]).success().json();
    assert_eq!(report["Summary"]["results"], json!({"skipped": 4, "written": 8}));
    assert_eq!(owners(&lab).into_iter().flatten().count(), 12);
    lab.bench.write("few.yml", "accounts:\n- {account_id: '000000100000', role: Tagger}\n");
    lab.run(&["apply", "plans.jsonl", "-c", "few.yml"]).code(2).says(["no account 000000100001"]);
    lab.bench.write("broken.jsonl", fs::read_to_string(lab.bench.path("plans.jsonl")).expect("text") + "{\"x\":1}\n");
    lab.run(&["apply", "broken.jsonl", "-c", "accounts.yml"]).code(2).says(["broken.jsonl:10:"]);
}
