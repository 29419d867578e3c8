//! `import` with the real binary, on databases that SQLite created with c7n-trailcreator's own statements.

mod interruptions;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::common::database::{events, loaded, query};
#[cfg(target_os = "linux")]
use crate::common::memory;
use crate::common::{ACCOUNT, Bench, Caller, Event, REGION, Run, Trail};

/// The table as c7n-trailcreator creates it.
const TABLE: &str =
    "create table if not exists events (account_id varchar(16), region varchar(16), event_date datetime,
    event_name varchar(128), event_source varchar(128), user_agent varchar(128), client_ip varchar(32),
    user_id varchar(128), rtype varchar(42), resource_ids varchar(256))";

/// The columns of its view, in order.
const VIEW: &str = "SELECT * FROM events ORDER BY event_date, rtype, resource_ids";

/// A row of the table.
#[derive(Debug, Clone)]
struct Row([Option<String>; 10]);

impl Row {
    /// A bucket that ann created.
    fn new(bucket: &str) -> Self {
        let usual = [
            ACCOUNT,
            REGION,
            "2026-03-01T10:00:00Z",
            "CreateBucket",
            "s3.amazonaws.com",
            "aws-cli/2.0",
            "203.0.113.7",
            "arn:aws:iam::123456789012:user/ann",
            "s3",
            bucket,
        ];
        Self(usual.map(|text| Some(text.to_owned())))
    }

    fn set(mut self, column: usize, value: Option<&str>) -> Self {
        self.0[column] = value.map(str::to_owned);
        self
    }

    fn at(self, date: &str) -> Self {
        self.set(2, Some(date))
    }

    fn by(self, user_id: Option<&str>) -> Self {
        self.set(7, user_id)
    }

    fn call(self, source: &str, name: &str, resource_type: &str) -> Self {
        self.set(3, Some(name)).set(4, Some(source)).set(8, Some(resource_type))
    }
}

/// Writes a database as c7n-trailcreator does.
fn write(bench: &Bench, name: &str, rows: impl IntoIterator<Item = Row>) -> PathBuf {
    let path = bench.path(name);
    let mut connection = Connection::open(&path).unwrap();
    connection.execute_batch(TABLE).unwrap();
    let transaction = connection.transaction().unwrap();
    let mut insert = transaction.prepare("insert into events values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").unwrap();
    for Row(row) in rows {
        insert.execute(rusqlite::params_from_iter(row)).unwrap();
    }
    drop(insert);
    transaction.commit().unwrap();
    path
}

/// The row that c7n-trailcreator writes for a record and its identifiers, as in its `format_record`.
fn row_of(record: &Value, resource_type: &str, ids: &str) -> Row {
    let user = &record["userIdentity"];
    let user_id = match user["type"].as_str() {
        Some("Root") => Some("root"),
        Some("SAMLUser") => user["userName"].as_str(),
        _ => user["arn"].as_str(),
    };
    let field = |name: &str| record[name].as_str().map(str::to_owned);
    Row([
        field("recipientAccountId"),
        field("awsRegion"),
        field("eventTime"),
        field("eventName"),
        field("eventSource"),
        field("userAgent"),
        field("sourceIPAddress"),
        user_id.map(str::to_owned),
        Some(resource_type.to_owned()),
        Some(ids.to_owned()),
    ])
}

fn import(bench: &Bench, args: &[&str]) -> Run {
    bench.trailcreator(["import", "--output", "json"].iter().chain(args)).run()
}

/// `[rows, ids, new ids, unclear rows, broken rows]`
fn figures(run: &Run) -> [u64; 5] {
    let summary = run.json();
    ["rows", "ids", "new_ids", "unclear_rows", "broken_rows"].map(|name| summary[name].as_u64().expect("a number"))
}

fn owner(bench: &Bench, id: &str) -> Value {
    let run = bench.trailcreator(["who", id, "--output", "json"]).run();
    run.success().json()["resources"][0]["owner"].clone()
}

#[test]
fn events_view_has_the_rows_and_who_the_owners() {
    let bench = Bench::new();
    let rows = [
        Row::new("photos").by(Some("root")),
        Row::new("ünïcode-日本").at("2026-03-02T10:00:00Z").by(Some("sam")),
        Row::new("shared").at("2026-03-03T10:00:00Z").by(Some("arn:aws:sts::123456789012:assumed-role/dev/bob")),
        Row::new("odd").at("2026-03-04T10:00:00Z").call("odd.amazonaws.com", "CreateOdd", "odd-thing"),
    ];
    let file = write(&bench, "c7n.db", rows);
    let before = fs::read(&file).unwrap();
    let run = import(&bench, &["c7n.db"]);
    assert_eq!(figures(run.success()), [4, 4, 4, 0, 0]);
    assert_eq!(run.json()["format_version"], 1);
    assert_eq!(run.json()["unknown_types"], json!({"odd-thing": 1}));
    assert_eq!(query(&bench.path("creators.db"), VIEW), query(&file, VIEW));
    assert_eq!(fs::read(&file).unwrap(), before, "the file itself is only read");
    for (id, expected) in [("photos", "root"), ("ünïcode-日本", "sam"), ("shared", "bob"), ("odd", "ann")] {
        assert_eq!(owner(&bench, id), json!(expected), "{id}");
    }
}

#[test]
fn unknown_facts_stay_empty() {
    let bench = Bench::new();
    let unknown = |row: Row, empty: Option<&str>| [5, 6, 7].into_iter().fold(row, |row, column| row.set(column, empty));
    write(&bench, "c7n.db", [unknown(Row::new("null"), None), unknown(Row::new("empty"), Some(""))]);
    assert_eq!(figures(import(&bench, &["c7n.db"]).success()), [2, 2, 2, 0, 0]);
    let facts =
        "SELECT user_agent, source_ip, identity_type, identity_arn, identity_user_name, invoked_by, shared_event_id
                 FROM resource_events";
    assert_eq!(query(&bench.path("creators.db"), facts), [["NULL"; 7].join("|"), ["NULL"; 7].join("|")]);
    assert_eq!(owner(&bench, "empty"), Value::Null);
}

#[test]
fn duplicate_rows_become_one_and_second_import_reads_nothing() {
    let bench = Bench::new();
    let rows = [Row::new("a"), Row::new("b"), Row::new("a"), Row::new("a").at("2026-03-01 10:00:00")];
    write(&bench, "c7n.db", rows.clone());
    assert_eq!(figures(import(&bench, &["c7n.db"]).success()), [4, 4, 2, 0, 0]);
    let before = loaded(&bench.path("creators.db"));
    let again = import(&bench, &["./c7n.db"]);
    assert_eq!((figures(again.success()), again.json()["already_imported"].clone()), ([0; 5], json!(true)));
    assert_eq!(loaded(&bench.path("creators.db")), before);
    write(&bench, "other.db", rows.into_iter().chain([Row::new("c")]));
    assert_eq!(figures(import(&bench, &["other.db"]).success()), [5, 5, 1, 0, 0], "the same rows in another file");
}

#[test]
fn joined_identifiers_are_split_if_certain() {
    let bench = Bench::new();
    let ec2 = |ids: &str| Row::new(ids).call("ec2.amazonaws.com", "RunInstances", "ec2");
    let alarm = |ids: &str| Row::new(ids).call("monitoring.amazonaws.com", "PutMetricAlarm", "alarm");
    let own = |ids: &str| Row::new(ids).call("own.amazonaws.com", "CreateOwn", "own");
    let rows = [
        ec2("i-0aaaaaaaaaaaaaaaa ,i-0bbbbbbbbbbbbbbbb"),
        ec2("one,id"),
        alarm("CPU > 90 %, prod ,eu"),
        own("i-0cccccccccccccccc ,vol-0dddddddddddddddd"),
        own("left ,right"),
        own(""),
    ];
    let file = write(&bench, "c7n.db", rows);
    let run = import(&bench, &["c7n.db"]);
    assert_eq!(figures(run.success()), [6, 7, 7, 1, 0]);
    assert_eq!(run.json()["unclear"], json!([{"name": "row 5", "reason": "\"left ,right\" of type own"}]));
    assert_eq!(run.json()["without_ids"], json!({"own.amazonaws.com:CreateOwn": 1}));
    run.says(["--resource-map"]);
    let ids = "SELECT resource_type, resource_id FROM resource_events ORDER BY 1, 2";
    let others = [
        "alarm|CPU > 90 %, prod ,eu",
        "ec2|i-0aaaaaaaaaaaaaaaa",
        "ec2|i-0bbbbbbbbbbbbbbbb",
        "ec2|one,id",
        "own|i-0cccccccccccccccc",
    ];
    let of_own = |more: &[&'static str]| [&others[..], more].concat();
    assert_eq!(query(&bench.path("creators.db"), ids), of_own(&["own|left ,right", "own|vol-0dddddddddddddddd"]));
    assert_eq!(owner(&bench, "CPU > 90 %, prod ,eu"), json!("ann"));
    let map = json!({"resources": [{"resource": "own", "events": [
        {"event": "CreateOwn", "service": "own.amazonaws.com", "ids": "responseElements.things[].name"},
    ]}]});
    bench.write("map.json", map.to_string());
    let with_map = import(&bench, &[file.to_str().unwrap(), "--extend-map", "map.json"]);
    assert_eq!(figures(with_map.success()), [6, 8, 2, 0, 0], "what the hint says helps");
    assert_eq!(query(&bench.path("creators.db"), ids), of_own(&["own|left", "own|right", "own|vol-0dddddddddddddddd"]));
}

#[test]
fn unreadable_rows_are_listed_and_the_rest_is_imported() {
    let bench = Bench::new();
    let rows = [
        Row::new("one").at("2026-03-01 12:00:00.250+02:00"),
        Row::new("bad").at("soon"),
        Row::new("nameless").set(3, None),
        Row::new("two").at("2026-03-01T10:00:01Z"),
    ];
    let file = write(&bench, "c7n.db", rows);
    let run = import(&bench, &["c7n.db"]);
    assert_eq!(figures(run.code(4)), [4, 2, 2, 0, 2]);
    let failures = json!([
        {"name": "row 2", "reason": "event_date \"soon\" is not a date with a time"},
        {"name": "row 3", "reason": "no event_name"},
    ]);
    assert_eq!(run.json()["failures"], failures);
    let stored = "SELECT resource_id, event_time FROM resource_events ORDER BY event_time";
    assert_eq!(query(&bench.path("creators.db"), stored), ["one|2026-03-01T10:00:00Z", "two|2026-03-01T10:00:01Z"]);
    let before = events(&bench.path("creators.db"));
    assert_eq!(figures(import(&bench, &["c7n.db"]).code(4)), [4, 2, 0, 0, 2], "they are tried again");
    assert_eq!(events(&bench.path("creators.db")), before);
    Connection::open(&file)
        .unwrap()
        .execute(
            "UPDATE events SET event_date = ?1, event_name = 'CreateBucket' WHERE rowid IN (2, 3)",
            ["2026-03-05T00:00:00Z"],
        )
        .unwrap();
    assert_eq!(figures(import(&bench, &["c7n.db"]).success()), [4, 4, 2, 0, 0]);
}

#[test]
fn text_summary_shows_all_figures() {
    let bench = Bench::new();
    let own = |ids: &str| Row::new(ids).call("own.amazonaws.com", "CreateOwn", "own");
    write(&bench, "c7n.db", [Row::new("a"), Row::new("a"), own("a ,b"), own(""), Row::new("c").at("soon")]);
    let run = bench.trailcreator(["import", "c7n.db"]).run();
    run.code(4);
    assert_eq!(
        run.stdout,
        "database       c7n.db imported
rows           5
events         3 identifiers, 2 new
without id     1 row: own.amazonaws.com:CreateOwn 1
unknown types  1 row: own 1
unclear        1 row kept as one identifier, but may hold several
  row 3: \"a ,b\" of type own
failed         1 row; the next import tries again
  row 5: event_date \"soon\" is not a date with a time
"
    );
}

/// A trail, and the rows that c7n-trailcreator's map gives for it.
fn trail_and_rows() -> (Trail, Vec<Row>) {
    let instances = json!({"instancesSet": {"items": [{"instanceId": "i-0aaaaaaaaaaaaaaaa"}, {"instanceId": "i-0bbbbbbbbbbbbbbbb"}]}});
    let bucket = |name: &str| Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}));
    let rule = |time: &str| {
        Event::new("monitoring.amazonaws.com", "PutMetricAlarm").at(time).request(json!({"alarmName": "CPU ,eu"}))
    };
    let events = [
        (
            Event::new("ec2.amazonaws.com", "RunInstances").response(instances),
            "ec2",
            "i-0aaaaaaaaaaaaaaaa ,i-0bbbbbbbbbbbbbbbb",
        ),
        (bucket("photos").by(Caller::root()).at("2026-03-02T10:00:00Z"), "s3", "photos"),
        (bucket("shared").by(Caller::saml_user("sam")).at("2026-03-03T10:00:00Z").region("eu-west-1"), "s3", "shared"),
        (
            rule("2026-03-04T10:00:00Z").by(Caller::assumed_role("dev", "bob").source_identity("robert")),
            "alarm",
            "CPU ,eu",
        ),
        (rule("2026-03-05T10:00:00Z").by(Caller::iam_user("late")), "alarm", "CPU ,eu"),
    ];
    let mut trail = Trail::new();
    let mut rows = Vec::new();
    for (event, resource_type, ids) in events {
        trail.push(event);
        rows.push(row_of(trail.records().last().unwrap(), resource_type, ids));
    }
    (trail, rows)
}

#[test]
fn trail_events_replace_imported_rows_in_either_order() {
    let bench = Bench::new();
    let (trail, rows) = trail_and_rows();
    write(&bench, "c7n.db", rows.into_iter().chain([Row::new("gone-from-the-trail").at("2019-01-01T00:00:00Z")]));
    trail.write(&bench.path("logs/one.json.gz"));
    let load = |db: &str| bench.trailcreator(["load-files", "logs", "--db", db, "--output", "json"]).run();
    load("trail.db").success();
    import(&bench, &["c7n.db", "--db", "import.db"]).success();
    let only_imported: Vec<String> =
        events(&bench.path("import.db")).into_iter().filter(|row| row.contains("gone-from-the-trail")).collect();
    assert_eq!(only_imported.len(), 1);
    let mut expected = [only_imported, events(&bench.path("trail.db"))].concat();
    expected.sort();
    let sorted = |db: &str| {
        let mut rows = events(&bench.path(db));
        rows.sort();
        rows
    };

    let after = load("import.db");
    assert_eq!(sorted("import.db"), expected, "the import first");
    // Instances have interfaces and volumes too, but these records have none.
    assert_eq!(after.success().json()["new_ids"], 0);
    let again = import(&bench, &["trail.db", "--db", "x.db"]);
    again.code(2);

    let import_after = import(&bench, &["c7n.db", "--db", "trail.db"]);
    assert_eq!(figures(import_after.success()), [6, 7, 1, 0, 0]);
    assert_eq!(sorted("trail.db"), expected, "the trail first");
    let who = bench.trailcreator(["who", "CPU ,eu", "--db", "import.db", "--output", "json"]).run();
    let resource = who.success().json()["resources"][0].clone();
    assert_eq!(
        (resource["owner"].clone(), resource["other_events"].as_array().map(Vec::len)),
        (json!("robert"), Some(1))
    );
}
