//! `who` on a database that `load-files` filled: text, JSON, and what it says of what it doesn't know.

use serde_json::{Value, json};

use crate::common::{ACCOUNT, Bench, Caller, Event, Run, Trail};

/// What the binary prints for `who ARGS` as JSON.
fn resources(run: &Run) -> Vec<Value> {
    let document = run.json();
    assert_eq!(document["format_version"], 1);
    document["resources"].as_array().expect("a list").clone()
}

fn role(event: &str, name: &str, time: &str) -> Event {
    Event::new("iam.amazonaws.com", event).at(time).request(json!({"roleName": name}))
}

/// A trail with one resource of each kind of history.
fn trail() -> Trail {
    let instances = json!({"instancesSet": {"items": [{"instanceId": "i-0aaaaaaaaaaaaaaaa"}, {"instanceId": "i-0bbbbbbbbbbbbbbbb"}]}});
    Trail::new()
        .event(role("CreateRole", "app", "2026-01-01T10:00:00Z").by(Caller::iam_user("bob")))
        .event(role("DeleteRole", "app", "2026-02-01T10:00:00Z").by(Caller::iam_user("bob")))
        .event(
            role("CreateRole", "app", "2026-03-01T10:00:00Z")
                .by(Caller::assumed_role("deploy", "i-05c30218156bcc246"))
                .field("userAgent", json!("APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.60.0 aws-sdk-go-v2/1.30.3")),
        )
        .event(role("CreateRole", "gone", "2026-01-01T10:00:00Z"))
        .event(role("DeleteRole", "gone", "2026-01-02T10:00:00Z"))
        .event(role("CreateRole", "by-aws", "2026-01-01T10:00:00Z").by(Caller::service("rds.amazonaws.com")))
        .event(
            Event::new("sqs.amazonaws.com", "CreateQueue")
                .by(Caller::assumed_role("deploy", "anna@example.com"))
                .request(json!({"queueName": "app"}))
                .response(json!({"queueUrl": format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/app")})),
        )
        .event(Event::new("ec2.amazonaws.com", "RunInstances").by(Caller::iam_user("carol")).response(instances))
        .event(
            Event::new("s3.amazonaws.com", "CreateBucket")
                .by(Caller::root())
                .region("eu-west-1")
                .field("userAgent", json!("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488]"))
                .request(json!({"bucketName": "photos"})),
        )
}

/// A bench whose database holds the trail.
fn loaded(trail: &Trail) -> Bench {
    let bench = Bench::new();
    trail.write(&bench.path("logs/one.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    bench
}

#[test]
fn the_text_tells_owner_reason_time_call_principal_origin_and_history() {
    let bench = loaded(&trail());
    let run = bench.trailcreator(["who", "app", "--type", "iam-role"]).run();
    let expected = format!(
        "app (iam-role, account {ACCOUNT}, us-east-1)
  owner    deploy (role; session name i-05c30218156bcc246 was made up by an EC2 instance)
  created  2026-03-01T10:00:00Z by CreateRole of iam.amazonaws.com
  by       arn:aws:sts::{ACCOUNT}:assumed-role/deploy/i-05c30218156bcc246
  from     203.0.113.7 with Terraform 1.9.5
  event    00000002-0000-4000-8000-00000000000b
  why      CreateRole at 2026-03-01T10:00:00Z is the only creation on record since the deletion at 2026-02-01T10:00:00Z
  why      session name i-05c30218156bcc246 was made up by an EC2 instance: its role stands for it
  also     2026-01-01T10:00:00Z CreateRole by arn:aws:iam::{ACCOUNT}:user/bob with AWS CLI 2.31.0
  also     2026-02-01T10:00:00Z DeleteRole by arn:aws:iam::{ACCOUNT}:user/bob with AWS CLI 2.31.0
"
    );
    assert_eq!(run.success().stdout, expected);
}

#[test]
fn json_holds_the_documented_fields() {
    let bench = loaded(&trail());
    let run = bench.trailcreator(["who", "photos", "--output", "json"]).run();
    let found = resources(run.success());
    assert_eq!(
        found,
        [json!({
            "id": "photos", "resource_type": "s3", "account_id": ACCOUNT, "region": "eu-west-1",
            "owner": "root", "reason": "the account's root user",
            "event": {
                "event_id": "00000008-0000-4000-8000-00000000000b", "event_time": "2026-03-01T10:00:00Z",
                "event_name": "CreateBucket", "event_source": "s3.amazonaws.com", "region": "eu-west-1", "action": "upsert",
                "identity_type": "Root", "principal_arn": format!("arn:aws:iam::{ACCOUNT}:root"), "principal_id": ACCOUNT,
                "caller_account_id": ACCOUNT, "federated_provider": null, "source_identity": null, "invoked_by": null, "source_ip": "203.0.113.7",
                "user_agent": "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488]",
                "tool": {"name": "AWS console", "version": null, "place": null},
            },
            "evidence": [
                {"rule": "event", "says": "CreateBucket at 2026-03-01T10:00:00Z is the only creation on record"},
                {"rule": "caller", "says": format!("Root arn:aws:iam::{ACCOUNT}:root")},
                {"rule": "creator-value", "says": "name is root: the account's root user"},
            ],
            "other_events": [],
        })]
    );
}

#[test]
fn every_question_gets_an_answer_and_an_unknown_id_is_an_item_failure() {
    let bench = loaded(&trail());
    let run =
        bench.trailcreator(["who", "by-aws", "no-such-thing", "gone", "i-0bbbbbbbbbbbbbbbb", "--output", "json"]).run();
    let found = resources(run.code(4));
    let told: Vec<_> = found.iter().map(|entry| (&entry["id"], &entry["owner"], &entry["reason"])).collect();
    assert_eq!(
        told,
        [
            (&json!("by-aws"), &Value::Null, &json!("AWS service rds.amazonaws.com")),
            (&json!("no-such-thing"), &Value::Null, &json!("the database has no event of it")),
            (
                &json!("gone"),
                &Value::Null,
                &json!("deleted at 2026-01-02T10:00:00Z by DeleteRole; it was admin's (IAM user name)"),
            ),
            (&json!("i-0bbbbbbbbbbbbbbbb"), &json!("carol"), &json!("IAM user name")),
        ]
    );
    assert_eq!(found[1]["resource_type"], Value::Null);
    assert_eq!((&found[2]["event"], found[2]["other_events"].as_array().map(Vec::len)), (&Value::Null, Some(2)));
    bench.trailcreator(["who", "by-aws", "gone"]).run().success();
}

#[test]
fn names_arns_and_urls_find_the_resource_that_they_mean() {
    let bench = loaded(&trail());
    let url = format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/app");
    let queue = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:app");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/app");
    for (query, expected) in [
        ("app", vec![("iam-role", "deploy"), ("sqs", "anna@example.com")]),
        (&url, vec![("sqs", "anna@example.com")]),
        (&queue, vec![("sqs", "anna@example.com")]),
        (&role, vec![("iam-role", "deploy")]),
        ("arn:aws:s3:::photos", vec![("s3", "root")]),
    ] {
        let run = bench.trailcreator(["who", query, "--output", "json"]).run();
        let found = resources(run.success());
        let told: Vec<_> = found
            .iter()
            .map(|entry| (entry["resource_type"].as_str().unwrap_or("none"), entry["owner"].as_str().unwrap_or("none")))
            .collect();
        assert_eq!(told, expected, "{query}");
    }
}

#[test]
fn filters_narrow_down() {
    let elsewhere = Event::new("sqs.amazonaws.com", "CreateQueue")
        .account("444455556666")
        .region("eu-west-1")
        .by(Caller::iam_user("dora"))
        .field("recipientAccountId", json!("444455556666"))
        .request(json!({"queueName": "app"}));
    let bench = loaded(&trail().event(elsewhere));
    for (filter, expected) in [
        (vec![], vec!["deploy", "anna@example.com", "dora"]),
        (vec!["--type", "sqs"], vec!["anna@example.com", "dora"]),
        (vec!["--type", "aws.sqs", "--type", "iam-role"], vec!["deploy", "anna@example.com", "dora"]),
        (vec!["--account", "444455556666"], vec!["dora"]),
        (vec!["--region", "eu-west-1"], vec!["deploy", "dora"]),
        (vec!["--region", "us-east-1", "--type", "sqs"], vec!["anna@example.com"]),
    ] {
        let run = bench.trailcreator(["who", "app", "--output", "json"].into_iter().chain(filter.clone())).run();
        let owners: Vec<Value> = resources(run.success()).into_iter().map(|entry| entry["owner"].clone()).collect();
        assert_eq!(owners, expected, "{filter:?}");
    }
    let run = bench.trailcreator(["who", "app", "--account", "999999999999", "--output", "json"]).run();
    assert_eq!(resources(run.code(4))[0]["owner"], Value::Null);
}

#[test]
fn owner_options_decide_as_for_tag() {
    let bench = loaded(&trail());
    let owner = |options: &[&str]| {
        let args = ["who", "app", "--type", "iam-role", "--output", "json"];
        let run = bench.trailcreator(args.into_iter().chain(options.iter().copied())).run();
        resources(run.success())[0]["owner"].clone()
    };
    assert_eq!(owner(&["--machine-sessions", "keep"]), "i-05c30218156bcc246");
    assert_eq!(owner(&["--machine-sessions", "skip"]), Value::Null);
    assert_eq!(owner(&["--creator-value", "arn"]), format!("arn:aws:iam::{ACCOUNT}:role/deploy"));
    assert_eq!(owner(&["--creator-value", "principal-id"]), "AROAIDPPEZS35WEXAMPLE");
    assert_eq!(owner(&["--user-suffix", "@example.com"]), Value::Null);
    assert_eq!(owner(&["--user-suffix", "ploy"]), "deploy");
}

#[test]
fn a_misspelt_type_a_bad_account_and_a_missing_database_are_told() {
    let bench = loaded(&trail());
    bench.trailcreator(["who", "app", "--type", "iam-rol"]).run().code(2).says(["iam-rol", "did you mean iam-role?"]);
    bench.trailcreator(["who", "app", "--account", "12"]).run().code(2).says(["12 digits"]);
    bench.trailcreator(["who", "app", "--region", "Frankfurt"]).run().code(2).says(["eu-west-1"]);
    bench.trailcreator(["who"]).run().code(2);
    Bench::new().trailcreator(["who", "app"]).run().code(1).says(["creators.db", "load-files"]);
}

#[test]
fn control_characters_of_a_trail_do_not_reach_the_terminal() {
    let event = role("CreateRole", "app", "2026-03-01T10:00:00Z").field("userAgent", json!("evil\u{1b}[2Jtool/1"));
    let bench = loaded(&Trail::new().event(event));
    let run = bench.trailcreator(["who", "app"]).run();
    assert!(run.success().stdout.contains("evil\u{fffd}[2Jtool 1"), "{}", run.stdout);
}
