//! Every form of a message: the same rows and the same ledger as the other loaders have.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::lab::{FILE_FORMS, Form, Lab, announce, in_sns, queue_event, record};
use crate::common::{ACCOUNT, Event, REGION};

/// All rows of a query, as texts.
fn rows(database: &Path, query: &str) -> Vec<String> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("a database");
    let mut statement = connection.prepare(query).expect("the tables are there");
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        (0..columns).map(|at| row.get_ref(at).map(|value| format!("{value:?}"))).collect::<Result<Vec<_>, _>>()
    };
    let rows = statement.query_map([], row).expect("the query runs");
    rows.map(|row| row.expect("a row").join(" ")).collect()
}

fn events(lab: &Lab, database: &str) -> Vec<String> {
    rows(&lab.bench.path(database), "SELECT * FROM resource_events ORDER BY 1, 2, 3, 4, 5, 6")
}

fn ledger(lab: &Lab, database: &str) -> Vec<String> {
    let query = "SELECT prefix, unit, version FROM ledger_units JOIN ledger_prefixes USING (prefix_id) ORDER BY 1, 2";
    rows(&lab.bench.path(database), query)
}

/// A record for each form of a message.
fn some_events() -> Vec<Event> {
    let name = |number: usize| format!("jobs-{number}");
    let url = |number| format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{}", name(number));
    (0..FILE_FORMS.len()).map(|number| queue_event(&name(number), &url(number), &format!("user{number}"))).collect()
}

#[test]
fn every_form_gives_the_rows_and_the_ledger_of_load_s3() {
    let lab = Lab::new();
    let files = lab.upload(&some_events());
    let bodies: Vec<String> = FILE_FORMS.iter().zip(&files).map(|(form, file)| announce(*form, file)).collect();
    lab.send(&bodies);
    let watched = lab.watch(&["--output", "json", "--db", "watch.db"]).success().json();
    assert_eq!((&watched["files"]["read"], &watched["messages"]["deleted"]), (&json!(7), &json!(7)), "{watched}");
    assert_eq!(lab.messages(&lab.queue), (0, 0));

    lab.run(&["load-s3", "--bucket", "trail", "--db", "s3.db"]).success();
    assert_eq!(events(&lab, "watch.db"), events(&lab, "s3.db"));
    assert_eq!(ledger(&lab, "watch.db"), ledger(&lab, "s3.db"));
    assert_eq!((events(&lab, "s3.db").len(), ledger(&lab, "s3.db").len()), (14, 7));

    let again = lab.run(&["load-s3", "--bucket", "trail", "--db", "watch.db", "--output", "json"]).success().json();
    assert_eq!((&again["files"]["read"], &again["files"]["already_loaded"]), (&json!(0), &json!(7)));
    for tag in [&[][..], &["--tag"]] {
        lab.send(&bodies);
        let again = lab.watch(&[&["--output", "json", "--db", "s3.db"][..], tag].concat()).success().json();
        assert_eq!((&again["files"]["read"], &again["files"]["already_loaded"]), (&json!(0), &json!(7)), "{again}");
    }
    let gets = lab.moto.our_requests().into_iter().filter(|request| request.action.starts_with("GET /trail/AWSLogs"));
    assert_eq!(gets.count(), 7 + 7, "by watch, and by load-s3");
}

#[test]
fn a_record_in_a_message_gives_the_rows_of_its_log_file() {
    let lab = Lab::new();
    let all = some_events();
    lab.send(&all.iter().map(record).collect::<Vec<_>>());
    lab.watch(&["--db", "watch.db"]).success().shows(["7 received, 7 deleted"]);
    lab.upload(&all);
    lab.run(&["load-s3", "--bucket", "trail", "--db", "s3.db"]).success();
    assert_eq!(events(&lab, "watch.db"), events(&lab, "s3.db"));
    assert_eq!(events(&lab, "s3.db").len(), 14);
}

#[test]
fn duplicates_are_harmless_in_one_batch_and_in_several() {
    let lab = Lab::new();
    let event = some_events().swap_remove(0);
    let files = lab.upload(std::slice::from_ref(&event));
    let bodies: Vec<String> = FILE_FORMS.iter().map(|form| announce(*form, &files[0])).collect();
    lab.send(&bodies);
    lab.send(&[record(&event), record(&event)]);
    lab.watch(&[]).success();
    lab.send(&bodies);
    lab.watch(&[]).success().shows(["0 new identifiers"]);
    assert_eq!(events(&lab, "creators.db").len(), 2);
    assert_eq!(lab.messages(&lab.queue), (0, 0));
}

#[test]
fn keys_with_special_characters_are_found_by_every_form() {
    let lab = Lab::new();
    let key = "logs of ours/a+b=c%41/ü:1.json.gz".to_owned();
    for (number, form) in FILE_FORMS.into_iter().enumerate() {
        let mut trail = crate::common::Trail::new();
        trail.push(queue_event(&format!("jobs-{number}"), "https://sqs/1/jobs", "alice"));
        let files = lab.upload_bytes(&[(key.clone(), crate::common::gzip(&trail.json()))]);
        lab.send(&[announce(form, &files[0])]);
        lab.watch(&[]).success().shows(["1 received, 1 deleted"]);
        assert!(
            events(&lab, "creators.db").iter().any(|row| row.contains(&hex(&format!("jobs-{number}")))),
            "{form:?}"
        );
    }
}

/// A text as rusqlite shows it.
fn hex(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    bytes.join(", ")
}

#[test]
fn messages_that_announce_no_records_are_deleted() {
    let lab = Lab::new();
    let digest = format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest/x/{ACCOUNT}_CloudTrail-Digest_x.json.gz");
    let files = lab.upload_bytes(&[(digest, b"{}".to_vec()), ("notes.txt".to_owned(), b"notes".to_vec())]);
    let test_event = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-03-01T10:00:00.000Z",
        "Bucket": "trail", "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR"});
    let removed = announce(Form::S3, &files[0]).replace("ObjectCreated:Put", "ObjectRemoved:Delete");
    lab.send(&[
        test_event.to_string(),
        in_sns(&test_event.to_string()),
        in_sns("CloudTrail validation message."),
        removed,
        announce(Form::S3, &files[0]),
        announce(Form::EventBridge, &files[1]),
    ]);
    lab.watch(&[]).success().shows(["6 received, 6 deleted"]);
    assert_eq!(lab.messages(&lab.queue), (0, 0));
    let gets = lab.moto.our_requests().into_iter().filter(|request| request.action.starts_with("GET /trail/"));
    assert_eq!(gets.map(|request| request.action).collect::<Vec<_>>(), ["GET /trail/notes.txt"]);
}

/// moto sends the notification itself, as S3 does.
#[test]
fn a_bucket_s_own_notification_is_read() {
    let lab = Lab::new();
    lab.moto.boto3(&format!(
        "arn = client('sqs').get_queue_attributes(QueueUrl={:?}, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
client('s3').put_bucket_notification_configuration(Bucket='trail', NotificationConfiguration={{
    'QueueConfigurations': [{{'QueueArn': arn, 'Events': ['s3:ObjectCreated:*']}}]}})",
        lab.queue
    ));
    lab.upload(&some_events()[..2]);
    lab.watch(&[]).success();
    assert_eq!(events(&lab, "creators.db").len(), 4);
    assert_eq!(lab.messages(&lab.queue), (0, 0));
}
