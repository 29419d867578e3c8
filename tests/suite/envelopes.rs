//! Every envelope × every command that reads files: the same records give the same result as a log file; and what is not
//! CloudTrail's is named.

use std::io::Write;

use serde_json::{Value, json};

use crate::common::database::loaded;
use crate::common::envelopes::ENVELOPES;
use crate::common::{Bench, Caller, Event, Moto, Run, Trail, gzip};

/// Records of all kinds: matched, failed, read-only, with texts that have to be escaped, without an id.
fn trail() -> Trail {
    let bucket = |name: &str| Event::new("s3.amazonaws.com", "CreateBucket").request(json!({ "bucketName": name }));
    Trail::new()
        .event(bucket("one").by(Caller::root()))
        .event(bucket("größe \"\\{[\u{1F980}").by(Caller::assumed_role("dev", "a\"b")))
        .event(bucket("denied").failed("AccessDenied"))
        .event(Event::new("s3.amazonaws.com", "ListBuckets"))
        .event(Event::new("s3.amazonaws.com", "DeleteBucket").request(json!({"bucketName": "one"})))
        .event(Event::new("s3.amazonaws.com", "CreateBucket").request(json!({})))
        .event(bucket("last"))
}

fn run(bench: &Bench, args: &[&str]) -> Run {
    bench.trailcreator(args).run()
}

/// `[records, matched, ids, broken records]`
fn figures(summary: &Value) -> [u64; 4] {
    ["records", "matched", "ids", "broken_records"].map(|figure| summary[figure].as_u64().expect("a number"))
}

/// A bench with the trail as a log file, and in each envelope below `all`.
fn bench() -> Bench {
    let (bench, trail) = (Bench::new(), trail());
    bench.write("plain.json", trail.json());
    for envelope in &ENVELOPES {
        bench.write(format!("all/{0}/{0}", envelope.name), envelope.pack(trail.records()));
    }
    run(&bench, &["load-files", "plain.json", "--db", "plain.db"]).success();
    bench
}

#[test]
fn load_files_loads_every_envelope_and_knows_it_the_second_time() {
    let bench = bench();
    let expected = loaded(&bench.path("plain.db"));
    for envelope in &ENVELOPES {
        let (folder, db) = (format!("all/{}", envelope.name), format!("{}.db", envelope.name));
        let load = || run(&bench, &["load-files", &folder, "--output", "json", "--db", &db]).success().json();
        let first = load();
        assert_eq!(figures(&first), [7, 5, 4, 0], "{}: {first:#}", envelope.name);
        assert_eq!(events_of(&bench, &db), events_of(&bench, "plain.db"), "{}", envelope.name);
        let again = load();
        assert_eq!((&again["files"]["already_loaded"], &again["new_ids"]), (&json!(1), &json!(0)), "{}", envelope.name);
    }
    assert!(!expected.is_empty());
}

fn events_of(bench: &Bench, db: &str) -> Vec<String> {
    crate::common::database::events(&bench.path(db))
}

#[test]
fn every_envelope_is_read_from_stdin() {
    let bench = bench();
    for envelope in &ENVELOPES {
        let db = format!("{}.db", envelope.name);
        let mut child = bench.trailcreator(["load-files", "-", "--output", "json", "--db", &db]).spawn();
        child.stdin.take().expect("piped").write_all(&envelope.pack(trail().records())).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(figures(&summary), [7, 5, 4, 0], "{}: {summary:#}", envelope.name);
        assert_eq!(events_of(&bench, &db), events_of(&bench, "plain.db"), "{}", envelope.name);
    }
}

#[test]
fn count_and_resource_map_check_read_every_envelope() {
    let bench = bench();
    bench.write("map.yml", "resources:\n- type: bucket\n  events:\n  - event: CreateBucket\n    service: s3.amazonaws.com\n    ids: requestParameters.bucketName\n");
    let expected = run(&bench, &["count", "plain.json", "--output", "json"]).success().json();
    let check =
        |file: &str| run(&bench, &["resource-map", "check", "map.yml", "--events", file, "--output", "json"]).json();
    let checked = check("plain.json");
    assert_eq!(checked["events"]["records"], 7, "{checked:#}");
    for envelope in &ENVELOPES {
        let file = format!("all/{0}/{0}", envelope.name);
        let counted = run(&bench, &["count", &file, "--output", "json"]).success().json();
        assert_eq!((&counted["calls"], &counted["records"]), (&expected["calls"], &expected["records"]), "{file}");
        let found = check(&file);
        for figure in ["records", "matched", "without_ids", "results", "broken"] {
            assert_eq!(found["events"][figure], checked["events"][figure], "{figure} of {file}");
        }
    }
}

#[test]
fn load_s3_loads_every_envelope_and_knows_it_the_second_time() {
    let (bench, moto) = (bench(), Moto::start());
    moto.upload("records", &bench.path("all"));
    for (number, envelope) in ENVELOPES.iter().enumerate() {
        let (engine, db) = (["get", "auto", "select"][number % 3], format!("{}.db", envelope.name));
        let args = [
            "load-s3",
            "--bucket",
            "records",
            "--prefix",
            envelope.name,
            "--engine",
            engine,
            "--output",
            "json",
            "--db",
            &db,
        ];
        let load = || bench.trailcreator(args).aws(&moto).run().success().json();
        assert_eq!(figures(&load()), [7, 5, 4, 0], "{}", envelope.name);
        let again = load();
        assert_eq!((&again["files"]["already_loaded"], &again["records"]), (&json!(1), &json!(0)), "{}", envelope.name);
        assert_eq!(events_of(&bench, &db), events_of(&bench, "plain.db"));
    }
}

#[test]
fn files_of_other_kinds_are_named_and_not_broken() {
    let bench = Bench::new();
    let flow = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n";
    let elb = "https 2018-07-02T22:23:00.186641Z app/lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57\n";
    let access = format!(
        "{} bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.VERSIONING - \"GET\" 200\n",
        "7".repeat(64)
    );
    let aggregated = json!({"Records": [{"eventVersion": "1.0", "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent", "eventSource": "s3.amazonaws.com"}]});
    let insight =
        json!({"Records": [{"eventVersion": "1.07", "eventCategory": "Insight", "eventType": "AwsCloudTrailInsight"}]});
    let config = json!({"fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": [{"resourceType": "AWS::S3::Bucket"}]});
    let kinds: [(&str, Vec<u8>, &str); 10] = [
        ("flow.log.gz", gzip(flow.as_bytes()), "a VPC flow log"),
        ("elb.log", elb.into(), "an ELB access log"),
        ("access", access.into(), "an S3 server access log"),
        ("digest", json!({"digestS3Bucket": "b", "logFiles": []}).to_string().into(), "a CloudTrail digest"),
        ("insight.json", insight.to_string().into(), "CloudTrail Insights events"),
        ("aggregated.json.gz", gzip(aggregated.to_string().as_bytes()), "CloudTrail aggregated events"),
        ("1_CloudTrail-Aggregated_us-east-1.json.gz", gzip(b"[]"), "CloudTrail aggregated events"),
        ("config.json.gz", gzip(config.to_string().as_bytes()), "an AWS Config snapshot"),
        ("table.parquet", b"PAR1\0\0\0PAR1".into(), "a Parquet file"),
        ("README", b"What these files are. Not much.\n".into(), "plain text"),
    ];
    bench.write("logs/trail.json", trail().json());
    for (name, content, _) in &kinds {
        bench.write(format!("logs/{name}"), content);
    }
    let count = run(&bench, &["count", "logs"]);
    let load = run(&bench, &["load-files", "logs"]);
    let moto = Moto::start();
    moto.upload("bucket", &bench.path("logs"));
    moto.boto3(
        "s3 = client('s3')
for found in s3.list_objects_v2(Bucket='bucket')['Contents']:
    s3.copy_object(Bucket='bucket', CopySource='bucket/' + found['Key'], Key='x/' + found['Key'])
result = 1",
    );
    let s3 = bench.trailcreator(["load-s3", "--bucket", "bucket", "--prefix", "x", "--db", "s3.db"]).aws(&moto).run();
    for (name, _, kind) in &kinds {
        count.success().shows([&format!("logs/{name}: {kind}")]);
        load.success().shows([&format!("logs/{name}: {kind}")]);
        s3.success().shows([&format!("s3://bucket/x/{name}: {kind}")]);
    }
    load.shows(["read         1 log file; 10 files without records", "no records   10 files"]);
    let json = run(&bench, &["load-files", "logs", "--output", "json", "--db", "json.db"]).success().json();
    assert_eq!(json["other_file_kinds"]["CloudTrail aggregated events"], 2);
    assert_eq!((json["failures"].clone(), &json["files"]["broken"]), (json!([]), &json!(0)));
}

#[test]
fn load_of_nothing_but_other_files_says_what_they_are() {
    let bench = Bench::new();
    bench.write(
        "logs/flow",
        "2 123456789010 eni-1235b8ca123456789 10.0.0.1 10.0.0.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n",
    );
    for command in ["load-files", "count"] {
        run(&bench, &[command, "logs"])
            .code(1)
            .says(["there are no log files with CloudTrail records in logs", "a VPC flow log (logs/flow)"]);
    }
}

#[test]
fn other_log_events_beside_records_are_counted_and_cost_nothing() {
    let bench = Bench::new();
    let records = trail();
    let mut lines: String =
        records.records().iter().map(|record| format!("2026-03-01T10:00:00.000Z {record}\n")).collect();
    lines.push_str("2026-03-01T10:00:01.000Z START RequestId: 1\n2026-03-01T10:00:02.000Z {\"level\":\"info\"}\n");
    bench.write("export/000000.gz", gzip(lines.as_bytes()));
    bench.write("export/aws-logs-write-test", "Permission Check Successful");
    let load = run(&bench, &["load-files", "export"]);
    load.success().shows(["records      7", "ignored", "export/aws-logs-write-test: a permission check"]);
}
