//! `load-s3` every hour: what is listed and read again, and what the ledger stores.

use std::fs;
use std::path::Path;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::Offset};
use serde_json::json;

use crate::common::database::{events, ledger_units, loaded, query};
use crate::common::{Bench, Event, Moto, Request, Run, Trail};

/// The day so many days ago, in UTC.
fn day(ago: i64) -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date().saturating_sub(ago.days())
}

/// The contents of the ledger, in a form that does not depend on the order of loading.
fn whole_ledger(database: &Path) -> Vec<String> {
    let days = query(database, "SELECT prefix, hex(closed) FROM ledger_prefixes ORDER BY 1");
    let spans = query(database, "SELECT prefix, hex(version), first_day, last_day FROM ledger_spans ORDER BY 1");
    loaded(database).into_iter().chain(days).chain(spans).collect()
}

fn write(bench: &Bench, account: &str, region: &str, ago: i64, name: &str) {
    let day = day(ago);
    let event = Event::new("s3.amazonaws.com", "CreateBucket")
        .request(json!({"bucketName": format!("{account}-{region}-{day}-{name}")}))
        .account(account)
        .region(region)
        .at(&format!("{day}T12:00:00Z"))
        .field("eventID", json!(format!("{account}-{region}-{day}-{name}")));
    let folder = format!("{:04}/{:02}/{:02}", day.year(), day.month(), day.day());
    Trail::new()
        .event(event)
        .write(&bench.path(format!("logs/AWSLogs/{account}/CloudTrail/{region}/{folder}/{name}.json.gz")));
}

fn load(bench: &Bench, moto: &Moto, args: &[&str]) -> Run {
    let always = ["load-s3", "--bucket", "trail", "--output", "json", "--engine", "get"];
    bench.trailcreator(always.iter().chain(args)).aws(moto).run()
}

/// Objects read, objects already loaded, and LIST requests. In addition there is a GET for each object read, and one HEAD.
fn figures(run: &Run) -> [u64; 3] {
    let json = run.success().json();
    let requests =
        |operation: &str| json["requests"].get(operation).map_or(0, |count| count.as_u64().expect("a number"));
    let file = |name: &str| json["files"][name].as_u64().expect("a number");
    assert_eq!(requests("s3:GetObject"), file("read"), "{json}");
    assert_eq!(requests("s3:HeadBucket"), 1, "{json}");
    [file("read"), file("already_loaded"), requests("s3:ListObjectsV2")]
}

/// LIST and GET requests that reached the server.
fn received(moto: &Moto) -> (usize, usize) {
    let requests = moto.our_requests();
    let of = |wanted: fn(&Request) -> bool| requests.iter().filter(|request| wanted(request)).count();
    (of(|r| r.query.contains("list-type=2")), of(|r| r.method == "GET" && r.path.ends_with(".json.gz")))
}

fn ledger(bench: &Bench) -> Vec<String> {
    ["ledger_prefixes", "ledger_units", "ledger_spans"]
        .iter()
        .flat_map(|table| query(&bench.path("creators.db"), &format!("SELECT count(*) FROM {table}")))
        .collect()
}

/// Two accounts, two regions, ten days, two objects a day.
fn ten_days() -> (Bench, Moto) {
    let (bench, moto) = (Bench::new(), Moto::start());
    fill(&bench);
    moto.upload("trail", &bench.path("logs"));
    (bench, moto)
}

const ACCOUNTS: [&str; 2] = ["123456789012", "210987654321"];

fn fill(bench: &Bench) {
    for account in ACCOUNTS {
        for region in ["us-east-1", "eu-west-1"] {
            for ago in 0..10 {
                for name in ["a", "b"] {
                    write(bench, account, region, ago, name);
                }
            }
        }
    }
}

#[test]
fn hourly_run_lists_only_open_days_and_reads_only_new_objects() {
    let (bench, moto) = ten_days();
    // AWSLogs, each account's regions, each region.
    assert_eq!(figures(&load(&bench, &moto, &[])), [80, 0, 1 + 2 + 4]);
    // Today and the two days before, in four regions, with two objects each. Closed days are one row per region.
    assert_eq!(ledger(&bench), ["12", "24", "4"]);
    write(&bench, "123456789012", "eu-west-1", 0, "new");
    write(&bench, "123456789012", "eu-west-1", 2, "late");
    write(&bench, "123456789012", "ap-south-1", 0, "new-region");
    moto.upload("trail", &bench.path("logs"));
    assert_eq!(figures(&load(&bench, &moto, &[])), [3, 24, 1 + 2 + 5]);
    assert_eq!(figures(&load(&bench, &moto, &[])), [0, 27, 1 + 2 + 5]);
    let open = format!("{}", day(2));
    assert_eq!(figures(&load(&bench, &moto, &["--since", &open])), [0, 27, 1 + 2 + 5]);
    let (since, until) = (day(8).to_string(), day(5).to_string());
    assert_eq!(figures(&load(&bench, &moto, &["--since", &since, "--until", &until])), [0, 0, 1 + 2], "all closed");
    assert_eq!(events(&bench.path("creators.db")).len(), 83);
    assert_eq!(received(&moto), (7 + 3 * 8 + 3, 80 + 3), "no request was left out of the counts");
}

#[test]
fn new_object_in_a_closed_day_is_found_with_relist() {
    let (bench, moto) = ten_days();
    load(&bench, &moto, &[]).success();
    write(&bench, "123456789012", "us-east-1", 7, "too-late");
    moto.upload("trail", &bench.path("logs"));
    assert_eq!(figures(&load(&bench, &moto, &[]))[0], 0);
    let relisted = figures(&load(&bench, &moto, &["--relist"]));
    assert_eq!(relisted, [57, 24, 7], "closed days are read again");
    assert_eq!(events(&bench.path("creators.db")).len(), 81);
    assert_eq!(ledger(&bench), ["12", "24", "4"]);
}

#[test]
fn another_map_reads_closed_days_again() {
    let (bench, moto) = ten_days();
    load(&bench, &moto, &[]).success();
    let map = json!({"resources": [{"resource": "s3", "events": [
        {"event": "CreateBucket", "service": "s3.amazonaws.com", "ids": "requestParameters.bucketName"}]}]});
    bench.write("map.json", map.to_string());
    assert_eq!(figures(&load(&bench, &moto, &["--resource-map", "map.json"])), [80, 0, 7]);
    assert_eq!(figures(&load(&bench, &moto, &["--resource-map", "map.json"])), [0, 24, 7]);
}

#[test]
fn broken_object_keeps_its_day_open() {
    let (bench, moto) = ten_days();
    let broken = format!(
        "logs/AWSLogs/123456789012/CloudTrail/us-east-1/{}/broken.json.gz",
        day(6).to_string().replace('-', "/")
    );
    bench.write(&broken, b"\x1f\x8bbroken");
    moto.upload("trail", &bench.path("logs"));
    load(&bench, &moto, &[]).code(4);
    let again = load(&bench, &moto, &[]);
    assert_eq!(again.code(4).json()["files"]["broken"], 1);
    assert_eq!(again.json()["files"]["already_loaded"], 26, "two objects of the open day, 24 of the last three");
    std::fs::remove_file(bench.path(&broken)).expect("it is there");
    write(&bench, "123456789012", "us-east-1", 6, "broken");
    moto.upload("trail", &bench.path("logs"));
    assert_eq!(figures(&load(&bench, &moto, &[]))[..2], [1, 26]);
    assert_eq!(figures(&load(&bench, &moto, &[])), [0, 24, 7]);
    assert_eq!(ledger(&bench), ["12", "24", "4"]);
}

#[test]
fn adjacent_time_ranges_leave_no_gap() {
    let (bench, moto) = ten_days();
    let text = |ago: i64| day(ago).to_string();
    // The day after a time range is listed for late deliveries. Its records are outside of the time range.
    load(&bench, &moto, &["--since", &text(6), "--until", &text(5)]).success();
    assert_eq!(events(&bench.path("creators.db")).len(), 8);
    load(&bench, &moto, &["--since", &text(9), "--until", &text(8)]).success();
    assert_eq!(events(&bench.path("creators.db")).len(), 16);
    load(&bench, &moto, &[]).success();
    assert_eq!(events(&bench.path("creators.db")).len(), 80);
    assert_eq!(ledger(&bench), ["12", "24", "4"]);
    assert_eq!(figures(&load(&bench, &moto, &[])), [0, 24, 7]);
}

#[test]
fn killed_while_closing_days_ends_with_the_same_rows_and_ledger() {
    let bench = Bench::new();
    let hold = bench.write("hold", "");
    // Until the file is deleted, one object in every second region gets no response.
    let moto = Moto::start_with(&format!(
        "import os, time
def before(entry, environ):
    while entry['method'] == 'GET' and entry['path'].endswith('/b-held.json.gz') and os.path.exists({hold:?}):
        time.sleep(0.01)"
    ));
    fill(&bench);
    for account in ACCOUNTS {
        write(&bench, account, "eu-west-1", 6, "b-held");
    }
    moto.upload("trail", &bench.path("logs"));
    let closed = "SELECT count(*) FROM ledger_prefixes WHERE closed IS NOT NULL";
    let closed_days = |database: &Path| query(database, closed)[0].parse::<u64>().expect("a number");
    for wanted in [1, 26] {
        bench.write("hold", "");
        let database = bench.path("creators.db");
        let always = ["load-s3", "--bucket", "trail", "--engine", "get"];
        let mut child = bench.trailcreator(always).aws(&moto).spawn();
        // 4 regions with 7 days that can be closed; two of these days wait for an object.
        let is_far = || database.exists() && ledger_units(&database) > 0 && closed_days(&database) >= wanted;
        while !is_far() {
            assert!(child.try_wait().expect("a child").is_none(), "it ended while an object was held");
            std::thread::yield_now();
        }
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        assert_eq!(query(&database, "SELECT count(*) FROM ledger_spans"), ["0"]);
        fs::remove_file(&hold).expect("it is there");
        let [read, ..] = figures(&load(&bench, &moto, &[]));
        assert!((2..82).contains(&read), "{read} of 82 objects were read again");
        load(&bench, &moto, &["--db", "undisturbed.db"]).success();
        assert_eq!(whole_ledger(&database), whole_ledger(&bench.path("undisturbed.db")));
        assert_eq!(figures(&load(&bench, &moto, &[])), [0, 24, 7]);
        for name in ["creators.db", "undisturbed.db"] {
            fs::remove_file(bench.path(name)).expect("it is there");
        }
    }
}

#[test]
fn moving_time_range_reads_nothing_again() {
    let (bench, moto) = ten_days();
    // Eight days, their folders from the eighth day ago to today, two objects each in four regions.
    let first = figures(&load(&bench, &moto, &["--since", "8d"]));
    assert_eq!(first, [72, 0, 7]);
    // The clock has moved on, but only the day matters.
    assert_eq!(figures(&load(&bench, &moto, &["--since", "8d"])), [0, 24, 7]);
    assert_eq!(figures(&load(&bench, &moto, &["--since", "7d"])), [0, 24, 7]);
}
