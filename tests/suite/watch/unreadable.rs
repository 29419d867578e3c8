//! Messages that can't be read: named once, and left for the dead-letter queue.

use std::io::Read;

use super::lab::{Form, Lab, LogFile, announce, events, in_sns, queue_event, record, signal};
use crate::common::{Bench, Moto, Trail, gzip};

fn missing(key: &str) -> LogFile {
    LogFile { key: key.to_owned(), size: 7, etag: "d41d8cd98f00b204e9800998ecf8427e".to_owned() }
}

#[test]
fn unreadable_messages_are_named_with_the_reason_and_stay_in_the_queue() {
    let lab = Lab::new();
    let cut = gzip(&[b"{\"Records\":[".as_slice(), &[b' '; 4000]].concat());
    let mut trail = Trail::new();
    trail.push(lab.create_queue("good", "alice"));
    let torn = String::from_utf8(trail.json()).expect("JSON").replace("]}", ", {\"eventName\": \"CreateQueue\", 7}]}");
    let files = lab.upload_bytes(&[
        ("AWSLogs/cut.json.gz".to_owned(), cut[..cut.len() - 9].to_vec()),
        ("AWSLogs/torn.json".to_owned(), torn.into_bytes()),
    ]);
    let other_bucket = announce(Form::S3, &missing("AWSLogs/x.json.gz")).replace("\"trail\"", "\"no-such-bucket\"");
    lab.send(&[
        "hello".to_owned(),
        "{}".to_owned(),
        in_sns("{\"Records\": [{\"eventSource\": \"aws:ses\"}]}"),
        announce(Form::S3, &missing("AWSLogs/missing.json.gz")),
        announce(Form::CloudTrailInSns, &missing("AWSLogs/missing-too.json.gz")),
        other_bucket,
        announce(Form::S3, &files[0]),
        announce(Form::EventBridge, &files[1]),
        record(&queue_event("fine", "https://sqs.us-east-1.amazonaws.com/123456789012/fine", "bob")),
    ]);
    let run = lab.watch(&["--tag", "--retry-for", "0"]);
    run.code(4).says([
        "it is not JSON",
        "it is neither a notification of S3, SNS, EventBridge or CloudTrail nor a CloudTrail event",
        "s3://trail/AWSLogs/missing.json.gz: deleted before it was read",
        "s3://trail/AWSLogs/missing-too.json.gz: ",
        "s3://no-such-bucket/AWSLogs/x.json.gz: ",
        "s3://trail/AWSLogs/cut.json.gz: ",
        "s3://trail/AWSLogs/torn.json: ",
    ]);
    assert_eq!(run.stderr.matches("stays in the queue").count(), 8, "{}", run.printed());
    run.shows(["9 received, 1 deleted, 8 unreadable"]);
    assert_eq!(lab.messages(&lab.queue), (0, 8));
    assert_eq!(lab.owners()["good"], "alice", "what could be read of a file is loaded and tagged");
}

/// Their visibility is shorter than the work on the queue: the first ones would come again before the last messages, which is all that a
/// call returns.
#[test]
fn unreadable_messages_that_come_again_do_not_hide_the_others() {
    let lab = Lab::new();
    let missing = |number| announce(Form::CloudTrail, &missing(&format!("AWSLogs/{number}.json.gz")));
    let unreadable: Vec<String> = (0..600).map(missing).collect();
    lab.send(&unreadable);
    lab.send(&[record(&queue_event("fine", "https://sqs.us-east-1.amazonaws.com/123456789012/fine", "bob"))]);
    let run = lab.watch(&["--visibility", "2"]);
    run.code(4).shows(["601 received, 1 deleted, 600 unreadable"]);
}

/// The process goes on receiving until SQS moves the message.
#[test]
fn an_unreadable_message_is_named_once_however_often_it_comes_and_goes_to_the_dead_letter_queue() {
    let lab = Lab::on(Bench::new(), Moto::start(), 2);
    let good = queue_event("fine", "https://sqs.us-east-1.amazonaws.com/123456789012/fine", "bob");
    lab.send(&["hello".to_owned(), record(&good)]);
    let mut child = lab.spawn(&["--visibility", "2", "--output", "jsonl"]);
    let body = lab.moto.boto3(&format!(
        "messages = []
while not messages:
    messages = client('sqs').receive_message(QueueUrl={:?}, WaitTimeSeconds=2).get('Messages', [])
result = [message['Body'] for message in messages]",
        lab.dead
    ));
    signal(&child, "TERM");
    let mut stdout = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(4));
    assert_eq!(body, serde_json::json!(["hello"]));
    let named = events(&stdout, "unreadable");
    assert_eq!((named.len(), &named[0]["reason"]), (1, &serde_json::json!("it is not JSON")), "{stdout}");
    let stopped = events(&stdout, "stopped").pop().expect("it says so");
    assert_eq!((&stopped["messages"]["unreadable"], &stopped["messages"]["deleted"]), (&1.into(), &1.into()));
}

#[test]
fn a_queue_without_a_dead_letter_queue_is_warned_of() {
    let lab = Lab::new();
    let url = lab.moto.boto3("result = client('sqs').create_queue(QueueName='alone')['QueueUrl']");
    let url = url.as_str().expect("a URL");
    let run = lab.run(&["watch", "--queue", url, "--wait", "1", "--until-empty"]);
    run.success().says(["the queue has no dead-letter queue", "set the queue's redrive policy"]);
    assert!(!lab.watch(&[]).success().stderr.contains("dead-letter"));
}

/// An object that was replaced after its notification is read as it is now.
#[test]
fn a_replaced_object_is_read_when_its_message_comes_again() {
    let lab = Lab::new();
    let event = queue_event("jobs", "https://sqs.us-east-1.amazonaws.com/123456789012/jobs", "alice");
    let files = lab.upload(&[event]);
    let old = LogFile { etag: "00000000000000000000000000000000".to_owned(), ..files[0].clone() };
    lab.send(&[announce(Form::S3, &old)]);
    lab.watch(&["--visibility", "2"]).code(4).says(["replaced before it was read"]);
    lab.wait_until_visible();
    lab.watch(&[]).success().shows(["1 received, 1 deleted"]);
}

/// S3 refuses the first request.
#[test]
fn a_message_that_can_be_read_later_is_no_failure_in_the_end() {
    let hook = include_str!("../hooks/watch_late.py");
    let hook = hook.replace("ACTION", "GET /trail/AWSLogs/late.json.gz").replace("COUNT", "1");
    let lab = Lab::with_hook(Bench::new(), &hook);
    let mut trail = Trail::new();
    trail.push(queue_event("jobs", "https://sqs.us-east-1.amazonaws.com/123456789012/jobs", "alice"));
    let files = lab.upload_bytes(&[("AWSLogs/late.json.gz".to_owned(), gzip(&trail.json()))]);
    lab.send(&[announce(Form::S3, &files[0])]);
    let child = lab.spawn(&["--visibility", "2", "--output", "jsonl"]);
    lab.moto.boto3(&format!(
        "import time
names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']
def left():
    attributes = client('sqs').get_queue_attributes(QueueUrl={:?}, AttributeNames=names)['Attributes']
    return sum(int(attributes[name]) for name in names)
while left():
    time.sleep(0.1)",
        lab.queue
    ));
    signal(&child, "TERM");
    let output = child.wait_with_output().expect("it ends");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert_eq!(
        (events(&stdout, "unreadable").len(), &events(&stdout, "stopped")[0]["messages"]["unreadable"]),
        (1, &0.into())
    );
}

#[test]
fn archived_and_encrypted_objects_stay_in_the_queue_with_what_to_do() {
    let lab = Lab::new();
    let etag = lab.moto.boto3(
        "s3 = client('s3')
result = s3.put_object(Bucket='trail', Key='AWSLogs/archived.json.gz', Body=b'x', StorageClass='GLACIER')['ETag']
key = {'SSECustomerAlgorithm': 'AES256', 'SSECustomerKey': '0123456789abcdef0123456789abcdef'}
for name in ('get', 'head'):
    s3.put_object(Bucket='trail', Key=f'AWSLogs/{name}.json.gz', Body=b'x', **key)",
    );
    let etag = etag.as_str().expect("an ETag").trim_matches('"').to_owned();
    let file = |name: &str| LogFile { etag: etag.clone(), ..missing(&format!("AWSLogs/{name}.json.gz")) };
    lab.send(&[
        announce(Form::S3, &file("archived")),
        announce(Form::S3, &file("get")),
        announce(Form::CloudTrail, &file("head")),
    ]);
    lab.watch(&[]).code(4).says([
        "s3://trail/AWSLogs/archived.json.gz: archived in GLACIER: restore it first",
        "s3://trail/AWSLogs/get.json.gz: InvalidRequest: ",
        "it is encrypted with a customer-provided key (SSE-C)",
        "it may be encrypted with a customer-provided key (SSE-C)",
    ]);
    assert_eq!(lab.messages(&lab.queue), (0, 3));
}

#[test]
fn requester_pays_buckets_are_read_with_the_option() {
    let lab = Lab::with_hook(
        Bench::new(),
        "def before(entry, environ):
    if entry['path'].startswith('/trail/') and entry['method'] in ('GET', 'HEAD'):
        if environ.get('HTTP_X_AMZ_REQUEST_PAYER') != 'requester':
            return 403, 'application/xml', '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'",
    );
    let files = lab.upload(&[queue_event("paid", "https://sqs.us-east-1.amazonaws.com/123456789012/paid", "bob")]);
    lab.send(&[announce(Form::CloudTrail, &files[0])]);
    lab.watch(&[]).code(4).says(["refused by the object", "--request-payer"]);
    lab.send(&[announce(Form::CloudTrail, &files[0]), announce(Form::S3, &files[0])]);
    lab.watch(&["--request-payer"]).shows(["2 received, 2 deleted"]);
}
