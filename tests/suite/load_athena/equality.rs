//! The rows are those of `load-files`, for every table shape and time range.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CONSOLES_BUCKET, OTHER, SHAPES, column, history, rows, table};
use crate::common::{Athena, Bench, Moto};

#[test]
fn every_table_shape_and_time_range_gives_the_rows_of_the_files() {
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

/// A key's name, type and kind of value (`tests/servers/athena/tables.py`).
type Key = [&'static str; 3];

/// Keys that are something else than their name, their range or left-over properties suggest.
fn odd_tables() -> Vec<(Vec<Key>, Value)> {
    let month =
        json!({"projection.enabled": "true", "projection.shard.type": "integer", "projection.shard.range": "1,12"});
    let template = "s3://trail/data/${month}/${year}";
    let quarters = json!({
        "projection.enabled": "true", "storage.location.template": template,
        "projection.month.type": "integer", "projection.month.range": "1,12",
        "projection.year.type": "integer", "projection.year.range": "2012,2040",
    });
    let off = json!({
        "projection.enabled": "false", "projection.dt.type": "date", "projection.dt.format": "yyyy-MM-dd",
        "projection.region.type": "injected", "projection.account.type": "enum", "projection.account.values": "111122223333",
    });
    let names = json!({
        "projection.enabled": "true", "projection.account.type": "enum", "projection.account.values": "platform",
        "projection.month.type": "enum", "projection.month.values": "jan,feb,oct,nov,dec",
        "projection.year.type": "integer", "projection.year.range": "2012,2040",
    });
    let hours = json!({
        "projection.enabled": "TRUE", "projection.DT.type": "date", "projection.dt.format": "yyyy/MM/dd/HH",
        "storage.location.template": "s3://trail/AWSLogs/123456789012/CloudTrail/us-east-1/${dt}",
    });
    let positions = json!({
        "projection.enabled": "true", "projection.y.type": "integer", "projection.y.range": "2012,2040",
        "projection.m.type": "integer", "projection.m.range": "1,12", "projection.m.digits": "2",
        "projection.d.type": "enum", "projection.d.values": (1..=31).map(|day| format!("{day:02}")).collect::<Vec<_>>().join(","),
        "storage.location.template": "s3://trail/AWSLogs/123456789012/CloudTrail/us-east-1/${y}/${m}/${d}",
    });
    let mut tables = vec![
        (vec![["shard", "int", "shard"]], month),
        (vec![["month", "int", "quarter"], ["year", "int", "year"]], quarters),
        (vec![["dt", "string", "slashes"], ["region", "string", "region"], ["account", "string", "account"]], off),
        (vec![["account", "string", "team"], ["month", "string", "month name"], ["year", "string", "year"]], names),
        (vec![["dt", "string", "hours"]], hours),
        (vec![["y", "string", "year"], ["m", "string", "month"], ["d", "string", "day"]], positions),
        (vec![["ingested", "date", "dt"], ["timestamp", "string", "day first"]], json!({})),
        (
            vec![["ingested", "string", "ingested"]],
            json!({
                "projection.enabled": "true", "projection.ingested.type": "date", "projection.ingested.format": "yyyy/MM/dd",
            }),
        ),
    ];
    // Without projection: every kind of value under every common name.
    for value in ["short month", "month name", "year and month", "nothing"] {
        tables
            .push((vec![["year", "string", "year"], ["month", "string", value], ["day", "string", "day"]], json!({})));
    }
    for value in ["day first", "hours", "dt", "team", "nothing", "ingested"] {
        let keys =
            vec![["timestamp", "string", value], ["account", "string", if value == "dt" { "account" } else { "team" }]];
        if value != "ingested" {
            tables.push((keys, json!({})));
        }
    }
    tables.push((vec![["year", "int", "year and month"], ["month", "int", "year and month"]], json!({})));
    tables
}

#[test]
fn regression_no_partition_key_excludes_rows_by_a_guess() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let odd = odd_tables();
    let name = |index: usize| format!("odd_{index}");
    let table = |(index, (keys, parameters)): (usize, &(Vec<Key>, Value))| json!({"shape": "plain", "name": name(index), "keys": keys, "parameters": parameters, "files": [bench.path("logs")]});
    let tables: Vec<Value> = odd.iter().enumerate().map(table).collect();
    let athena = Athena::start(&moto, &json!(tables));
    let window = ["--since", "2019-01-31", "--until", "2019-11-20", "--account", crate::common::ACCOUNT];
    bench.trailcreator(["load-files", "logs", "--db", "files.db"].iter().chain(&window)).run().success();
    let wanted = rows(&bench.path("files.db"));
    assert!(wanted.len() > 10, "{wanted:#?}");
    for (index, keys) in odd.iter().enumerate() {
        let (table, database) = (name(index), format!("{index}.db"));
        let args = ["load-athena", "--table", &table, "--db", &database];
        let run = bench.trailcreator(args.iter().chain(&window)).athena(&moto, &athena).run();
        run.success();
        assert_eq!(rows(&bench.path(&database)), wanted, "{keys:?}");
        if index == 0 {
            let stderr = &run.stderr;
            assert!(stderr.contains("has no partition key that is certainly a time (shard): Athena scans"), "{stderr}");
        }
    }
}

#[test]
fn security_lake_tables_with_fewer_columns_are_loaded() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let lake = |name: &str, without: &[&str]| json!({"shape": "security-lake", "name": name, "without": without, "files": [bench.path("logs")]});
    let tables = json!([lake("timestamps", &["time"]), lake("numbers", &["time_dt"])]);
    let athena = Athena::start(&moto, &tables);
    let window = ["--month", "2019/11", "--account", crate::common::ACCOUNT];
    bench.trailcreator(["load-files", "logs", "--db", "files.db"].iter().chain(&window)).run().success();
    let wanted = rows(&bench.path("files.db"));
    assert!(wanted.len() > 10, "{wanted:#?}");
    for name in ["timestamps", "numbers"] {
        let db = format!("{name}.db");
        let args = ["load-athena", "--table", name, "--db", &db];
        bench.trailcreator(args.iter().chain(&window)).athena(&moto, &athena).run().success();
        assert_eq!(rows(&bench.path(&db)), wanted, "{name}");
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
fn year_is_the_only_option_needed() {
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
fn tables_without_newer_columns_are_loaded_and_a_second_load_changes_nothing() {
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
