//! `report`: its counts are what boto3 sees before and after a run of `tag`; offline, they are what the run wrote.

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Run, run_python};
use crate::tag::lab::Lab;

/// The resources as boto3 sees them: `{type: [live, with the tag]}`.
const WITNESS: &str = "
def owned(tags): return any(tag['Key'] == 'Owner' for tag in tags)
volumes = [owned(volume.get('Tags', [])) for volume in pages('ec2', 'describe_volumes', 'Volumes')]
queues = ['Owner' in client('sqs').list_queue_tags(QueueUrl=url).get('Tags', {}) for url in client('sqs').list_queues().get('QueueUrls', [])]
roles = [owned(client('iam').list_role_tags(RoleName=role['RoleName'])['Tags']) for role in pages('iam', 'list_roles', 'Roles')]
result = {name: [len(all), sum(all)] for name, all in [('ebs', volumes), ('sqs', queues), ('iam-role', roles)]}
";

/// Three volumes (two of alice, one of bob, a deleted user), queues of alice (tagged zoe), of a service and of an unknown
/// creator, and dan's role.
fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.moto.boto3("for name in ('alice', 'dan'): client('iam').create_user(UserName=name)");
    lab.volumes(&["alice", "alice", "bob"]);
    lab.queue("tagged", "alice", &json!({"Owner": "zoe"}));
    lab.role("deploy", "dan", &json!({}));
    let url = lab.moto.boto3("result = client('sqs').create_queue(QueueName='by-service')['QueueUrl']");
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": "by-service"}));
    lab.event(event.response(json!({"queueUrl": url})).by(Caller::service("scheduler.amazonaws.com")));
    lab.moto.boto3("client('sqs').create_queue(QueueName='unknown', tags={'team': 'blue'})");
    lab.load();
    lab
}

fn document(run: &Run) -> Value {
    let document = run.json();
    assert_eq!(document["format_version"], 1);
    document
}

/// The row of a type.
fn row<'d>(document: &'d Value, resource_type: &str) -> &'d Value {
    let rows = document["rows"].as_array().expect("a list");
    rows.iter().find(|row| row["type"] == resource_type).unwrap_or_else(|| panic!("no {resource_type}: {rows:#?}"))
}

/// `{type: [live, owned]}`.
fn live_and_owned(document: &Value) -> Value {
    let rows = document["rows"].as_array().expect("a list").iter();
    rows.map(|row| (row["type"].as_str().unwrap().to_owned(), json!([row["live"], row["owned"]]))).collect()
}

/// The counts by type, without zeros.
fn figure(document: &Value, name: &str) -> Value {
    let rows = document["rows"].as_array().expect("a list").iter().filter(|row| row[name] != 0);
    rows.map(|row| (row["type"].as_str().unwrap().to_owned(), row[name].clone())).collect()
}

#[test]
fn counts_are_what_boto3_sees_before_and_after_a_run_of_tag() {
    let lab = lab();
    let before = document(lab.run(&["report", "--output", "json"]).success());
    assert_eq!(live_and_owned(&before), lab.moto.boto3(WITNESS));
    assert_eq!(figure(&before, "would_be_owned"), json!({"ebs": 3, "iam-role": 1}));
    assert_eq!(figure(&before, "no_record"), json!({"sqs": 1}));
    assert_eq!(figure(&before, "service_created"), json!({"sqs": 1}));
    let sqs = row(&before, "sqs");
    assert_eq!((&sqs["account_id"], &sqs["region"]), (&json!("123456789012"), &json!("us-east-1")));
    assert_eq!(row(&before, "iam-role")["region"], "global");
    assert_eq!(before["totals"]["live"], 7);
    assert_eq!(
        before["creators"],
        json!([
            {"owner": "alice", "resources": 3, "owned": 1, "would_be_owned": 2, "gone": false},
            {"owner": "bob", "resources": 1, "owned": 0, "would_be_owned": 1, "gone": true},
            {"owner": "dan", "resources": 1, "owned": 0, "would_be_owned": 1, "gone": false},
        ])
    );
    assert_eq!(lab.moto.writes(), 0, "a report only reads");

    let planned = lab.run(&["report", "--offline", "--format", "json"]);
    assert_eq!(figure(&document(planned.success()), "would_be_owned"), json!({"ebs": 3, "iam-role": 1, "sqs": 1}));

    let tagged = lab.run(&["tag", "--output", "json"]).success().json();
    let after = document(lab.run(&["report", "--output", "json"]).success());
    assert_eq!(live_and_owned(&after), lab.moto.boto3(WITNESS));
    assert_eq!(figure(&after, "would_be_owned"), json!({}));
    assert_eq!(figure(&after, "no_record"), json!({"sqs": 1}));
    assert_eq!(after["totals"]["owned"], 5);

    let requests = lab.moto.our_requests().len();
    let offline = document(lab.run(&["report", "--offline", "--output", "json"]).success());
    assert_eq!(lab.moto.our_requests().len(), requests, "offline makes no AWS calls");
    assert_eq!(figure(&offline, "owned"), written(&tagged), "what the run wrote");
    assert_eq!(figure(&offline, "would_be_owned"), json!({"sqs": 1}), "who tagged that one is not in the journal");
    assert_eq!(offline["totals"]["live"], Value::Null);
    assert_eq!(offline["creators"][0]["owner"], "alice");
    assert_eq!(offline["creators"][0]["gone"], Value::Null);

    lab.run(&["undo", "1"]).success();
    let undone = document(lab.run(&["report", "--offline", "--output", "json"]).success());
    assert_eq!(figure(&undone, "owned"), json!({}));
}

/// The number of a run's writes by type.
fn written(run: &Value) -> Value {
    let mut counts = serde_json::Map::new();
    for action in run["actions"].as_array().expect("a list").iter().filter(|action| action["result"] == "written") {
        let count = counts.entry(action["type"].as_str().unwrap()).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap() + 1);
    }
    counts.into()
}

#[test]
fn text_is_a_table_with_totals_and_creators() {
    let lab = lab();
    let run = lab.run(&["report", "--top", "2"]);
    let expected = "\
live  owned  coverage  would be owned  no record  no owner  service  unknown  not taggable  type
   3      0      0.0%               3          0         0        0        0             0  ebs
   3      1     33.3%               0          1         0        1        0             0  sqs
   1      0      0.0%               1          0         0        0        0             0  iam-role
   7      1     14.2%               4          1         0        1        0             0  total

live  owned  coverage  would be owned  no record  no owner  service  unknown  not taggable  account
   7      1     14.2%               4          1         0        1        0             0  123456789012

live  owned  coverage  would be owned  no record  no owner  service  unknown  not taggable  region
   6      1     16.6%               3          1         0        1        0             0  us-east-1
   1      0      0.0%               1          0         0        0        0             0  global

resources  owned  would be owned  creator
        3      1               2  alice
        1      0               1  bob      IAM user no longer exists
";
    assert_eq!(run.success().stdout, expected);
    run.says(["and 1 more creators (show all with --top 3)", "nothing was written"]);
    let offline = lab.run(&["report", "--offline", "--type", "sqs", "--top", "0"]);
    assert_eq!(
        offline.success().stdout.lines().nth(1),
        Some("   -      0      0.0%               1          -         0        1        -             -  sqs")
    );
    let empty = lab.run(&["report", "--offline", "--region", "eu-west-1", "--type", "ebs"]);
    empty.success().says(["no create events for these accounts, regions and types"]);
}

#[test]
fn report_shows_the_change_since_the_report_before_with_the_same_options() {
    let lab = lab();
    let first = document(lab.run(&["report", "--output", "json"]).success());
    assert_eq!(first["before"], Value::Null);
    assert_eq!(
        (&first["totals"]["owned_percent"], &first["totals"]["attainable_percent"]),
        (&json!(14.2), &json!(71.4))
    );
    lab.run(&["tag", "--type", "ebs"]).success();
    lab.run(&["report", "--type", "ebs"]).success();
    let second = document(lab.run(&["report", "--output", "json"]).success());
    assert_eq!(second["before"]["totals"], first["totals"], "not the report on one type");
    assert_eq!(second["before"]["taken_at"], first["taken_at"]);
    assert_eq!(second["totals"]["owned_percent"], 57.1);
    assert_eq!(
        second["types"][0],
        json!({"type": "sqs", "live": 3, "owned": 1, "would_be_owned": 0, "no_record": 1,
        "no_owner": 0, "service_created": 1, "unknown": 0, "not_taggable": 0, "owned_percent": 33.3, "attainable_percent": 33.3})
    );
    lab.moto.boto3("client('sqs').create_queue(QueueName='new')");
    let third = lab.run(&["report"]);
    let change = third.success().stdout.lines().find(|line| line.starts_with("coverage ")).expect("a line").to_owned();
    assert!(
        change.starts_with("coverage 50.0%: -7.1 points since 20") && change.ends_with("Z, 1 more resource"),
        "{change}"
    );
}

#[cfg(unix)]
#[test]
fn report_from_a_read_only_database_is_printed_without_keeping_it() {
    use std::os::unix::fs::PermissionsExt;

    let lab = lab();
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(lab.bench.path("creators.db"), mode(0o444)).expect("it is ours");
    std::fs::set_permissions(lab.bench.path(""), mode(0o555)).expect("it is ours");
    for _ in 0..2 {
        let run = lab.bench.unprivileged(["report", "--offline", "--output", "json"]).run();
        assert_eq!(document(run.success())["before"], Value::Null);
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    }
    std::fs::set_permissions(lab.bench.path(""), mode(0o755)).expect("it is ours");
}

#[test]
fn csv_has_the_values_of_json_and_no_formulas() {
    let mut lab = Lab::new();
    lab.queue("jobs", "alice", &json!({}));
    let url = lab.moto.boto3("result = client('sqs').create_queue(QueueName='evil')['QueueUrl']");
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": "evil"}));
    lab.event(event.response(json!({"queueUrl": url})).by(Caller::assumed_role("dev", "=1+1")));
    lab.load();
    let document = document(lab.run(&["report", "--format", "json"]).success());
    let read = |args: &[&str]| -> Value {
        let run = lab.run(args);
        let program = format!(
            "import csv, io, json, sys\njson.dump(list(csv.DictReader(io.StringIO({:?}, newline=''))), sys.stdout)",
            run.success().stdout
        );
        assert!(run.stdout.ends_with("\r\n") && !run.stdout.ends_with("\r\n\r\n"), "{:?}", run.stdout);
        serde_json::from_str(&run_python(&program, &[])).expect("JSON")
    };
    let as_text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows: Vec<Value> = document["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_object().unwrap().iter().map(|(name, value)| (name.clone(), as_text(value))).collect())
        .collect();
    assert_eq!(read(&["report", "--format", "csv"]), json!(rows));
    let creators = read(&["report", "--format", "csv", "--by", "creator"]);
    assert_eq!(document["creators"][0]["owner"], "=1+1");
    assert_eq!(creators[0]["owner"], "'=1+1");
    assert_eq!(
        creators[1],
        json!({"owner": "alice", "resources": "1", "owned": "0", "would_be_owned": "1", "gone": "true"})
    );
}

#[test]
fn global_types_are_counted_once_for_all_regions() {
    let mut lab = Lab::new();
    lab.role("deploy", "dan", &json!({}));
    lab.queue("here", "dan", &json!({}));
    let url = lab.moto.boto3("result = client('sqs', 'eu-west-1').create_queue(QueueName='there')['QueueUrl']");
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": "there"}));
    lab.event(event.response(json!({"queueUrl": url})).region("eu-west-1"));
    lab.load();
    let regions = |args: &[&str]| {
        let run = lab.run(&[&["report", "--output", "json"], args].concat());
        let document = document(run.success());
        let rows = document["rows"].as_array().unwrap().iter();
        json!(rows.map(|row| json!([row["region"], row["type"], row["live"]])).collect::<Vec<_>>())
    };
    let both = json!([["eu-west-1", "sqs", 1], ["global", "iam-role", 1], ["us-east-1", "sqs", 1]]);
    assert_eq!(regions(&["--region", "eu-west-1", "--region", "us-east-1"]), both);
    let listed = lab.moto.our_requests().iter().filter(|request| request.body.contains("Role")).count();
    assert_eq!(listed, 1, "IAM's roles, once");
    assert_eq!(
        regions(&["--region", "all", "--type", "sqs"]).as_array().unwrap().iter().filter(|row| row[2] == 1).count(),
        2
    );
    assert_eq!(regions(&["--type", "sqs"]), json!([["us-east-1", "sqs", 1]]));
    let offline = regions(&["--offline", "--region", "eu-west-1"]);
    assert_eq!(offline, json!([["eu-west-1", "sqs", null], ["global", "iam-role", null]]));
    assert_eq!(regions(&["--offline", "--account", "999999999999"]), json!([]));
}

/// Denies access to the tags of queues and to IAM.
const REFUSE: &str = include_str!("hooks/report_refuse.py");

#[test]
fn unreadable_types_are_unknown_and_listed_and_the_rest_is_reported() {
    let mut lab = Lab::with_hook(Bench::new(), REFUSE);
    lab.volumes(&["alice"]);
    lab.queue("jobs", "alice", &json!({"Owner": "alice"}));
    lab.moto.boto3("client('sqs').create_queue(QueueName='unknown', tags={'Owner': 'zoe'})");
    lab.role("deploy", "dan", &json!({}));
    lab.load();
    let run = lab.run(&["report", "--output", "json"]);
    let report = document(run.code(4));
    assert_eq!(row(&report, "sqs")["unknown"], 2, "also the one without a record: it may have the tag");
    assert_eq!(row(&report, "sqs")["no_record"], 0);
    assert_eq!(row(&report, "ebs")["would_be_owned"], 1);
    assert_eq!(report["failed_types"][0]["type"], "iam-role");
    assert_eq!(report["failed_types"][0]["region"], "us-east-1");
    assert_eq!(
        report["creators"][0],
        json!({"owner": "alice", "resources": 2, "owned": 0, "would_be_owned": 1, "gone": null})
    );
    run.says([
        "iam-role could not be listed",
        "hint: allow iam:GetAccountAuthorizationDetails",
        "could not list IAM users, so the report does not show which creators still exist",
    ]);
}

#[test]
fn invalid_options_are_usage_errors() {
    let lab = lab();
    lab.run(&["report", "--type", "sqz"]).code(2).says(["sqz", "did you mean sqs?"]);
    lab.run(&["report", "--by", "creator"]).code(2).says(["--format csv"]);
    lab.run(&["report", "--account", "123456789012"]).code(2).says(["--offline"]);
    lab.run(&["report", "--creator-tag", "aws:owner"]).code(2).says(["aws:owner"]);
    lab.run(&["report", "--offline", "--db", "nowhere.db"])
        .code(1)
        .says(["no database nowhere.db", "load a trail first"]);
}

/// Two accounts with a queue each, and a third with a role that can't be assumed.
#[test]
fn organization_is_reported_by_account_and_failed_account_stops_no_other() {
    const REFUSE_ONE: &str = include_str!("hooks/report_refuse_one.py");
    let mut lab = Lab::with_hook(Bench::new(), REFUSE_ONE);
    let accounts = ["111111111111", "222222222222", "333333333333"];
    for account in accounts {
        let url = lab.moto.boto3(&format!(
            "
keys = client('sts').assume_role(RoleArn='arn:aws:iam::{account}:role/r', RoleSessionName='test')['Credentials']
names = dict(aws_access_key_id=keys['AccessKeyId'], aws_secret_access_key=keys['SecretAccessKey'], aws_session_token=keys['SessionToken'])
boto3.client('iam', **names).create_user(UserName='user-{account}')
result = boto3.client('sqs', 'eu-west-1', **names).create_queue(QueueName='jobs')['QueueUrl']"
        ));
        for (name, user) in [("jobs", format!("user-{account}")), ("gone", "deleted-user".to_owned())] {
            let url = if name == "jobs" { url.clone() } else { json!(format!("http://x/{account}/{name}")) };
            let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": name}));
            let event = event.response(json!({"queueUrl": url})).region("eu-west-1").by(Caller::iam_user(&user));
            lab.event(event.account(account));
        }
    }
    lab.load();
    let stanza = |id: &str| json!({"account_id": id, "name": format!("team-{}", &id[..1]), "role": "r"});
    lab.bench.write("accounts.json", json!({"accounts": accounts.map(stanza)}).to_string());
    let run = lab.run(&["report", "--config", "accounts.json", "--output", "json"]);
    let report = document(run.code(4));
    let rows = report["rows"].as_array().unwrap().iter();
    let rows: Vec<Value> = rows
        .map(|row| {
            json!([
                row["account_id"],
                row["account_name"],
                row["region"],
                row["type"],
                row["live"],
                row["would_be_owned"]
            ])
        })
        .collect();
    assert_eq!(
        json!(rows),
        json!([
            ["111111111111", "team-1", "eu-west-1", "sqs", 1, 1],
            ["222222222222", "team-2", "eu-west-1", "sqs", 1, 1]
        ])
    );
    let gone = |owner: &str| report["creators"].as_array().unwrap().iter().find(|one| one["owner"] == owner).cloned();
    assert_eq!(gone("user-111111111111").unwrap()["gone"], false, "each account's users are its own");
    assert_eq!(report["failed_accounts"][0]["account_id"], "333333333333");
    assert_eq!(report["failed_accounts"][0]["account_name"], "team-3");
    run.says(["account 333333333333 team-3 could not be read"]);
    assert_eq!(lab.moto.writes(), 0);

    let chosen = lab.run(&["report", "-c", "accounts.json", "-a", "team-2", "--output", "json"]);
    assert_eq!(document(chosen.success())["totals"]["live"], 1);
    let offline = lab.run(&["report", "--offline", "-c", "accounts.json", "-a", "team-2", "--output", "json"]);
    assert_eq!(document(offline.success())["totals"]["would_be_owned"], 2, "also the queue that is no more");
    lab.run(&["report", "--offline", "-c", "accounts.json", "-a", "team-2"]).success().shows(["222222222222 team-2"]);
    lab.run(&["report", "-c", "accounts.json", "-a", "team-9"]).code(2).says(["team-9", "team-"]);
}
