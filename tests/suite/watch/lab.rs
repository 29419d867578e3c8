//! A queue with its dead-letter queue, a trail's bucket, and messages in every form that `watch` reads.

use std::process::Child;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::{ACCOUNT, Bench, Caller, Event, Moto, REGION, Run, Trail, gzip, moment};

/// How often a message is received before it is moved to the dead-letter queue.
const DELIVERIES: u32 = 50;

/// The forms of a message that announce a log file.
pub(super) const FILE_FORMS: [Form; 7] = [
    Form::S3,
    Form::S3InSns,
    Form::EventBridge,
    Form::EventBridgeInSns,
    Form::CloudTrail,
    Form::CloudTrailInSns,
    Form::S3Twice,
];

/// How a message announces what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// S3's event notification; also what SNS delivers raw.
    S3,
    S3InSns,
    /// EventBridge's `Object Created`.
    EventBridge,
    EventBridgeInSns,
    /// CloudTrail's own notification, as SNS delivers it raw.
    CloudTrail,
    CloudTrailInSns,
    /// A notification with the same object twice.
    S3Twice,
}

/// A log file in the bucket.
#[derive(Debug, Clone)]
pub(super) struct LogFile {
    pub(super) key: String,
    pub(super) size: u64,
    /// Without quotation marks, as notifications have it.
    pub(super) etag: String,
}

pub(super) struct Lab {
    pub(super) moto: Moto,
    pub(super) bench: Bench,
    pub(super) queue: String,
    pub(super) dead: String,
}

impl Lab {
    pub(super) fn new() -> Self {
        Self::on(Bench::new(), Moto::start(), DELIVERIES)
    }

    /// On a server that asks `hook` first.
    pub(super) fn with_hook(bench: Bench, hook: &str) -> Self {
        Self::on(bench, Moto::start_with(hook), DELIVERIES)
    }

    pub(super) fn on(bench: Bench, moto: Moto, deliveries: u32) -> Self {
        let urls = moto.boto3(&format!(
            "client('s3').create_bucket(Bucket='trail')
sqs = client('sqs')
dead = sqs.create_queue(QueueName='trail-dead')['QueueUrl']
arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
redrive = json.dumps({{'deadLetterTargetArn': arn, 'maxReceiveCount': {deliveries}}})
result = [sqs.create_queue(QueueName='trail', Attributes={{'RedrivePolicy': redrive}})['QueueUrl'], dead]"
        ));
        let url = |at: usize| urls[at].as_str().expect("a URL").to_owned();
        Self { moto, bench, queue: url(0), dead: url(1) }
    }

    /// Puts log files into the bucket, a record each, in the layout of a trail and on the day of today.
    pub(super) fn upload(&self, events: &[Event]) -> Vec<LogFile> {
        self.upload_from(0, events)
    }

    /// As [`Self::upload`], where the bucket has log files up to this number.
    pub(super) fn upload_from(&self, first: usize, events: &[Event]) -> Vec<LogFile> {
        let day = moment(0, "00:00:00")[..10].replace('-', "/");
        let files = (first..).zip(events).map(|(number, event)| {
            let key = format!(
                "AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{day}/{ACCOUNT}_CloudTrail_{REGION}_{number:05}.json.gz"
            );
            let mut trail = Trail::new();
            trail.push(event.clone());
            (key, gzip(&trail.json()))
        });
        self.upload_bytes(&files.collect::<Vec<_>>())
    }

    pub(super) fn upload_bytes(&self, files: &[(String, Vec<u8>)]) -> Vec<LogFile> {
        for (number, (_, bytes)) in files.iter().enumerate() {
            self.bench.write(format!("upload/{number}"), bytes);
        }
        let keys: Vec<&String> = files.iter().map(|(key, _)| key).collect();
        let etags = self.moto.boto3(&format!(
            "import pathlib
root = pathlib.Path({:?})
result = [client('s3').put_object(Bucket='trail', Key=key, Body=(root / str(number)).read_bytes())['ETag'].strip('\"')
          for number, key in enumerate(json.loads({:?}))]",
            self.bench.path("upload"),
            json!(keys).to_string(),
        ));
        let etags: Vec<String> = serde_json::from_value(etags).expect("texts");
        let size = |bytes: &Vec<u8>| u64::try_from(bytes.len()).expect("small");
        let files = files.iter().zip(etags);
        files.map(|((key, bytes), etag)| LogFile { key: key.clone(), size: size(bytes), etag }).collect()
    }

    /// Sends messages.
    pub(super) fn send(&self, bodies: &[String]) {
        let file = self.bench.write("bodies.json", json!(bodies).to_string());
        self.moto.boto3(&format!(
            "bodies = json.load(open({file:?}, encoding='utf-8'))
for at in range(0, len(bodies), 10):
    entries = [dict(Id=str(number), MessageBody=body) for number, body in enumerate(bodies[at:at + 10])]
    client('sqs').send_message_batch(QueueUrl={:?}, Entries=entries)",
            self.queue
        ));
    }

    /// The messages of a queue: those that can be received, and those that were received.
    pub(super) fn messages(&self, queue: &str) -> (u64, u64) {
        let counts = self.moto.boto3(&format!(
            "names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']
attributes = client('sqs').get_queue_attributes(QueueUrl={queue:?}, AttributeNames=names)['Attributes']
result = [int(attributes[name]) for name in names]"
        ));
        (counts[0].as_u64().expect("a count"), counts[1].as_u64().expect("a count"))
    }

    /// Waits until all messages can be received again.
    pub(super) fn wait_until_visible(&self) {
        self.moto.boto3(&format!(
            "import time
def hidden():
    names = ['ApproximateNumberOfMessagesNotVisible']
    return int(client('sqs').get_queue_attributes(QueueUrl={:?}, AttributeNames=names)['Attributes'][names[0]])
while hidden():
    time.sleep(0.1)",
            self.queue
        ));
    }

    /// Arguments of `watch` with these further ones.
    pub(super) fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let usual = [["--wait", "1"], ["--gather", "1"]];
        let usual = usual.iter().filter(|[option, _]| !args.contains(option)).flatten();
        ["watch", "--queue", &self.queue].iter().chain(usual).chain(args).copied().collect()
    }

    /// Works off the queue.
    pub(super) fn watch(&self, args: &[&str]) -> Run {
        let args: Vec<&str> = ["--until-empty"].iter().chain(args).copied().collect();
        self.run(&self.args(&args))
    }

    /// Starts to watch.
    pub(super) fn spawn(&self, args: &[&str]) -> Child {
        self.bench.trailcreator(self.args(args)).aws(&self.moto).spawn()
    }

    /// Runs the binary against moto.
    pub(super) fn run(&self, args: &[&str]) -> Run {
        self.bench.trailcreator(args).aws(&self.moto).run()
    }

    /// A queue to tag; the record of its creation.
    pub(super) fn create_queue(&self, name: &str, owner: &str) -> Event {
        let url = self.moto.boto3(&format!("result = client('sqs').create_queue(QueueName='{name}')['QueueUrl']"));
        queue_event(name, url.as_str().expect("a URL"), owner)
    }

    /// The `Owner` of queues by their names; queues without it are left out.
    pub(super) fn owners(&self) -> Value {
        self.moto.boto3(
            "sqs = client('sqs')
tags = {url.rsplit('/', 1)[-1]: sqs.list_queue_tags(QueueUrl=url).get('Tags', {}) for url in sqs.list_queues().get('QueueUrls', [])}
result = {name: tags['Owner'] for name, tags in tags.items() if 'Owner' in tags}",
        )
    }

    /// How often we sent an action.
    pub(super) fn sent(&self, action: &str) -> usize {
        self.moto.our_requests().iter().filter(|request| request.action == action).count()
    }
}

/// The record of a queue's creation, just now.
pub(super) fn queue_event(name: &str, url: &str, owner: &str) -> Event {
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": name}));
    let event = event.response(json!({"queueUrl": url})).by(Caller::iam_user(owner));
    event.at(&format!("{:.0}", Timestamp::now())).field("eventID", json!(format!("event-of-{name}")))
}

/// A message that announces a log file.
pub(super) fn announce(form: Form, file: &LogFile) -> String {
    let LogFile { key, size, etag } = file;
    let record = json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": REGION, "eventTime": "2026-03-01T10:05:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "AWS:CloudTrail"},
        "requestParameters": {"sourceIPAddress": "203.0.113.7"}, "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": "trail",
            "bucket": {"name": "trail", "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}, "arn": "arn:aws:s3:::trail"},
            "object": {"key": form_encoded(key), "size": size, "eTag": etag, "sequencer": "0055AED6DCD90281E5"}},
    });
    let event = json!({
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created", "source": "aws.s3",
        "account": ACCOUNT, "time": "2026-03-01T10:05:00Z", "region": REGION, "resources": ["arn:aws:s3:::trail"],
        "detail": {"version": "0", "bucket": {"name": "trail"},
            "object": {"key": key, "size": size, "etag": etag, "sequencer": "617f08299329d189"},
            "request-id": "N4N7GDK58NMKJ12R", "requester": "cloudtrail.amazonaws.com", "reason": "PutObject"},
    });
    let own = json!({"s3Bucket": "trail", "s3ObjectKey": [key]});
    match form {
        Form::S3 => json!({"Records": [record]}).to_string(),
        Form::S3Twice => json!({"Records": [record, record]}).to_string(),
        Form::S3InSns => in_sns(&json!({"Records": [record]}).to_string()),
        Form::EventBridge => event.to_string(),
        Form::EventBridgeInSns => in_sns(&event.to_string()),
        Form::CloudTrail => own.to_string(),
        Form::CloudTrailInSns => in_sns(&own.to_string()),
    }
}

/// A message that holds a record.
pub(super) fn record(event: &Event) -> String {
    json!({
        "version": "0", "id": "36eb8523-97d0-4518-b33d-ee3579ff19f0", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.sqs", "account": ACCOUNT, "time": "2026-03-01T10:00:10Z", "region": REGION, "resources": [],
        "detail": event.record(),
    })
    .to_string()
}

pub(super) fn in_sns(message: &str) -> String {
    json!({
        "Type": "Notification", "MessageId": "da41e39f-ea4d-435a-b922-c6aae3915ebe",
        "TopicArn": format!("arn:aws:sns:{REGION}:{ACCOUNT}:trail"), "Subject": "Amazon S3 Notification", "Message": message,
        "Timestamp": "2026-03-01T10:05:01.000Z", "SignatureVersion": "1", "Signature": "EXAMPLE", "SigningCertURL": "https://sns.us-east-1.amazonaws.com/x.pem",
    })
    .to_string()
}

/// S3 writes keys as forms do.
fn form_encoded(key: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'*' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    key.bytes().map(letter).collect()
}

/// The events of a run with `--output jsonl` that have this name.
pub(super) fn events(stdout: &str, name: &str) -> Vec<Value> {
    let events = stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"));
    events.filter(|event| event["event"] == name).collect()
}

/// Sends a signal to a process.
pub(super) fn signal(child: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}
