//! Tables of hostile input: each ends in bounded time and memory, in an error that names the file, or in data that prints safely.

mod log_files;
#[cfg(unix)]
mod pipes;
mod yaml;

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use crate::common::memory;
use crate::common::{Bench, Run};

/// Far more than each needs, and far less than one without bounds takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// The most memory that a command may take, in KiB: buffers of two threads, and the built-in resource map.
const MEMORY: u64 = 400 * 1024;

fn record(name: &str, more: &Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.08", "eventTime": "2026-03-01T10:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances", "awsRegion": "eu-west-1", "eventID": name, "recipientAccountId": "123456789012",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "arn": "arn:aws:iam::123456789012:user/ann"},
        "requestParameters": null, "responseElements": instances([name]),
    });
    for (key, value) in more.as_object().expect("fields") {
        record[key] = value.clone();
    }
    record
}

fn instances<T: Into<Value>>(ids: impl IntoIterator<Item = T>) -> Value {
    let items: Vec<Value> = ids.into_iter().map(|id| json!({"instanceId": id.into()})).collect();
    json!({"instancesSet": {"items": items}})
}

fn trail(record: &Value) -> Vec<u8> {
    json!({"Records": [record]}).to_string().into_bytes()
}

fn with(field: &str, value: Value) -> Vec<u8> {
    trail(&record("with", &Value::Object([(field.to_owned(), value)].into_iter().collect())))
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn raw(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// What a command printed, and that it was bounded.
fn bounded(bench: &Bench, args: &[&str]) -> Run {
    let begun = Instant::now();
    let mut child = bench.shell(&format!("exec trailcreator {} >stdout 2>stderr", args.join(" "))).spawn();
    #[cfg(target_os = "linux")]
    let peak = memory::peak_until_end(&mut child);
    #[cfg(not(target_os = "linux"))]
    let peak = 0;
    let code = child.wait().expect("a child").code();
    let read =
        |name: &str| String::from_utf8(fs::read(bench.path(name)).expect("it is there")).expect("output is UTF-8");
    let run = Run { shown: args.join(" "), code, stdout: read("stdout"), stderr: read("stderr") };
    assert!(begun.elapsed() < PATIENCE, "{:?} for {}", begun.elapsed(), run.shown);
    assert!(peak < MEMORY, "{peak} KiB for {}", run.shown);
    assert!(run.code.is_some_and(|code| code != 101), "{}", run.printed());
    let is_unsafe = |c: char| c.is_control() && !matches!(c, '\n' | '\r') || c == '\u{202e}';
    assert!(!run.stdout.contains(is_unsafe) && !run.stderr.contains(is_unsafe), "{}", run.printed());
    run
}

/// Patterns of identity maps that are large, or slow in engines that go back.
#[test]
fn hostile_patterns_are_refused_or_take_linear_time() {
    let bench = Bench::new();
    let session = "a".repeat(60_000);
    let identity = json!({"type": "AssumedRole", "arn": format!("arn:aws:sts::1:assumed-role/r/{session}"),
        "principalId": format!("AROA:{session}"), "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "r", "arn": "arn:aws:iam::1:role/r"}}});
    bench.write("logs/a.json", trail(&record("i-1", &json!({"userIdentity": identity}))));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let patterns = [
        "/((a{100}){100}){100}/".to_owned(),
        r"/\\p{L}{100000}/".to_owned(),
        "/(a+)+$b/".to_owned(),
        "/(a|aa)+$b/".to_owned(),
        format!("/{}{}/", "(a?)".repeat(300), "a".repeat(300)),
        format!("/{}/", "(".repeat(10_000)),
        format!("/{}/", "a|".repeat(500_000)),
        format!("{}b", "*a".repeat(2_000)),
        "*".repeat(100_000),
    ];
    for (number, pattern) in patterns.iter().enumerate() {
        let name = format!("map{number}.yml");
        bench.write(&name, format!("rules: [{{session: \"{pattern}\", owner: x}}]\n"));
        let run = bounded(&bench, &["who", "i-1", "--identity-map", &name]);
        assert!(run.code == Some(0) || run.stderr.contains(&name), "{}", run.printed());
    }
}

/// Expressions of resource maps that are deep, or whose results grow.
#[test]
fn hostile_expressions_are_bounded() {
    let bench = Bench::new();
    bench.write("logs/a.json", trail(&record("i-1", &json!({"requestParameters": {"x": "x".repeat(100_000)}}))));
    let expressions = [
        format!("requestParameters{}", " | join('', [@, @])".repeat(40)),
        format!("requestParameters{}", " | [@, @]".repeat(60)),
        format!("requestParameters{}", " | {a: @, b: @}".repeat(60)),
        format!("{}requestParameters{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("{}requestParameters", "!".repeat(50_000)),
        format!("requestParameters{}", ".a".repeat(50_000)),
        format!("requestParameters{}", "[*]".repeat(20_000)),
        format!("{}requestParameters{}", "[".repeat(20_000), "]".repeat(20_000)),
        format!("requestParameters{}", " || a".repeat(50_000)),
        format!("{}requestParameters{}", "to_string(".repeat(5_000), ")".repeat(5_000)),
        format!("`{}{}`", "[".repeat(50_000), "]".repeat(50_000)),
        format!("{}requestParameters{}", "map(&@, ".repeat(3_000), ")".repeat(3_000)),
    ];
    for (number, ids) in expressions.iter().enumerate() {
        let name = format!("map{number}.yml");
        let stanza =
            format!("service: ec2\nresources:\n- type: x\n  events:\n  - {{event: RunInstances, ids: \"{ids}\"}}\n");
        bench.write(&name, stanza);
        let run = bounded(&bench, &["resource-map", "check", &name, "--events", "logs/a.json"]);
        assert!(
            run.code == Some(0) || format!("{}{}", run.stdout, run.stderr).contains(&name),
            "{}",
            run.printed().get(..3000).unwrap_or_default()
        );
    }
}

/// Files in the place of the database, and databases that someone prepared.
#[test]
fn hostile_databases_are_refused() {
    let bench = Bench::new();
    bench.write("logs/a.json", trail(&record("i-1", &json!({}))));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let prepared = |name: &str, sql: &str| {
        fs::copy(bench.path("creators.db"), bench.path(name)).expect("a copy");
        rusqlite::Connection::open(bench.path(name)).expect("it opens").execute_batch(sql).expect("valid SQL");
    };
    prepared(
        "trigger.db",
        "CREATE TRIGGER \"x\u{1b}[2J\" AFTER INSERT ON resource_events BEGIN DELETE FROM resource_events; END",
    );
    prepared("newer.db", "PRAGMA user_version = 2000000000");
    prepared("negative.db", "PRAGMA user_version = -1");
    prepared(
        "view.db",
        "ALTER TABLE resource_events RENAME TO other; CREATE VIEW resource_events AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT * FROM n",
    );
    prepared("dropped.db", "DROP TABLE writes");
    let foreign = rusqlite::Connection::open(bench.path("foreign.db")).expect("it opens");
    foreign.execute_batch("CREATE TABLE places (url TEXT)").expect("valid SQL");
    drop(foreign);
    let mut damaged = fs::read(bench.path("creators.db")).expect("it is there");
    for at in (100..damaged.len()).step_by(97) {
        damaged[at] ^= 0x55;
    }
    bench.write("damaged.db", &damaged);
    bench.write("cut.db", &damaged[..2000]);
    bench.write("text.db", "not a database");
    bench.write("header.db", b"SQLite format 3\0");
    fs::create_dir(bench.path("folder.db")).expect("a folder");
    for name in
        ["trigger", "newer", "negative", "view", "dropped", "foreign", "damaged", "cut", "text", "header", "folder"]
    {
        let file = format!("{name}.db");
        for command in [&["who", "i-1"][..], &["load-files", "logs"], &["report", "--offline"]] {
            let run = bounded(&bench, &[&["--db", file.as_str()], command].concat());
            let is_sound = matches!(name, "negative" | "dropped") && run.code == Some(0);
            assert!(is_sound || run.code == Some(1) || run.code == Some(2), "{}", run.printed());
            assert!(is_sound || run.stderr.contains(&file), "{}", run.printed());
        }
    }
}
