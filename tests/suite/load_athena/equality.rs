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
