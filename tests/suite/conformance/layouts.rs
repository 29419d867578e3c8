//! The same log files by way of a bucket, in the layout of an account's and of an organization's trail, give the same
//! rows as from disk.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Moto, Trail, run_python};

const ACCOUNTS: [&str; 2] = ["111111111111", "222222222222"];
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];
const DAYS: [&str; 3] = ["2026/02/28", "2026/03/01", "2026/03/02"];

/// Writes a log file for each account, region and day below `AWSLogs/{organization}`, as CloudTrail lays them out; with the digests
/// and Insight files that lie beside them.
fn write_trail(bench: &Bench, root: &str, organization: &str, accounts: &[&str]) {
    for account in accounts {
        for region in REGIONS {
            for day in DAYS {
                let (compact, dashed) = (day.replace('/', ""), day.replace('/', "-"));
                let below = format!("{root}/AWSLogs/{organization}{account}");
                let name = |kind: &str| {
                    format!("{below}/{kind}/{region}/{day}/{account}_{kind}_{region}_{compact}T1005Z_abcDEF123.json.gz")
                };
                let trail = Trail::new()
                    .event(stamp(group(&format!("{account}-{region}-{compact}")), account, region, &dashed, "1"))
                    .event(stamp(Event::new("logs.amazonaws.com", "DescribeLogGroups"), account, region, &dashed, "2"))
                    .event(stamp(group("refused").failed("AccessDenied"), account, region, &dashed, "3"));
                trail.write(&bench.path(name("CloudTrail")));
                let insight = Trail::new().event(stamp(group("insight"), account, region, &dashed, "4"));
                insight.write(&bench.path(name("CloudTrail-Insight")));
                bench
                    .write(name("CloudTrail-Digest"), crate::common::gzip(br#"{"awsAccountId": "1", "logFiles": []}"#));
            }
        }
    }
}

fn group(name: &str) -> Event {
    Event::new("logs.amazonaws.com", "CreateLogGroup")
        .by(Caller::iam_user("alice"))
        .request(json!({"logGroupName": name}))
}

fn stamp(event: Event, account: &str, region: &str, day: &str, serial: &str) -> Event {
    event
        .account(account)
        .region(region)
        .at(&format!("{day}T10:00:0{serial}Z"))
        .field("eventID", json!(format!("{account}-{region}-{day}-{serial}")))
}

/// All rows, by SQLite of another make than ours.
fn rows(database: &Path) -> Value {
    let printed = run_python(
        &format!(
            "import json, sqlite3
rows = sqlite3.connect({database:?}).execute('SELECT * FROM resource_events').fetchall()
print(json.dumps(sorted(rows, key=repr)))"
        ),
        &[],
    );
    serde_json::from_str(&printed).expect("Python prints JSON")
}

fn gets(moto: &Moto) -> usize {
    moto.our_requests().iter().filter(|request| request.method == "GET" && request.path.ends_with(".json.gz")).count()
}

fn same_from_bucket_and_disk(organization: &str, accounts: &[&str], args: &[&str]) {
    let (moto, bench) = (Moto::start(), Bench::new());
    write_trail(&bench, "root/deep", organization, accounts);
    moto.upload("trail-bucket", &bench.path("root"));
    bench.trailcreator(["--db", "disk.db", "load-files", "root"]).run().success();
    let mut command = vec!["--db", "bucket.db", "load-s3", "--bucket", "trail-bucket", "--prefix", "deep"];
    command.extend(args);
    bench.trailcreator(&command).aws(&moto).run().success();

    let from_disk = rows(&bench.path("disk.db"));
    assert_eq!(from_disk.as_array().map(Vec::len), Some(accounts.len() * REGIONS.len() * DAYS.len()));
    assert_eq!(rows(&bench.path("bucket.db")), from_disk);

    let read = gets(&moto);
    assert_eq!(read, accounts.len() * REGIONS.len() * DAYS.len(), "digests or Insight files were read, or files twice");
    bench.trailcreator(&command).aws(&moto).run().success();
    assert_eq!(gets(&moto), read, "the second load read objects again");
    assert_eq!(rows(&bench.path("bucket.db")), from_disk);
}

#[test]
fn an_account_trail_loads_alike_from_bucket_and_disk() {
    same_from_bucket_and_disk("", &ACCOUNTS[..1], &[]);
}

#[test]
fn an_organization_trail_loads_alike_from_bucket_and_disk() {
    same_from_bucket_and_disk("o-abc1234567/", &ACCOUNTS, &["--org-id", "o-abc1234567"]);
}

#[test]
fn an_organization_is_found_without_being_named() {
    same_from_bucket_and_disk("o-abc1234567/", &ACCOUNTS, &[]);
}

#[test]
fn accounts_regions_and_days_narrow_what_is_read() {
    let (moto, bench) = (Moto::start(), Bench::new());
    write_trail(&bench, "root/deep", "o-abc1234567/", &ACCOUNTS);
    moto.upload("trail-bucket", &bench.path("root"));
    let command = [
        "load-s3",
        "--bucket",
        "trail-bucket",
        "--prefix",
        "deep",
        "--org-id",
        "o-abc1234567",
        "--account",
        ACCOUNTS[1],
        "--region",
        REGIONS[0],
        "--day",
        DAYS[1],
    ];
    bench.trailcreator(command).aws(&moto).run().success();
    let rows = rows(&bench.path("creators.db"));
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    // Events of a day are delivered up to minutes later: the next day's folder may be looked into as well.
    assert!(gets(&moto) <= 2, "read {} objects", gets(&moto));
}
