//! `load-s3` by the real binary against moto.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::database::{events, loaded, query};
use crate::common::{Bench, Event, Moto, Run, Trail};

const MAIN: &str = "123456789012";
const OTHER: &str = "210987654321";
const ORGANIZATION: &str = "o-exampleorgid";

/// Log files of two accounts and two regions over some days, below `root`. A record from before midnight is delivered
/// after it.
fn write_logs(bench: &Bench, root: &str, organization: bool) {
    let organization = if organization { format!("{ORGANIZATION}/") } else { String::new() };
    for (account, region, day, time) in [
        (MAIN, "us-east-1", "2026/02/28", "2026-02-28T09:00:00Z"),
        (MAIN, "us-east-1", "2026/03/01", "2026-03-01T09:00:00Z"),
        (MAIN, "us-east-1", "2026/03/02", "2026-03-01T23:58:00Z"),
        (MAIN, "us-east-1", "2026/03/03", "2026-03-03T09:00:00Z"),
        (MAIN, "eu-west-1", "2026/03/01", "2026-03-01T08:00:00Z"),
        (OTHER, "us-east-1", "2026/03/01", "2026-03-01T07:00:00Z"),
        (OTHER, "ap-south-1", "2026/04/01", "2026-04-01T00:00:00Z"),
    ] {
        let account_folder = format!("{root}AWSLogs/{organization}{account}");
        let name = format!("{}_{account}_{region}", day.replace('/', ""));
        let bucket = Event::new("s3.amazonaws.com", "CreateBucket")
            .request(json!({"bucketName": format!("made-{name}")}))
            .account(account)
            .region(region)
            .at(time)
            .field("eventID", json!(format!("event-{name}")));
        let file = format!("{account_folder}/CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{name}.json.gz");
        Trail::new().event(bucket).event(Event::new("s3.amazonaws.com", "ListBuckets")).write(&bench.path(file));
        for other in ["CloudTrail-Digest", "CloudTrail-Insight"] {
            let file = format!("{account_folder}/{other}/{region}/{day}/{account}_{other}_{name}.json.gz");
            let never = Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": other}));
            Trail::new().event(never).write(&bench.path(file));
        }
    }
}

/// Puts all files below `root` into a new bucket, by their paths.
fn upload(moto: &Moto, bench: &Bench, root: &str, bucket: &str, region: &str) {
    let root = bench.path(root);
    moto.boto3(&format!(
        "import pathlib
s3 = client('s3', '{region}')
where = {{}} if '{region}' == 'us-east-1' else {{'CreateBucketConfiguration': {{'LocationConstraint': '{region}'}}}}
s3.create_bucket(Bucket='{bucket}', **where)
root = pathlib.Path({root:?})
for path in sorted(root.rglob('*')):
    if path.is_file():
        s3.put_object(Bucket='{bucket}', Key=str(path.relative_to(root)), Body=path.read_bytes())"
    ));
}

fn load(bench: &Bench, moto: &Moto, args: &[&str]) -> Run {
    bench
        .trailcreator(["load-s3", "--bucket", "trail", "--output", "json", "--engine", "get"].iter().chain(args))
        .aws(moto)
        .run()
}

/// The rows that `load-files` loads from the same files.
fn rows_of_files(bench: &Bench, root: &str, args: &[&str]) -> Vec<String> {
    let db = bench.path("files.db");
    drop(std::fs::remove_file(&db));
    let always = ["load-files", root, "--db", "files.db"];
    bench.trailcreator(always.iter().chain(args)).run().success();
    let rows = events(&db);
    assert!(!rows.is_empty());
    rows
}

/// Loads into a separate database, and returns its rows.
fn rows_of_s3(bench: &Bench, moto: &Moto, db: &str, args: &[&str]) -> Vec<String> {
    load(bench, moto, &[&["--db", db], args].concat()).success();
    events(&bench.path(db))
}

/// The keys that were read from the bucket.
fn keys_got(moto: &Moto) -> Vec<String> {
    let gets = moto.our_requests().into_iter().filter(|request| request.method == "GET");
    let mut keys: Vec<String> = gets
        .filter_map(|request| request.path.strip_prefix("/trail/").map(str::to_owned))
        .filter(|key| !key.is_empty())
        .collect();
    keys.sort();
    keys
}

fn read_and_known(run: &Run) -> (Value, Value) {
    let files = run.json()["files"].clone();
    (files["read"].clone(), files["already_loaded"].clone())
}

#[test]
fn account_and_organization_trails_give_the_rows_of_load_files() {
    for (organization, prefix) in [(false, ""), (false, "some/where/"), (true, ""), (true, "central")] {
        let (bench, moto) = (Bench::new(), Moto::start());
        let root =
            if prefix.is_empty() { "logs/".to_owned() } else { format!("logs/{}/", prefix.trim_end_matches('/')) };
        write_logs(&bench, &root, organization);
        upload(&moto, &bench, "logs", "trail", "us-east-1");
        let args = ["--prefix", prefix];
        let run = load(&bench, &moto, &args);
        assert_eq!(read_and_known(run.success()), (json!(7), json!(0)));
        assert_eq!(run.json()["requests"]["s3:GetObject"], 7);
        let rows = loaded(&bench.path("creators.db"));
        assert_eq!(events(&bench.path("creators.db")), rows_of_files(&bench, "logs", &[]));
        let again = load(&bench, &moto, &args);
        // The days ended long ago: they are closed, and not even listed.
        assert_eq!(read_and_known(again.success()), (json!(0), json!(0)));
        assert_eq!(again.json()["requests"].get("s3:GetObject"), None);
        assert_eq!(loaded(&bench.path("creators.db")), rows);
    }
}

#[test]
fn both_layouts_in_one_bucket_are_found_and_one_organization_can_be_chosen() {
    let (bench, moto) = (Bench::new(), Moto::start());
    write_logs(&bench, "logs/", false);
    Trail::new()
        .event(Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": "of-organization"})))
        .write(&bench.path(format!("logs/AWSLogs/{ORGANIZATION}/{MAIN}/CloudTrail/us-east-1/2026/03/01/x.json.gz")));
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    assert_eq!(rows_of_s3(&bench, &moto, "all.db", &[]).len(), 8);
    let chosen = rows_of_s3(&bench, &moto, "chosen.db", &["--org-id", ORGANIZATION]);
    assert!(chosen.len() == 1 && chosen[0].contains("of-organization"));
}

#[test]
fn logs_of_another_trail_are_not_loaded_for_an_organization() {
    let (bench, moto) = (Bench::new(), Moto::start());
    write_logs(&bench, "logs/pre/", false);
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    let args = ["load-s3", "--bucket", "trail", "--prefix", "pre", "--org-id", "o-abcdefghij"];
    bench.trailcreator(args).aws(&moto).run().code(1).says(["no CloudTrail logs at s3://trail/pre/"]);
}

#[test]
fn only_the_given_days_accounts_and_regions_are_read() {
    let (bench, moto) = (Bench::new(), Moto::start());
    write_logs(&bench, "logs/", true);
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    let mut seen = 0;
    for (number, (args, files, listings)) in [
        // Late deliveries are in the next day's folder. Lists: AWSLogs, organization, two accounts, four regions.
        (&["--day", "2026/03/01"][..], 4, 8),
        (&["--since", "2026/03/03"], 2, 8),
        (&["--until", "2026/03/01"], 4, 8),
        (&["--month", "2026/03"], 6, 8),
        (&["--year", "2025"], 0, 8),
        (&["--account", OTHER], 2, 5),
        (&["--region", "eu-west-1"], 1, 4),
        (&["--account", MAIN, "--region", "us-east-1", "--day", "2026/03/01"], 2, 3),
    ]
    .into_iter()
    .enumerate()
    {
        let db = format!("{number}.db");
        let run = load(&bench, &moto, &[&["--db", &db], args].concat());
        assert_eq!(
            events(&bench.path(&db)),
            if files == 0 { vec![] } else { rows_of_files(&bench, "logs", args) },
            "{args:?}"
        );
        let got = keys_got(&moto).len();
        assert_eq!(got - seen, files, "objects read with {args:?}");
        assert_eq!(run.success().json()["requests"]["s3:ListObjectsV2"], listings, "listings with {args:?}");
        seen = got;
    }
}

#[test]
fn prefix_can_be_any_level_of_the_layout_or_a_folder_of_logs() {
    let (bench, moto) = (Bench::new(), Moto::start());
    write_logs(&bench, "logs/team/", true);
    Trail::new()
        .event(Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": "flat"})))
        .write(&bench.path("logs/copies/x.json"));
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    let organization = format!("team/AWSLogs/{ORGANIZATION}");
    for (prefix, rows) in [
        ("team", 7),
        ("/team/AWSLogs/", 7),
        (organization.as_str(), 7),
        (&format!("{organization}/{MAIN}"), 5),
        (&format!("{organization}/{MAIN}/CloudTrail/"), 5),
        (&format!("{organization}/{MAIN}/CloudTrail/us-east-1"), 4),
        (&format!("{organization}/{MAIN}/CloudTrail/us-east-1/2026/03/"), 3),
        ("copies/", 1),
    ] {
        let db = format!("db{}", prefix.replace('/', "-"));
        assert_eq!(rows_of_s3(&bench, &moto, &db, &["--prefix", prefix]).len(), rows, "{prefix}");
    }
    let day = format!("{organization}/{MAIN}/CloudTrail/us-east-1/2026/03/");
    assert_eq!(rows_of_s3(&bench, &moto, "day.db", &["--prefix", &day, "--day", "2026/03/01"]).len(), 2);
    load(&bench, &moto, &[]).code(1).says(["no CloudTrail logs at s3://trail/", "--prefix team/"]);
    for prefix in ["team", "team/AWSLogs", &organization] {
        let missing = ["--prefix", prefix, "--account", "999999999999"];
        load(&bench, &moto, &missing)
            .code(1)
            .says(["no CloudTrail logs of 999999999999 at s3://trail/team/AWSLogs/", "--account"]);
    }
    load(&bench, &moto, &["--prefix", "nothing"]).code(1).says(["no CloudTrail logs at s3://trail/nothing/"]);
}

#[test]
fn new_or_replaced_objects_in_closed_days_are_read_with_relist() {
    let (bench, moto) = (Bench::new(), Moto::start());
    write_logs(&bench, "logs/", false);
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    load(&bench, &moto, &[]).success();
    let day = format!("AWSLogs/{MAIN}/CloudTrail/us-east-1/2026/03/03/");
    moto.boto3(&format!(
        "s3 = client('s3')
key = [item['Key'] for item in pages('s3', 'list_objects_v2', 'Contents', Bucket='trail', Prefix='{day}')][0]
s3.copy_object(Bucket='trail', Key='{day}new.json.gz', CopySource='trail/' + key)
s3.put_object(Bucket='trail', Key=key, Body=b'{{\"Records\":[]}}')"
    ));
    assert_eq!(read_and_known(load(&bench, &moto, &[]).success()), (json!(0), json!(0)));
    assert_eq!(read_and_known(load(&bench, &moto, &["--relist"]).success()), (json!(8), json!(0)));
}

#[test]
fn every_page_of_a_listing_is_read() {
    let moto = Moto::start_with(
        "import os
os.environ['MOTO_S3_DEFAULT_MAX_KEYS'] = '2'
def before(entry, environ):
    return None",
    );
    let bench = Bench::new();
    write_logs(&bench, "logs/", false);
    for name in ["a", "b", "c", "d", "e"] {
        let event = Event::new("s3.amazonaws.com", "CreateBucket").request(json!({ "bucketName": name }));
        let file = format!("logs/AWSLogs/{MAIN}/CloudTrail/us-east-1/2026/03/01/{name}.json.gz");
        Trail::new().event(event.field("eventID", json!(name))).write(&bench.path(file));
    }
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    assert_eq!(rows_of_s3(&bench, &moto, "s3.db", &[]), rows_of_files(&bench, "logs", &[]));
    let march = ["--day", "2026/03/01"];
    assert_eq!(rows_of_s3(&bench, &moto, "day.db", &march), rows_of_files(&bench, "logs", &march));
}

#[test]
fn bucket_can_be_in_another_region() {
    let (bench, moto) = (Bench::new(), Moto::start());
    write_logs(&bench, "logs/", false);
    upload(&moto, &bench, "logs", "trail", "eu-central-1");
    load(&bench, &moto, &["--region", "eu-west-1"]).success();
    let calls = moto.our_requests();
    let listing = calls.iter().filter(|request| request.query.contains("list-type"));
    assert!(listing.map(|request| request.region.as_deref()).all(|region| region == Some("eu-central-1")));
    assert_eq!(keys_got(&moto).len(), 1);
}

#[test]
fn deleted_or_denied_objects_are_listed_and_the_rest_is_loaded() {
    let moto = Moto::start_with(
        "faults = {'20260301_123': (403, 'AccessDenied'), '20260303_123': (404, 'NoSuchKey'), '20260401_210': (412, 'PreconditionFailed')}
mended = set()
def before(entry, environ):
    if entry['path'] == '/mend':
        mended.update(faults)
        return 200, 'text/plain', 'mended'
    if entry['method'] == 'GET' and entry['path'].startswith('/trail/A'):
        for part, (status, code) in faults.items():
            if part in entry['path'] and 'eu-west' not in entry['path'] and part not in mended:
                return status, 'application/xml', f'<Error><Code>{code}</Code><Message>played</Message></Error>'",
    );
    let bench = Bench::new();
    write_logs(&bench, "logs/", false);
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    let run = load(&bench, &moto, &[]);
    let failures = run.code(4).json()["failures"].clone();
    let said = |day: &str, reason: &str| {
        let named =
            failures.as_array().expect("a list").iter().find(|failure| failure["name"].to_string().contains(day));
        let failure = named.unwrap_or_else(|| panic!("{day} in {failures}"));
        assert!(failure["name"].to_string().contains("s3://trail/AWSLogs/"), "{failure}");
        assert!(failure["reason"].to_string().contains(reason), "{failure}");
    };
    said("20260301_123", "allow s3:GetObject");
    said("20260303_123", "deleted before it was read");
    said("20260401_210", "replaced");
    assert_eq!(failures.as_array().map(Vec::len), Some(3));
    assert_eq!(events(&bench.path("creators.db")).len(), 4);
    moto.boto3("import os, urllib.request; urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/mend').read()");
    assert_eq!(read_and_known(load(&bench, &moto, &[]).success()), (json!(3), json!(0)), "the other days are closed");
    assert_eq!(events(&bench.path("creators.db")), rows_of_files(&bench, "logs", &[]));
}

#[test]
fn interrupted_body_is_resumed() {
    let bench = Bench::new();
    let filler = Event::new("s3.amazonaws.com", "ListBuckets").field("filler", json!("x".repeat(300_000)));
    let create = |name: &str| Event::new("s3.amazonaws.com", "CreateBucket").request(json!({ "bucketName": name }));
    let mut trail = Trail::new().event(create("first"));
    for _ in 0..40 {
        trail.push(filler.clone());
    }
    trail.push(create("last"));
    // Larger than the limit for reading into memory, and smaller.
    trail.write(&bench.path("logs/big/streamed.json"));
    Trail::new().event(create("whole").field("eventID", json!("w"))).write(&bench.path("logs/big/whole.json"));
    let hook = format!(
        "import socket, pathlib
ROOT = pathlib.Path({:?})
ranges, broken = [], set()
def before(entry, environ):
    key = entry['path'][len('/trail/'):]
    if entry['method'] != 'GET' or not key.startswith('big/') or 'boto3' in entry['user_agent'].lower():
        return None
    if key in broken:
        assert environ['HTTP_RANGE'].startswith('bytes=') and environ['HTTP_RANGE'] != 'bytes=0-', environ['HTTP_RANGE']
        return None
    broken.add(key)
    body = (ROOT / key).read_bytes()
    connection = environ['werkzeug.socket']
    connection.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(body) + body[:len(body) * 2 // 3])
    connection.shutdown(socket.SHUT_RDWR)
    return 500, 'text/plain', ''",
        bench.path("logs")
    );
    let moto = Moto::start_with(&hook);
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    let run = load(&bench, &moto, &["--prefix", "big"]);
    assert_eq!(run.success().json()["requests"]["s3:GetObject"], 4);
    let names = query(&bench.path("creators.db"), "SELECT resource_id FROM resource_events ORDER BY 1");
    assert_eq!(names, ["first", "last", "whole"]);
}

#[test]
fn unreadable_bucket_is_an_error_with_a_hint() {
    let (bench, moto) = (Bench::new(), Moto::start());
    load(&bench, &moto, &[]).code(1).says(["bucket trail does not exist", "--bucket"]);
    let without_credentials =
        bench.trailcreator(["load-s3", "--bucket", "trail"]).env("AWS_ENDPOINT_URL", &moto.endpoint());
    without_credentials.run().code(1).says(["no credentials", "AWS_PROFILE"]);
    let denied = Moto::start_with(
        "def before(entry, environ):
    if entry['path'].startswith('/trail'):
        return 403, 'application/xml', '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'",
    );
    load(&bench, &denied, &[]).code(1).says(["AccessDenied", "allow s3:ListBucket"]);
    load(&bench, &moto, &["--account", "12"]).code(2).says(["account id of 12 digits"]);
    load(&bench, &moto, &["--engine", "other"]).code(2);
}

#[test]
fn no_region_is_needed_with_credentials() {
    let (bench, moto) = (Bench::new(), Moto::start());
    write_logs(&bench, "logs/", false);
    upload(&moto, &bench, "logs", "trail", "us-east-1");
    let run = bench
        .trailcreator(["load-s3", "--bucket", "trail", "--engine", "get", "--endpoint-url", &moto.endpoint()])
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .run();
    run.success();
    assert!(run.stdout.contains("requests     s3:GetObject 7, s3:HeadBucket 1"), "{}", run.printed());
    assert!(Path::new(&bench.path("creators.db")).exists());
}
