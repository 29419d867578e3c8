//! An organization with everything that goes wrong in one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::lab::{Lab, REGIONS, entries, id, owner};
use crate::common::Bench;
use crate::common::calls::{Calls, TAGGING_API_AS_AWS, calls, calls_of, listed};

const ACCOUNTS: usize = 200;
/// The Tagging API is as capable as AWS's. Accounts 0 to 19: the role refuses; 20 to 24: queues can't be listed; 25 to 29: a region is switched off.
const DISTURB: &str = "
def disturb(entry):
    if entry['action'] == 'AssumeRole' and int(role_of(entry).split(':')[4]) < 100020:
        return xml_error('AccessDenied', 'User: arn:aws:iam::123456789012:user/ops is not authorized to perform: sts:AssumeRole on resource: ' + role_of(entry))
    if entry['service'] == 'sqs' and 100020 <= account_of(entry) < 100025:
        return json_error('AccessDenied', 'not authorized to perform: sqs:ListQueues', 403)
    if entry['region'] == 'eu-central-1' and 100025 <= account_of(entry) < 100030:
        return json_error('UnrecognizedClientException', 'The security token included in the request is invalid.', 400)
    return tagging_api(entry)
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
    let lab = Lab::new(ACCOUNTS, &format!("{TAGGING_API_AS_AWS}{DISTURB}"));
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
    let calls = calls_of(&run, &report["Summary"], 170 * 4 + 5 + 15);
    println!("{}", listed(&calls));
    assert_eq!(calls, least(Accounts { whole: 170, without_queues: 5, without_a_region: 5, refused: 20 }));
    let sent = lab.moto.our_requests().len();
    assert_eq!(calls.values().sum::<usize>(), sent, "each request is counted");

    let before = lab.moto.our_requests().len();
    lab.run(&["tag-org", "-c", "accounts.yml"]).code(4).says(["nothing to write"]);
    assert_eq!(lab.requests_since(before).iter().filter(|request| request.is_write()).count(), 0);
    let runs = lab.run(&["runs", "--output", "json"]).success().json();
    assert_eq!(runs["organization_runs"].as_array().map(Vec::len), Some(1), "the second one left no trace");
}

/// How many accounts there are of each kind.
#[derive(Clone, Copy)]
struct Accounts {
    whole: usize,
    /// Queues can't be listed.
    without_queues: usize,
    /// A region is switched off.
    without_a_region: usize,
    /// The role refuses.
    refused: usize,
}

/// The calls that AWS needs too. Each account: its role, which identifies the account, so that `GetCallerIdentity` is not called; the
/// list of its roles, which has their tags, and the role's tags again just before the write. Each account-region: the list of the
/// queues, a sweep of the Tagging API, the tags of the queue, and one write, of queue and role together where both are.
fn least(accounts: Accounts) -> Calls {
    let Accounts { whole, without_queues, without_a_region, refused } = accounts;
    let open = whole + without_queues + without_a_region;
    let queues = REGIONS.len() * whole + (REGIONS.len() - 1) * without_a_region;
    calls([
        ("sts:AssumeRole", open + refused),
        ("iam:GetAccountAuthorizationDetails", open),
        ("iam:ListRoleTags", open),
        ("sqs:ListQueues", REGIONS.len() * open),
        ("sqs:ListQueueTags", queues),
        ("tag:GetResources", queues),
        ("tag:TagResources", queues + without_queues),
    ])
}

/// moto's Tagging API writes neither queues nor roles: with it, each takes a further call, and nothing else does.
#[test]
fn moto_takes_a_further_call_for_each_queue_and_role() {
    const FEW: usize = 4;
    let lab = Lab::new(FEW, "");
    let run = lab.run(&["tag-org", "accounts.yml", "--output", "json", "--stats"]);
    let mut calls = calls_of(run.success(), &run.json()["Summary"], FEW * 4);
    assert_eq!([calls.remove("sqs:TagQueue"), calls.remove("iam:TagRole")], [Some(FEW * REGIONS.len()), Some(FEW)]);
    assert_eq!(calls, least(Accounts { whole: FEW, without_queues: 0, without_a_region: 0, refused: 0 }));
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
