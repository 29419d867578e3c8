//! An organization with everything that goes wrong in one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::lab::{Lab, entries, id, owner};
use crate::common::Bench;

const ACCOUNTS: usize = 200;
/// Accounts 0 to 19: the role refuses; 20 to 24: queues can't be listed; 25 to 29: a region is switched off.
const DISTURB: &str = "
def disturb(entry):
    if entry['action'] == 'AssumeRole' and int(role_of(entry).split(':')[4]) < 100020:
        return xml_error('AccessDenied', 'User: arn:aws:iam::123456789012:user/ops is not authorized to perform: sts:AssumeRole on resource: ' + role_of(entry))
    if entry['service'] == 'sqs' and 100020 <= account_of(entry) < 100025:
        return json_error('AccessDenied', 'not authorized to perform: sqs:ListQueues', 403)
    if entry['region'] == 'eu-central-1' and 100025 <= account_of(entry) < 100030:
        return json_error('UnrecognizedClientException', 'The security token included in the request is invalid.', 400)
";

/// What the disturbances leave to be tagged: role, then the regions' queues.
fn expected() -> BTreeMap<String, Vec<Option<String>>> {
    let of = |number: usize| {
        let tagged = match number {
            0..20 => [false; 4],
            20..25 => [true, false, false, false],
            25..30 => [true, true, true, false],
            _ => [true; 4],
        };
        (id(number), tagged.map(|tagged| tagged.then(|| owner(number))).to_vec())
    };
    (0..ACCOUNTS).map(of).collect()
}

#[test]
fn failures_are_grouped_and_everything_else_is_tagged_once() {
    let lab = Lab::new(ACCOUNTS, DISTURB);
    let run = lab.run(&["tag-org", "accounts.yml", "--output", "json", "--results", "results.jsonl", "--stats"]);
    let report = run.code(4).json();
    assert_eq!(lab.owners(), expected());

    assert_eq!(report["format_version"], 1);
    let (results, exceptions, roles) = (&report["Results"], &report["Exceptions"], &report["FailedAssumeRole"]);
    let length = |list: &Value| list.as_array().expect("a list").len();
    // 20 accounts without their role; of the 5 that deny a service two regions have nothing else.
    assert_eq!([results, exceptions, roles].map(length), [180 * 3 - 5 - 10, 15, 20]);
    let role = entries(roles, 7)[0];
    assert_eq!(role["Name"], "account-7");
    assert_eq!((&role["Email"], &role["RoleName"]), (&json!("a7@example.com"), &json!("Tagger")));
    assert!(role["ExceptionDetails"].as_str().is_some_and(|text| text.contains("AccessDenied")), "{role}");
    let off = entries(exceptions, 26);
    assert_eq!((off.len(), &off[0]["Region"]), (1, &json!("eu-central-1")));
    assert!(off[0]["Hint"].as_str().is_some_and(|hint| hint.contains("isn't enabled for the account")), "{off:?}");
    let denied = entries(results, 22);
    assert_eq!((denied.len(), &denied[0]["Region"]), (1, &json!("us-east-1")));
    assert_eq!(denied[0]["Result"]["failed_types"][0]["type"], "sqs");
    assert_eq!(denied[0]["Result"]["results"], json!({"written": 1}));
    let done = entries(results, 100);
    assert_eq!(done.len(), 3);
    let home = done.iter().find(|entry| entry["Region"] == "us-east-1").expect("it is among them");
    assert_eq!((&home["Result"]["tag"], &home["Result"]["results"]["written"]), (&json!(2), &json!(2)));
    let lines = std::fs::read_to_string(lab.bench.path("results.jsonl")).expect("it was written");
    assert_eq!(lines.lines().count(), 180 * 3 + 20);
    run.says(["role not assumed (20)", "account-0 000000100000", "and 15 more", "trust policy"]);
    run.says(["failed (5)", "eu-central-1", "isn't enabled for the account", "sqs could not be listed"]);
    assert_eq!(report["Summary"]["results"]["written"], 170 * 4 + 5 + 15);
    fewest_calls(&lab, &report["Summary"]["stats"]);

    let before = lab.moto.our_requests().len();
    lab.run(&["tag-org", "-c", "accounts.yml"]).code(4).says(["nothing to write"]);
    assert_eq!(lab.requests_since(before).iter().filter(|request| request.is_write()).count(), 0);
    let runs = lab.run(&["runs", "--output", "json"]).success().json();
    assert_eq!(runs["organization_runs"].as_array().map(Vec::len), Some(1), "the second one left no trace");
}

/// The least an account without disturbance takes: its role; in each region one list of the queues, one sweep of the Tagging API,
/// the queue's tags, one write; the roles' list, which has the tags, and the write. `GetCallerIdentity` is not asked: an assumed
/// role identifies its account. That moto's Tagging API writes no tags of queues and roles, so that the services are asked too, is
/// moto's own.
fn fewest_calls(lab: &Lab, stats: &Value) {
    let whole = u64::try_from(ACCOUNTS - 30).expect("few");
    let requests = lab.moto.our_requests();
    let sent = |action: &str| requests.iter().filter(|request| request.action == action).count();
    assert_eq!(sent("AssumeRole"), ACCOUNTS, "each role once");
    assert_eq!(sent("GetCallerIdentity"), 0);
    assert_eq!(stats["sts:AssumeRole"], ACCOUNTS);
    let queues = 3 * whole + 2 * 5;
    assert_eq!(stats["sqs:ListQueues"], 3 * (whole + 10), "each region once, refused or not");
    assert_eq!(stats["sqs:ListQueueTags"], queues);
    assert_eq!(stats["tag:GetResources"], queues);
    assert_eq!(stats["tag:TagResources"], queues + 5, "role and queue in one call");
    assert_eq!(stats["iam:GetAccountAuthorizationDetails"], whole + 10, "global types once an account");
}

#[test]
fn memory_does_not_grow_with_accounts() {
    // Most accounts refuse their role: with moto, a thousand that don't would take minutes.
    const REAL: usize = 20;
    let refuse = "
def disturb(entry):
    if entry['action'] == 'AssumeRole' and int(role_of(entry).split(':')[4]) >= 100020:
        return xml_error('AccessDenied', 'not authorized to perform: sts:AssumeRole')
";
    let peak = |accounts: usize| {
        let lab = Lab::of(Bench::new(), REAL, accounts, refuse);
        let (peak, code) = lab.peak_memory(&["tag-org", "accounts.yml", "--output", "json"]);
        assert_eq!(code, 4);
        assert_eq!(lab.owners().into_values().flatten().filter(Option::is_some).count(), REAL * 4);
        peak
    };
    let (few, many) = (peak(50), peak(1000));
    assert!(many * 10 < few * 12, "peak memory of 50 accounts {few} kB, of 1,000 {many} kB");
}
