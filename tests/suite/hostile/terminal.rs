//! Controls, bidirectional characters and line breaks in every field that others choose. The harness asserts after each run that
//! none reached stdout or stderr raw; these tests plant them, and see that each value is shown escaped, and true in JSON.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Moto, Run, Trail};

/// Clears the screen, rings, colors by a C1 control, deletes, reverses, hides, and breaks the line.
const EVIL: &str = "\u{1b}[2J\u{7}\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\n\t\rx";

/// How a text shows it.
const SHOWN: &str = r"\u{1b}[2J\u{7}\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\n\t\rx";

fn evil(name: &str) -> String {
    format!("{name}{EVIL}")
}

fn record() -> Event {
    let mut caller = Caller::iam_user(&evil("ann"));
    caller.0["principalId"] = json!(evil("AIDA"));
    caller.0["accessKeyId"] = json!(evil("AKIA"));
    Event::new("sqs.amazonaws.com", "CreateQueue")
        .by(caller)
        .request(json!({"queueName": evil("q")}))
        .response(json!({"queueUrl": format!("https://sqs.us-east-1.amazonaws.com/123456789012/{}", evil("q"))}))
        .field("sourceIPAddress", json!(evil("1.2.3.4")))
        .field("userAgent", json!(evil("aws-cli/2")))
}

/// A bench with a loaded trail; its records have control characters in every field.
fn bench() -> Bench {
    let bench = Bench::new();
    let other = Event::new("sns.amazonaws.com", "CreateTopic")
        .response(json!({"topicArn": evil("arn:aws:sns:us-east-1:123456789012:t")}));
    let odd = Event::new(&evil("svc"), &evil("CreateThing")).field("awsRegion", json!(evil("eu-west-1")));
    let failed = record().failed(&evil("AccessDenied")).field("recipientAccountId", json!(evil("1")));
    Trail::new().event(record()).event(other).event(odd).event(failed).write(&bench.path("logs/a.json.gz"));
    bench.write(format!("logs/{}.json", evil("broken").replace('/', "")), "{\"Records\": [{\"eventName\":");
    bench.trailcreator(["load-files", "logs"]).run().code(4).shows([SHOWN]);
    bench
}

#[test]
fn fields_of_records_and_file_names_are_escaped() {
    let bench = bench();
    let fields =
        "eventName,eventSource,userIdentity.arn,userIdentity.principalId,userAgent,sourceIPAddress,errorCode,awsRegion";
    let count = bench.trailcreator(["count", "logs", "--by", fields, "--top", "0"]).run();
    count.code(4).shows([SHOWN]);
    let rows = count.stdout.lines().take_while(|line| !line.is_empty()).count();
    assert_eq!(rows, 5, "a heading and four rows: no value adds a line\n{}", count.printed());
    let who = bench.trailcreator(["who", &evil("q")]).run();
    who.success().shows([SHOWN]);
    let json = bench.trailcreator(["who", &evil("q"), "--output", "json"]).run();
    let event = &json.success().json()["resources"][0]["event"];
    assert_eq!(event["user_agent"], json!(evil("aws-cli/2")), "JSON has the true text");
    let known = bench.trailcreator(["who", "unknown"]).run();
    assert_ne!(known.code, None);
    bench.trailcreator(["load-files", "logs", "-vvv"]).run().code(4);
}

#[test]
fn reports_are_escaped_in_text_and_csv_and_true_in_json() {
    let bench = bench();
    let report = |args: &[&str]| bench.trailcreator(["report", "--offline"].iter().chain(args)).run();
    report(&[]).success();
    report(&["--format", "csv"]).success();
    let creators = report(&["--format", "csv", "--by", "creator"]);
    let row = creators.success().stdout.lines().count();
    assert!(row >= 2, "{}", creators.printed());
    let json = report(&["--format", "json"]).success().json();
    assert!(json["creators"].is_array());
}

/// Every command prints what AWS says and what tags hold.
#[test]
fn answers_of_aws_are_escaped() {
    let bench = bench();
    let moto = Moto::start_with(
        r#"def before(entry, environ):
    evil = '\x1b[2J\x07\x9b31m\x7f\u202e\u2066\u200b\u2028\n\t\rx'
    import json
    if entry['action'] == 'DescribeInstances':
        return 403, 'text/xml', '<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no \x9b31m\x7f\u202e\n\tx</Message></Error></Errors></Response>'
    if entry['action'] == 'ListTables':
        return 400, 'application/json', json.dumps({'__type': 'ValidationException', 'message': 'no ' + evil})"#,
    );
    moto.boto3(
        "ec2 = client('ec2'); ec2.create_volume(AvailabilityZone='us-east-1a', Size=1, TagSpecifications=[dict(ResourceType='volume', \
         Tags=[dict(Key='Owner', Value='zoe\\x9b2J\\u202e')])])",
    );
    let volume = moto.boto3("result = client('ec2').describe_volumes()['Volumes'][0]['VolumeId']");
    let created = Event::new("ec2.amazonaws.com", "CreateVolume").response(json!({"volumeId": volume}));
    Trail::new().event(created.by(Caller::iam_user("ann"))).write(&bench.path("more/b.json.gz"));
    bench.trailcreator(["load-files", "more"]).run().success();
    let run = |args: &[&str]| bench.trailcreator(args).aws(&moto).run();
    let types = ["--type", "ec2,ebs,dynamodb-table"];
    let tag = |more: &[&str]| run(&[&["tag"], &types[..], more].concat());
    tag(&["--dry-run"]).code(4).says([r"no \u{1b}[2J", r"no \u{9b}31m\u{7f}\u{202e}"]);
    tag(&["--dry-run", "-vvv", "--output", "json"]).code(4);
    tag(&["--overwrite", "--yes", "--skip-tag", "x"]).code(4);
    run(&["report", types[0], types[1]]).code(4);
    shown_again(&run);
    run(&["undo", "1"]);
    run(&["runs", "1"]);
}

/// The journal keeps the replaced value.
fn shown_again(run: &dyn Fn(&[&str]) -> Run) {
    run(&["runs"]).success();
    run(&["runs", "1"]).success().shows([r"zoe\u{9b}2J\u{202e}"]);
    let json: Value = run(&["runs", "1", "--output", "json"]).success().json();
    assert!(json.to_string().contains("zoe\u{9b}2J"));
}

#[test]
fn files_of_others_are_escaped() {
    let bench = bench();
    let quoted = serde_json::to_string(&evil("x")).unwrap();
    bench.write("map.yml", format!("{{{quoted}: {quoted}}}"));
    bench.write("accounts.yml", format!("{{accounts: [{{account_id: {quoted}, name: {quoted}}}]}}"));
    bench.write("identity.yml", format!("{{rules: [{{user: {quoted}, owner: {quoted}, {quoted}: 1}}]}}"));
    bench.write("plan.json", format!("{{{quoted}: {quoted}}}"));
    let run = |args: &[&str]| bench.trailcreator(args).run();
    run(&["resource-map", "check", "map.yml"]).code(2);
    run(&["resource-map", "list", "--resource-map", "map.yml"]).code(2);
    run(&["tag-org", "--config", "accounts.yml"]).code(2);
    run(&["report", "--offline", "--identity-map", "identity.yml"]).code(2);
    run(&["apply", "plan.json"]);
    run(&["load-files", &evil("missing")]).code(2).says([SHOWN]);
    run(&["--db", &evil("missing.db"), "who", "x"]).code(1);
    run(&["resource-map", "check", "--events", "logs/a.json.gz", "map.yml"]);
    fs::copy(bench.path("map.yml"), bench.path(evil("map.yml"))).unwrap();
    run(&["resource-map", "check", &evil("map.yml")]).code(2).shows([SHOWN]);
}

#[test]
fn the_command_line_itself_is_escaped() {
    let bench = Bench::new();
    let run = |args: &[&str]| bench.trailcreator(args).run();
    run(&[&evil("tagg")]).code(2);
    run(&["who", &evil("--x")]).code(2).says([r"\u{202e}"]);
    run(&["count", ".", "--by", &evil("x")]).code(2);
    run(&["tag", "--type", &evil("x")]);
    run(&["policy", &evil("tag")]).code(2);
    bench.trailcreator(["runs"]).env("TRAILCREATOR_DB", &evil("no/")).run();
    bench.trailcreator(["runs"]).env("TRAILCREATOR_OUTPUT", &evil("text")).run().code(2);
    bench.trailcreator(["runs"]).env(&evil("TRAILCREATOR_X"), "1").run().code(1).says([SHOWN]);
}
