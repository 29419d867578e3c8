//! `load-history` and `who --live` with the real binary, against the project's own LookupEvents (`trail_services.py`): it
//! computes Event history from log files, with AWS's pagination, inclusive ends and rate limit.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::common::database::{events, query};
use crate::common::{ACCOUNT, Bench, Caller, Event, Moto, Run, Trail, day, moment};

const LOOKUP: &str = "LookupEvents";

/// For tests that count requests of processes that run independently.
const WITHOUT_RATE: [(&str, &str); 1] = [("TRAIL_SERVICES_RATE", "off")];

fn create_bucket(name: &str, time: &str) -> Event {
    Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name})).at(time)
}

/// Create events of buckets, one every ten minutes back from noon of a day.
fn buckets(trail: &mut Trail, count: i64, ago: i64) {
    let noon: Timestamp = moment(ago, "12:00:00").parse().expect("a moment");
    for number in 0..count {
        let time = noon.checked_sub((number * 10).minutes()).expect("a moment");
        trail.push(create_bucket(&format!("b-{ago}-{number}"), &time.to_string()));
    }
}

/// Events of all kinds in the last days.
fn trail() -> Trail {
    let role = json!({"role": {"roleName": "größe", "arn": format!("arn:aws:iam::{ACCOUNT}:role/größe")}});
    let mut trail = Trail::new()
        .event(create_bucket("sam's", &moment(2, "10:00:00")).by(Caller::saml_user("sam")))
        .event(create_bucket("denied", &moment(2, "10:00:01")).failed("AccessDenied"))
        .event(
            Event::new("iam.amazonaws.com", "CreateRole")
                .at(&moment(3, "23:59:59"))
                .by(Caller::assumed_role("deploy", "anna@example.com").source_identity("anna"))
                .request(json!({"roleName": "größe"}))
                .response(role),
        )
        .event(Event::new("iam.amazonaws.com", "ListRoles").at(&moment(3, "10:00:00")).field("readOnly", json!(true)))
        .event(Event::new("s3.amazonaws.com", "CreateBucket").at(&moment(4, "10:00:00")))
        .event(create_bucket("in-europe", &moment(5, "10:00:00")).region("eu-west-1"));
    buckets(&mut trail, 120, 6);
    trail
}

/// A bench with a trail in `logs`, and a server that has it as Event history.
fn world(trail: &Trail, options: &[(&str, &str)]) -> (Bench, Moto) {
    let bench = Bench::new();
    trail.write(&bench.path("logs/one.json.gz"));
    let moto = Moto::start_with_trail_services(&bench.path("logs"), options);
    (bench, moto)
}

fn load(bench: &Bench, moto: &Moto, args: &[&str]) -> Run {
    bench.trailcreator(["load-history", "--output", "json"].iter().chain(args)).aws(moto).run()
}

/// The rows for the same records in log files.
fn rows_of_files(bench: &Bench, args: &[&str]) -> Vec<String> {
    bench.trailcreator(["load-files", "logs", "--db", "files.db"].iter().chain(args)).run().success();
    let rows = events(&bench.path("files.db"));
    fs::remove_file(bench.path("files.db")).expect("it was made");
    rows
}

/// The bodies of the LookupEvents requests so far.
fn lookups(moto: &Moto) -> Vec<Value> {
    let requests = moto.our_requests().into_iter().filter(|request| request.action == LOOKUP);
    requests.map(|request| serde_json::from_str(&request.body).expect("JSON")).collect()
}

/// The different requests so far. A request that is sent again after throttling, on a busy machine, counts once.
fn questions(moto: &Moto) -> usize {
    let requests = moto.our_requests().into_iter().filter(|request| request.action == LOOKUP);
    requests.map(|request| (request.region, request.body)).collect::<BTreeSet<_>>().len()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn event_history_gives_the_rows_of_files_and_only_open_days_are_read_again() {
    let (bench, moto) = world(&trail(), &[]);
    let run = load(&bench, &moto, &["--region", "us-east-1,eu-west-1"]);
    let summary = run.success().json();
    let rows = events(&bench.path("creators.db"));
    assert_eq!(rows.len(), 123);
    assert_eq!(rows, rows_of_files(&bench, &[]));
    assert_eq!(summary["history"]["regions"], json!(["eu-west-1", "us-east-1"]));
    assert_eq!((number(&summary["matched"]), number(&summary["new_ids"])), (124, 123));
    assert_eq!(summary["without_ids"], json!({"s3.amazonaws.com:CreateBucket": 1}));
    let days = number(&summary["files"]["read"]);
    assert!((180..=182).contains(&days), "{days} days of two regions");
    // Two regions: open days, final days in three pages (one in this region, three in the other), and part of the first day.
    assert_eq!(questions(&moto), 8);
    assert_eq!(summary["requests"]["cloudtrail:LookupEvents"], json!(lookups(&moto).len()));
    let again = load(&bench, &moto, &["--region", "us-east-1", "--region", "eu-west-1"]).success().json();
    assert_eq!(again["new_ids"], json!(0));
    assert!(number(&again["files"]["already_loaded"]) >= days - 6, "{again}");
    assert_eq!(questions(&moto), 8 + 4, "open days and the part of the first day");
    assert_eq!(events(&bench.path("creators.db")), rows);
}

#[test]
fn text_shows_days_and_requests_and_default_region_is_from_the_environment() {
    let (bench, moto) = world(&trail(), &[]);
    let run = bench.trailcreator(["load-history", "--since", "7d"]).aws(&moto).run();
    let text = &run.success().stdout;
    for part in ["history      us-east-1, ", "read         8 days\n", " (122 identifiers), all new\n"] {
        assert!(text.contains(part), "no {part:?}\n{}", run.printed());
    }
    assert!(text.contains("cloudtrail:LookupEvents"), "{}", run.printed());
}

#[test]
fn all_means_the_enabled_regions_of_the_account_or_of_ec2() {
    let (bench, moto) = world(&trail(), &[("TRAIL_SERVICES_REGIONS", "eu-west-1,us-east-1,sa-east-1")]);
    let summary = load(&bench, &moto, &["--region", "all", "--since", "7d"]).success().json();
    assert_eq!(summary["history"]["regions"], json!(["eu-west-1", "sa-east-1", "us-east-1"]));
    assert_eq!(events(&bench.path("creators.db")), rows_of_files(&bench, &[]));
    let (bench, moto) = world(&trail(), &[("TRAIL_SERVICES_DENIED", "POST /list-regions")]);
    let run = load(&bench, &moto, &["--region", "all", "--since", "1h"]);
    run.success().says(["account:ListRegions", "using the enabled regions that EC2 reports"]);
    let expected = moto.boto3("result = sorted(r['RegionName'] for r in client('ec2').describe_regions()['Regions'])");
    assert_eq!(run.json()["history"]["regions"], expected);
    let denied = [("TRAIL_SERVICES_DENIED", "POST /list-regions,DescribeRegions")];
    let (bench, moto) = world(&trail(), &denied);
    let run = load(&bench, &moto, &["--region", "all"]);
    run.code(1).says(["ec2:DescribeRegions", "--region us-east-1"]);
}

#[test]
fn throttled_requests_are_retried() {
    let (bench, moto) = world(&trail(), &[("TRAIL_SERVICES_THROTTLE", "2"), WITHOUT_RATE[0]]);
    let summary = load(&bench, &moto, &["--since", &day(4), "--until", &day(1)]).success().json();
    assert_eq!((number(&summary["ids"]), &summary["requests"]["cloudtrail:LookupEvents"]), (2, &json!(3)));
}

#[test]
fn denied_region_does_not_stop_the_others() {
    let (bench, moto) = world(&trail(), &[("TRAIL_SERVICES_DENIED", "us-east-1")]);
    let run = load(&bench, &moto, &["--region", "us-east-1,eu-west-1", "--since", "7d"]);
    run.code(4).says(["us-east-1", "cloudtrail:LookupEvents"]);
    assert_eq!(run.json()["failures"][0]["name"], "Event history of us-east-1");
    assert_eq!(query(&bench.path("creators.db"), "SELECT resource_id FROM resource_events"), ["in-europe"]);
    let run = load(&bench, &moto, &["--region", "us-east-1"]);
    run.code(1).says(["AccessDenied", "allow cloudtrail:LookupEvents"]);
}

#[test]
fn part_of_a_day_does_not_count_as_the_day() {
    let mut trail = Trail::new();
    buckets(&mut trail, 40, 4);
    let (bench, moto) = world(&trail, &[]);
    load(&bench, &moto, &["--since", &moment(4, "10:00:00"), "--until", &day(3)]).success();
    assert_eq!(events(&bench.path("creators.db")).len(), 13);
    let summary = load(&bench, &moto, &["--day", &day(4)]).success().json();
    assert_eq!(summary["files"]["already_loaded"], 0);
    assert_eq!(events(&bench.path("creators.db")).len(), 40);
    let summary = load(&bench, &moto, &["--since", &moment(4, "10:00:00"), "--until", &day(3)]).success().json();
    assert_eq!(summary["files"]["already_loaded"], 1, "the ledger knows the whole of it");
}

#[test]
fn time_range_over_90_days_is_cut_with_a_warning_and_older_ones_are_refused() {
    let (bench, moto) = world(&trail(), &[]);
    load(&bench, &moto, &["--since", "200d"]).success().says(["holds 90 days", "load-s3"]);
    let run = load(&bench, &moto, &["--since", "90d"]);
    assert!(!run.success().stderr.contains("warning"), "{}", run.printed());
    load(&bench, &moto, &["--year", "2019"]).code(2).says(["90 days", "nothing in this time range", "load-s3"]);
    load(&bench, &moto, &["--since", "2999/01/01"]).code(2);
}

/// A map with two events (the built-in delete events remain): for a busy account, requests by name are better.
fn two_calls(bench: &Bench) {
    let map = json!({"resources": [{"resource": "s3", "events": [
        {"event": "CreateBucket", "service": "s3.amazonaws.com", "ids": "requestParameters.bucketName"},
        {"event": "CreateThing", "service": "s3.amazonaws.com", "ids": "requestParameters.bucketName"},
    ]}]});
    bench.write("two.json", map.to_string());
}

/// An account with many writing calls every day; only two event names are in the map.
fn busy() -> Trail {
    let mut trail = Trail::new();
    for ago in 2..12 {
        for number in 0..80 {
            let time = moment(ago, &format!("{:02}:{:02}:00", number / 4, number % 4 * 15));
            trail.push(Event::new("logs.amazonaws.com", "CreateLogStream").at(&time));
        }
        trail.push(create_bucket(&format!("b-{ago}"), &moment(ago, "12:30:00")));
    }
    trail
}

#[test]
fn busy_account_is_requested_name_by_name() {
    let (bench, moto) = world(&busy(), &WITHOUT_RATE);
    two_calls(&bench);
    let args = ["--since", &day(12), "--until", &day(1), "--resource-map", "two.json"];
    let summary = load(&bench, &moto, &args).success().json();
    let keys: Vec<String> =
        lookups(&moto).iter().map(|body| body["LookupAttributes"][0]["AttributeValue"].to_string()).collect();
    assert_eq!(keys, ["\"false\"", "\"false\"", "\"CreateBucket\"", "\"CreateThing\"", "\"DeleteBucket\""]);
    assert_eq!(summary["files"]["read"], 11);
    assert_eq!(events(&bench.path("creators.db")), rows_of_files(&bench, &["--resource-map", "two.json"]));
    let again = load(&bench, &moto, &args).success().json();
    assert_eq!((&again["files"]["already_loaded"], lookups(&moto).len()), (&json!(11), 5), "nothing was asked again");
}

#[test]
fn quiet_account_is_requested_for_all_calls_at_once() {
    let mut trail = Trail::new();
    buckets(&mut trail, 3, 20);
    let (bench, moto) = world(&trail, &[]);
    two_calls(&bench);
    load(&bench, &moto, &["--since", &day(80), "--until", &day(1), "--resource-map", "two.json"]).success();
    assert_eq!(lookups(&moto).len(), 1);
}

#[test]
fn event_that_cloudtrail_marks_read_only_is_found_too() {
    let map = json!({"resources": [{"resource": "s3", "events": [
        {"event": "GetThing", "service": "s3.amazonaws.com", "ids": "requestParameters.bucketName"},
    ]}]});
    let event = Event::new("s3.amazonaws.com", "GetThing")
        .at(&moment(3, "10:00:00"))
        .field("readOnly", json!(true))
        .request(json!({"bucketName": "got"}));
    let (bench, moto) = world(&Trail::new().event(event), &[]);
    bench.write("get.json", map.to_string());
    load(&bench, &moto, &["--since", &day(4), "--until", &day(2), "--resource-map", "get.json"]).success();
    assert_eq!(query(&bench.path("creators.db"), "SELECT resource_id FROM resource_events"), ["got"]);
}

/// Waits until the server has received this many LookupEvents requests.
fn wait_for(child: &mut Child, moto: &Moto, count: usize) {
    while lookups(moto).len() < count && child.try_wait().expect("a child").is_none() {
        std::thread::yield_now();
    }
}

/// A server with an Event history that waits while `hold` is set.
fn held(bench: &Bench, hold: &Path) -> Moto {
    let hold = ("TRAIL_SERVICES_HOLD", hold.to_str().expect("UTF-8"));
    Moto::start_with_trail_services(&bench.path("logs"), &[hold, WITHOUT_RATE[0]])
}

/// Starts a load that receives this many responses and then waits for one.
fn start_held(bench: &Bench, moto: &Moto, hold: &Path, answers: usize, args: &[&str]) -> Child {
    fs::write(hold, answers.to_string()).expect("the bench is writable");
    let mut child = bench.trailcreator(["load-history"].iter().chain(args)).aws(moto).spawn();
    wait_for(&mut child, moto, answers + 1);
    child
}

#[test]
fn killed_between_pages_resumes_with_unfinished_days() {
    let bench = Bench::new();
    let mut trail = Trail::new();
    (2..8).for_each(|ago| buckets(&mut trail, 60, ago));
    trail.write(&bench.path("logs/one.json"));
    let hold = bench.path("hold");
    let moto = held(&bench, &hold);
    let args = ["--since", &day(8), "--until", &day(1)];
    let mut child = start_held(&bench, &moto, &hold, 4, &args);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    fs::remove_file(&hold).expect("it is there");
    // 200 of 360 events were read, back into the fourth of seven days.
    let had = events(&bench.path("creators.db")).len();
    assert_eq!(had, 200);
    let summary = load(&bench, &moto, &args).success().json();
    assert_eq!((&summary["files"]["already_loaded"], &summary["files"]["read"]), (&json!(3), &json!(4)));
    assert_eq!(events(&bench.path("creators.db")), rows_of_files(&bench, &[]));
    let ends: BTreeSet<i64> =
        lookups(&moto)[5..].iter().map(|body| body["EndTime"].as_i64().expect("seconds")).collect();
    let end: Timestamp = moment(5, "23:59:59").parse().expect("a moment");
    assert_eq!(ends, BTreeSet::from([end.as_second()]), "finished days are not asked for again");
    assert_eq!(lookups(&moto).len(), 5 + 4, "180 and some events are four pages");
}

#[test]
fn killed_between_names_resumes_with_unfinished_names() {
    let bench = Bench::new();
    busy().write(&bench.path("logs/one.json"));
    two_calls(&bench);
    let hold = bench.path("hold");
    let moto = held(&bench, &hold);
    let args = ["--since", &day(12), "--until", &day(1), "--resource-map", "two.json"];
    let mut child = start_held(&bench, &moto, &hold, 3, &args);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    fs::remove_file(&hold).expect("it is there");
    load(&bench, &moto, &args).success();
    assert_eq!(events(&bench.path("creators.db")), rows_of_files(&bench, &["--resource-map", "two.json"]));
    let by_name =
        |name: &str| lookups(&moto).iter().filter(|body| body["LookupAttributes"][0]["AttributeValue"] == name).count();
    assert_eq!((by_name("CreateBucket"), by_name("CreateThing")), (1, 2));
}

#[test]
fn interrupt_ends_at_once_and_keeps_what_was_read() {
    let bench = Bench::new();
    trail().write(&bench.path("logs/one.json"));
    let hold = bench.path("hold");
    let moto = held(&bench, &hold);
    let child = start_held(&bench, &moto, &hold, 1, &["--since", &day(8), "--until", &day(1)]);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(messages.contains("run the same command again to load the rest"), "{messages}");
    assert!(!events(&bench.path("creators.db")).is_empty());
}

/// `(id, owner, source)` of each entry.
fn entries(run: &Run) -> Vec<(String, String, String)> {
    let document = run.json();
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let entries = document["resources"].as_array().expect("a list");
    entries.iter().map(|entry| (text(&entry["id"]), text(&entry["owner"]), text(&entry["source"]))).collect()
}

#[test]
fn who_live_reads_event_history_for_resources_not_in_the_database() {
    let known = create_bucket("known", &moment(100, "10:00:00")).by(Caller::iam_user("bob"));
    let (bench, moto) = world(&trail(), &[]);
    Trail::new().event(known).write(&bench.path("old/one.json"));
    let who = |args: &[&str]| {
        bench
            .trailcreator(["who", "--live", "--output", "json"].iter().chain(args))
            .aws(&moto)
            .env("AWS_REGION", "eu-west-1")
            .run()
    };
    let entry = |id: &str, owner: &str, source: &str| (id.to_owned(), owner.to_owned(), source.to_owned());
    let without_database = who(&["in-europe"]);
    assert_eq!(entries(without_database.success()), [entry("in-europe", "admin", "event-history")]);
    assert!(!bench.path("creators.db").exists(), "nothing is stored");
    bench.trailcreator(["load-files", "old"]).run().success();
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/größe");
    let run = who(&["no-such", "known", &arn, "sam's"]);
    assert_eq!(
        entries(run.code(4)),
        [
            entry("no-such", "none", "none"),
            entry("known", "bob", "none"),
            entry("größe", "anna", "event-history"),
            entry("sam's", "sam", "event-history"),
        ],
        "a global type's events are in us-east-1"
    );
    assert!(run.json()["resources"][0]["owner_reason"].as_str().expect("text").contains("Event history"));
    assert_eq!(query(&bench.path("creators.db"), "SELECT resource_id FROM resource_events"), ["known"]);
    let before = lookups(&moto).len();
    who(&["known"]).success();
    assert_eq!(lookups(&moto).len(), before, "the database knows it");
    let text = bench.trailcreator(["who", "--live", "in-europe"]).aws(&moto).env("AWS_REGION", "eu-west-1").run();
    assert!(text.success().stdout.contains("source   Event history"), "{}", text.printed());
}

#[test]
fn who_live_looks_up_earlier_names_too() {
    let user = |name: &str, ago: i64, caller: &str, request: Value| {
        Event::new("iam.amazonaws.com", name).at(&moment(ago, "10:00:00")).by(Caller::iam_user(caller)).request(request)
    };
    let mut trail = Trail::new();
    trail.push(user("CreateUser", 9, "alice", json!({"userName": "first"})));
    trail.push(user("UpdateUser", 8, "carol", json!({"userName": "first", "newUserName": "second"})));
    trail.push(user("UpdateUser", 7, "carol", json!({"userName": "second", "newUserName": "third"})));
    let (bench, moto) = world(&trail, &[]);
    let run = bench.trailcreator(["who", "--live", "third", "--output", "json"]).aws(&moto).run();
    assert_eq!(entries(run.success()), [("third".to_owned(), "alice".to_owned(), "event-history".to_owned())]);
}

#[test]
fn who_live_without_permission_names_the_missing_one() {
    let (bench, moto) = world(&trail(), &[("TRAIL_SERVICES_DENIED", LOOKUP)]);
    let run = bench.trailcreator(["who", "--live", "sam's"]).aws(&moto).run();
    run.code(4).says(["sam's", "allow cloudtrail:LookupEvents"]);
}
