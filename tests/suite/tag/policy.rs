//! The policy of `tag` against what `tag` asks of a server.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::lab::Lab;
use crate::common::Request;

/// IAM's name of a request's action. Only operations with the same name in IAM are called here.
fn action(request: &Request) -> String {
    let service = match request.service.as_deref() {
        Some("tagging") => "tag",
        Some(service) => service,
        None => "unsigned",
    };
    format!("{service}:{}", request.action)
}

fn policy(lab: &Lab, command: &str, resource_type: &str) -> BTreeSet<String> {
    let document = lab.bench.trailcreator(["policy", command, "--type", resource_type]).run().success().json();
    assert_eq!((&document["Version"], &document["Statement"][0]["Effect"]), (&json!("2012-10-17"), &json!("Allow")));
    serde_json::from_value(document["Statement"][0]["Action"].clone()).expect("a list of actions")
}

/// What a run asked for. Who it is, a caller may always ask.
fn asked(lab: &Lab, args: &[&str]) -> BTreeSet<String> {
    let before = lab.moto.our_requests().len();
    lab.run(args).success();
    let asked: BTreeSet<String> = lab.moto.our_requests()[before..].iter().map(action).collect();
    asked.into_iter().filter(|action| action != "sts:GetCallerIdentity").collect()
}

#[test]
fn the_policy_holds_what_the_command_asks_for_and_nothing_more() {
    let mut lab = Lab::new();
    lab.volumes(&["alice"]);
    lab.queue("jobs", "carol", &json!({}));
    lab.role("deploy", "dan", &json!({}));
    lab.load();
    // moto's Tagging API knows neither queues nor roles, so the services' own calls are made too.
    for (run, resource_type) in [("1", "ebs"), ("3", "sqs"), ("5", "iam-role")] {
        let mut allowed = policy(&lab, "tag", resource_type);
        assert!(
            allowed.remove("identitystore:DescribeUser"),
            "it is asked where a user of Identity Center made something"
        );
        assert_eq!(asked(&lab, &["tag", "--type", resource_type]), allowed);
        let undone = asked(&lab, &["undo", run]);
        let allowed = policy(&lab, "undo", resource_type);
        assert!(undone.is_subset(&allowed), "{undone:?} is more than {allowed:?}");
        // What undo doesn't need here is to put an earlier value again.
        let more: Vec<&String> = allowed.difference(&undone).collect();
        assert!(more.iter().all(|action| policy(&lab, "tag", resource_type).contains(*action)), "{more:?}");
        assert_eq!(
            asked(&lab, &["tag", "--type", resource_type, "--dry-run"]).len(),
            1 + usize::from(resource_type == "sqs") * 2
        );
    }
}

#[test]
fn reports_and_accounts_ask_for_what_their_policies_hold() {
    let mut lab = Lab::new();
    lab.moto.boto3("client('organizations').create_organization(FeatureSet='ALL')");
    lab.queue("jobs", "carol", &json!({}));
    lab.load();
    assert_eq!(asked(&lab, &["accounts"]), policy(&lab, "accounts", "sqs"));
    // moto has no ListRegions, so EC2 is asked too.
    assert_eq!(asked(&lab, &["report", "--region", "all", "--type", "sqs"]), report_policy(&lab));
}

/// The action of ListRegions is seen as what REST shows of it.
fn report_policy(lab: &Lab) -> BTreeSet<String> {
    let rename = |action: String| {
        if action == "account:ListRegions" { "account:POST /list-regions".to_owned() } else { action }
    };
    policy(lab, "report", "sqs").into_iter().map(rename).collect()
}

#[test]
fn a_long_policy_comes_in_parts_that_iam_takes() {
    let lab = Lab::new();
    let run = lab.bench.trailcreator(["policy", "undo", "--output", "json"]).run();
    let policies = run.success().json()["policies"].as_array().expect("a list").clone();
    assert!(!policies.is_empty());
    // A text as JSON writes it is a text of Python too.
    let text = json!(Value::from(policies.clone()).to_string());
    let made = lab.moto.boto3(&format!(
        "
import re
for number, policy in enumerate(json.loads({text})):
    text = json.dumps(policy)
    assert len(re.sub(' ', '', text)) <= 6144
    client('iam').create_policy(PolicyName=f'policy{{number}}', PolicyDocument=text)
result = len(client('iam').list_policies(Scope='Local')['Policies'])"
    ));
    assert_eq!(made, json!(policies.len()));
    let files = lab.bench.trailcreator(["policy", "undo", "--output-dir", "policies"]).run();
    files.success();
    for (number, policy) in (1..).zip(&policies) {
        let text = std::fs::read_to_string(lab.bench.path(format!("policies/policy-{number}.json"))).expect("written");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), *policy);
    }
}

#[test]
fn commands_without_aws_need_no_policy_and_wrong_names_are_errors() {
    let lab = Lab::new();
    let none = lab.bench.trailcreator(["policy", "load-files"]).run();
    assert_eq!(none.success().json(), json!([]));
    none.says(["needs no AWS permissions"]);
    let live = lab.bench.trailcreator(["policy", "who"]).run().success().json();
    assert_eq!(live["Statement"][0]["Action"], json!(["cloudtrail:LookupEvents", "identitystore:DescribeUser"]));
    lab.bench.trailcreator(["policy", "tag", "--type", "iam-rol"]).run().code(2).says(["did you mean iam-role?"]);
    lab.bench.trailcreator(["policy", "tag", "--service", "iamm"]).run().code(2).says(["did you mean iam?"]);
    let map = lab.bench.write(
        "map.yml",
        "service: x\nprotocol: rest-json\nresources:\n  - type: thing\n    events: [{event: E, ids: requestParameters.n}]
    list: {call: GET /things, items: things}\n    id: n\n",
    );
    let map = map.display().to_string();
    let unknown = lab.bench.trailcreator(["policy", "tag", "--type", "thing", "--extend-map", &map]).run();
    unknown.code(4).says(["has no IAM action for GET /things of thing"]);
}

#[test]
fn a_policy_is_limited_to_the_resources_that_are_named() {
    let lab = Lab::new();
    let statements = |args: &[&str]| {
        let args: Vec<&str> = ["policy"].iter().chain(args).copied().collect();
        lab.bench.trailcreator(args).run().success().json()["Statement"].clone()
    };
    let key = "arn:aws:kms:eu-west-1:111122223333:key/k";
    assert_eq!(
        statements(&["load-s3", "--bucket", "s3://trail/AWSLogs", "--kms-key", key]),
        json!([
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::trail/*"},
            {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::trail"},
            {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": key},
        ])
    );
    let any_key = statements(&["load-s3"])[1].clone();
    assert_eq!(any_key["Action"], json!(["kms:Decrypt"]));
    assert_eq!(any_key["Condition"]["StringLike"]["kms:ViaService"][0], "s3.*.amazonaws.com*");
    let hub = statements(&["hub", "--bucket", "trail", "--role", "tagger"]);
    let assumed = hub.as_array().expect("a list").iter().find(|one| one["Action"] == json!(["sts:AssumeRole"]));
    assert_eq!(assumed.expect("it assumes roles")["Resource"], "arn:aws:iam::*:role/tagger");
    let queue = "https://sqs.eu-west-1.amazonaws.com/111122223333/q";
    let watch = statements(&["watch", "--queue", queue, "--type", "ebs"]).to_string();
    assert!(watch.contains("\"arn:aws:sqs:eu-west-1:111122223333:q\""), "{watch}");
    lab.bench.trailcreator(["policy", "watch", "--queue", "q"]).run().code(2).says(["not the URL or the ARN"]);
}
