//! `load-athena` against the project's Athena server, which executes the SQL on DuckDB; S3 and STS are moto's.
//!
//! The reference is `load-files` on the same log files: the rows are the same, for every table shape and time range.

mod equality;
mod interruptions;
mod query;
mod results;

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use crate::common::{ACCOUNT, Bench, Caller, Event, REGION, Trail};

/// The second account of the organization.
const OTHER: &str = "210987654321";

/// The bucket that Athena's console creates.
const CONSOLES_BUCKET: &str = "s3://aws-athena-query-results-123456789012-us-east-1/";

/// The shapes of `tests/servers/athena/tables.py`.
const SHAPES: [&str; 8] = [
    "plain",
    "projection",
    "organization",
    "organization-int",
    "dt",
    "serde",
    "security-lake",
    "security-lake-iceberg",
];

fn bucket(name: &str) -> Event {
    Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}))
}

/// Writes events as one log file, delivered at `YYYYMMDDTHHmm`.
fn deliver(bench: &Bench, delivery: &str, events: Vec<Event>) {
    let mut trail = Trail::new();
    for (place, event) in events.into_iter().enumerate() {
        // IDs of their own, because the default IDs of a trail repeat from file to file.
        trail.push(event.field("eventID", json!(format!("{delivery}-{place}"))));
    }
    trail.write(&bench.path(format!("logs/{ACCOUNT}_CloudTrail_{REGION}_{delivery}Z_x.json.gz")));
}

/// Records at the borders of a year, a month and a day, some delivered after midnight; and records of every kind.
fn history(bench: &Bench) {
    deliver(bench, "20190101T0005", vec![bucket("last-of-2018").at("2018-12-31T23:59:59Z")]);
    deliver(bench, "20190101T0010", vec![bucket("first-of-2019").at("2019-01-01T00:00:00Z")]);
    deliver(
        bench,
        "20190201T0005",
        vec![
            bucket("last-of-january").at("2019-01-31T23:59:59Z"),
            bucket("first-of-february").at("2019-02-01T00:00:00Z"),
        ],
    );
    deliver(
        bench,
        "20190202T0005",
        vec![bucket("last-of-the-day").at("2019-02-01T23:59:59Z"), bucket("next-day").at("2019-02-02T00:00:00Z")],
    );
    deliver(bench, "20191101T0001", vec![bucket("last-of-october").at("2019-10-31T23:59:59Z")]);
    deliver(bench, "20191115T1200", kinds());
    deliver(
        bench,
        "20191201T0010",
        vec![
            bucket("last-of-november").at("2019-11-30T23:59:59Z"),
            bucket("first-of-december").at("2019-12-01T00:00:00Z"),
        ],
    );
    deliver(bench, "20200101T0014", vec![bucket("last-of-2019").at("2019-12-31T23:59:59Z")]);
    deliver(bench, "20200101T0015", vec![bucket("first-of-2020").at("2020-01-01T00:00:00Z")]);
    deliver(bench, "20210704T0000", vec![bucket("later").at("2021-07-03T20:00:00Z")]);
}

/// One record of each kind that a loader can get wrong.
fn kinds() -> Vec<Event> {
    let at = |event: Event| event.at("2019-11-15T11:55:00Z");
    let role = json!({"role": {"roleName": "ro\u{308}le, \"quoted\" \u{1F600}\nline"}});
    vec![
        at(Event::new("iam.amazonaws.com", "CreateRole")
            .response(role)
            .by(Caller::assumed_role("dev", "ann@example.com"))),
        at(bucket("a, b ,c")).by(Caller::root()).field("sharedEventID", json!("shared-1")),
        at(bucket("by-saml")).by(Caller::saml_user("sam")),
        at(bucket("by-service")).by(Caller::service("autoscaling.amazonaws.com")),
        at(bucket("by-no-user")).field("userIdentity", json!({"invokedBy": "AWS Internal"})),
        at(bucket("of-the-other").account(OTHER)),
        at(bucket("without-receiver")).field("recipientAccountId", Value::Null),
        at(bucket("refused")).failed("AccessDenied"),
        at(bucket("without-agent")).field("userAgent", Value::Null).field("sourceIPAddress", json!("AWS Internal")),
        at(Event::new("s3.amazonaws.com", "CreateBucket")),
        at(Event::new("s3.amazonaws.com", "DeleteBucket").request(json!({"bucketName": "a, b ,c"}))),
        at(Event::new("lambda.amazonaws.com", "CreateFunction20150331").response(json!({"functionName": "f1"}))),
        at(Event::new("lambda.amazonaws.com", "CreateFunction20150331v2").response(json!({"functionName": "f2"}))),
        at(Event::new("someone-else.amazonaws.com", "CreateBucket").request(json!({"bucketName": "not-s3"}))),
        at(Event::new("ecs.amazonaws.com", "CreateCluster").response(json!({"cluster": {"clusterArn": "arn:ecs"}}))),
        at(Event::new("ec2.amazonaws.com", "RunInstances").response(json!({"instancesSet": {"items": [
            {"instanceId": "i-1"}, {"instanceId": "i-2"},
        ]}}))),
    ]
}

/// All rows of a database, as text in key order.
fn rows(database: &Path) -> Vec<Vec<Sql>> {
    let connection = Connection::open(database).expect("the database opens");
    let mut statement = connection.prepare("SELECT * FROM resource_events").expect("the table is there");
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
    rows.expect("the query runs").collect::<Result<_, _>>().expect("the rows are readable")
}

/// One column of a database, sorted, without repeats.
fn column(database: &Path, name: &str) -> BTreeSet<String> {
    let connection = Connection::open(database).expect("the database opens");
    let mut statement =
        connection.prepare(&format!("SELECT {name} FROM resource_events")).expect("the column is there");
    let values = statement.query_map([], |row| row.get(0)).expect("the query runs");
    values.collect::<Result<_, _>>().expect("the values are text")
}

/// The only CloudTrail table `cloudtrail_logs` with a shape, for the bench's logs.
fn table(bench: &Bench, shape: &str) -> Value {
    json!({"shape": shape, "files": [bench.path("logs")]})
}

/// Enough buckets for a result with several pages.
fn many(bench: &Bench, count: usize) {
    let events = (0..count).map(|number| bucket(&format!("b-{number}")).at("2019-05-05T05:05:05Z"));
    deliver(bench, "20190505T0510", events.collect());
}
