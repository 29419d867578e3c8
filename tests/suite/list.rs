//! `list`: from the database and live, its filters, its formats, and `--where` in the commands that have it.

use serde_json::{Value, json};

use crate::common::{ACCOUNT, Bench, Caller, Event, Run, Trail, moment};
use crate::tag::lab::{Lab, entry};

const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) aws-sdk-go-v2/1.30.3";
const CONSOLE: &str = "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488]";

fn queue(event: &str, name: &str, time: &str) -> Event {
    let url = format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}");
    let event = Event::new("sqs.amazonaws.com", event).at(time);
    match event.record()["eventName"].as_str() {
        Some("CreateQueue") => event.request(json!({"queueName": name})).response(json!({"queueUrl": url})),
        _ => event.request(json!({"queueUrl": url})),
    }
}

fn role(name: &str, time: &str) -> Event {
    Event::new("iam.amazonaws.com", "CreateRole").at(time).request(json!({"roleName": name}))
}

/// Queues of dana (console) and of a pipeline (Terraform), one of them deleted, a role, and a bucket in another region.
fn trail() -> Trail {
    let dana = || Caller::assumed_role("Admins", "Dana@example.com");
    let pipeline = || Caller::assumed_role("deploy", "ci");
    let bucket = Event::new("s3.amazonaws.com", "CreateBucket").at("2026-03-05T10:00:00Z").region("eu-west-1");
    Trail::new()
        .event(queue("CreateQueue", "orders", "2026-01-01T10:00:00Z").by(dana()).field("userAgent", json!(CONSOLE)))
        .event(queue("CreateQueue", "gone", "2026-01-02T10:00:00Z").by(dana()).field("userAgent", json!(CONSOLE)))
        .event(queue("DeleteQueue", "gone", "2026-01-03T10:00:00Z").by(dana()))
        .event(queue("CreateQueue", "jobs", "2026-02-01T10:00:00Z").by(pipeline()).field("userAgent", json!(TERRAFORM)))
        .event(role("app", "2026-03-01T10:00:00Z").by(Caller::iam_user("bob")))
        .event(bucket.by(dana()).request(json!({"bucketName": "photos"})))
}

fn loaded() -> Bench {
    let bench = Bench::new();
    trail().write(&bench.path("logs/one.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    bench
}

fn resources(run: &Run) -> Vec<Value> {
    let document = run.success().json();
    assert_eq!(document["format_version"], 1);
    document["resources"].as_array().expect("a list").clone()
}

/// The names of what a command lists.
fn names(bench: &Bench, args: &[&str]) -> Vec<String> {
    let args = ["list", "--output", "json"].iter().chain(args);
    let found = resources(&bench.trailcreator(args).run());
    found.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn lists_what_was_created_and_not_deleted() {
    let bench = loaded();
    let found = resources(&bench.trailcreator(["list", "--output", "json"]).run());
    let names: Vec<_> = found.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["photos", "orders", "jobs", "app"], "by account, region and time");
    let jobs = &found[2];
    assert_eq!(
        jobs,
        &json!({
            "type": "sqs",
            "id": "jobs",
            "arn": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"),
            "name": "jobs",
            "account_id": ACCOUNT,
            "account_name": null,
            "region": "us-east-1",
            "tags": null,
            "creator": "ci",
            "owner": "ci",
            "owner_reason": "session name of role deploy",
            "tool": "Terraform",
            "event": {
                "id": jobs["event"]["id"],
                "name": "CreateQueue",
                "source": "sqs.amazonaws.com",
                "time": "2026-02-01T10:00:00Z",
                "source_ip": "203.0.113.7",
                "user_agent": TERRAFORM,
                "principal": {
                    "type": "AssumedRole",
                    "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy/ci"),
                    "account_id": ACCOUNT,
                    "role": "deploy",
                    "session": "ci",
                },
            },
        })
    );
}

#[test]
fn filters_select_by_any_column() {
    let bench = loaded();
    let names = |args: &[&str]| names(&bench, args);
    assert_eq!(names(&["--creator", "dana*"]), ["photos", "orders"], "without regard to case");
    assert_eq!(names(&["--creator", "dana*", "--tool", "aws console"]), ["orders"]);
    assert_eq!(names(&["--type", "sqs,AWS::IAM::Role"]), ["orders", "jobs", "app"]);
    assert_eq!(names(&["--region", "eu-west-1", "--type", "sqs,s3"]), ["photos"]);
    assert_eq!(names(&["--account", ACCOUNT, "--since", "2026-02-01", "--until", "2026-03-02"]), ["jobs", "app"]);
    assert_eq!(names(&["--where", "tool != 'Terraform' && type != 's3'"]), ["orders", "app"]);
    assert_eq!(names(&["--where", "event.principal.role == 'deploy'"]), ["jobs"]);
    assert_eq!(names(&["--sort", "-created", "--limit", "2"]), ["photos", "app"]);
    assert_eq!(names(&["--sort", "name"]), ["app", "jobs", "orders", "photos"]);
    assert_eq!(names(&["--limit", "1"]), ["photos"]);
    let refused = bench.trailcreator(["list", "--where", "tol == 'x'"]).run();
    refused.code(2).says(["a resource has no field \"tol\" (did you mean tool?)"]);
}

#[test]
fn owner_options_decide_the_owner_as_in_who() {
    let bench = loaded();
    bench.write("map.yml", "rules: [{role: deploy, owner: platform}]");
    let args = ["list", "--output", "json", "--identity-map", "map.yml", "--creator", "platform"];
    let found = resources(&bench.trailcreator(args).run());
    assert_eq!((&found[0]["owner"], &found[0]["creator"]), (&json!("platform"), &json!("ci")));
    let who = bench.trailcreator(["who", "jobs", "--identity-map", "map.yml", "--output", "json"]).run().json();
    assert_eq!(who["resources"][0]["owner"], found[0]["owner"]);
}

#[test]
fn counts_are_by_column() {
    let bench = loaded();
    let counts = |by: &str| {
        let document = bench.trailcreator(["list", "--by", by, "--output", "json"]).run().success().json();
        assert_eq!(document["resources"], 4);
        document["counts"].clone()
    };
    assert_eq!(
        counts("tool"),
        json!([{"tool": "AWS CLI", "resources": 2}, {"tool": "AWS console", "resources": 1}, {"tool": "Terraform", "resources": 1}])
    );
    assert_eq!(counts("month")[0], json!({"month": "2026-01", "resources": 1}));
    assert_eq!(counts("account"), json!([{"account_id": ACCOUNT, "resources": 4}]));
    let text = bench.trailcreator(["list", "--by", "type"]).run();
    assert_eq!(text.success().stdout, "resources  type\n        2  sqs\n        1  iam-role\n        1  s3\n");
}

#[test]
fn jsonl_and_csv_have_a_row_for_each_resource() {
    let bench = loaded();
    let jsonl = bench.trailcreator(["list", "--output", "jsonl"]).run();
    let lines: Vec<Value> =
        jsonl.success().stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines, resources(&bench.trailcreator(["list", "--output", "json"]).run()));
    let csv = bench.trailcreator(["list", "--output", "csv", "--type", "iam-role"]).run();
    assert_eq!(
        csv.success().stdout,
        format!(
            "type,id,name,account_id,region,owner,creator,created_at,tool,event,account_name,arn,tags\r\n\
             iam-role,app,app,{ACCOUNT},us-east-1,bob,bob,2026-03-01T10:00:00Z,AWS CLI,CreateRole,,\
             arn:aws:iam::{ACCOUNT}:role/app,\r\n"
        )
    );
    let refused = bench.trailcreator(["who", "app", "--output", "csv"]).run();
    refused.code(2).says(["--output csv is a format of list and report only"]);
}

#[test]
fn hostile_names_reach_neither_terminal_nor_spreadsheet() {
    let bench = Bench::new();
    let evil = "=HYPERLINK(\"http://x\")\u{1b}[2J";
    let event = role("app", "2026-03-01T10:00:00Z").by(Caller::assumed_role("r", evil));
    Trail::new().event(event).write(&bench.path("one.json.gz"));
    bench.trailcreator(["load-files", "one.json.gz"]).run().success();
    for format in ["text", "csv", "json", "jsonl"] {
        let run = bench.trailcreator(["list", "--creator-value", "arn", "--output", format]).run();
        assert!(!run.success().stdout.contains('\u{1b}'), "{format}: {}", run.stdout);
    }
    let csv = bench.trailcreator(["list", "--output", "csv", "--machine-sessions", "keep"]).run();
    assert!(!csv.success().stdout.contains(",=") && !csv.stdout.contains(",\"="), "{}", csv.stdout);
}

#[test]
fn an_empty_list_is_one_document() {
    let bench = loaded();
    let run = bench.trailcreator(["list", "--creator", "nemo", "--output", "json"]).run();
    assert_eq!(run.success().json(), json!({"format_version": 1, "live": false, "resources": []}));
    run.says(["no resource matches"]);
    let counts = bench.trailcreator(["list", "--creator", "nemo", "--by", "tool", "--output", "json"]).run();
    assert_eq!(counts.success().json()["counts"], json!([]));
    assert_eq!(bench.trailcreator(["list", "--creator", "nemo", "--output", "jsonl"]).run().success().stdout, "");
    let elsewhere = bench.trailcreator(["list", "--account", "999999999999"]).run();
    elsewhere.success().says(["the database has no create events for these accounts and regions"]);
}

#[test]
fn text_has_the_columns_and_is_whole_without_a_terminal() {
    let bench = loaded();
    let run = bench.trailcreator(["list", "--type", "sqs"]).run();
    let lines: Vec<&str> = run.success().stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    let columns = ["type", "id", "name", "account", "region", "owner", "creator", "created at", "tool", "event"];
    assert_eq!(lines[0].split("  ").filter(|text| !text.is_empty()).map(str::trim).collect::<Vec<_>>(), columns);
    assert!(lines[2].ends_with("CreateQueue") && lines[2].contains("2026-02-01T10:00:00Z"), "{lines:#?}");
}

/// Two volumes (dana by Terraform, bob), a queue with tags, and one without a create event.
fn lab() -> (Lab, Vec<String>) {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["bob"]);
    let made =
        lab.moto.boto3("result = client('ec2').create_volume(AvailabilityZone='us-east-1a', Size=1)['VolumeId']");
    let id = made.as_str().expect("an ID").to_owned();
    let event = Event::new("ec2.amazonaws.com", "CreateVolume").response(json!({"volumeId": id}));
    lab.event(event.by(Caller::iam_user("dana")).field("userAgent", json!(TERRAFORM)).at(&moment(3, "10:00:00")));
    lab.queue("tagged", "dana", &json!({"Owner": "zoe", "Name": "Orders"}));
    lab.moto.boto3("client('sqs').create_queue(QueueName='unknown')");
    let gone = Event::new("ec2.amazonaws.com", "CreateVolume").response(json!({"volumeId": "vol-0aaaaaaaaaaaaaaaa"}));
    lab.event(gone.by(Caller::iam_user("dana")));
    lab.load();
    (lab, [volumes, vec![id]].concat())
}

#[test]
fn live_lists_what_still_exists_with_tags_and_name() {
    let (lab, volumes) = lab();
    let run = lab.run(&["list", "--live", "--output", "json"]);
    let document = run.success().json();
    assert_eq!(document["live"], true);
    let found = document["resources"].as_array().expect("a list");
    assert_eq!(found.len(), 3, "{found:#?}");
    let queue = found.iter().find(|one| one["type"] == "sqs").expect("the queue");
    assert_eq!((&queue["name"], &queue["tags"]), (&json!("Orders"), &json!({"Owner": "zoe", "Name": "Orders"})));
    assert_eq!((&queue["owner"], &queue["account_id"]), (&json!("dana"), &json!("123456789012")));
    let volume = entry(&document["resources"], &volumes[1]);
    assert_eq!((&volume["tags"], &volume["tool"]), (&json!({}), &json!("Terraform")));
    assert!(volume["arn"].as_str().unwrap().ends_with(&volumes[1]), "{volume}");
    assert_eq!(lab.moto.writes(), 0);

    let untagged = lab.run(&["list", "--live", "--where", "!tags.Owner", "--output", "json"]).success().json();
    assert_eq!(untagged["resources"].as_array().unwrap().len(), 2);
    let all = lab.run(&["list", "--live", "--unrecorded", "--type", "sqs", "--output", "json"]).success().json();
    let unknown = all["resources"].as_array().unwrap().iter().find(|one| one["name"] == "unknown").expect("listed");
    assert_eq!((&unknown["event"], &unknown["owner"], &unknown["creator"]), (&Value::Null, &Value::Null, &Value::Null));
    lab.run(&["list", "--live", "--account", "999999999999"]).code(2);
}

#[test]
fn tag_and_report_are_narrowed_by_the_same_expression() {
    let (lab, volumes) = lab();
    let plan = lab.run(&["tag", "--dry-run", "--where", "tool != 'Terraform'", "--output", "json"]).success().json();
    let planned: Vec<&str> =
        plan["actions"].as_array().unwrap().iter().map(|action| action["id"].as_str().unwrap()).collect();
    assert_eq!(planned, [volumes[0].as_str()]);
    assert_eq!(entry(&plan["skipped"], &volumes[1])["kind"], "where");
    assert_eq!(plan["summary"]["skipped"]["where"], 1);

    let by_tags = "type == 'sqs' && tags.Owner == 'zoe'";
    let report = lab.run(&["report", "--where", by_tags, "--output", "json"]).success().json();
    assert_eq!((&report["totals"]["live"], &report["totals"]["owned"]), (&json!(1), &json!(1)));
    let offline = lab.run(&["report", "--offline", "--where", "tool == 'Terraform'", "--output", "json"]);
    assert_eq!(offline.success().json()["totals"]["would_be_owned"], 1);

    lab.run(&["tag", "--where", "tool != 'Terraform'", "--output", "json"]).success();
    assert_eq!(lab.volume_tags(&volumes[0]), json!({"Owner": "bob"}));
    assert_eq!(lab.volume_tags(&volumes[1]), json!({}));
}
