//! The request: which table is found, and the SQL.

use std::collections::BTreeSet;

use serde_json::json;

use super::{OTHER, column, history, table};
use crate::common::{Athena, Bench, Moto};

#[test]
fn several_tables_are_listed_and_none_is_chosen() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let tables = json!([{"shape": "plain", "name": "b_logs"}, {"shape": "serde", "name": "a_logs"}, {"shape": "plain", "database": "other"}]);
    let athena = Athena::with(&moto, &json!({"tables": tables, "unrelated": ["sales"]}));
    let run = |args: &[&str]| bench.trailcreator(["load-athena"].iter().chain(args)).athena(&moto, &athena).run();
    run(&[]).code(1).says(["several CloudTrail tables: a_logs, b_logs", "--table"]);
    run(&["--table", "sales"]).code(1).says(["sales is not a CloudTrail table: it has no eventtime"]);
    run(&["--table", "missing"]).code(1).says(["missing", "--athena-db"]);
    run(&["--athena-db", "nowhere"]).code(1).says(["Database nowhere not found", "--athena-db"]);
    run(&["--athena-db", "other"]).success();
    assert_eq!(athena.calls("StartQueryExecution"), 1);
}

#[test]
fn query_is_printed_and_not_started() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let athena = Athena::start(&moto, &json!([table(&bench, "organization")]));
    let args = ["load-athena", "--day", "2019/02/01", "--print-query"];
    let run = bench.trailcreator(args).athena(&moto, &athena).run();
    let sql = &run.success().stdout;
    assert!(sql.starts_with("SELECT ") && sql.contains(r#""year" = '2019' AND "month" IN ('02', '2')"#), "{sql}");
    assert_eq!(athena.calls("StartQueryExecution"), 0);
    assert!(!bench.path("creators.db").exists());
    // The printed query is the one that runs.
    bench.trailcreator(["load-athena", "--day", "2019/02/01"]).athena(&moto, &athena).run().success();
    assert_eq!(athena.queries()[0]["sql"].as_str(), Some(sql.trim_end()));
}

#[test]
fn arguments_never_become_sql() {
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
fn missing_value_for_injected_projection_is_an_error() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let parameters = json!({"projection.enabled": "true", "projection.account.type": "injected"});
    let tables = json!([{"shape": "organization", "parameters": parameters, "files": [bench.path("logs")]}]);
    let athena = Athena::start(&moto, &tables);
    let run = bench.trailcreator(["load-athena"]).athena(&moto, &athena).run();
    run.code(1).says(["partition key account", "--account"]);
    bench.trailcreator(["load-athena", "--account", OTHER]).athena(&moto, &athena).run().success();
}
