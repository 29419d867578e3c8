//! `--tag`: what new records created is tagged, each once, also what appears late.

use serde_json::json;

use super::lab::{FILE_FORMS, Form, Lab, announce, events, queue_event, record};
use crate::common::{Bench, Caller, Event, Request};

/// Hides queues from our first listings, or refuses our first tags: `COUNT` times.
const LATE: &str = include_str!("../hooks/watch_late.py");

fn late(action: &str, count: u32) -> Lab {
    Lab::with_hook(Bench::new(), &LATE.replace("ACTION", action).replace("COUNT", &count.to_string()))
}

#[test]
fn what_new_records_created_is_tagged_with_one_listing_for_a_burst() {
    let lab = Lab::new();
    let all: Vec<Event> = (0..21).map(|number| lab.create_queue(&format!("jobs-{number}"), "alice")).collect();
    lab.create_queue("not-announced", "bob");
    let files = lab.upload(&all[..14]);
    let bodies = files.iter().enumerate().map(|(at, file)| announce(FILE_FORMS[at % FILE_FORMS.len()], file));
    lab.send(&bodies.chain(all[14..].iter().map(record)).collect::<Vec<_>>());
    let run = lab.watch(&["--tag", "--gather", "10"]);
    run.success().shows(["tagged 123456789012 us-east-1 sqs", "Owner=alice", "resources    21 tagged"]);
    let owners = lab.owners();
    assert_eq!(owners.as_object().map(serde_json::Map::len), Some(21), "{owners}");
    assert!(owners.as_object().is_some_and(|owners| owners.values().all(|owner| owner == "alice")));
    assert_eq!((lab.sent("ListQueues"), lab.sent("TagQueue")), (1, 21));
    let others = ["DescribeVolumes", "ListRoles", "GET /"];
    assert_eq!(others.map(|action| lab.sent(action)), [0; 3], "only the types concerned are listed");
    assert_eq!(lab.messages(&lab.queue), (0, 0));
}

/// The database knows the creator of another untagged queue: it is not what the new record created.
#[test]
fn only_what_new_records_created_is_tagged() {
    let lab = Lab::new();
    lab.send(&[record(&lab.create_queue("old", "bob"))]);
    lab.watch(&[]).success();
    lab.send(&[record(&lab.create_queue("new", "alice"))]);
    lab.watch(&["--tag"]).success();
    assert_eq!(lab.owners(), json!({"new": "alice"}));
    assert_eq!(lab.sent("ListQueueTags"), 1, "the tags of the others are not read either");
}

#[test]
fn a_resource_that_appears_late_is_tagged_when_it_does() {
    let lab = late("ListQueues", 2);
    lab.send(&[record(&lab.create_queue("jobs", "alice"))]);
    let run = lab.watch(&["--tag", "--output", "jsonl"]);
    assert_eq!(lab.owners(), json!({"jobs": "alice"}));
    assert_eq!(lab.sent("ListQueues"), 3);
    let tagged = events(&run.success().stdout, "tagged");
    assert_eq!(
        (tagged.len(), &tagged[0]["tags"], &tagged[0]["account_id"]),
        (1, &json!({"Owner": "alice"}), &json!("123456789012"))
    );
    assert!(tagged[0]["seconds_since_message"].is_f64(), "{tagged:?}");
    assert_eq!(lab.messages(&lab.queue), (0, 0));
}

#[test]
fn a_resource_that_can_not_be_tagged_yet_is_tried_again() {
    let lab = late("TagQueue", 2);
    lab.send(&[record(&lab.create_queue("jobs", "alice"))]);
    lab.watch(&["--tag"]).success();
    assert_eq!(lab.owners(), json!({"jobs": "alice"}));
    assert_eq!(lab.messages(&lab.queue), (0, 0));
}

#[test]
fn what_never_appears_is_given_up_and_named_and_its_message_deleted() {
    let lab = Lab::new();
    lab.send(&[record(&queue_event("gone", "https://sqs.us-east-1.amazonaws.com/123456789012/gone", "alice"))]);
    let run = lab.watch(&["--tag", "--retry-for", "2"]);
    run.success().says(["not tagged: 123456789012 us-east-1 sqs", "no live resource was created by its event"]);
    assert_eq!(lab.messages(&lab.queue), (0, 0));
    assert!(lab.sent("ListQueues") >= 2);
}

#[test]
fn what_can_not_be_tagged_is_given_up_as_failed() {
    let lab = late("TagQueue", 1000);
    lab.send(&[record(&lab.create_queue("jobs", "alice"))]);
    let run = lab.watch(&["--tag", "--retry-for", "1"]);
    run.code(4).says(["warning: not tagged: 123456789012 us-east-1 sqs"]).shows(["0 tagged, 1 failed"]);
    assert_eq!(lab.messages(&lab.queue), (0, 0));
}

#[test]
fn what_is_deleted_again_is_not_waited_for() {
    let lab = Lab::new();
    let url = "https://sqs.us-east-1.amazonaws.com/123456789012/brief";
    let deleted = Event::new("sqs.amazonaws.com", "DeleteQueue").request(json!({"queueUrl": url}));
    let deleted = deleted.at("2036-03-01T10:00:00Z").field("eventID", json!("deletion"));
    lab.send(&[record(&queue_event("brief", url, "alice")), record(&deleted)]);
    lab.watch(&["--tag"]).success().says(["it was deleted again"]);
    assert_eq!((lab.sent("ListQueues"), lab.messages(&lab.queue)), (0, (0, 0)));
}

/// A call that creates several resources, one that is global, and one without an owner.
#[test]
fn instances_roles_and_service_resources_follow_the_rules_of_tag() {
    let lab = Lab::new();
    let made = lab.moto.boto3(
        "image = client('ec2').describe_images()['Images'][0]['ImageId']
instances = client('ec2', 'eu-west-1').run_instances(ImageId=image, MinCount=3, MaxCount=3)['Instances']
client('iam').create_role(RoleName='deploy', AssumeRolePolicyDocument='{}')
result = [instance['InstanceId'] for instance in instances]",
    );
    let items: Vec<_> = made.as_array().expect("a list").iter().map(|id| json!({"instanceId": id})).collect();
    let run = Event::new("ec2.amazonaws.com", "RunInstances").region("eu-west-1").by(Caller::iam_user("ivy"));
    let run = run.response(json!({"instancesSet": {"items": items}})).field("eventID", json!("run"));
    let role = Event::new("iam.amazonaws.com", "CreateRole").request(json!({"roleName": "deploy"}));
    let role = role.response(json!({"role": {"roleName": "deploy", "arn": "arn:aws:iam::123456789012:role/deploy"}}));
    let of_service = lab.create_queue("of-a-service", "").by(Caller::service("example.amazonaws.com"));
    lab.send(&[
        record(&run),
        record(&role.by(Caller::iam_user("dan")).field("eventID", json!("role"))),
        record(&of_service),
    ]);
    let watched = lab.watch(&["--tag", "At={event_name}", "--creator-tag", "CreatedBy", "--output", "json"]);
    let document = watched.success().json();
    assert_eq!(document["resources"]["tagged"], 5, "{}", watched.printed());
    let tags = lab.moto.boto3(
        "reservations = client('ec2', 'eu-west-1').describe_instances()['Reservations']
tags = [instance.get('Tags') for reservation in reservations for instance in reservation['Instances']]
tags.append(client('iam').list_role_tags(RoleName='deploy')['Tags'])
result = sorted(','.join(sorted(tag['Key'] + '=' + tag['Value'] for tag in of_one)) for of_one in tags)",
    );
    let instance = "At=RunInstances,CreatedBy=ivy";
    assert_eq!(tags, json!([["At=CreateRole,CreatedBy=dan"], [instance; 1], [instance; 1], [instance; 1]].concat()));
    assert_eq!(lab.sent("CreateTags"), 2, "three instances are one call for each tag");
    let of_service = lab.moto.boto3(
        "url = client('sqs').get_queue_url(QueueName='of-a-service')['QueueUrl']
result = client('sqs').list_queue_tags(QueueUrl=url)['Tags']",
    );
    assert_eq!(of_service, json!({"At": "CreateQueue"}), "a service is no owner");
}

#[test]
fn options_of_tag_narrow_what_is_tagged() {
    let lab = Lab::new();
    let send = |name: &str| lab.send(&[record(&lab.create_queue(name, "alice"))]);
    for (name, args) in [
        ("of-another-type", &["--type", "ebs"][..]),
        ("excluded", &["--not-type", "sqs"]),
        ("dry", &["--dry-run"]),
        ("too-many", &["--max-changes", "0"]),
    ] {
        send(name);
        let run = lab.watch(&[&["--tag"][..], args].concat());
        run.code(if name == "too-many" { 4 } else { 0 });
        if name == "dry" {
            run.shows(["tag sqs", "Owner=alice"]);
        }
        assert_eq!((lab.sent("TagQueue"), lab.messages(&lab.queue)), (0, (0, 0)), "{name}");
    }
    send("tagged");
    lab.watch(&["--tag", "--user-suffix", "ice"]).success();
    assert_eq!(lab.owners(), json!({"tagged": "alice"}));
}

#[test]
fn an_existing_tag_is_left_alone() {
    let lab = Lab::new();
    let event = lab.create_queue("jobs", "alice");
    lab.moto.boto3(
        "url = client('sqs').get_queue_url(QueueName='jobs')['QueueUrl']
client('sqs').tag_queue(QueueUrl=url, Tags={'Owner': 'team'})",
    );
    lab.send(&[record(&event)]);
    lab.watch(&["--tag"]).success();
    assert_eq!((lab.owners(), lab.sent("TagQueue")), (json!({"jobs": "team"}), 0));
}

#[test]
fn the_policy_holds_what_the_command_asks_for() {
    let lab = Lab::new();
    let files = lab.upload(&[lab.create_queue("jobs", "alice")]);
    lab.send(&[announce(Form::CloudTrail, &files[0])]);
    let before = lab.moto.our_requests().len();
    lab.watch(&["--tag"]).success();
    let document = lab.run(&["policy", "watch", "--type", "sqs"]).success().json();
    let allowed: Vec<String> = serde_json::from_value(document["Statement"][0]["Action"].clone()).expect("actions");
    let asked: Vec<String> = lab.moto.our_requests()[before..].iter().map(action).collect();
    assert!(asked.len() > 8, "{asked:?}");
    let refused: Vec<&String> = asked.iter().filter(|action| !allowed.contains(action)).collect();
    assert!(refused.is_empty(), "{refused:?} of {asked:?} are not in {allowed:?}");
}

/// IAM's name of a request's action.
fn action(request: &Request) -> String {
    let service = match request.service.as_deref() {
        Some("tagging") => "tag",
        Some(service) => service,
        None => "unsigned",
    };
    match (service, request.method.as_str()) {
        ("s3", "HEAD") if request.path.trim_matches('/') == "trail" => "s3:ListBucket".to_owned(),
        ("s3", "HEAD" | "GET") => "s3:GetObject".to_owned(),
        ("sts", _) => "sqs:ReceiveMessage".to_owned(),
        _ => format!("{service}:{}", request.action.trim_end_matches("Batch")),
    }
}
