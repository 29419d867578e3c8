//! `load-s3 --engine select|auto` against the project's own S3 Select (`trail_services.py`), which runs the expression on
//! the objects in moto.

use serde_json::json;

use crate::common::database::{events, query};
use crate::common::{Bench, Caller, Event, Moto, Run, Trail};

const FOLDER: &str = "logs/AWSLogs/123456789012/CloudTrail/us-east-1/2026/03/01";

/// Records that Select must return or exclude. Each is several thousand bytes long, so that records span events, and
/// characters are split.
fn write_logs(bench: &Bench) {
    let create = |name: &str| Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}));
    let mut trail = Trail::new();
    for number in 0..30 {
        let person = format!("Жанна-δ-{}-🦀", "ü".repeat(number * 7));
        trail.push(create(&format!("made-{number}")).by(Caller::iam_user(&person)));
        trail.push(Event::new("s3.amazonaws.com", "ListBuckets"));
        trail.push(create(&format!("refused-{number}")).failed("AccessDenied"));
    }
    trail.push(create("message-only").field("errorMessage", json!("it failed")));
    trail.push(create("null-code").field("errorCode", json!(null)));
    trail.push(Event::new("other.amazonaws.com", "CreateBucket").request(json!({"bucketName": "other"})));
    trail.push(
        Event::new("lambda.amazonaws.com", "CreateFunction20150331").request(json!({"functionName": "made"})).response(
            json!({"functionName": "made", "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:made"}),
        ),
    );
    trail.push(
        Event::new("cloudfront.amazonaws.com", "CreateDistribution2014_01_31")
            .response(json!({"distribution": {"id": "EDFDVBD632BHDS5"}})),
    );
    trail.write(&bench.path(format!("{FOLDER}/a.json.gz")));
    let nothing = Trail::new().event(Event::new("s3.amazonaws.com", "ListBuckets"));
    nothing.write(&bench.path(format!("{FOLDER}/b.json.gz")));
    Trail::new().event(create("plain").field("eventID", json!("plain"))).write(&bench.path(format!("{FOLDER}/c.json")));
}

fn load(bench: &Bench, moto: &Moto, engine: &str) -> Run {
    let db = format!("{engine}.db");
    let args = ["load-s3", "--bucket", "trail", "--output", "json", "--db", &db, "--engine", engine];
    bench.trailcreator(args).aws(moto).run()
}

fn rows_of_files(bench: &Bench) -> Vec<String> {
    bench.trailcreator(["load-files", "logs", "--db", "files.db"]).run().success();
    events(&bench.path("files.db"))
}

fn select_server(bench: &Bench, options: &[(&str, &str)]) -> Moto {
    let moto = Moto::start_with_trail_services(&bench.path("no-history"), options);
    moto.upload("trail", &bench.path("logs"));
    moto
}

#[test]
fn requests_bytes_and_costs_are_reported_for_each_engine() {
    let bench = Bench::new();
    write_logs(&bench);
    let moto = select_server(&bench, &[]);
    let rows = rows_of_files(&bench);
    assert_eq!(rows.len(), 34, "{rows:?}");
    for (engine, selects, gets) in [("get", 0, 3), ("select", 3, 0), ("auto", 3, 1)] {
        let run = load(&bench, &moto, engine);
        let summary = run.success().json();
        let requests = &summary["requests"];
        assert_eq!(requests.get("s3:SelectObjectContent").map_or(0, |count| count.as_u64().unwrap()), selects);
        assert_eq!(requests.get("s3:GetObject").map_or(0, |count| count.as_u64().unwrap()), gets);
        assert_eq!(events(&bench.path(format!("{engine}.db"))), rows, "{engine}");
        let select = &summary["s3"]["select"];
        assert_eq!(select["objects"].as_u64().unwrap_or_default(), selects, "{summary}");
        if selects > 0 {
            let bytes = |name: &str| select[name].as_u64().unwrap();
            assert!(bytes("scanned_bytes") > 1000 && bytes("returned_bytes") > 10_000, "{summary}");
        }
        assert!(summary["s3"]["estimated_dollars"].as_f64().unwrap() > 0.000_005, "{summary}");
    }
    let text = bench.trailcreator(["load-s3", "--bucket", "trail", "--engine", "select", "--db", "text.db"]).aws(&moto);
    text.run().success().shows(["S3 Select    3 objects read: ", " scanned, ", "cost         estimated $0.0000"]);
}

/// `auto` compares the first object that holds a matching record. The objects before it can't decide.
#[test]
fn auto_uses_select_after_a_comparison() {
    let bench = Bench::new();
    for number in 0..5 {
        let nothing = Trail::new().event(Event::new("s3.amazonaws.com", "ListBuckets"));
        nothing.write(&bench.path(format!("{FOLDER}/Z{number}.json.gz")));
    }
    write_logs(&bench);
    let moto = select_server(&bench, &[]);
    let run = load(&bench, &moto, "auto");
    run.success().says(["reading objects with S3 Select: its records for s3://trail/", "a.json.gz match GET"]);
    let requests = &run.json()["requests"];
    assert_eq!((&requests["s3:GetObject"], &requests["s3:SelectObjectContent"]), (&json!(6), &json!(3)));
    assert_eq!(events(&bench.path("auto.db")), rows_of_files(&bench));
}

#[test]
fn auto_reads_with_get_if_no_object_can_decide() {
    let bench = Bench::new();
    let nothing = Trail::new().event(Event::new("s3.amazonaws.com", "ListBuckets"));
    for number in 0..103 {
        nothing.write(&bench.path(format!("{FOLDER}/Z{number:03}.json.gz")));
    }
    write_logs(&bench);
    let moto = select_server(&bench, &[]);
    let run = load(&bench, &moto, "auto");
    run.success().says(["reading objects with GET: none of the first 100 objects has a record"]);
    let requests = &run.json()["requests"];
    assert_eq!((&requests["s3:GetObject"], requests.get("s3:SelectObjectContent")), (&json!(106), None));
    assert_eq!(events(&bench.path("auto.db")), rows_of_files(&bench));
}

#[test]
fn regression_auto_rejects_a_server_that_returns_nothing() {
    let nothing = "        played = (200, kind, services['stream'](b'', 1000, 10000))";
    let other = "        played = (200, kind, services['stream'](b'{\"eventName\":\"CreateBucket\",\"eventSource\":\"s3.amazonaws.com\",\"eventTime\":\"2026-03-01T00:00:00Z\"},' * 34, 1, 1))";
    let broken = "        played = (200, kind, services['stream'](b'not json', 1, 1))";
    let refused = "        played = (400, 'application/xml', '<Error><Code>UnsupportedSqlOperation</Code><Message>COALESCE</Message></Error>')";
    let cases = [
        (nothing, "a.json.gz holds 33 records to load, the response has 0"),
        (other, "a.json.gz holds 33 records to load, the response has 34"),
        (broken, "the response is not JSON"),
        (refused, "S3 Select can't read s3://trail/"),
    ];
    for (answer, summary) in cases {
        let bench = Bench::new();
        write_logs(&bench);
        let moto = playing(&bench, answer);
        let run = load(&bench, &moto, "auto");
        run.success().says(["reading objects with GET: ", summary]);
        assert_eq!(run.json()["requests"]["s3:GetObject"], 3);
        assert_eq!(events(&bench.path("auto.db")), rows_of_files(&bench));
    }
}

/// moto's own S3 Select accepts the request and returns none of the records.
#[test]
fn auto_rejects_moto() {
    let bench = Bench::new();
    write_logs(&bench);
    let moto = Moto::start();
    moto.upload("trail", &bench.path("logs"));
    load(&bench, &moto, "auto").success().says(["reading objects with GET: S3 Select"]);
    assert_eq!(events(&bench.path("auto.db")), rows_of_files(&bench));
}

#[test]
fn auto_reports_missing_select_and_reads_with_get() {
    let bench = Bench::new();
    write_logs(&bench);
    let moto = select_server(&bench, &[("TRAIL_SERVICES_SELECT", "off")]);
    let run = load(&bench, &moto, "auto");
    run.success().says(["reading objects with GET", "MethodNotAllowed", "July 2024"]);
    assert_eq!(run.json()["requests"]["s3:SelectObjectContent"], 1);
    assert_eq!(events(&bench.path("auto.db")), rows_of_files(&bench));
    load(&bench, &moto, "select").code(1).says(["S3 Select is not available", "MethodNotAllowed", "--engine get"]);
}

/// The server with another response for the object `a.json.gz`.
fn playing(bench: &Bench, answer: &str) -> Moto {
    let services = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/common/trail_services.py");
    let hook = format!(
        "import runpy
services = runpy.run_path({services:?})
message, real = services['message'], services['before']
def before(entry, environ):
    played = None
    if 'select-type=2' in entry['query'] and entry['path'].endswith('/a.json.gz'):
        status, kind, content = real(entry, environ)
{answer}
    return played or real(entry, environ)"
    );
    let moto = Moto::start_with(&hook);
    moto.upload("trail", &bench.path("logs"));
    moto
}

#[test]
fn object_that_select_cannot_read_is_read_with_get() {
    let refusals = [
        "        played = (400, 'application/xml', '<Error><Code>OverMaxRecordSize</Code><Message>too long</Message></Error>')",
        "        played = (200, kind, content[:2000 - 2000] + message({':message-type': 'error', ':error-code': 'OverMaxRecordSize', ':error-message': 'too long'}, b''))",
    ];
    for refusal in refusals {
        let bench = Bench::new();
        write_logs(&bench);
        let moto = playing(&bench, refusal);
        let run = load(&bench, &moto, "select");
        run.success().says(["1 object read by GET instead of S3 Select", "a.json.gz"]);
        assert_eq!(run.json()["requests"]["s3:GetObject"], 1);
        assert_eq!(events(&bench.path("select.db")), rows_of_files(&bench));
    }
}

#[test]
fn regression_response_without_end_does_not_enter_the_ledger() {
    let bench = Bench::new();
    write_logs(&bench);
    let without_end = "        end = message({':message-type': 'event', ':event-type': 'End'}, b'')
        assert content.endswith(end)
        played = (200, kind, content[:-len(end)])";
    let moto = playing(&bench, without_end);
    let run = load(&bench, &moto, "select");
    run.code(4);
    assert!(run.stdout.contains("before its End event"), "{}", run.printed());
    let db = bench.path("select.db");
    assert_eq!(query(&db, "SELECT count(*) FROM ledger_units"), ["2"]);
    let args = ["load-s3", "--bucket", "trail", "--db", "select.db", "--engine", "get"];
    bench.trailcreator(args).aws(&moto).run().success();
    assert_eq!(events(&db), rows_of_files(&bench));
}
