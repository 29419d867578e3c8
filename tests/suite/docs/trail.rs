//! The trail of the laboratory: who created its resources, in log files, and in the queue that `watch` follows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::common::{ACCOUNT, Bench, Caller, Event, Moto, Trail, moment};

const CONSOLE: &str = "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488]";
const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) aws-sdk-go-v2/1.30.3";

/// The access key of the session that started the instance.
const SESSION_KEY: &str = "ASIAINSTANCEEXAMPLE0";

/// Writes the log files below `logs/`, with the layout that a trail's bucket has.
pub(super) fn write(bench: &Bench, world: &Value) {
    let mut files: BTreeMap<String, Trail> = BTreeMap::new();
    for event in events(world) {
        let record = event.record();
        let text = |field: &str| record[field].as_str().expect("a text").to_owned();
        let (account, region, day) =
            (text("recipientAccountId"), text("awsRegion"), text("eventTime")[..10].to_owned());
        let (folder, compact) = (day.replace('-', "/"), day.replace('-', ""));
        let path = format!(
            "AWSLogs/{account}/CloudTrail/{region}/{folder}/{account}_CloudTrail_{region}_{compact}T2359Z_a.json.gz"
        );
        let number: usize = files.values().map(|trail| trail.records().len()).sum();
        files.entry(path).or_default().push(event.field("eventID", json!(format!("event-{number}"))));
    }
    for (path, trail) in files {
        trail.write(&bench.path("logs").join(path));
    }
}

/// Announces a new queue in the one that `watch` follows.
pub(super) fn announce(moto: &Moto) {
    let record = queue(ACCOUNT, "us-east-1", "my-queue").at(&moment(0, "00:00:00")).by(dana());
    let detail = record.field("eventID", json!("event-watched")).record().clone();
    let event =
        json!({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.sqs", "detail": detail});
    moto.boto3(&format!(
        "sqs = client('sqs', 'eu-west-1')
url = sqs.get_queue_url(QueueName='trailcreator')['QueueUrl']
sqs.send_message(QueueUrl=url, MessageBody=json.dumps(json.loads({:?})))",
        event.to_string()
    ));
}

fn dana() -> Caller {
    Caller::assumed_role("ProductionAdmin", "dana@corp.example")
}

fn queue(account: &str, region: &str, name: &str) -> Event {
    let url = format!("https://sqs.{region}.amazonaws.com/{account}/{name}");
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": name}));
    event.response(json!({"queueUrl": url})).account(account).region(region)
}

fn events(world: &Value) -> Vec<Event> {
    let id = |name: &str| world[name].as_str().expect("an ID").to_owned();
    let role = json!({"role": {"roleName": "my-role", "arn": format!("arn:aws:iam::{ACCOUNT}:role/my-role")}});
    let recent = |name: &str, event: Event| event.by(Caller::iam_user(name)).at(&moment(6, "10:00:00"));
    let by_console = |event: Event| event.by(dana()).field("userAgent", json!(CONSOLE)).at(&moment(5, "10:00:00"));
    let mut events = vec![
        // In the year that docs/athena.md loads; all others are found by `--since 90d`.
        Event::new("iam.amazonaws.com", "CreateRole").request(json!({"roleName": "my-role"})).response(role),
        by_console(queue(ACCOUNT, "us-east-1", "my-queue")),
        by_console(queue(ACCOUNT, "us-east-1", "deleted-since")),
        by_console(Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": "invoices"}))),
        recent("lee", queue(ACCOUNT, "us-east-1", "by-terraform")).field("userAgent", json!(TERRAFORM)),
        recent("alice", queue(ACCOUNT, "us-east-1", "of-the-platform")),
        recent("bob", queue(ACCOUNT, "eu-west-1", "orders")),
        recent("alice", Event::new("cloudformation.amazonaws.com", "CreateStack"))
            .request(json!({"stackName": "web"}))
            .response(json!({"stackId": id("stack")})),
        recent("alice", Event::new("resource-groups.amazonaws.com", "CreateGroup"))
            .request(json!({"name": "blue"}))
            .response(json!({"group": {"groupArn": id("group"), "name": "blue"}})),
    ];
    for account in [id("web"), id("audit")] {
        for region in ["us-east-1", "eu-west-1"] {
            events.push(recent("carol", queue(&account, region, "jobs")).account(&account));
        }
    }
    events.extend(chain(&id("instance")));
    events
}

/// An instance that was started by a session of a pipeline, and the event of that session: erin began it.
fn chain(instance: &str) -> [Event; 2] {
    let mut session = Caller::assumed_role("deploy", "i-0123456789abcdef0");
    session.0["accessKeyId"] = json!(SESSION_KEY);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/deploy");
    let assumed = json!({
        "credentials": {"accessKeyId": SESSION_KEY},
        "assumedRoleUser": {"arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy/i-0123456789abcdef0")},
    });
    let request = json!({"roleArn": role, "roleSessionName": "i-0123456789abcdef0"});
    [
        Event::new("sts.amazonaws.com", "AssumeRole")
            .by(Caller::iam_user("erin"))
            .request(request)
            .response(assumed)
            .at(&moment(4, "09:59:00")),
        Event::new("ec2.amazonaws.com", "RunInstances")
            .by(session)
            .response(json!({"instancesSet": {"items": [{"instanceId": instance}]}}))
            .at(&moment(4, "10:00:00")),
    ]
}
