//! `load-athena` against the project's Athena server, which executes the SQL on DuckDB; S3 and STS are moto's.
//!
//! The measure is `load-files` on the same log files: the same rows, whatever the table's shape and the window.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use crate::common::database::event_count;
use crate::common::{ACCOUNT, Athena, Bench, Caller, Event, Moto, REGION, Trail};

/// The second account of the organization.
const OTHER: &str = "210987654321";

/// The bucket that Athena's console makes.
const CONSOLES_BUCKET: &str = "s3://aws-athena-query-results-123456789012-us-east-1/";

/// The shapes of `tests/servers/athena/tables.py`.
const SHAPES: [&str; 6] = ["plain", "projection", "organization", "organization-int", "dt", "serde"];

fn bucket(name: &str) -> Event {
    Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}))
}

/// Writes events as one log file, delivered at `YYYYMMDDTHHmm`.
fn deliver(bench: &Bench, delivery: &str, events: Vec<Event>) {
    let mut trail = Trail::new();
    for (place, event) in events.into_iter().enumerate() {
        // Ids of their own: a trail's usual ones repeat from file to file.
        trail.push(event.field("eventID", json!(format!("{delivery}-{place}"))));
    }
    trail.write(&bench.path(format!("logs/{ACCOUNT}_CloudTrail_{REGION}_{delivery}Z_x.json.gz")));
}

/// Records on the borders of a year, a month and a day, some delivered after midnight; and of every kind that differs.
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
        at(bucket("by-nobody")).field("userIdentity", json!({"invokedBy": "AWS Internal"})),
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

/// All rows of a database, as text in the key's order.
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

/// The one CloudTrail table `cloudtrail_logs` of a shape, on the bench's logs.
fn table(bench: &Bench, shape: &str) -> Value {
    json!({"shape": shape, "files": [bench.path("logs")]})
}

#[test]
fn every_table_shape_and_window_gives_the_rows_of_the_files() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let tables: Vec<Value> = SHAPES
        .iter()
        .map(|shape| json!({"shape": shape, "name": shape.replace('-', "_"), "files": [bench.path("logs")]}))
        .collect();
    let athena = Athena::start(&moto, &json!(tables));
    let windows: [(&[&str], usize); 7] = [
        (&[], 26),
        (&["--year", "2019"], 23),
        (&["--month", "2019/11"], 15),
        (&["--day", "2019/02/01"], 2),
        (&["--since", "2019-12-01"], 4),
        (&["--until", "2019-02-01T00:00:00Z"], 3),
        (&["--since", "2019-02-01", "--until", "2019-11-01"], 4),
    ];
    for (index, (window, count)) in windows.into_iter().enumerate() {
        let files = format!("files-{index}.db");
        bench.trailcreator(["load-files", "logs", "--db", &files].iter().chain(window)).run().success();
        let wanted = rows(&bench.path(&files));
        assert_eq!(wanted.len(), count, "{window:?}: {wanted:#?}");
        for shape in SHAPES {
            let (database, name) = (format!("{shape}-{index}.db"), shape.replace('-', "_"));
            let args = ["load-athena", "--table", &name, "--db", &database];
            bench.trailcreator(args.iter().chain(window)).athena(&moto, &athena).run().success();
            assert_eq!(rows(&bench.path(&database)), wanted, "{shape} {window:?}");
        }
    }
}

#[test]
fn accounts_are_filtered_as_in_files() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let tables =
        json!([table(&bench, "plain"), {"shape": "organization", "name": "org", "files": [bench.path("logs")]}]);
    let athena = Athena::start(&moto, &tables);
    for (database, table) in [("a.db", "cloudtrail_logs"), ("b.db", "org")] {
        let args = ["load-athena", "--table", table, "--account", OTHER, "--db", database];
        bench.trailcreator(args).athena(&moto, &athena).run().success();
        assert_eq!(column(&bench.path(database), "resource_id"), BTreeSet::from(["of-the-other".to_owned()]));
    }
    let org = athena.queries().pop().expect("a query ran");
    assert!(org["sql"].as_str().expect("text").contains(r#""account" = '210987654321'"#), "{org}");
}

#[test]
fn a_year_is_all_one_has_to_say() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let configuration = json!({"tables": [table(&bench, "projection")], "unrelated": ["aaa", "bbb", "zzz"]});
    let athena = Athena::with(&moto, &configuration);
    let run = bench.trailcreator(["load-athena", "--year", "2019", "--output", "json"]).athena(&moto, &athena).run();
    let document = run.success().json();
    assert_eq!(document["format_version"], 1);
    assert_eq!(document["records"], 23, "{document}");
    assert_eq!(document["new_ids"], 23, "{document}");
    assert_eq!(document["without_ids"], json!({"s3.amazonaws.com:CreateBucket": 1}));
    let query = athena.queries().pop().expect("a query ran");
    assert_eq!(query["id"], document["query"]["id"]);
    assert!(query["output"].as_str().expect("a place").starts_with(CONSOLES_BUCKET), "{query}");
    let again = bench.trailcreator(["load-athena", "--year", "2019", "--output", "json"]).athena(&moto, &athena).run();
    assert_eq!(again.success().json()["new_ids"], 0);
}

#[test]
fn several_tables_are_listed_and_none_is_told() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let tables = json!([{"shape": "plain", "name": "b_logs"}, {"shape": "serde", "name": "a_logs"}, {"shape": "plain", "database": "other"}]);
    let athena = Athena::with(&moto, &json!({"tables": tables, "unrelated": ["sales"]}));
    let run = |args: &[&str]| bench.trailcreator(["load-athena"].iter().chain(args)).athena(&moto, &athena).run();
    run(&[]).code(1).says(["several CloudTrail tables: a_logs, b_logs", "--table"]);
    run(&["--table", "sales"]).code(1).says(["sales is no CloudTrail table: it lacks eventtime"]);
    run(&["--table", "missing"]).code(1).says(["missing", "--athena-db"]);
    run(&["--athena-db", "nowhere"]).code(1).says(["Database nowhere not found", "--athena-db"]);
    run(&["--athena-db", "other"]).success();
    assert_eq!(athena.calls("StartQueryExecution"), 1);
}

#[test]
fn results_go_where_the_workgroup_or_the_flag_says() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    moto.boto3("for name in ('flag', 'own', 'enforced'): client('s3').create_bucket(Bucket=name)");
    let workgroups = json!({
        "own": {"output": "s3://own/x"}, "enforced": {"output": "s3://enforced/", "enforce": true}, "managed": {"managed": true},
    });
    let athena = Athena::with(&moto, &json!({"tables": [table(&bench, "plain")], "workgroups": workgroups}));
    let run = |args: &[&str]| {
        let all = ["load-athena", "--year", "2019", "--db"].iter().chain(args).copied();
        bench.trailcreator(all).athena(&moto, &athena).run().success();
        athena.queries().pop().expect("a query ran")["output"]
            .as_str()
            .map(|place| place.rsplit_once('/').unwrap().0.to_owned())
    };
    let flag = ["--athena-output", "s3://flag/a/b"];
    assert_eq!(run(&["1.db", flag[0], flag[1]]).as_deref(), Some("s3://flag/a/b"));
    assert_eq!(run(&["2.db", "--workgroup", "own"]).as_deref(), Some("s3://own/x"));
    assert_eq!(run(&["3.db", "--workgroup", "own", flag[0], flag[1]]).as_deref(), Some("s3://flag/a/b"));
    assert_eq!(run(&["4.db", "--workgroup", "enforced", flag[0], flag[1]]).as_deref(), Some("s3://enforced"));
    assert_eq!(run(&["5.db", "--workgroup", "managed"]), None);
    athena.control(&json!({"deny": ["GetWorkGroup"]}));
    assert_eq!(run(&["6.db"]).as_deref(), Some(CONSOLES_BUCKET.trim_end_matches('/')));
    let wanted = rows(&bench.path("1.db"));
    assert!(!wanted.is_empty());
    for database in ["2.db", "3.db", "4.db", "5.db", "6.db"] {
        assert_eq!(rows(&bench.path(database)), wanted, "{database}");
    }
    athena.control(&json!({"deny": []}));
    let args = ["load-athena", "--athena-output", "s3://no-such-bucket/"];
    bench.trailcreator(args).athena(&moto, &athena).run().code(1).says(["no-such-bucket", "--athena-output"]);
    bench.trailcreator(["load-athena", "--workgroup", "w"]).athena(&moto, &athena).run().code(1).says(["--workgroup"]);
}

/// So many buckets that the result has several pages.
fn many(bench: &Bench, count: usize) {
    let events = (0..count).map(|number| bucket(&format!("b-{number}")).at("2019-05-05T05:05:05Z"));
    deliver(bench, "20190505T0510", events.collect());
}

#[test]
fn pages_and_the_csv_give_the_same_through_throttling() {
    let (bench, moto) = (Bench::new(), Moto::start());
    many(&bench, 2500);
    let workgroups = json!({"managed": {"managed": true}});
    let athena = Athena::with(&moto, &json!({"tables": [table(&bench, "plain")], "workgroups": workgroups}));
    athena.control(&json!({"throttle": {"GetQueryResults": 1, "StartQueryExecution": 1, "GetQueryExecution": 1}}));
    let run = |args: &[&str]| bench.trailcreator(["load-athena"].iter().chain(args)).athena(&moto, &athena).run();
    run(&["--db", "pages.db", "--workgroup", "managed"]).success().says(["page by page"]);
    assert_eq!(athena.calls("GetQueryResults"), 4, "three pages, one of them throttled");
    run(&["--db", "csv.db"]).success();
    assert_eq!(athena.calls("GetQueryResults"), 4, "the CSV is read from S3");
    assert_eq!(rows(&bench.path("pages.db")).len(), 2500);
    assert_eq!(rows(&bench.path("pages.db")), rows(&bench.path("csv.db")));
}

#[test]
fn without_permission_on_the_csv_pages_are_read() {
    let hook = r"
def before(entry, environ):
    if entry['method'] == 'GET' and entry['path'].endswith('.csv') and 'Boto3' not in entry['user_agent']:
        return (403, 'application/xml', '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>')
";
    let (bench, moto) = (Bench::new(), Moto::start_with(hook));
    many(&bench, 1200);
    let athena = Athena::start(&moto, &json!([table(&bench, "plain")]));
    let run = bench.trailcreator(["load-athena"]).athena(&moto, &athena).run();
    run.success().says(["s3:GetObject", "page by page from Athena"]);
    assert_eq!(rows(&bench.path("creators.db")).len(), 1200);
}

#[test]
fn a_query_that_ends_badly_says_why_and_is_not_gone_on_with() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let athena = Athena::start(&moto, &json!([table(&bench, "plain")]));
    let run = || bench.trailcreator(["load-athena"]).athena(&moto, &athena).run();
    let last_id = || athena.queries().pop().expect("a query ran")["id"].as_str().expect("an id").to_owned();
    athena.control(&json!({"fail": "HIVE_CURSOR_ERROR: the trail is broken"}));
    run().code(1).says(["failed: HIVE_CURSOR_ERROR: the trail is broken", &last_id()]);
    athena.control(&json!({"fail": null, "cancel": "Bytes scanned limit was exceeded"}));
    run().code(1).says(["was cancelled: Bytes scanned limit was exceeded", "--workgroup", &last_id()]);
    athena.control(&json!({"cancel": null}));
    run().success();
    assert_eq!(athena.calls("StartQueryExecution"), 3);
    let unknown = ["load-athena", "--query-id", "00000000-0000-0000-0000-000000000000"];
    bench.trailcreator(unknown).athena(&moto, &athena).run().code(1).says(["was not found", "--region"]);
}

#[test]
fn killed_while_it_runs_the_query_is_taken_up_again() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let athena = Athena::start(&moto, &json!([table(&bench, "plain")]));
    athena.control(&json!({"hold": "RUNNING"}));
    // An age is another moment at each run, and the same command.
    let args = ["load-athena", "--since", "216000h"];
    let mut child = bench.trailcreator(args).athena(&moto, &athena).spawn();
    athena.wait_for("GetQueryExecution", 3);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    athena.control(&json!({"hold": null}));
    let run = bench.trailcreator(args).athena(&moto, &athena).run();
    let id = athena.queries()[0]["id"].as_str().expect("an id").to_owned();
    run.success().says(["going on with query", &id]);
    assert_eq!(athena.calls("StartQueryExecution"), 1);
    bench.trailcreator(["load-files", "logs", "--db", "files.db"]).run().success();
    assert_eq!(rows(&bench.path("creators.db")), rows(&bench.path("files.db")));
    bench.trailcreator(args).athena(&moto, &athena).run().success();
    assert_eq!(athena.calls("StartQueryExecution"), 2, "the next run asks for what came since");
    let by_id = bench.trailcreator(["load-athena", "--query-id", &id]).athena(&moto, &athena).run();
    assert!(by_id.success().stdout.contains("is loaded already"), "{}", by_id.printed());
}

#[test]
fn killed_between_pages_the_result_is_read_again() {
    let (bench, moto) = (Bench::new(), Moto::start());
    many(&bench, 6000);
    let workgroups = json!({"primary": {"managed": true}});
    let athena = Athena::with(&moto, &json!({"tables": [table(&bench, "plain")], "workgroups": workgroups}));
    athena.control(&json!({"cut_page": 6}));
    let mut child = bench.trailcreator(["load-athena"]).athena(&moto, &athena).spawn();
    athena.wait_for("GetQueryResults", 6);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let before = rows(&bench.path("creators.db")).len();
    assert!(0 < before && before < 6000, "{before} rows were committed");
    athena.control(&json!({"cut_page": null}));
    bench.trailcreator(["load-athena"]).athena(&moto, &athena).run().success().says(["going on with query"]);
    assert_eq!(athena.calls("StartQueryExecution"), 1);
    bench.trailcreator(["load-files", "logs", "--db", "files.db"]).run().success();
    assert_eq!(rows(&bench.path("creators.db")), rows(&bench.path("files.db")));
}

/// A server that sends two thirds of the first CSV it is asked for, and then nothing more.
const STALLING_CSV: &str = r"
import threading
stalled = []
def before(entry, environ):
    if stalled or entry['method'] != 'GET' or not entry['path'].endswith('.csv') or 'Boto3' in entry['user_agent']:
        return None
    stalled.append(entry['path'])
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends
    bucket, _, key = entry['path'].lstrip('/').partition('/')
    body = s3_backends[DEFAULT_ACCOUNT_ID]['aws'].get_object(bucket, key).value
    head = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(body)
    environ['werkzeug.socket'].sendall(head + body[:len(body) * 2 // 3])
    threading.Event().wait()
";

#[test]
fn killed_in_the_middle_of_the_csv_the_result_is_read_again() {
    const ROWS: usize = 9000;
    let (bench, moto) = (Bench::new(), Moto::start_with(STALLING_CSV));
    many(&bench, ROWS);
    let athena = Athena::start(&moto, &json!([table(&bench, "plain")]));
    let mut child = bench.trailcreator(["load-athena"]).athena(&moto, &athena).spawn();
    let database = bench.path("creators.db");
    while event_count(&database) == 0 && child.try_wait().expect("a child").is_none() {
        std::thread::yield_now();
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let before = event_count(&database);
    assert!(0 < before && before < ROWS, "{before} rows were committed");
    let run = bench.trailcreator(["load-athena"]).athena(&moto, &athena).run();
    let id = athena.queries()[0]["id"].as_str().expect("an id").to_owned();
    run.success().says(["going on with query", &id]);
    assert_eq!(athena.calls("StartQueryExecution"), 1, "the query is not paid for twice");
    assert_eq!(athena.calls("GetQueryResults"), 0, "it was the CSV");
    bench.trailcreator(["load-files", "logs", "--db", "files.db"]).run().success();
    assert_eq!(rows(&database), rows(&bench.path("files.db")));
}

#[test]
#[cfg(unix)]
fn ctrl_c_stops_the_query() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let athena = Athena::start(&moto, &json!([table(&bench, "plain")]));
    athena.control(&json!({"hold": "RUNNING"}));
    let child = bench.trailcreator(["load-athena"]).athena(&moto, &athena).spawn();
    athena.wait_for("GetQueryExecution", 2);
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let query = athena.queries().pop().expect("a query ran");
    assert_eq!(query["state"], "CANCELLED");
    assert!(stderr.contains(query["id"].as_str().expect("an id")) && stderr.contains("was stopped"), "{stderr}");
    athena.control(&json!({"hold": null}));
    bench.trailcreator(["load-athena"]).athena(&moto, &athena).run().success();
    assert_eq!(athena.calls("StartQueryExecution"), 2);
}

/// As c7n-trailcreator asks.
const C7NS_QUERY: &str = r#"select records.awsregion as region,
    records.recipientaccountid as accountId,
    records.eventtime as eventTime,
    records.eventname as eventName,
    records.eventsource as eventSource,
    records.useragent as userAgent,
    records.sourceipaddress as sourceIPAddress,
    records.useridentity.type as userType,
    records.useridentity.arn as userArn,
    records.useridentity.username as userName,
    records.useridentity.invokedby as invokedBy,
    records.requestparameters as requestParameters,
    records.responseelements as responseElements
from "default"."cloudtrail_logs" as records
where records.errorcode is null
  and records.eventname in ('CreateBucket', 'CreateRole', 'CreateFunction20150331')"#;

#[test]
fn a_query_of_c7n_trailcreator_is_loaded_by_its_id() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let athena = Athena::start(&moto, &json!([table(&bench, "plain")]));
    let id = athena.start_query(C7NS_QUERY, CONSOLES_BUCKET);
    let args = ["load-athena", "--query-id", &id, "--year", "2019", "--output", "json"];
    let document = bench.trailcreator(args).athena(&moto, &athena).run().success().json();
    assert_eq!(document["query"]["id"], id.as_str());
    assert_eq!(athena.calls("StartQueryExecution"), 1, "only c7n-trailcreator's own");
    bench.trailcreator(["load-files", "logs", "--year", "2019", "--db", "files.db"]).run().success();
    let facts = |database: &str| {
        let connection = Connection::open(bench.path(database)).unwrap();
        let sql = "SELECT * FROM events WHERE event_name IN ('CreateBucket', 'CreateRole', 'CreateFunction20150331') \
                   AND account_id <> '' AND resource_ids <> 'without-receiver' ORDER BY event_date, resource_ids";
        let mut statement = connection.prepare(sql).unwrap();
        let rows =
            statement.query_map([], |row| (0..10).map(|column| row.get(column)).collect::<Result<Vec<Sql>, _>>());
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert!(facts("files.db").len() > 10);
    assert_eq!(facts("creators.db"), facts("files.db"), "the view that c7n-trailcreator wrote");
}

/// The most memory of a running process, in KiB, as often as it is asked for: the last answer before its end counts.
#[cfg(target_os = "linux")]
fn peak_memory(child: &mut Child) -> u64 {
    const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib = line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default();
        peak = peak.max(kib);
        std::thread::sleep(BETWEEN_LOOKS);
    }
    peak
}

/// `cargo test --test suite -- --ignored --nocapture a_million_rows` prints the figure.
#[test]
#[ignore = "minutes, and 300 MB of rows on moto"]
#[cfg(target_os = "linux")]
#[allow(clippy::print_stderr, reason = "a measurement")]
fn a_million_rows_load_in_under_100_mb() {
    const ROWS: u64 = 1_000_000;
    let (bench, moto) = (Bench::new(), Moto::start());
    let athena = Athena::start(&moto, &json!([]));
    let sql = format!(
        "SELECT 'event-' || CAST(n AS VARCHAR) AS eventid, '2019-01-01T00:00:00Z' AS eventtime, \
         's3.amazonaws.com' AS eventsource, 'CreateBucket' AS eventname, 'us-east-1' AS awsregion, \
         '{ACCOUNT}' AS recipientaccountid, 'IAMUser' AS useridentity_type, 'alice' AS useridentity_username, \
         'aws-cli/2.15.0 Python/3.11.6 Linux/5.10 exe/x86_64 prompt/off command/s3.mb' AS useragent, \
         '{{\"bucketName\":\"bucket-' || CAST(n AS VARCHAR) || '\"}}' AS requestparameters \
         FROM UNNEST(SEQUENCE(1, {ROWS})) AS numbers(n)"
    );
    let id = athena.start_query(&sql, CONSOLES_BUCKET);
    let args = ["load-athena", "--query-id", &id, "--output", "json"];
    let mut child = bench.trailcreator(args).athena(&moto, &athena).spawn();
    let peak = peak_memory(&mut child);
    let output = child.wait_with_output().expect("it has ended");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["new_ids"], ROWS, "{document:#}");
    eprintln!("{ROWS} rows: {} MB at most", peak / 1024);
    assert!(peak < 100 * 1024, "{peak} KiB");
}

#[test]
fn a_broken_row_is_named_and_the_others_are_loaded() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let athena = Athena::start(&moto, &json!([]));
    let row = |parameters: &str| {
        format!(
            "SELECT '2019-01-01T00:00:00Z' AS eventTime, 's3.amazonaws.com' AS eventSource, 'CreateBucket' AS eventName, \
             'us-east-1' AS region, '{ACCOUNT}' AS accountId, {parameters} AS requestParameters"
        )
    };
    let broken = "'{\"bucketName\":\"x\"},\"eventName\":\"y\"'";
    let sql = [row("'{\"bucketName\":\"good\"}'"), row(broken), row("NULL"), row("''")].join(" UNION ALL ");
    let id = athena.start_query(&sql, CONSOLES_BUCKET);
    let run = bench.trailcreator(["load-athena", "--query-id", &id, "--output", "json"]).athena(&moto, &athena).run();
    let document = run.code(4).json();
    let reason = document["failures"][0]["reason"].as_str().expect("the broken row is named");
    assert!(
        reason.contains("requestParameters is no JSON") && reason.contains("s3.amazonaws.com CreateBucket"),
        "{reason}"
    );
    assert_eq!(
        (&document["records"], &document["broken_records"], &document["new_ids"]),
        (&json!(4), &json!(1), &json!(1))
    );
    assert_eq!(column(&bench.path("creators.db"), "resource_id"), BTreeSet::from(["good".to_owned()]));
    let other = athena.start_query("SELECT 1 AS one", CONSOLES_BUCKET);
    let run = bench.trailcreator(["load-athena", "--query-id", &other]).athena(&moto, &athena).run();
    run.code(1).says(["no column for eventTime"]);
}

#[test]
fn the_query_is_printed_and_nothing_started() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let athena = Athena::start(&moto, &json!([table(&bench, "organization")]));
    let args = ["load-athena", "--day", "2019/02/01", "--print-query"];
    let run = bench.trailcreator(args).athena(&moto, &athena).run();
    let sql = &run.success().stdout;
    assert!(sql.starts_with("SELECT ") && sql.contains(r#""year" = '2019' AND "month" IN ('02', '2')"#), "{sql}");
    assert_eq!(athena.calls("StartQueryExecution"), 0);
    assert!(!bench.path("creators.db").exists());
    // What was printed is what runs.
    bench.trailcreator(["load-athena", "--day", "2019/02/01"]).athena(&moto, &athena).run().success();
    assert_eq!(athena.queries()[0]["sql"].as_str(), Some(sql.trim_end()));
}

#[test]
fn tables_that_lack_newer_columns_are_loaded_and_again_change_nothing() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let without =
        ["eventid", "sharedeventid", "additionaleventdata", "recipientaccountid", "errormessage", "responseelements"];
    let lean = json!({"shape": "serde", "without": without, "files": [bench.path("logs")]});
    let athena = Athena::start(&moto, &json!([lean]));
    bench.trailcreator(["load-athena"]).athena(&moto, &athena).run().success().says(["responseElements"]);
    let first = rows(&bench.path("creators.db"));
    assert!(column(&bench.path("creators.db"), "resource_id").contains("first-of-2019"));
    assert!(column(&bench.path("creators.db"), "event_id").iter().all(|id| id.starts_with("derived-")));
    bench.trailcreator(["load-athena"]).athena(&moto, &athena).run().success();
    assert_eq!(rows(&bench.path("creators.db")), first);
}

#[test]
fn nothing_that_is_given_becomes_sql() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let tables =
        json!([table(&bench, "plain"), {"shape": "plain", "name": "it\"s; --", "files": [bench.path("logs")]}]);
    let athena = Athena::start(&moto, &tables);
    let run = |args: &[&str]| bench.trailcreator(["load-athena"].iter().chain(args)).athena(&moto, &athena).run();
    run(&["--account", "1' OR '1'='1"]).code(2).says(["12 digits"]);
    run(&["--table", "cloudtrail_logs\" WHERE 1=1 --"]).code(1);
    run(&["--query-id", "x' OR 1"]).code(2);
    run(&["--athena-output", "nowhere"]).code(2).says(["s3://BUCKET/PATH/"]);
    assert_eq!(athena.calls("StartQueryExecution"), 0);
    run(&["--table", "it\"s; --", "--year", "2018"]).success();
    assert_eq!(column(&bench.path("creators.db"), "resource_id"), BTreeSet::from(["last-of-2018".to_owned()]));
}

#[test]
fn a_projection_that_wants_values_says_so() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let parameters = json!({"projection.enabled": "true", "projection.account.type": "injected"});
    let tables = json!([{"shape": "organization", "parameters": parameters, "files": [bench.path("logs")]}]);
    let athena = Athena::start(&moto, &tables);
    let run = bench.trailcreator(["load-athena"]).athena(&moto, &athena).run();
    run.code(1).says(["partition key account", "--account"]);
    bench.trailcreator(["load-athena", "--account", OTHER]).athena(&moto, &athena).run().success();
}
