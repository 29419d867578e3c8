//! The ways in which tags are written, and what happens where one resource can't be.

use serde_json::json;

use super::lab::{Lab, entry};
use crate::common::{Bench, Caller, Event, Moto, Trail};

#[test]
fn each_type_is_tagged_in_its_way_and_other_tags_stay() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice", "alice", "bob"]);
    let queue = lab.queue("jobs", "carol", &json!({"team": "blue"}));
    lab.role("deploy", "dan", &json!({"stage": "prod"}));
    let topics = [lab.topic("one", "erin"), lab.topic("two", "erin")];
    lab.load();
    let run = lab.run(&["tag"]);
    run.success().says([
        "account:123456789012 region:us-east-1 tag 3 ebs resources users:2 population:3 not-found:0 records:3 untagged:3",
        "tag 1 iam-role resources users:1",
        "run 1: 7 tagged",
        "trailcreator undo 1",
    ]);
    for (volume, owner) in volumes.iter().zip(["alice", "alice", "bob"]) {
        assert_eq!(lab.volume_tags(volume), json!({"Owner": owner}));
        assert!(run.stdout.contains(&format!("tagged ebs {volume} Owner={owner} (")), "{}", run.printed());
    }
    assert_eq!(lab.queue_tags(&queue), json!({"team": "blue", "Owner": "carol"}));
    assert_eq!(lab.role_tags("deploy"), json!({"stage": "prod", "Owner": "dan"}));
    for topic in &topics {
        assert_eq!(lab.topic_tags(topic), json!({"Owner": "erin"}));
    }
    assert_eq!(lab.sent("CreateTags"), 2, "one call for each owner");
    assert_eq!((lab.sent("TagQueue"), lab.sent("TagRole")), (1, 1), "moto's Tagging API does not know these");
    assert_eq!(lab.sent("TagResources"), 3, "one for each owner; both topics in one");

    let writes = lab.moto.writes();
    let again = lab.run(&["tag", "--output", "json"]);
    assert_eq!(again.success().json()["actions"], json!([]));
    assert_eq!(lab.moto.writes(), writes, "the second run wrote");
}

#[test]
fn what_has_the_tag_or_no_creator_is_left_with_its_reason() {
    let mut lab = Lab::new();
    let tagged = lab.queue("tagged", "alice", &json!({"Owner": "zoe", "team": "blue"}));
    let volume = lab.volumes(&["alice"]).remove(0);
    let unknown = lab.moto.boto3("result = client('sqs').create_queue(QueueName='unknown')['QueueUrl']");
    let unknown = unknown.as_str().expect("a URL is a text");
    let other = Event::new("robomaker.amazonaws.com", "CreateRobot").response(json!({"arn": "arn:aws:x:y:1:robot"}));
    lab.event(other);
    lab.load();
    let report = lab.run(&["tag", "--output", "json"]).success().json();
    assert_eq!(entry(&report["actions"], &volume)["result"], "written");
    let left = &report["skipped"];
    assert_eq!(entry(left, &tagged)["kind"], "has-tag");
    assert_eq!(entry(left, &tagged)["reason"], "already has the tag: Owner=zoe");
    assert_eq!(entry(left, unknown)["kind"], "no-record");
    assert_eq!(lab.queue_tags(&tagged), json!({"Owner": "zoe", "team": "blue"}));
    assert_eq!(lab.queue_tags(unknown), json!({}));
}

/// Before our first write arrives, the volume tagged `vanishes` and the queue `gone` are deleted.
const VANISH: &str = include_str!("../hooks/tag_ways_vanish.py");

#[test]
fn what_vanishes_between_list_and_write_fails_only_itself() {
    let mut lab = Lab::with_hook(Bench::new(), VANISH);
    let volumes = lab.volumes(&["alice"; 5]);
    lab.moto.boto3(&format!(
        "client('ec2').create_tags(Resources=['{}'], Tags=[dict(Key='vanishes', Value='')])",
        volumes[2]
    ));
    let gone = lab.queue("gone", "alice", &json!({}));
    let stays = lab.queue("stays", "alice", &json!({}));
    lab.load();
    let run = lab.run(&["tag", "--output", "json"]);
    let report = run.code(4).json();
    for (at, volume) in volumes.iter().enumerate() {
        if at == 2 {
            assert_eq!(entry(&report["failed"], volume)["result"], "vanished");
        } else {
            assert_eq!(lab.volume_tags(volume), json!({"Owner": "alice"}));
        }
    }
    assert_eq!(entry(&report["actions"], &gone)["result"], "vanished", "{report:#}");
    assert_eq!(lab.queue_tags(&stays), json!({"Owner": "alice"}));
    assert_eq!(report["summary"]["results"], json!({"vanished": 2, "written": 5}));
    run.says(["vanished: ", "InvalidVolume.NotFound"]);
}

/// The queue `locked` can't be tagged by any call; IAM is closed to all reading.
const REFUSE: &str = include_str!("../hooks/tag_ways_refuse.py");

#[test]
fn what_is_refused_is_named_with_the_missing_permission_and_the_rest_is_tagged() {
    let mut lab = Lab::with_hook(Bench::new(), REFUSE);
    let volume = lab.volumes(&["alice"]).remove(0);
    let locked = lab.queue("locked", "alice", &json!({}));
    let open = lab.queue("open", "alice", &json!({}));
    lab.role("deploy", "alice", &json!({}));
    lab.load();
    let run = lab.run(&["tag", "--output", "json"]);
    let report = run.code(4).json();
    let failed = entry(&report["failed"], &locked);
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("allow sqs:TagQueue")), "{failed}");
    assert_eq!(report["summary"]["failed_types"][0]["type"], "iam-role");
    assert_eq!(report["summary"]["failed_types"][0]["hint"], "allow iam:ListRoles to the user or role in use");
    run.says(["iam-role could not be listed", "hint: allow iam:ListRoles"]);
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
    assert_eq!(lab.queue_tags(&open), json!({"Owner": "alice"}));
    assert_eq!(lab.queue_tags(&locked), json!({}));
}

#[test]
fn overwriting_changes_other_values_and_undo_puts_them_back() {
    let mut lab = Lab::new();
    let zoes = lab.queue("zoes", "alice", &json!({"Owner": "zoe", "team": "blue"}));
    let alices = lab.queue("alices", "alice", &json!({"Owner": "alice"}));
    let volume = lab.volumes(&["bob"]).remove(0);
    lab.moto
        .boto3(&format!("client('ec2').create_tags(Resources=['{volume}'], Tags=[dict(Key='Owner', Value='old')])"));
    lab.load();
    let report = lab.run(&["tag", "--overwrite", "--output", "json"]).success().json();
    assert_eq!(entry(&report["skipped"], &alices)["kind"], "same-value");
    assert_eq!(entry(&report["actions"], &zoes)["old_value"], "zoe");
    assert_eq!(lab.queue_tags(&zoes), json!({"Owner": "alice", "team": "blue"}));
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "bob"}));

    lab.run(&["undo", "1"]).success().says(["2 undone"]);
    assert_eq!(lab.queue_tags(&zoes), json!({"Owner": "zoe", "team": "blue"}));
    assert_eq!(lab.queue_tags(&alices), json!({"Owner": "alice"}));
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "old"}));
}

#[test]
fn another_tag_and_chosen_types_are_taken_from_the_command_line() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    let queue = lab.queue("jobs", "alice", &json!({}));
    lab.load();
    lab.run(&["tag", "--creator-tag", "Made By", "--type", "aws.sqs", "-q"]).success();
    assert_eq!(lab.queue_tags(&queue), json!({"Made By": "alice"}));
    assert_eq!(lab.volume_tags(&volume), json!({}));
    lab.run(&["tag", "--type", "sqz"]).code(2).says(["sqz", "did you mean sqs?"]);
    lab.run(&["tag", "--creator-tag", "aws:owner"]).code(2).says(["aws:owner"]);
}

#[test]
fn types_share_one_sweep_of_the_tagging_api_and_have_their_own_where_it_is_refused() {
    let refusing = "
def before(entry, environ):
    if entry['action'] == 'GetResources' and '\\x22sns\\x22' in entry['body'] and '\\x22sqs\\x22' in entry['body']:
        return 400, 'application/x-amz-json-1.1', '{\\x22__type\\x22: \\x22InvalidParameterException\\x22, \\x22message\\x22: \\x22Unsupported service\\x22}'
";
    for (mut lab, sweeps) in [(Lab::new(), 1), (Lab::with_hook(Bench::new(), refusing), 3)] {
        let queue = lab.queue("tagged", "alice", &json!({"Owner": "zoe"}));
        lab.queue("jobs", "alice", &json!({}));
        lab.topic("alarms", "bob");
        lab.load();
        lab.run(&["tag"]).success().says(["2 tagged; skipped: 1 already tagged"]);
        assert_eq!(lab.sent("GetResources"), sweeps);
        assert_eq!(lab.sent("ListQueueTags"), 1, "the tag index had the other's");
        assert_eq!(lab.queue_tags(&queue), json!({"Owner": "zoe"}));
    }
}

#[test]
fn the_snapshots_of_an_image_belong_to_who_made_the_image() {
    let (moto, bench) = (Moto::start(), Bench::new());
    // As AWS describes them; moto's own words differ.
    let snapshots = moto.boto3(
        "ec2 = client('ec2')
volume = ec2.create_volume(AvailabilityZone='us-east-1a', Size=1)['VolumeId']
describe = lambda text: ec2.create_snapshot(VolumeId=volume, Description=text)['SnapshotId']
result = [describe('Created by CreateImage(i-0a1b) for ami-0abc'), describe('Created by CreateImage(i-0a1b) for ami-0abc from vol-0a1b'),
          describe('Copied for DestinationAmi ami-0def from SourceAmi ami-0abc for SourceSnapshot snap-0a1b. Task created on 1.'),
          describe('nightly')]",
    );
    let image = |call: &str, image: &str, person: &str| {
        Event::new("ec2.amazonaws.com", call).by(Caller::iam_user(person)).response(json!({"imageId": image}))
    };
    let trail =
        Trail::new().event(image("CreateImage", "ami-0abc", "alice")).event(image("CopyImage", "ami-0def", "bob"));
    trail.write(&bench.path("trail.json"));
    bench.trailcreator(["load-files", "trail.json"]).run().success();
    bench.trailcreator(["tag", "--type", "ebs-snapshot"]).aws(&moto).run().success();
    let owners = moto.boto3(&format!(
        "tags = {{s['SnapshotId']: s.get('Tags', []) for s in client('ec2').describe_snapshots(OwnerIds=['self'])['Snapshots']}}
result = [[tag['Value'] for tag in tags[snapshot]] for snapshot in {snapshots}]"
    ));
    assert_eq!(owners, json!([["alice"], ["alice"], ["bob"], []]));
}
