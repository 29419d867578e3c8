//! `count` with the real binary, on files and on moto's S3.

use std::fs;
use std::io::Write;
use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Moto, Run, Trail, gzip};

fn call(source: &str, name: &str) -> Event {
    Event::new(&format!("{source}.amazonaws.com"), name)
}

fn trail() -> Trail {
    let day = |event: Event, day: &str| event.at(&format!("2026-03-{day}T10:00:00Z"));
    Trail::new()
        .event(day(call("s3", "ListBuckets"), "01"))
        .event(day(call("s3", "ListBuckets"), "02").failed("AccessDenied"))
        .event(day(call("s3", "ListBuckets"), "02").by(Caller::root()))
        .event(day(call("ec2", "RunInstances"), "01"))
        .event(day(call("ec2", "DescribeInstances"), "01"))
        .event(day(call("ec2", "DescribeInstances"), "03").by(Caller::service("autoscaling.amazonaws.com")))
}

/// `count failed value value…`, one per line.
fn lines(run: &Run) -> Vec<String> {
    let document = run.json();
    let by: Vec<&str> = document["by"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
    let line = |row: &Value| {
        let values = by.iter().map(|field| row["values"][field].as_str().unwrap_or("null"));
        format!("{} {} {}", row["count"], row["failed"], values.collect::<Vec<_>>().join(" "))
    };
    document["calls"].as_array().unwrap().iter().map(line).collect()
}

fn count(bench: &Bench, args: &[&str]) -> Run {
    bench.trailcreator(["count", "--output", "json"].iter().chain(args)).run()
}

const ALL: [&str; 3] = [
    "3 1 s3.amazonaws.com ListBuckets",
    "2 0 ec2.amazonaws.com DescribeInstances",
    "1 0 ec2.amazonaws.com RunInstances",
];

#[test]
fn calls_in_files_are_ranked_and_no_database_is_created() {
    let bench = Bench::new();
    trail().write(&bench.path("logs/2026/a.json.gz"));
    trail().write(&bench.path("logs/b.json"));
    bench.write("logs/CloudTrail-Digest.json.gz", gzip(b"{}"));
    let run = count(&bench, &["logs"]);
    assert_eq!(
        lines(run.success()),
        [
            "6 2 s3.amazonaws.com ListBuckets",
            "4 0 ec2.amazonaws.com DescribeInstances",
            "2 0 ec2.amazonaws.com RunInstances"
        ]
    );
    let document = run.json();
    assert_eq!(document["format_version"], 1);
    assert_eq!(document["files"], json!({"read": 2, "skipped": 1, "broken": 0}));
    assert_eq!(lines(&count(&bench, &["logs/b.json", "--top", "1"])), ALL[..1]);
    assert_eq!(lines(&count(&bench, &["logs/b.json", "--top", "0", "--jobs", "3"])), ALL);
    assert_eq!(lines(&count(&bench, &["logs/b.json", "--day", "2026/03/02"])), ["2 1 s3.amazonaws.com ListBuckets"]);
    assert_eq!(
        lines(&count(&bench, &["logs/b.json", "--by", "userIdentity.type,errorCode", "--top", "0"])),
        ["3 0 IAMUser null", "1 0 AWSService null", "1 1 IAMUser AccessDenied", "1 0 Root null"]
    );
    assert!(!bench.path("creators.db").exists());
}

#[test]
fn text_is_a_table() {
    let bench = Bench::new();
    trail().write(&bench.path("a.json"));
    let run = bench.trailcreator(["count", "a.json", "--top", "2"]).run();
    let expected = "calls  failed  eventSource        eventName
    3       1  s3.amazonaws.com   ListBuckets
    2       0  ec2.amazonaws.com  DescribeInstances

6 calls in 3 rows, 2 shown
1 log file read (";
    assert!(run.success().stdout.starts_with(expected), "{}", run.stdout);
}

#[test]
fn broken_files_are_listed_and_the_rest_is_counted() {
    let bench = Bench::new();
    trail().write(&bench.path("logs/a.json"));
    bench.write("logs/cut.json.gz", &trail().gz()[..60]);
    bench.write("logs/odd.json", r#"{"Records":[{"eventSource":"x"}]}"#);
    let run = count(&bench, &["logs"]);
    run.code(4);
    let document = run.json();
    let failures: Vec<_> = document["failures"].as_array().unwrap().iter().map(|f| f["name"].clone()).collect();
    assert_eq!(failures, ["logs/cut.json.gz", "logs/odd.json"]);
    assert_eq!((&document["files"]["broken"], &document["broken_records"]), (&json!(1), &json!(1)));
    assert!(lines(&run).contains(&"3 1 s3.amazonaws.com ListBuckets".to_owned()));
    bench.trailcreator(["count", "logs"]).run().code(4).shows(["logs/cut.json.gz: the gzip data is truncated"]);
}

#[test]
fn stdin_is_counted_with_other_files() {
    let bench = Bench::new();
    trail().write(&bench.path("a.json"));
    bench.write("broken.json.gz", "no gzip");
    let mut child = bench.trailcreator(["count", "a.json", "broken.json.gz", "-", "--output", "json"]).spawn();
    // Gzip, as from a pipe.
    child.stdin.take().expect("piped").write_all(&trail().gz()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(4));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["calls"][0]["count"], 6, "{document}");
    assert_eq!(document["files"], json!({"read": 3, "skipped": 0, "broken": 1}));
    assert!(
        document["failures"][0]["reason"].as_str().expect("text").starts_with("neither gzip nor JSON"),
        "{document}"
    );
}

/// Waits until a process has installed its SIGINT handler.
#[cfg(target_os = "linux")]
fn wait_for_handler(child: &Child) {
    const SIGINT_BIT: u64 = 1 << 1;
    let handles = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it is alive");
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("Linux has it").trim();
        u64::from_str_radix(caught, 16).expect("a mask") & SIGINT_BIT != 0
    };
    while !handles() {
        std::thread::yield_now();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn interrupted_count_says_so_in_its_result() {
    let bench = Bench::new();
    trail().write(&bench.path("a.json"));
    let mut child = bench.trailcreator(["count", "a.json", "-", "--output", "json"]).spawn();
    // Stays open, so that the count can't end by itself.
    let stdin = child.stdin.take();
    wait_for_handler(&child);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let output = child.wait_with_output().expect("it ends");
    drop(stdin);
    assert_eq!(output.status.code(), Some(130));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["interrupted"], true);
    assert!(String::from_utf8_lossy(&output.stderr).contains("the counts cover only the log files read so far"));
}

#[test]
fn invalid_arguments_are_usage_errors_with_hints() {
    let bench = Bench::new();
    bench.trailcreator(["count", ".", "--by", "eventname"]).run().code(2).says(["did you mean eventName?"]);
    bench.trailcreator(["count", "none"]).run().code(2).says(["none: No such file"]);
    bench.trailcreator(["count", "s3:///x"]).run().code(2).says(["s3://BUCKET/PREFIX"]);
}

#[test]
fn bucket_is_counted_like_files() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let key = "logs/AWSLogs/123456789012/CloudTrail/us-east-1/2026/03/01/a.json.gz";
    trail().write(&bench.path(key));
    moto.boto3(&format!(
        "s3 = client('s3', 'us-east-1')
s3.create_bucket(Bucket='trail')
s3.put_object(Bucket='trail', Key='{key}', Body=open({:?}, 'rb').read())",
        bench.path(key)
    ));
    for place in ["s3://trail/logs", "s3://trail/logs/AWSLogs/123456789012/CloudTrail/us-east-1/"] {
        let run = bench.trailcreator(["count", "--output", "json", place]).aws(&moto).run();
        assert_eq!(lines(run.success()), ALL);
        assert_eq!(run.json()["requests"]["s3:GetObject"], 1);
    }
    let run = bench.trailcreator(["count", "s3://trail/elsewhere/"]).aws(&moto).run();
    run.code(1).says(["s3://trail/elsewhere/", "hint: "]);
    assert!(!bench.path("creators.db").exists());
}
