//! Taking a run back.

use serde_json::{Value, json};

use super::lab::{Lab, entry};
use crate::common::{Caller, Event};

#[test]
fn undo_reverts_the_run_and_skips_tags_changed_since() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice", "alice", "bob"]);
    let queue = lab.queue("jobs", "carol", &json!({"team": "blue"}));
    let topic = lab.topic("news", "carol");
    lab.role("deploy", "dan", &json!({"stage": "prod"}));
    lab.load();
    lab.run(&["tag"]).success();
    lab.moto.boto3(&format!(
        "client('ec2').create_tags(Resources=['{}'], Tags=[dict(Key='Owner', Value='zoe')])
client('ec2').delete_volume(VolumeId='{}')",
        volumes[0], volumes[2]
    ));

    let dry = lab.run(&["undo", "1", "--dry-run"]);
    assert!(dry.success().stdout.contains(&format!("untag ebs {} Owner=alice", volumes[1])), "{}", dry.printed());
    assert_eq!(lab.volume_tags(&volumes[1]), json!({"Owner": "alice"}));

    let report = lab.run(&["undo", "1", "--output", "json"]).success().json();
    assert_eq!(entry(&report["actions"], &volumes[0])["result"], "skipped");
    assert_eq!(entry(&report["actions"], &volumes[0])["error"], "has Owner=zoe now; the tag was changed meanwhile");
    assert_eq!(entry(&report["actions"], &volumes[2])["result"], "vanished");
    assert_eq!(lab.volume_tags(&volumes[0]), json!({"Owner": "zoe"}));
    assert_eq!(lab.volume_tags(&volumes[1]), json!({}));
    assert_eq!(lab.queue_tags(&queue), json!({"team": "blue"}));
    assert_eq!(lab.role_tags("deploy"), json!({"stage": "prod"}));
    assert_eq!(lab.topic_tags(&topic), json!({}));
    assert_eq!(lab.sent("GetResources"), 1, "only `tag` sweeps: undo reads the tags of each resource");

    let writes = lab.moto.writes();
    lab.run(&["undo", "1"]).success();
    assert_eq!(lab.moto.writes(), writes, "a write is undone only once");
    lab.run(&["undo", "7"]).code(2).says(["no run 7", "trailcreator runs"]);
}

/// The Tagging API does not prove that a tag is absent, and its index is late.
#[test]
fn a_type_whose_tags_no_other_call_reads_is_neither_swept_nor_changed() {
    let mut lab = Lab::new();
    let topic = lab.topic("news", "carol");
    lab.load();
    lab.run(&["tag"]).success();
    let built_in = lab.bench.trailcreator(["resource-map", "show", "sns"]).run().success().stdout.clone();
    let own_call = "    call: ListTagsForResource\n    params:\n      ResourceArn: \"{arn}\"\n    items: Tags\n";
    let without_call = built_in.replace(own_call, "");
    assert_ne!(without_call, built_in);
    lab.bench.write("topics.yml", without_call);
    let undone = lab.run(&["undo", "1", "--extend-map", "topics.yml"]);
    undone.code(4).says(["the resource map has no call to read the tags of sns"]);
    assert_eq!(lab.topic_tags(&topic), json!({"Owner": "carol"}));
    assert_eq!(lab.sent("GetResources"), 1, "by `tag`");
}

#[test]
fn an_undo_can_be_undone() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    lab.run(&["tag"]).success();
    lab.run(&["undo", "1"]).success();
    assert_eq!(lab.volume_tags(&volume), json!({}));
    lab.run(&["undo", "2"]).success();
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
}

#[test]
fn runs_lists_what_was_done() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    lab.run(&["tag"]).success();
    lab.run(&["undo", "1"]).success();
    let runs = lab.run(&["runs", "--output", "json"]).success().json()["runs"].clone();
    let values = |field: &str| json!([runs[0][field], runs[1][field]]);
    assert_eq!(values("run_id"), json!([2, 1]));
    assert_eq!(values("kind"), json!(["undo", "tag"]));
    assert_eq!(values("undoes"), json!([1, null]));
    assert_eq!(runs[1]["counts"]["written"], 1);
    assert!(runs[1]["finished_at"].is_string());
    assert_eq!(runs[1]["caller_arn"], "arn:aws:sts::123456789012:user/moto");
    let one = lab.run(&["runs", "1", "--output", "json"]).success().json();
    let write = entry(&one["writes"], &volume);
    assert_eq!(
        (&write["old_value"], &write["value"], &write["state"]),
        (&json!(null), &json!("alice"), &json!("written"))
    );
    assert!(write["request_id"].is_string() && write["written_at"].is_string(), "{write}");
    let text = lab.run(&["runs"]).success().stdout.clone();
    assert!(text.contains("undo of 1 account:123456789012 region:us-east-1 Owner 1 written finished"), "{text}");
}

/// A queue of carol's that was tagged, then deleted and created anew by dave; the events of that are loaded.
fn recreated(args: &[&str]) -> (Lab, String) {
    let mut lab = Lab::new();
    let url = lab.queue("jobs", "carol", &json!({}));
    lab.load();
    lab.run(&[&["tag", "--type", "sqs"][..], args].concat()).success();
    lab.moto.boto3(&format!(
        "client('sqs').delete_queue(QueueUrl='{url}')\nclient('sqs').create_queue(QueueName='jobs')\n\
         client('sqs').tag_queue(QueueUrl='{url}', Tags=dict(Owner='carol'))"
    ));
    let sqs = |name: &str, time: &str| Event::new("sqs.amazonaws.com", name).by(Caller::iam_user("dave")).at(time);
    lab.event(sqs("DeleteQueue", "2099-01-01T00:00:00Z").request(json!({"queueUrl": url})));
    let created = sqs("CreateQueue", "2099-01-01T00:00:10Z").request(json!({"queueName": "jobs"}));
    lab.event(created.response(json!({"queueUrl": url})));
    lab.load();
    (lab, url)
}

#[test]
fn undo_leaves_a_resource_that_was_created_anew_under_the_same_name() {
    let (lab, url) = recreated(&[]);
    lab.run(&["undo", "1"]).success().shows(["it was replaced: CreateQueue created another resource with this name"]);
    assert_eq!(lab.queue_tags(&url), json!({"Owner": "carol"}), "that is the new one's own tag");
}

#[test]
fn apply_leaves_a_resource_that_was_created_anew_since_the_plan() {
    let (lab, url) = recreated(&["--save-plan", "plan.json"]);
    lab.moto.boto3(&format!("client('sqs').untag_queue(QueueUrl='{url}', TagKeys=['Owner'])"));
    lab.run(&["apply", "plan.json"]).success().shows(["it was replaced"]);
    assert_eq!(lab.queue_tags(&url), json!({}));
}

#[test]
fn regression_a_queue_tagged_through_one_endpoint_is_undone_through_another() {
    let mut lab = Lab::new();
    let url = lab.queue("q", "alice", &json!({"team": "one"}));
    lab.load();
    lab.run(&["tag"]).success();
    assert_eq!(lab.queue_tags(&url), json!({"team": "one", "Owner": "alice"}));
    // The URLs of queues have the host that the listing was sent to.
    let other = lab.moto.endpoint().replace("127.0.0.1", "localhost");
    let undo = lab.bench.trailcreator(["undo", "1"]).aws(&lab.moto).env("AWS_ENDPOINT_URL", &other).run();
    undo.success().says(["1 undone"]);
    assert_eq!(lab.queue_tags(&url), json!({"team": "one"}));
}

#[test]
fn undo_with_nothing_to_do_makes_no_run_and_is_one_document() {
    let mut lab = Lab::new();
    lab.queue("q", "alice", &json!({}));
    lab.load();
    lab.bench.write("accounts.yml", "accounts:\n- {account_id: '123456789012', name: main}\n");
    lab.run(&["tag-org", "accounts.yml"]).success();
    lab.run(&["undo", "org-1", "-c", "accounts.yml"]).success().says(["run org-2: ", "1 undone"]);
    for _ in 0..2 {
        let again = lab.run(&["undo", "org-1", "-c", "accounts.yml", "--output", "json"]).success().json();
        assert_eq!(again["Summary"]["run_id"], Value::Null, "{again:#}");
        let run = lab.run(&["undo", "org-1", "-c", "accounts.yml"]);
        run.success().says(["nothing to write"]);
        assert!(!run.stderr.contains("org-3"), "{}", run.stderr);
        let single = lab.run(&["undo", "1", "--output", "json"]).success().json();
        assert_eq!((&single["run_id"], &single["actions"]), (&Value::Null, &json!([])));
    }
    let runs = lab.run(&["runs", "--output", "json"]).success().json();
    assert_eq!(runs["organization_runs"].as_array().map(Vec::len), Some(2), "{runs:#}");
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(2), "{runs:#}");
}

#[test]
fn runs_of_accounts_and_of_organizations_are_one_list_in_time_order() {
    let mut lab = Lab::new();
    lab.queue("q", "alice", &json!({}));
    let volumes = lab.volumes(&["alice"]);
    lab.load();
    lab.bench.write("accounts.yml", "accounts:\n- {account_id: '123456789012', name: main}\n");
    lab.run(&["tag", "--type", "ebs"]).success();
    lab.run(&["tag-org", "accounts.yml"]).success();
    lab.run(&["undo", "1"]).success();
    assert_eq!(lab.volume_tags(&volumes[0]), json!({}));
    let text = lab.run(&["runs"]).success().stdout.clone();
    let names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["3", "org-1", "1"], "{text}");
    let runs = lab.run(&["runs", "--output", "json"]).success().json();
    let listed = runs["all_runs"].as_array().expect("a list");
    let names: Vec<Value> = listed.iter().map(|run| json!([run["run_id"], run["organization_run"]])).collect();
    assert_eq!(names, [json!([3, null]), json!([null, "org-1"]), json!([1, null])]);
    let text = lab.run(&["runs", "org-1"]).success().stdout.clone();
    let names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["org-1", "2"], "{text}");
}
