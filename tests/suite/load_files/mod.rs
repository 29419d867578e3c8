//! `load-files` by the real binary.

mod large;

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::database::{events, loaded, query};
use crate::common::{Bench, Caller, Event, Run, Trail, gzip};

fn create_bucket(name: &str) -> Event {
    Event::new("s3.amazonaws.com", "CreateBucket").request(json!({ "bucketName": name }))
}

/// A trail of a few calls: matched, failed, read-only, of another service.
fn trail() -> Trail {
    Trail::new()
        .event(create_bucket("one").by(Caller::root()).at("2026-03-01T10:00:00Z"))
        .event(create_bucket("denied").failed("AccessDenied"))
        .event(Event::new("s3.amazonaws.com", "ListBuckets"))
        .event(Event::new("other.amazonaws.com", "CreateBucket").request(json!({"bucketName": "other"})))
        .event(create_bucket("two").by(Caller::saml_user("sam")).at("2026-03-02T10:00:00Z").region("eu-west-1"))
        .event(create_bucket("three").account("210987654321").at("2026-04-01T00:00:00Z"))
        .event(Event::new("s3.amazonaws.com", "CreateBucket").request(json!({})).at("2026-03-03T00:00:00Z"))
}

fn load(bench: &Bench, args: &[&str]) -> Run {
    bench.trailcreator(["load-files", "--output", "json"].iter().chain(args)).run()
}

/// `[read, already loaded, records, matched, ids, new ids]`
fn figures(run: &Run) -> [u64; 6] {
    let summary = run.json();
    let number = |value: &Value| value.as_u64().expect("a number");
    [
        number(&summary["files"]["read"]),
        number(&summary["files"]["already_loaded"]),
        number(&summary["records"]),
        number(&summary["matched"]),
        number(&summary["ids"]),
        number(&summary["new_ids"]),
    ]
}

fn bucket_names(db: &Path) -> Vec<String> {
    query(db, "SELECT resource_id FROM resource_events ORDER BY event_time, resource_id")
}

#[test]
fn same_records_in_every_format_give_the_same_rows() {
    let bench = Bench::new();
    let trail = trail();
    let lines: String = trail.records().iter().map(|record| format!("{record}\n")).collect();
    let members = [gzip(&lines.as_bytes()[..100]), gzip(&lines.as_bytes()[100..])].concat();
    let forms: [(&str, Vec<u8>); 5] = [
        ("document.json", trail.json()),
        ("document.json.gz", trail.gz()),
        ("lines.json", lines.into_bytes()),
        ("members.json.gz", members),
        ("list", serde_json::to_vec(trail.records()).expect("JSON")),
    ];
    let mut rows = Vec::new();
    for (name, content) in forms {
        bench.write(name, content);
        let db = format!("{name}.db");
        let run = load(&bench, &[name, "--db", &db]);
        assert_eq!(figures(run.success()), [1, 0, 7, 4, 3, 3], "{name}");
        assert_eq!(run.json()["without_ids"], json!({"s3.amazonaws.com:CreateBucket": 1}));
        rows.push(events(&bench.path(db)));
    }
    assert_eq!(rows[0].len(), 3);
    assert!(rows.iter().all(|other| *other == rows[0]));
}

#[test]
fn second_load_reads_nothing_and_changed_file_is_read_again() {
    let bench = Bench::new();
    bench.write("logs/2026/a.json.gz", trail().gz());
    bench.write("logs/b.json", Trail::new().event(create_bucket("q")).json());
    assert_eq!(figures(load(&bench, &["logs"]).success()), [2, 0, 8, 5, 4, 4]);
    let before = loaded(&bench.path("creators.db"));
    assert_eq!(figures(load(&bench, &["logs"]).success()), [0, 2, 0, 0, 0, 0]);
    assert_eq!(figures(load(&bench, &["./logs/../logs/b.json"]).success()), [0, 1, 0, 0, 0, 0]);
    assert_eq!(loaded(&bench.path("creators.db")), before);
    bench.write("logs/b.json", Trail::new().event(create_bucket("q")).event(create_bucket("r")).json());
    assert_eq!(figures(load(&bench, &["logs"]).success()), [1, 1, 2, 2, 2, 1]);
}

#[test]
fn text_summary_shows_all_figures() {
    let bench = Bench::new();
    bench.write("logs/a.json", trail().json());
    bench.write("logs/1_CloudTrail-Digest_x.json", "{}");
    bench.write("logs/digest.json", r#"{"digestS3Bucket": "b", "logFiles": []}"#);
    bench.write("logs/broken.json", "{");
    let run = bench.trailcreator(["load-files", "logs"]).run();
    for line in [
        "read         2 log files; 2 files without records",
        "  logs/1_CloudTrail-Digest_x.json: a CloudTrail digest",
        "  logs/digest.json: a CloudTrail digest",
        "records      7",
        "events       4 create, delete or rename events (3 identifiers), all new",
        "without id   1 event: s3.amazonaws.com:CreateBucket 1",
        "failed       1 log file; the next load tries again",
        "  logs/broken.json: EOF while parsing an object at line 1 column 1",
    ] {
        assert!(run.stdout.lines().any(|printed| printed == line), "{line}\n{}", run.printed());
    }
    run.code(4);
}

#[test]
fn broken_files_are_listed_and_retried_and_stop_nothing() {
    let bench = Bench::new();
    let whole = trail().gz();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0xff;
    bench.write("logs/damaged.json.gz", damaged);
    bench.write("logs/empty.json", "");
    bench.write("logs/good.json", Trail::new().event(create_bucket("good")).json());
    bench.write("logs/record.json", json!({"Records": [7, create_record("kept")]}).to_string());
    bench.write("logs/text.json", "not JSON");
    bench.write("logs/truncated.json.gz", &whole[..whole.len() - 6]);
    let run = load(&bench, &["logs"]);
    let named = |run: &Run| -> Vec<String> {
        let failures = run.json()["failures"].as_array().expect("a list").clone();
        failures.iter().map(|failure| failure["name"].as_str().expect("a name").to_owned()).collect()
    };
    let bad = ["damaged.json.gz", "empty.json", "record.json", "text.json", "truncated.json.gz"];
    assert_eq!(named(run.code(4)), bad.map(|name| format!("logs/{name}")));
    assert_eq!(run.json()["files"]["broken"], 4);
    assert_eq!(run.json()["broken_records"], 1);
    let reasons = run.json()["failures"].to_string();
    for reason in ["the file is empty", "the gzip data is truncated", "expected ident", "a record can't be read"] {
        assert!(reasons.contains(reason), "{reason}: {reasons}");
    }
    // Records before the damage are kept: all records of the truncated file, which lacks only its checksum.
    let ids = query(&bench.path("creators.db"), "SELECT resource_id FROM resource_events ORDER BY 1");
    assert_eq!(ids, ["good", "kept", "one", "three", "two"]);
    let again = load(&bench, &["logs"]);
    assert_eq!((named(again.code(4)).len(), again.json()["files"]["already_loaded"].clone()), (5, json!(1)));
    for name in bad {
        bench.write(format!("logs/{name}"), if name.ends_with("gz") { trail().gz() } else { trail().json() });
    }
    load(&bench, &["logs"]).success();
}

/// A bad byte, a text cut in an emoji, or deep nesting in a field of no interest loses nothing.
#[test]
fn regression_faults_in_texts_cost_no_record() {
    let bench = Bench::new();
    let faulty = |name: &str, fault: &[u8]| {
        let mut record = create_record(name);
        record["additionalEventData"] = json!({"note": "@"});
        let document = json!({"Records": [record, create_record(&format!("{name}-next"))]}).to_string();
        let (before, after) = document.split_once("\"@\"").expect("the note");
        [before.as_bytes(), fault, after.as_bytes()].concat()
    };
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    bench.write("logs/byte.json", faulty("byte", b"\"caf\xe9\""));
    bench.write("logs/deep.json.gz", gzip(&faulty("deep", deep.as_bytes())));
    bench.write("logs/number.json", faulty("number", b"1e999"));
    bench.write("logs/surrogate.json", faulty("surrogate", br#""cut \ud83d""#));
    load(&bench, &["logs"]).success();
    let ids = query(&bench.path("creators.db"), "SELECT resource_id FROM resource_events ORDER BY 1");
    let names = ["byte", "deep", "number", "surrogate"];
    assert_eq!(ids, names.iter().flat_map(|name| [(*name).to_owned(), format!("{name}-next")]).collect::<Vec<_>>());
    let damaged = trail().json();
    let damaged = String::from_utf8(damaged).expect("UTF-8").replace(r#""one""#, r#""one\udc4d""#);
    let run = bench.trailcreator(["load-files", "-", "--output", "json"]);
    let mut child = run.spawn();
    child.stdin.take().expect("piped").write_all(damaged.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (output.status.code(), &summary["broken_records"], &summary["new_ids"]),
        (Some(4), &json!(1), &json!(2))
    );
    assert!(summary["failures"].to_string().contains("s3.amazonaws.com:CreateBucket"), "{summary}");
}

fn create_record(bucket: &str) -> Value {
    Trail::new().event(create_bucket(bucket)).records()[0].clone()
}

#[test]
fn missing_path_is_reported_before_anything_is_loaded() {
    let bench = Bench::new();
    bench.write("a.json", trail().json());
    load(&bench, &["a.json", "nowhere"]).code(2).says(["nowhere: No such file", "nothing was loaded"]);
    assert!(!bench.path("creators.db").exists());
    load(&bench, &[]).code(2);
}

#[test]
fn time_ranges_accounts_and_regions_select_records() {
    let bench = Bench::new();
    bench.write("logs/a.json", trail().json());
    for (filter, expected) in [
        (&["--day", "2026/03/01"][..], &["one"][..]),
        (&["--month", "2026-03"], &["one", "two"]),
        (&["--year", "2026"], &["one", "two", "three"]),
        (&["--since", "2026-03-02T10:00:00Z", "--until", "2026/04/01"], &["two"]),
        (&["--since", "2026/03/02"], &["two", "three"]),
        (&["--region", "eu-west-1"], &["two"]),
        (&["--account", "210987654321"], &["three"]),
        (&["--account", "210987654321", "--account", "123456789012", "--region", "us-east-1"], &["one", "three"]),
    ] {
        let db = format!("db{}", filter.join("").replace('/', "-"));
        let args: Vec<&str> = ["logs", "--db", &db].iter().chain(filter).copied().collect();
        load(&bench, &args).success();
        assert_eq!(bucket_names(&bench.path(&db)), expected, "{filter:?}");
    }
    for bad in
        [&["--day", "2026"][..], &["--year", "2026", "--day", "2026/03/01"], &["--since", "soon"], &["--account", "1"]]
    {
        load(&bench, &[&["logs"], bad].concat()).code(2);
    }
}

#[test]
fn file_is_read_again_only_if_another_time_range_can_add_records() {
    let bench = Bench::new();
    bench.write("logs/march.json", trail().json());
    bench.write("logs/whole.json", Trail::new().event(create_bucket("q").at("2026-03-05T00:00:00Z")).json());
    let month = ["logs", "--month", "2026/03"];
    assert_eq!(load(&bench, &month).success().json()["filtered"], 1);
    assert_eq!(figures(&load(&bench, &month))[..2], [0, 2], "the same window");
    assert_eq!(figures(&load(&bench, &["logs", "--year", "2026"]))[..2], [1, 1], "only what left something out");
    assert_eq!(figures(&load(&bench, &["logs"]))[..2], [0, 2], "all was read whole");
    assert_eq!(
        figures(&load(&bench, &["logs", "--since", "2026/03/04"]))[..2],
        [0, 2],
        "whole is whole for any window"
    );
    assert_eq!(bucket_names(&bench.path("creators.db")).len(), 4);
}

#[test]
fn another_resource_map_reads_again() {
    let bench = Bench::new();
    bench.write("a.json", trail().json());
    assert_eq!(figures(load(&bench, &["a.json"]).success())[..2], [1, 0]);
    let map = json!({"resources": [{"resource": "s3", "events": [
        {"event": "CreateBucket", "service": "s3.amazonaws.com", "ids": "requestParameters.bucketName"},
    ]}]});
    bench.write("map.json", map.to_string());
    let with_map = ["a.json", "--resource-map", "map.json"];
    assert_eq!(figures(load(&bench, &with_map).success()), [1, 0, 7, 4, 3, 0]);
    assert_eq!(figures(&load(&bench, &with_map))[..2], [0, 1]);
}

#[test]
fn stdin_is_read_and_recognized_by_its_content() {
    let bench = Bench::new();
    let feed = |content: &[u8]| {
        let mut child = bench.trailcreator(["load-files", "-", "--output", "json"]).spawn();
        child.stdin.take().expect("piped").write_all(content).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), summary["files"]["read"].clone(), summary["files"]["already_loaded"].clone())
    };
    assert_eq!(feed(&trail().gz()), (Some(0), json!(1), json!(0)));
    assert_eq!(feed(&trail().gz()), (Some(0), json!(0), json!(1)));
    assert_eq!(feed(&trail().json()), (Some(0), json!(1), json!(0)));
    assert_eq!(feed(b"{"), (Some(4), json!(1), json!(0)));
    assert_eq!(bucket_names(&bench.path("creators.db")), ["one", "two", "three"]);
}

#[test]
fn events_view_has_the_values_of_c7n_trailcreator() {
    let bench = Bench::new();
    let mut trail = trail();
    trail.push(create_bucket("user").by(Caller::iam_user("ann")).at("2026-05-01T00:00:00Z"));
    trail.push(create_bucket("session").by(Caller::assumed_role("dev", "bob")).at("2026-05-02T00:00:00Z"));
    trail.push(create_bucket("service").by(Caller::service("config.amazonaws.com")).at("2026-05-03T00:00:00Z"));
    trail.push(
        Event::new("s3.amazonaws.com", "DeleteBucket")
            .request(json!({"bucketName": "user"}))
            .at("2026-05-04T00:00:00Z"),
    );
    bench.write("a.json", trail.json());
    load(&bench, &["a.json"]).success();
    let view = query(
        &bench.path("creators.db"),
        "SELECT account_id, region, event_date, event_name, event_source, client_ip, user_id, rtype, resource_ids
         FROM events ORDER BY event_date",
    );
    let row = |account: &str, region: &str, date: &str, user: &str, id: &str| {
        format!("{account}|{region}|{date}|CreateBucket|s3.amazonaws.com|203.0.113.7|{user}|s3|{id}")
    };
    let main = |date: &str, user: &str, id: &str| row("123456789012", "us-east-1", date, user, id);
    assert_eq!(
        view,
        [
            main("2026-03-01T10:00:00Z", "root", "one"),
            row("123456789012", "eu-west-1", "2026-03-02T10:00:00Z", "sam", "two"),
            row("210987654321", "us-east-1", "2026-04-01T00:00:00Z", "arn:aws:iam::123456789012:user/admin", "three"),
            main("2026-05-01T00:00:00Z", "arn:aws:iam::123456789012:user/ann", "user"),
            main("2026-05-02T00:00:00Z", "arn:aws:sts::123456789012:assumed-role/dev/bob", "session"),
            main("2026-05-03T00:00:00Z", "NULL", "service"),
        ]
    );
}

#[test]
fn other_databases_are_refused_and_not_changed() {
    let bench = Bench::new();
    bench.write("a.json", trail().json());
    let db = bench.path("creators.db");
    let refused = |sql: &str, says: &str| {
        let connection = rusqlite::Connection::open(&db).expect("SQLite");
        connection.execute_batch(sql).expect("SQL");
        drop(connection);
        let before = fs::read(&db).expect("a file");
        load(&bench, &["a.json"]).code(1).says(["creators.db", says, "hint:", "--db"]);
        assert_eq!(fs::read(&db).expect("a file"), before);
        fs::remove_file(&db).expect("a file");
    };
    refused("CREATE TABLE events (account_id, region, rtype, resource_ids)", "c7n-trailcreator");
    refused("CREATE TABLE things (a)", "another program");
    fs::write(&db, "This is not a database at all, but a text of some length.").expect("a folder");
    load(&bench, &["a.json"]).code(1).says(["not a database", "--db"]);
    fs::remove_file(&db).expect("a file");
    load(&bench, &["a.json"]).success();
    rusqlite::Connection::open(&db).expect("SQLite").pragma_update(None, "user_version", 99).expect("SQL");
    load(&bench, &["a.json"]).code(1).says(["schema version 99", "update trailcreator"]);
    load(&bench, &["a.json", "--db", "no/such/folder.db"]).code(1).says(["folder no/such does not exist", "--db"]);
}
