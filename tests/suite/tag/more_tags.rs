//! `--tag`: further tags beside the owner, from plan to undo.

use serde_json::{Value, json};

use super::lab::Lab;
use crate::common::{Caller, Event};

const MORE: [&str; 4] = ["--tag", "CreatedAt={event_time}", "--tag", "By={creator} with {tool} {tool_version}"];
/// Tagging a stack updates it.
const ALLOWED: [&str; 2] = ["--allow-updates", "cfn"];
const TIME: &str = "2026-03-01T10:00:00Z";
const BY: &str = "alice with AWS CLI 2.31.0";

fn tag<'a>(args: &[&'a str]) -> Vec<&'a str> {
    ["tag"].into_iter().chain(args.iter().copied()).chain(MORE).collect()
}

fn bucket(lab: &mut Lab, name: &str) {
    lab.moto.boto3(&format!(
        "client('s3').create_bucket(Bucket='{name}')
client('s3').put_bucket_tagging(Bucket='{name}', Tagging=dict(TagSet=[dict(Key='stage', Value='prod')]))"
    ));
    let event = Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}));
    lab.event(event.by(Caller::iam_user("alice")));
}

fn bucket_tags(lab: &Lab, name: &str) -> Value {
    lab.moto.boto3(&format!(
        "result = {{tag['Key']: tag['Value'] for tag in client('s3').get_bucket_tagging(Bucket='{name}')['TagSet']}}"
    ))
}

/// With a tag of its own: moto takes an empty list of tags for none given, where AWS takes all of them off.
fn stack(lab: &mut Lab, name: &str) -> String {
    let id = lab.moto.boto3(&format!(
        "
template = json.dumps(dict(Resources=dict(Q=dict(Type='AWS::SQS::Queue'))))
result = client('cloudformation').create_stack(StackName='{name}', TemplateBody=template, Tags=[dict(Key='stage', Value='prod')])['StackId']"
    ));
    let event = Event::new("cloudformation.amazonaws.com", "CreateStack").request(json!({"stackName": name}));
    lab.event(event.response(json!({"stackId": id})).by(Caller::iam_user("alice")));
    id.as_str().expect("an id is a text").to_owned()
}

fn stack_tags(lab: &Lab, name: &str) -> Value {
    lab.moto.boto3(&format!(
        "result = {{tag['Key']: tag['Value'] for tag in client('cloudformation').describe_stacks(StackName='{name}')['Stacks'][0]['Tags']}}"
    ))
}

#[test]
fn additional_tags_are_written_beside_the_owner_and_undone() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    let queue = lab.queue("jobs", "alice", &json!({"CreatedAt": "long ago"}));
    lab.role("deploy", "alice", &json!({"Owner": "zoe"}));
    bucket(&mut lab, "photos");
    stack(&mut lab, "web");
    lab.load();
    lab.run(&tag(&ALLOWED)).success().says(["undo 1 --allow-updates cfn"]);
    let all = json!({"Owner": "alice", "CreatedAt": TIME, "By": BY});
    assert_eq!(lab.volume_tags(&volume), all);
    assert_eq!(
        lab.queue_tags(&queue),
        json!({"Owner": "alice", "CreatedAt": "long ago", "By": BY}),
        "never overwritten"
    );
    assert_eq!(lab.role_tags("deploy"), json!({"Owner": "zoe", "CreatedAt": TIME, "By": BY}));
    assert_eq!(bucket_tags(&lab, "photos"), json!({"stage": "prod", "Owner": "alice", "CreatedAt": TIME, "By": BY}));
    assert_eq!(stack_tags(&lab, "web"), json!({"stage": "prod", "Owner": "alice", "CreatedAt": TIME, "By": BY}));
    assert_eq!(lab.sent("ExecuteChangeSet"), 1, "a stack is updated once");

    let writes = lab.moto.writes();
    lab.run(&tag(&ALLOWED)).success().says(["nothing to write"]);
    assert_eq!(lab.moto.writes(), writes, "the second run writes nothing");

    let journal = lab.run(&["runs", "1"]).success().stdout.clone();
    assert!(journal.contains(&format!("written ebs {volume} CreatedAt: none -> {TIME}")), "{journal}");
    lab.run(&[&["undo", "1"][..], &ALLOWED].concat()).success();
    assert_eq!(lab.volume_tags(&volume), json!({}));
    assert_eq!(lab.queue_tags(&queue), json!({"CreatedAt": "long ago"}));
    assert_eq!(lab.role_tags("deploy"), json!({"Owner": "zoe"}));
    assert_eq!(bucket_tags(&lab, "photos"), json!({"stage": "prod"}));
    assert_eq!(stack_tags(&lab, "web"), json!({"stage": "prod"}));
}

#[test]
fn a_dry_run_lists_them_and_a_saved_plan_writes_them() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    let run = lab.run(&tag(&["--dry-run"]));
    run.success().says(["1 to tag, 1 with By, 1 with CreatedAt;"]);
    assert!(run.stdout.contains(&format!("tag ebs {volume} CreatedAt={TIME} (CreateVolume {TIME})")), "{}", run.stdout);
    lab.run(&tag(&["--save-plan", "plan.json"])).success();
    assert_eq!(lab.moto.writes(), 0);
    let report = lab.run(&["apply", "plan.json", "--output", "json"]).success().json();
    let keys: Vec<&Value> = report["actions"].as_array().unwrap().iter().map(|action| &action["key"]).collect();
    assert_eq!(json!(keys), json!(["Owner", "CreatedAt", "By"]));
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice", "CreatedAt": TIME, "By": BY}));
    assert_eq!(lab.run(&["runs", "--output", "json"]).json()["runs"][0]["tag_key"], "Owner");
}

#[test]
fn undo_skips_a_changed_tag_and_reverts_the_others() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    lab.run(&tag(&[])).success();
    lab.moto.boto3(&format!("client('ec2').create_tags(Resources=['{volume}'], Tags=[dict(Key='By', Value='zoe')])"));
    lab.run(&["undo", "1"]).success().says(["1 skipped", "2 undone"]);
    assert_eq!(lab.volume_tags(&volume), json!({"By": "zoe"}));
}

#[test]
fn a_duplicate_key_and_a_misspelt_placeholder_are_errors() {
    let mut lab = Lab::new();
    lab.volumes(&["alice"]);
    lab.load();
    lab.run(&["tag", "--tag", "Owner={arn}"]).code(2).says(["the tag Owner is given twice", "--creator-tag"]);
    lab.run(&["tag", "--tag", "At={event_tim}"]).code(2).says(["did you mean `event_time`?"]);
    assert_eq!(lab.moto.writes(), 0);
}

#[test]
fn templates_have_the_fields_of_the_resource_document() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    let queue = lab.queue("jobs", "alice", &json!({"stage": "prod"}));
    lab.load();
    let more = ["--tag", "What={type}/{id} in {account_id}/{region}", "--tag", "Of={name} {tags.stage}"];
    let report = lab.run(&[&["tag", "--output", "json"], &more[..]].concat()).success().json();
    let what = format!("ebs/{volume} in 123456789012/us-east-1");
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice", "What": what}));
    let what = format!("sqs/{queue} in 123456789012/us-east-1");
    let expected = json!({"stage": "prod", "Owner": "alice", "What": what, "Of": "jobs prod"});
    assert_eq!(lab.queue_tags(&queue), expected);
    let left = report["skipped"].as_array().expect("a list").iter().find(|left| left["key"] == "Of");
    assert_eq!(left.expect("the volume has no stage")["kind"], "no-value", "{left:?}");
}
