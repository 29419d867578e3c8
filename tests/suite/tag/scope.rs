//! What limits a run: `--max-changes`, `--not-type`, `--skip-tag`, `--id`, and the question before `--overwrite`.

use serde_json::{Value, json};

use super::lab::{Lab, entry};
use crate::common::{Bench, Run};

fn ids(list: &Value) -> Vec<&str> {
    let ids = list.as_array().expect("a list").iter().map(|entry| entry["id"].as_str().expect("an id is a text"));
    ids.collect()
}

#[test]
fn a_plan_with_more_writes_than_max_changes_writes_nothing() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice"; 3]);
    lab.load();
    lab.run(&["tag", "--max-changes", "2"]).code(1).says(["3 writes", "--max-changes allows 2", "--max-changes 3"]);
    let more = ["tag", "--tag", "By={creator}", "--max-changes", "5"];
    lab.run(&more).code(1).says(["6 writes"]);
    assert_eq!((lab.moto.writes(), lab.runs()), (0, 0));
    lab.run(&["tag", "--dry-run", "--max-changes", "2"]).success().says(["3 to tag", "3 writes are more than"]);
    lab.run(&["tag", "--max-changes", "3"]).success();
    assert_eq!(lab.volume_tags(&volumes[0]), json!({"Owner": "alice"}));
    lab.run(&["tag", "--max-changes", "0"]).success();
}

#[test]
fn a_saved_plan_with_more_writes_than_max_changes_writes_nothing() {
    let mut lab = Lab::new();
    lab.volumes(&["alice"; 3]);
    lab.load();
    lab.run(&["tag", "--save-plan", "plan.json"]).success();
    lab.run(&["apply", "plan.json", "--max-changes", "2"]).code(1).says(["3 writes", "--max-changes 3"]);
    assert_eq!((lab.moto.writes(), lab.runs()), (0, 0));
    lab.run(&["apply", "plan.json", "--max-changes", "3"]).success().says(["3 tagged"]);
}

#[test]
fn types_of_not_type_are_not_listed() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    let topic = lab.topic("news", "bob");
    lab.role("deploy", "bob", &json!({}));
    lab.load();
    lab.run(&["tag", "--not-type", "sns,iam-role"]).success();
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
    assert_eq!((lab.topic_tags(&topic), lab.sent("ListTopics")), (json!({}), 0));
    assert_eq!(lab.role_tags("deploy"), json!({}));
    lab.run(&["tag", "--not-type", "iam-rolle"]).code(2).says(["--not-type", "iam-rolle", "did you mean iam-role?"]);
    lab.run(&["tag", "--type", "sns", "--not-type", "sns"]).code(2).says(["--not-type excludes every type"]);
}

#[test]
fn resources_with_a_skip_tag_are_left() {
    let mut lab = Lab::new();
    let prod = lab.queue("prod", "alice", &json!({"stage": "prod", "team": "blue"}));
    let dev = lab.queue("dev", "alice", &json!({"stage": "dev"}));
    let bare = lab.queue("bare", "alice", &json!({}));
    lab.load();
    let plan = lab.run(&["tag", "--dry-run", "--skip-tag", "stage", "--output", "json"]).success().json();
    assert_eq!(ids(&plan["actions"]), [bare.as_str()]);
    let left = entry(&plan["skipped"], &dev);
    assert_eq!((&left["kind"], &plan["summary"]["skipped"]["skip-tag"]), (&json!("skip-tag"), &json!(2)));
    assert!(left["reason"].as_str().is_some_and(|reason| reason.contains("stage=dev")), "{left}");
    lab.run(&["tag", "--skip-tag", "stage=prod,team=red"]).success().says(["1 with a tag from --skip-tag"]);
    assert_eq!(lab.queue_tags(&prod), json!({"stage": "prod", "team": "blue"}));
    assert_eq!(lab.queue_tags(&dev), json!({"stage": "dev", "Owner": "alice"}));
    lab.run(&["tag", "--overwrite", "--creator-value", "arn", "--skip-tag", "stage=dev"]).success();
    assert_eq!(lab.queue_tags(&dev), json!({"stage": "dev", "Owner": "alice"}), "replacing is writing, too");
    lab.run(&["tag", "--skip-tag", "=x"]).code(2).says(["KEY=VALUE"]);
}

#[test]
fn a_saved_plan_skips_resources_that_have_got_a_skip_tag_since() {
    let mut lab = Lab::new();
    let url = lab.queue("jobs", "alice", &json!({}));
    lab.role("deploy", "alice", &json!({}));
    lab.load();
    lab.run(&["tag", "--skip-tag", "Temp", "--save-plan", "plan.json"]).success();
    lab.moto.boto3(&format!(
        "client('sqs').tag_queue(QueueUrl='{url}', Tags=dict(Temp='yes'))\n\
         client('iam').tag_role(RoleName='deploy', Tags=[dict(Key='temp', Value='yes')])"
    ));
    lab.run(&["apply", "plan.json"]).success().shows(["has the tag Temp=yes, which --skip-tag excludes"]);
    assert_eq!(lab.queue_tags(&url), json!({"Temp": "yes"}));
    assert_eq!(lab.role_tags("deploy"), json!({"temp": "yes"}), "keys of roles are compared without case");
}

#[test]
fn a_resource_is_not_written_to_where_it_is_unknown_whether_it_has_a_skip_tag() {
    let hook = include_str!("../hooks/tag_scope.py");
    let mut lab = Lab::with_hook(Bench::new(), hook);
    let queue = lab.queue("jobs", "alice", &json!({"stage": "prod"}));
    lab.load();
    let plan = lab.run(&["tag", "--skip-tag", "stage=prod", "--output", "json"]).code(4).json();
    assert_eq!(plan["summary"]["skipped"], json!({"tags-unknown": 1}));
    assert_eq!(lab.moto.writes(), 0);
    assert_eq!(lab.queue_tags(&queue), json!({"stage": "prod"}));
}

#[test]
fn only_resources_of_id_are_tagged_and_only_their_types_listed() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice", "bob"]);
    let topic = lab.topic("news", "carol");
    lab.queue("jobs", "dan", &json!({}));
    lab.load();
    let arn = format!("arn:aws:ec2:us-east-1:123456789012:volume/{}", volumes[0]);
    let run = lab.run(&["tag", "--id", &arn, "--output", "json"]);
    assert_eq!(ids(&run.success().json()["actions"]), [volumes[0].as_str()]);
    assert_eq!(run.json()["skipped"], json!([]), "the others are not in the plan");
    assert_eq!((lab.sent("ListTopics"), lab.sent("ListQueues")), (0, 0));
    assert_eq!(lab.volume_tags(&volumes[1]), json!({}));
    // By a name of it; a comma separates two.
    lab.run(&["tag", "--id", &format!("news,{}", volumes[1])]).success().says(["2 tagged"]);
    assert_eq!(lab.topic_tags(&topic), json!({"Owner": "carol"}));
    assert_eq!(lab.sent("ListQueues"), 0, "the database knows what they are");
}

#[test]
fn an_id_may_hold_a_comma() {
    let mut lab = Lab::new();
    ["smith", "john", "smith,john"].iter().for_each(|name| lab.role(name, "alice", &json!({})));
    lab.load();
    lab.run(&["tag", "--id", "smith,john"]).success().says(["1 tagged"]);
    assert_eq!(lab.role_tags("smith,john"), json!({"Owner": "alice"}));
    assert_eq!(lab.role_tags("smith"), json!({}));
}

#[test]
fn an_id_without_a_live_resource_is_reported_with_what_was_looked_at() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.topic("news", "bob");
    lab.load();
    let run = lab.run(&["tag", "--id", &volume, "--id", "arn:aws:sns:us-east-1:123456789012:gone"]);
    run.code(4).says(["--id arn:aws:sns:us-east-1:123456789012:gone: no live resource", "ebs, sns in us-east-1"]);
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
    let elsewhere = lab.run(&["tag", "--id", "arn:aws:sns:eu-west-1:123456789012:news"]);
    elsewhere.code(4).says(["no type in us-east-1"]);
    // The database has no record of this type at all: the plan says so of the resource.
    let queue = lab.moto.boto3("result = client('sqs').create_queue(QueueName='jobs')['QueueUrl']");
    let plan = lab.run(&["tag", "--dry-run", "--id", "arn:aws:sqs:us-east-1:123456789012:jobs", "--output", "json"]);
    let plan = plan.success().json();
    assert_eq!((&plan["skipped"][0]["id"], &plan["skipped"][0]["kind"]), (&queue, &json!("no-record")));
    lab.run(&["tag", "--id", ""]).code(2).says(["--id"]);
}

#[test]
fn apply_dry_run_shows_what_a_saved_plan_would_still_do() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice"; 4]);
    lab.load();
    lab.run(&["tag", "--save-plan", "plan.json"]).success();
    lab.moto.boto3(&format!(
        "client('ec2').delete_volume(VolumeId='{}')
client('ec2').create_tags(Resources=['{}'], Tags=[dict(Key='Owner', Value='zoe')])
client('ec2').create_tags(Resources=['{}'], Tags=[dict(Key='Owner', Value='alice')])",
        volumes[0], volumes[1], volumes[2]
    ));
    std::fs::remove_file(lab.bench.path("creators.db")).expect("it was made by loading");
    let run = lab.run(&["apply", "plan.json", "--dry-run"]);
    run.code(4).says(["1 to tag", "2 skipped", "1 vanished", "nothing was written"]);
    run.shows([format!("tag ebs {} Owner=alice", volumes[3]), "already has Owner=alice".to_owned()]);
    assert!(!lab.bench.path("creators.db").exists(), "no journal is made for nothing");
    let report = lab.run(&["apply", "plan.json", "--dry-run", "--output", "json"]).code(4).json();
    let results: Vec<&Value> = volumes.iter().map(|id| &entry(&report["actions"], id)["result"]).collect();
    assert_eq!(json!(results), json!(["vanished", "skipped", "skipped", "planned"]));
    assert_eq!((&report["dry_run"], &report["run_id"]), (&json!(true), &json!(null)));
    assert_eq!(lab.moto.writes(), 0);
}

#[cfg(unix)]
mod on_a_terminal {
    use super::*;

    /// A volume of alice's that a person tagged with zoe.
    fn lab() -> (Lab, String) {
        let mut lab = Lab::new();
        let volume = lab.volumes(&["alice"]).remove(0);
        lab.moto.boto3(&format!(
            "client('ec2').create_tags(Resources=['{volume}'], Tags=[dict(Key='Owner', Value='zoe')])"
        ));
        lab.load();
        (lab, volume)
    }

    #[test]
    fn overwrite_asks_and_no_is_the_default() {
        let (lab, volume) = lab();
        for (answer, code) in [("n", 1), ("", 1), ("^C", 130)] {
            let run = lab.run_on_terminal(&["tag", "--overwrite"], answer);
            run.code(code).says(["1 tag has another value", &volume, r#""zoe" -> "alice""#, "nothing was written"]);
        }
        assert_eq!((lab.moto.writes(), lab.runs()), (0, 0));
        lab.run_on_terminal(&["tag", "--overwrite", "-q"], "y").success().says(["Replace? [y/N]"]);
        assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
        let again = lab.run_on_terminal(&["tag", "--overwrite"], "n");
        assert!(!again.success().stderr.contains("[y/N]"), "nothing is to be replaced: {}", again.printed());
    }

    #[test]
    fn a_terminal_also_gets_a_table_of_the_types() {
        let (lab, _) = lab();
        const LINE: &str = "tag 0 ebs resources users:0 population:1 not-found:0 records:1 untagged:0";
        const TABLE: &str = "live  to tag  owners  no record  type\r\n   1       0       0          0  ebs";
        lab.run_on_terminal(&["tag", "--dry-run"], "").success().says([LINE, TABLE]);
        let piped = lab.run(&["tag", "--dry-run"]);
        assert!(
            piped.success().stderr.contains(LINE) && !piped.stderr.contains("to tag  owners"),
            "{}",
            piped.printed()
        );
    }

    #[test]
    fn overwrite_does_not_ask_with_yes_or_for_a_plan_only() {
        let (lab, volume) = lab();
        for args in [&["tag", "--overwrite", "--dry-run"][..], &["tag"], &["tag", "--overwrite", "--yes"]] {
            let run = lab.run_on_terminal(args, "n");
            assert!(!run.success().stderr.contains("[y/N]"), "{}", run.printed());
        }
        assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
    }
}

#[test]
fn overwrite_does_not_wait_for_an_answer_without_a_terminal() {
    let mut lab = Lab::new();
    let queue = lab.queue("jobs", "alice", &json!({"Owner": "zoe"}));
    lab.load();
    lab.run(&["tag", "--overwrite"]).success();
    assert_eq!(lab.queue_tags(&queue), json!({"Owner": "alice"}));
}

/// Only types with create events are listed, and the others are counted and named. `--all-types` lists them too.
#[test]
fn types_without_create_events_are_counted_and_examined_on_request() {
    let mut lab = Lab::new();
    lab.volumes(&["alice"]);
    lab.moto.boto3("client('sqs').create_queue(QueueName='unrecorded')");
    lab.load();
    let note = "types not examined: no create events in the database; examine them with --all-types";
    lab.run(&["tag", "--dry-run"]).success().says([note]);
    lab.run(&["tag", "--dry-run", "-v"]).success().says(["types not examined: ", " sqs "]);
    let summary = |run: &Run| run.json()["summary"].clone();
    let types = |summary: &Value, list: &str| -> Vec<String> {
        let of = |one: &Value| one["type"].as_str().or(one.as_str()).expect("a name").to_owned();
        summary[list].as_array().map(|list| list.iter().map(of).collect()).unwrap_or_default()
    };
    let plan = summary(lab.run(&["tag", "--dry-run", "--output", "json"]).success());
    let has = |names: &[String], name: &str| names.iter().any(|one| one == name);
    assert_eq!(types(&plan, "types"), ["ebs"]);
    let unexamined = types(&plan, "unexamined_types");
    assert!(has(&unexamined, "sqs") && !has(&unexamined, "ebs"));
    let named = lab.run(&["tag", "--dry-run", "--type", "ebs"]);
    assert!(!named.success().stderr.contains(note), "{}", named.stderr);
    let report = lab.run(&["report", "--output", "json"]).json();
    assert_eq!(report["unexamined_types"][0]["types"].as_array().map(Vec::len), Some(unexamined.len()));
    lab.run(&["tag", "--all-types", "--type", "ebs"]).code(2);
    // Listing all types takes minutes, and the test server lacks some services.
    let others: Vec<&str> = unexamined.iter().map(String::as_str).filter(|name| *name != "sqs").collect();
    let all = ["tag", "--dry-run", "--all-types", "--output", "json", "--not-type", &others.join(",")];
    let all = lab.run(&all);
    let plan = summary(all.success());
    assert_eq!(types(&plan, "types"), ["ebs", "sqs"]);
    assert_eq!(plan["unexamined_types"], Value::Null);
    assert!(!all.stderr.contains(note));
}
