//! Dry runs and saved plans.

use std::fs;

use serde_json::{Value, json};

use super::lab::{Lab, entry};

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    let queue = lab.queue("tagged", "alice", &json!({"Owner": "zoe"}));
    lab.load();
    let run = lab.run(&["tag", "--dryrun"]);
    run.success().says(["1 to tag; skipped: 1 already tagged", "nothing was written"]);
    let mut lines = run.stdout.lines();
    assert!(
        lines.next().is_some_and(|line| line.starts_with(&format!("tag ebs {volume} Owner=alice ("))),
        "{}",
        run.stdout
    );
    assert_eq!(lines.next(), Some(format!("skip sqs {queue} (already has the tag: Owner=zoe)").as_str()));
    assert_eq!(lines.next(), None);

    let plan = lab.run(&["tag", "--dry-run", "--output", "json"]).success().json();
    assert_eq!(plan["format_version"], 1);
    let action = &plan["actions"][0];
    let fields = ["type", "id", "arn", "account_id", "region", "key", "value", "event_id"];
    let values: Vec<&Value> = fields.iter().map(|field| &action[field]).collect();
    let arn = format!("arn:aws:ec2:us-east-1:123456789012:volume/{volume}");
    let event = "00000000-0000-4000-8000-00000000000b";
    assert_eq!(json!(values), json!(["ebs", volume, arn, "123456789012", "us-east-1", "Owner", "alice", event]));
    assert_eq!(plan["skipped"][0]["id"], queue);
    assert_eq!(lab.moto.writes(), 0);
    assert_eq!(lab.run(&["runs", "--output", "json"]).success().json()["runs"], json!([]));
}

#[test]
fn a_saved_plan_is_applied_later_where_nothing_changed_since() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice"; 4]);
    lab.role("deploy", "bob", &json!({"stage": "prod"}));
    lab.load();
    lab.run(&["tag", "--save-plan", "plan.json"]).success().says(["trailcreator apply plan.json"]);
    assert_eq!(lab.moto.writes(), 0, "a saved plan is only a plan");
    lab.moto.boto3(&format!(
        "client('ec2').delete_volume(VolumeId='{}')
client('ec2').create_tags(Resources=['{}'], Tags=[dict(Key='Owner', Value='zoe')])",
        volumes[0], volumes[1]
    ));
    // Without what was loaded: the plan alone is enough.
    fs::remove_file(lab.bench.path("creators.db")).expect("it was made by loading");

    let report = lab.run(&["apply", "plan.json", "--output", "json"]).code(4).json();
    let results: Vec<&Value> = volumes.iter().map(|id| &entry(&report["actions"], id)["result"]).collect();
    assert_eq!(json!(results), json!(["vanished", "skipped", "written", "written"]));
    assert_eq!(lab.volume_tags(&volumes[1]), json!({"Owner": "zoe"}));
    assert_eq!(lab.volume_tags(&volumes[2]), json!({"Owner": "alice"}));
    assert_eq!(lab.role_tags("deploy"), json!({"stage": "prod", "Owner": "bob"}));

    let writes = lab.moto.writes();
    lab.run(&["apply", "plan.json"]).code(4).says(["4 skipped"]);
    assert_eq!(lab.moto.writes(), writes, "applied twice, written once");
    lab.run(&["undo", "1"]).success();
    assert_eq!(lab.volume_tags(&volumes[1]), json!({"Owner": "zoe"}));
    assert_eq!(lab.volume_tags(&volumes[2]), json!({}));
}

/// Applies the plan that a dry run prints, edited.
fn apply_printed_plan(edit: impl Fn(String) -> String) {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    let plan = lab.run(&["tag", "--dry-run", "--output", "json"]).success().stdout.clone();
    lab.bench.write("plan.json", edit(plan));
    lab.run(&["apply", "plan.json"]).success();
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
}

#[test]
fn the_plan_that_a_dry_run_prints_can_be_applied() {
    apply_printed_plan(|plan| plan);
}

/// Plans of early builds have `resource_type`.
#[test]
fn a_plan_with_the_earlier_name_of_the_type_can_be_applied() {
    apply_printed_plan(|plan| {
        let earlier = plan.replace("\"type\"", "\"resource_type\"");
        assert_ne!(earlier, plan);
        earlier
    });
}

#[test]
fn a_plan_that_is_none_is_refused_with_its_place() {
    let lab = Lab::new();
    lab.run(&["apply", "nowhere.json"]).code(2).says(["nowhere.json"]);
    lab.bench.write("broken.json", "{\"format_version\": 1,\n \"actionz\": []}");
    lab.run(&["apply", "broken.json"]).code(2).says(["broken.json:2:", "actionz", "--save-plan"]);
    lab.bench.write("newer.json", r#"{"format_version": 2, "actions": []}"#);
    lab.run(&["apply", "newer.json"]).code(2).says(["format_version 2"]);
    let action = json!({
        "type": "sqs", "id": "q", "arn": "arn:aws:sqs:us-east-1:999999999999:q", "account_id": "999999999999",
        "region": "us-east-1", "key": "Owner", "value": "alice", "event_id": null,
    });
    lab.bench.write("foreign.json", json!({"format_version": 1, "actions": [action]}).to_string());
    lab.run(&["apply", "foreign.json"]).code(2).says(["999999999999", "123456789012", "--profile"]);
    assert_eq!(lab.moto.writes(), 0);
}

#[test]
fn dry_runs_print_the_first_rows_of_each_type_and_reason() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice"; 23]);
    lab.queue("mine", "alice", &json!({}));
    lab.load();
    lab.moto.boto3("for n in range(12): client('ec2').create_volume(AvailabilityZone='us-east-1a', Size=1)");
    let run = lab.run(&["tag", "--dry-run"]);
    run.success().says(["24 to tag", "--all prints all"]);
    let lines = |start: &str, text: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(lines("tag ebs vol-", &run.stdout), 10, "{}", run.stdout);
    assert!(run.stdout.contains("tag 13 more ebs\n") && run.stdout.contains("tag sqs "), "{}", run.stdout);
    assert_eq!(lines("skip ", &run.stdout), 1, "{}", run.stdout);
    assert!(run.stdout.contains("skip 12 ebs (no create event in the database): vol-"), "{}", run.stdout);
    let all = lab.run(&["tag", "--dry-run", "--all"]);
    assert_eq!((lines("tag ebs vol-", &all.stdout), lines("skip ebs vol-", &all.stdout)), (volumes.len(), 12));
    assert!(!all.stderr.contains("prints all") && !all.stdout.contains("more ebs"), "{}", all.printed());
    lab.bench.write("accounts.yml", "accounts:\n- {account_id: '123456789012', name: main}\n");
    let run = lab.run(&["tag-org", "accounts.yml", "--dry-run"]);
    run.success().says(["--all-rows prints all"]);
    assert!(run.stdout.contains("tag 13 more ebs\n"), "{}", run.stdout);
    let all = lab.run(&["tag-org", "accounts.yml", "--dry-run", "--all-rows"]);
    assert_eq!(lines("tag account:", &all.stdout), volumes.len() + 1, "{}", all.stdout);
    lab.run(&["tag"]).success();
    let undo = lab.run(&["undo", "1", "--dry-run"]);
    assert!(undo.stdout.contains("untag 13 more ebs\n"), "{}", undo.stdout);
    let undo = lab.run(&["undo", "1"]);
    assert_eq!(lines("untagged ebs vol-", &undo.stdout), volumes.len(), "what was written is printed as a whole");
}
