//! Killed, stopped or failed: the rows are the same in the end, and no query is charged twice.

use std::process::Command;

use serde_json::json;

use super::{history, many, rows, table};
use crate::common::database::event_count;
use crate::common::{Athena, Bench, Moto};

#[test]
fn failed_query_has_a_reason_and_is_not_resumed() {
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
fn query_is_resumed_after_a_kill() {
    let (bench, moto) = (Bench::new(), Moto::start());
    history(&bench);
    let athena = Athena::start(&moto, &json!([table(&bench, "plain")]));
    athena.control(&json!({"hold": "RUNNING"}));
    // An age is another time in each run, but the same command.
    let args = ["load-athena", "--since", "216000h"];
    let mut child = bench.trailcreator(args).athena(&moto, &athena).spawn();
    athena.wait_for("GetQueryExecution", 3);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    athena.control(&json!({"hold": null}));
    let run = bench.trailcreator(args).athena(&moto, &athena).run();
    let id = athena.queries()[0]["id"].as_str().expect("an id").to_owned();
    run.success().says(["resuming query", &id]);
    assert_eq!(athena.calls("StartQueryExecution"), 1);
    bench.trailcreator(["load-files", "logs", "--db", "files.db"]).run().success();
    assert_eq!(rows(&bench.path("creators.db")), rows(&bench.path("files.db")));
    bench.trailcreator(args).athena(&moto, &athena).run().success();
    assert_eq!(athena.calls("StartQueryExecution"), 2, "the next run asks for what came since");
    let by_id = bench.trailcreator(["load-athena", "--query-id", &id]).athena(&moto, &athena).run();
    assert!(by_id.success().stdout.contains("already loaded"), "{}", by_id.printed());
}

#[test]
fn result_is_read_again_after_a_kill_between_pages() {
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
    bench.trailcreator(["load-athena"]).athena(&moto, &athena).run().success().says(["resuming query"]);
    assert_eq!(athena.calls("StartQueryExecution"), 1);
    bench.trailcreator(["load-files", "logs", "--db", "files.db"]).run().success();
    assert_eq!(rows(&bench.path("creators.db")), rows(&bench.path("files.db")));
}

/// A server that sends two thirds of the first requested CSV, and then nothing more.
const STALLING_CSV: &str = include_str!("../hooks/load_athena_interruptions_stalling_csv.py");

#[test]
fn result_is_read_again_after_a_kill_within_the_csv() {
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
    run.success().says(["resuming query", &id]);
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
