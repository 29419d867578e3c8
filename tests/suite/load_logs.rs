//! `load-logs` by the real binary, against the project's own FilterLogEvents (`tests/servers/logs`), which executes filter
//! patterns, and against moto's.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::database::{events, query};
use crate::common::{Bench, Caller, Event, Moto, Run, Trail, day, moment};

const FILTER: &str = "FilterLogEvents";

fn create_bucket(name: &str, time: &str) -> Event {
    Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name})).at(time)
}

/// Events of some days, most of them of no interest.
fn trail() -> Trail {
    let mut trail = Trail::new()
        .event(create_bucket("sam's", &moment(2, "10:00:00")).by(Caller::saml_user("sam")))
        .event(create_bucket("denied", &moment(2, "10:00:01")).failed("AccessDenied"))
        .event(create_bucket("in-europe", &moment(5, "23:59:00")).region("eu-west-1"))
        .event(
            Event::new("lambda.amazonaws.com", "CreateFunction20150331")
                .request(json!({"functionName": "f"}))
                .at(&moment(4, "10:00:00")),
        )
        .event(
            Event::new("s3.amazonaws.com", "PutObject").request(json!({"bucketName": "b"})).at(&moment(4, "10:00:00")),
        );
    for number in 0..50 {
        trail.push(Event::new("ec2.amazonaws.com", "DescribeInstances").at(&moment(number % 5, "00:00:01")));
    }
    trail
}

fn world(trail: &Trail, options: &[(&str, &str)]) -> (Bench, Moto) {
    let bench = Bench::new();
    trail.write(&bench.path("logs/one.json.gz"));
    let moto = Moto::start_with_logs(Some(&bench.path("logs")), options);
    (bench, moto)
}

fn load(bench: &Bench, moto: &Moto, args: &[&str]) -> Run {
    let command = ["load-logs", "--log-group", "trail", "--output", "json"];
    bench.trailcreator(command.iter().chain(args)).aws(moto).run()
}

fn requests(moto: &Moto) -> usize {
    moto.requests().iter().filter(|request| request.action == FILTER).count()
}

fn names(db: &Path) -> Vec<String> {
    query(db, "SELECT resource_id FROM resource_events ORDER BY 1")
}

#[test]
fn log_group_gives_the_rows_of_its_files_and_is_read_once() {
    let (bench, moto) = world(&trail(), &[("TRAIL_LOGS_DELAY", "300")]);
    bench.trailcreator(["load-files", "logs", "--db", "files.db"]).run().success();
    let first = load(&bench, &moto, &[]);
    let summary = first.success().json();
    assert_eq!(events(&bench.path("creators.db")), events(&bench.path("files.db")));
    // The pattern leaves out what only reads, and the busiest call.
    assert_eq!((&summary["records"], &summary["matched"]), (&json!(4), &json!(3)), "{summary:#}");
    assert_eq!((&summary["logs"]["log_group"], &summary["logs"]["region"]), (&json!("trail"), &json!("us-east-1")));
    let before = requests(&moto);
    let again = load(&bench, &moto, &[]).success().json();
    // Only the days that can still get events are requested again.
    assert_eq!((&again["new_ids"], requests(&moto) - before), (&json!(0), 1), "{again:#}");
    let text = bench.trailcreator(["load-logs", "--log-group", "trail"]).aws(&moto).run();
    text.success().shows(["log group    trail in us-east-1, ", "already loaded"]);
}

#[test]
fn time_range_is_of_the_calls_and_not_of_their_delivery() {
    let trail = Trail::new()
        .event(create_bucket("before", &moment(5, "23:59:00")))
        .event(create_bucket("in", &moment(4, "23:59:00")))
        .event(create_bucket("after", &moment(3, "00:00:00")));
    let (bench, moto) = world(&trail, &[("TRAIL_LOGS_DELAY", "900")]);
    load(&bench, &moto, &["--day", &day(4)]).success();
    assert_eq!(names(&bench.path("creators.db")), ["in"]);
    load(&bench, &moto, &["--since", &day(6)]).success();
    assert_eq!(
        names(&bench.path("creators.db")),
        ["after", "before", "in"],
        "what the time range left out is read later"
    );
}

#[test]
fn late_events_are_found_by_the_next_load() {
    let now = jiff::Timestamp::now();
    let ago = |minutes: i64| {
        now.checked_sub(jiff::ToSpan::minutes(minutes)).expect("a moment").strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let (bench, moto) = world(&Trail::new().event(create_bucket("early", &ago(30))), &[]);
    load(&bench, &moto, &[]).success();
    Trail::new().event(create_bucket("late", &ago(60))).write(&bench.path("logs/two.json.gz"));
    let again = load(&bench, &moto, &[]).success().json();
    assert_eq!(again["new_ids"], 1);
    assert_eq!(names(&bench.path("creators.db")), ["early", "late"]);
}

#[test]
fn empty_pages_and_throttling_lose_nothing() {
    let mut trail = trail();
    for number in 0..40 {
        trail.push(create_bucket(&format!("b{number}"), &moment(3, &format!("10:{number:02}:00"))));
    }
    let (bench, moto) = world(&trail, &[("TRAIL_LOGS_SCAN", "7"), ("TRAIL_LOGS_THROTTLE", "3")]);
    let summary = load(&bench, &moto, &[]).success().json();
    assert_eq!(summary["new_ids"], 43, "{summary:#}");
}

/// 0 as long as there is no database.
fn days_in_ledger(database: &Path) -> i64 {
    let count = |connection: rusqlite::Connection| {
        connection.query_row("SELECT COUNT(*) FROM ledger_units", [], |row| row.get(0))
    };
    rusqlite::Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(count)
        .unwrap_or(0)
}

#[test]
fn killed_load_is_completed_by_the_same_command() {
    let mut trail = Trail::new();
    for number in 0..300_i64 {
        let time = moment(10 + number % 60, "10:00:00");
        trail.push(create_bucket(&format!("b{number:03}"), &time).field("eventID", json!(format!("e{number}"))));
    }
    let (bench, moto) = world(&trail, &[("TRAIL_LOGS_SCAN", "10")]);
    let mut child = bench.trailcreator(["load-logs", "--log-group", "trail"]).aws(&moto).spawn();
    // Not before a day is in the ledger, however slow the machine is.
    while days_in_ledger(&bench.path("creators.db")) == 0 && child.try_wait().expect("a child").is_none() {
        std::thread::yield_now();
    }
    child.kill().expect("a child that ended may be killed too");
    child.wait().expect("it ends");
    let rest = load(&bench, &moto, &[]).success().json();
    assert!(rest["files"]["already_loaded"].as_u64().expect("a number") > 0, "{rest:#}");
    assert_eq!(names(&bench.path("creators.db")).len(), 300);
}

#[test]
fn errors_say_what_to_do() {
    let (bench, moto) = world(&trail(), &[]);
    let other = bench.trailcreator(["load-logs", "--log-group", "other"]).aws(&moto).run();
    other.code(1).says(["there is no log group other in us-east-1", "check --log-group and --region"]);
    bench
        .trailcreator(["load-logs", "--log-group", "no group"])
        .aws(&moto)
        .run()
        .code(2)
        .says(["the name or the ARN of a log group"]);
    let (bench, moto) = world(&trail(), &[("TRAIL_LOGS_DENIED", FILTER)]);
    load(&bench, &moto, &[]).code(1).says(["logs:FilterLogEvents"]);
    let policy = bench.trailcreator(["policy", "load-logs"]).run();
    let policy = policy.success().json();
    assert_eq!(policy["Statement"][0]["Action"], json!(["logs:DescribeLogGroups", "logs:FilterLogEvents"]));
    let nothing = Trail::new().event(Event::new("ec2.amazonaws.com", "DescribeInstances").at(&moment(1, "00:00:00")));
    let (bench, moto) = world(&nothing, &[]);
    load(&bench, &moto, &[]).success().says(["log group trail has no create, delete or rename events"]);
}

/// The least is one request for each megabyte of what the pattern selects, and the description of the group.
#[test]
fn large_group_takes_few_more_requests_than_the_least() {
    let bench = Bench::new();
    let moto = Moto::start_with_logs(None, &[("TRAIL_LOGS_EVENTS", "200000")]);
    let summary = load(&bench, &moto, &[]).success().json();
    let wanted = 200_000_u64.div_ceil(70);
    assert_eq!(summary["new_ids"], wanted);
    let least = summary["json_bytes"].as_u64().expect("a number").div_ceil(1024 * 1024);
    let made = requests(&moto) as u64;
    assert!(made <= least + 8, "{made} requests, at least {least}");
}

/// moto's own log groups: it takes our parameters, and ignores patterns on JSON.
#[test]
fn group_of_moto_gives_the_same_rows() {
    let (bench, moto) = (Bench::new(), Moto::start());
    trail().write(&bench.path("logs/one.json.gz"));
    bench.trailcreator(["load-files", "logs", "--db", "files.db"]).run().success();
    let records: Vec<Value> = trail().records().to_vec();
    bench.write("records.json", json!(records).to_string());
    moto.boto3(&format!(
        "import json, calendar, time
logs = client('logs')
logs.create_log_group(logGroupName='trail')
logs.create_log_stream(logGroupName='trail', logStreamName='s')
records = sorted(json.load(open({:?})), key=lambda record: record['eventTime'])
at = lambda record: calendar.timegm(time.strptime(record['eventTime'], '%Y-%m-%dT%H:%M:%SZ')) * 1000
logs.put_log_events(logGroupName='trail', logStreamName='s', logEvents=[{{'timestamp': at(r), 'message': json.dumps(r)}} for r in records])
result = 1",
        bench.path("records.json").display().to_string()
    ));
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:trail:*";
    let run = bench.trailcreator(["load-logs", "--log-group", arn, "--since", "10d"]).aws(&moto).run();
    run.success();
    assert_eq!(events(&bench.path("creators.db")), events(&bench.path("files.db")));
}
