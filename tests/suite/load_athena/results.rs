//! Locations of results, how they are read, and errors in rows.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use super::{CONSOLES_BUCKET, column, history, many, rows, table};
#[cfg(target_os = "linux")]
use crate::common::memory;
use crate::common::{ACCOUNT, Athena, Bench, Moto};

#[test]
fn results_go_to_the_location_of_the_workgroup_or_the_flag() {
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

#[test]
fn pages_and_csv_give_the_same_rows_in_spite_of_throttling() {
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
fn pages_are_read_without_access_to_the_csv() {
    let hook = include_str!("../hooks/load_athena_results.py");
    let (bench, moto) = (Bench::new(), Moto::start_with(hook));
    many(&bench, 1200);
    let athena = Athena::start(&moto, &json!([table(&bench, "plain")]));
    let run = bench.trailcreator(["load-athena"]).athena(&moto, &athena).run();
    run.success().says(["s3:GetObject", "page by page from Athena"]);
    assert_eq!(rows(&bench.path("creators.db")).len(), 1200);
}

/// The query of c7n-trailcreator.
const C7NS_QUERY: &str = include_str!("c7n_query.sql");

#[test]
fn query_of_c7n_trailcreator_is_loaded_by_its_id() {
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

/// `cargo test --test suite -- --ignored --nocapture a_million_rows` prints the peak memory.
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
    let peak = memory::peak_until_end(&mut child);
    let output = child.wait_with_output().expect("it has ended");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["new_ids"], ROWS, "{document:#}");
    eprintln!("{ROWS} rows: {} MB at most", peak / 1024);
    assert!(peak < 100 * 1024, "{peak} KiB");
}

#[test]
fn broken_row_is_listed_and_the_others_are_loaded() {
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
        reason.contains("requestParameters is not JSON") && reason.contains("s3.amazonaws.com CreateBucket"),
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
