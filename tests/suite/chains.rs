//! Sessions are loaded with `--chains` and followed with `--resolve-chains`, in any load order.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::database::query;
use crate::common::{ACCOUNT, Bench, Caller, Event, Moto, Run, Trail};

/// The account with the role that the session of [`ACCOUNT`] assumes.
const OTHER: &str = "210987654321";

/// A session of a role of an account, by its key.
fn session(account: &str, role: &str, name: &str, key: &str) -> Caller {
    let Caller(caller) = Caller::assumed_role(role, name);
    let mut caller: Value = serde_json::from_str(&caller.to_string().replace(ACCOUNT, account)).expect("JSON of JSON");
    caller["accessKeyId"] = json!(key);
    Caller(caller)
}

/// An STS event that issues an access key, as recorded in the account's trail.
fn sts(name: &str, caller: Caller, key: &str) -> Event {
    Event::new("sts.amazonaws.com", name)
        .by(caller)
        .field("readOnly", json!(true))
        .response(json!({"credentials": {"accessKeyId": key, "sessionToken": "IQoJb3JpZ2luX2VjEC0", "expiration": "Mar 1, 2026, 11:00:00 AM"}}))
}

fn assume(caller: Caller, key: &str) -> Event {
    sts("AssumeRole", caller, key)
}

/// A create event of an instance.
fn instance(id: &str, caller: Caller) -> Event {
    Event::new("ec2.amazonaws.com", "RunInstances")
        .by(caller)
        .response(json!({"instancesSet": {"items": [{"instanceId": id}]}}))
}

/// anna → role hub → role spoke of another account → RunInstances there; one file each.
fn person_to_instance() -> [Event; 3] {
    let shared = json!("20b8b0a4-8d6e-4b6c-9d3c-5f6a1f0f7c11");
    let (hub, spoke) = ("ASIAHUB0000000000001", "ASIASPOKE00000000001");
    let into_other = assume(session(ACCOUNT, "hub", "botocore-session-1700000000", hub), spoke);
    [
        assume(Caller::iam_user("anna"), hub),
        into_other.field("sharedEventID", shared),
        instance("i-0a1b2c3d4e5f60718", session(OTHER, "spoke", "botocore-session-1700000001", spoke))
            .field("recipientAccountId", json!(OTHER)),
    ]
}

fn write(bench: &Bench, events: &[Event]) -> Vec<String> {
    let name = |number: usize| format!("{number}.json.gz");
    for (number, event) in events.iter().enumerate() {
        let event = match event.record()["eventID"].as_str() {
            Some(_) => event.clone(),
            None => event.clone().field("eventID", json!(format!("{number:08x}-0000-4000-8000-00000000000b"))),
        };
        Trail::new().event(event).write(&bench.path(name(number)));
    }
    (0..events.len()).map(name).collect()
}

fn load<S: AsRef<str>>(bench: &Bench, files: &[S], more: &[&str]) -> Run {
    let files = files.iter().map(AsRef::as_ref);
    let args = ["load-files", "--jobs", "1", "--output", "json"].into_iter().chain(files).chain(more.iter().copied());
    let run = bench.trailcreator(args).run();
    run.success();
    run
}

/// The answer of `who` for the only resource.
fn who(bench: &Bench, id: &str, more: &[&str]) -> Value {
    let args = ["who", id, "--output", "json"];
    let document = bench.trailcreator(args.iter().chain(more)).run().success().json();
    let resources = document["resources"].as_array().expect("a list");
    assert_eq!(resources.len(), 1, "{document:#}");
    resources[0].clone()
}

/// The owner with its reason.
fn owner(answer: &Value) -> (&str, &str) {
    (answer["owner"].as_str().unwrap_or("none"), answer["owner_reason"].as_str().expect("there is always a reason"))
}

/// The evidence of the rule `chain`.
fn links(answer: &Value) -> Vec<&str> {
    let steps = answer["evidence"].as_array().expect("a list").iter();
    steps.filter(|step| step["rule"] == "chain").map(|step| step["says"].as_str().expect("a text")).collect()
}

const FOLLOWED: [&str; 1] = ["--resolve-chains"];

/// Permutations of three.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[test]
fn person_is_found_through_two_accounts_in_any_load_order() {
    let summary: Vec<Value> = ORDERS
        .iter()
        .flat_map(|order| [1, 3].map(|split| (order, split)))
        .map(|(order, split)| {
            let bench = Bench::new();
            let files = write(&bench, &person_to_instance());
            let files: Vec<&String> = order.iter().map(|at| &files[*at]).collect();
            let (first, second) = files.split_at(split);
            load(&bench, first, &["--chains"]);
            if !second.is_empty() {
                load(&bench, second, &["--chains"]);
            }
            who(&bench, "i-0a1b2c3d4e5f60718", &FOLLOWED)
        })
        .collect();
    for other in &summary[1..] {
        assert_eq!(other, &summary[0]);
    }
    assert_eq!(
        owner(&summary[0]),
        ("anna", "IAM user name, of account 123456789012; created the session through 2 calls")
    );
    let [to_spoke, to_hub] = links(&summary[0])[..] else { panic!("{:#}", summary[0]) };
    assert_eq!(
        to_spoke,
        "session botocore-session-1700000001 of role spoke (ASIASPOKE00000000001) was created with AssumeRole at 2026-03-01T10:00:00Z by \
         AssumedRole arn:aws:sts::123456789012:assumed-role/hub/botocore-session-1700000000 of account 123456789012, \
         recorded in account 123456789012 (event 00000001-0000-4000-8000-00000000000b)"
    );
    assert!(to_hub.contains("by IAMUser arn:aws:iam::123456789012:user/anna of account 123456789012"), "{to_hub}");
}

#[test]
fn without_the_option_nothing_changes_and_who_suggests_it() {
    let bench = Bench::new();
    let files = write(&bench, &person_to_instance());
    load(&bench, &files, &[]);
    let run = bench.trailcreator(["who", "i-0a1b2c3d4e5f60718", "--resolve-chains"]).run();
    run.success().shows(["owner    spoke (role; session name botocore-session-1700000001"]);
    run.says(["--resolve-chains: the database has no sessions", "load with --chains"]);
    let advice = &who(&bench, "i-0a1b2c3d4e5f60718", &[])["advice"];
    assert!(advice[0].as_str().expect("advice").contains("--resolve-chains"), "{advice}");
    load(&bench, &files, &["--chains"]);
    assert_eq!(owner(&who(&bench, "i-0a1b2c3d4e5f60718", &[])).0, "spoke", "loaded, but not asked for");
    let run = bench.trailcreator(["who", "i-0a1b2c3d4e5f60718", "--resolve-chains"]).run();
    run.success().shows(["owner    anna", "why      session botocore-session-1700000001 of role spoke"]);
    assert!(!run.stderr.contains("--chains") && !run.stdout.contains("next"), "{}", run.printed());
}

/// The calling account and the called account each have a copy. Only the first has the caller, only the
/// other has the access key.
#[test]
fn copies_in_two_accounts_are_joined_by_shared_event_id() {
    let [anna, called, made] = person_to_instance();
    let stranger = json!({"type": "AWSAccount", "principalId": "AROAIDPPEZS35WEXAMPLE:botocore-session-1700000000", "accountId": ACCOUNT});
    let was_called = called.clone().by(Caller(stranger)).field("recipientAccountId", json!(OTHER));
    let with_key = [anna.clone(), called.clone(), was_called.clone(), made.clone()];
    let without_key = [anna, called.response(Value::Null), was_called, made];
    for events in [with_key, without_key] {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let bench = Bench::new();
            let files = write(&bench, &events);
            for at in order {
                load(&bench, &[&files[at]], &["--chains"]);
            }
            let answer = who(&bench, "i-0a1b2c3d4e5f60718", &FOLLOWED);
            assert_eq!(owner(&answer).0, "anna", "{answer:#}");
        }
    }
}

#[test]
fn users_of_identity_providers_are_found() {
    let bench = Bench::new();
    let issuer = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    let github = Caller(
        json!({"type": "WebIdentityUser", "identityProvider": issuer, "userName": "repo:octo-org/app:ref:refs/heads/main",
        "principalId": format!("{issuer}:sts.amazonaws.com:repo:octo-org/app:ref:refs/heads/main")}),
    );
    let Caller(mut of_root) = Caller::root();
    of_root["accessKeyId"] = json!("ASIAROOT000000000001");
    let federated = session(ACCOUNT, "loop-a", "GitHubActions", "ASIALOOP000000000001");
    let files = write(
        &bench,
        &[
            sts("AssumeRoleWithWebIdentity", github, "ASIAGITHUB0000000001"),
            instance("i-00000000000000001", session(ACCOUNT, "ci", "GitHubActions", "ASIAGITHUB0000000001")),
            sts("AssumeRoleWithSAML", Caller::saml_user("sam@example.com"), "ASIASAML000000000001"),
            instance("i-00000000000000002", session(ACCOUNT, "dev", "x", "ASIASAML000000000001")),
            sts("AssumeRoot", Caller::iam_user("carol"), "ASIAROOT000000000001"),
            instance("i-00000000000000003", Caller(of_root)),
            // Two sessions that created each other: there is no other principal.
            assume(session(ACCOUNT, "loop-b", "nightly", "ASIALOOP000000000002"), "ASIALOOP000000000001"),
            assume(federated.clone(), "ASIALOOP000000000002"),
            instance("i-00000000000000004", federated),
            // A call of an AWS service: it leads to no person, and is not stored.
            assume(Caller::service("lambda.amazonaws.com"), "ASIALAMBDA0000000001"),
            instance("i-00000000000000005", session(ACCOUNT, "function", "function", "ASIALAMBDA0000000001")),
        ],
    );
    let summary = load(&bench, &files, &["--chains"]).json();
    assert_eq!(summary["sessions"], json!({"read": 5, "new": 5, "dropped": 0}));
    assert_eq!((&summary["without_ids"], &summary["ids"]), (&json!({}), &json!(5)));
    let sessions = query(&bench.path("creators.db"), "SELECT session FROM sessions ORDER BY 1");
    assert!(sessions.len() == 5 && !sessions.contains(&"ASIALAMBDA0000000001".to_owned()), "{sessions:?}");
    let of = |number: u8| {
        let answer = who(&bench, &format!("i-0000000000000000{number}"), &FOLLOWED);
        let (owner, reason) = owner(&answer);
        (format!("{owner} ({reason})"), links(&answer).len())
    };
    let github = "repo:octo-org/app:ref:refs/heads/main (web identity of GitHub Actions (token.actions.githubusercontent.com); created the session)";
    assert_eq!(of(1), (github.to_owned(), 1));
    assert_eq!(of(2), ("sam@example.com (SAML user name; created the session)".to_owned(), 1));
    assert_eq!(of(3), ("carol (IAM user name; created the session)".to_owned(), 1));
    assert_eq!(
        of(4),
        (
            "loop-a (role; session name GitHubActions was generated by GitHub Actions; created the session through 2 calls)"
                .to_owned(),
            2
        )
    );
    assert_eq!(of(5), ("function (role; session name function was generated by a program)".to_owned(), 0));
    let again = load(&bench, &files, &["--chains"]).json();
    assert_eq!((&again["files"]["already_loaded"], again.get("sessions")), (&json!(11), None));
}

#[test]
fn files_read_without_sessions_are_read_again_with_them_and_not_vice_versa() {
    let bench = Bench::new();
    let files = write(&bench, &person_to_instance());
    let figures = |run: &Run| {
        let summary = run.json();
        [&summary["files"]["read"], &summary["files"]["already_loaded"], &summary["new_ids"]]
            .map(|figure| figure.as_u64().unwrap())
    };
    assert_eq!(figures(&load(&bench, &files, &[])), [3, 0, 1]);
    assert_eq!(figures(&load(&bench, &files, &["--chains"])), [3, 0, 0]);
    assert_eq!(figures(&load(&bench, &files, &["--chains"])), [0, 3, 0]);
    assert_eq!(figures(&load(&bench, &files, &[])), [0, 3, 0]);
    assert_eq!(figures(&load(&bench, &files, &["--chains"])), [0, 3, 0]);
}

/// As above, with days of a bucket that are one row in the ledger.
#[test]
fn closed_days_are_read_again_with_sessions_and_not_vice_versa() {
    let (bench, moto) = (Bench::new(), Moto::start());
    for (number, event) in person_to_instance().into_iter().enumerate() {
        let event = event.at(&format!("2026-03-{:02}T10:00:00Z", number + 1));
        let day = format!("logs/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/03/{:02}", number + 1);
        let name = format!("{ACCOUNT}_CloudTrail_us-east-1_202603{:02}T1000Z_a.json.gz", number + 1);
        Trail::new().event(event).write(&bench.path(day).join(name));
    }
    moto.upload("trail", &bench.path("logs"));
    let load = |more: &[&str]| {
        let args = ["load-s3", "--bucket", "trail", "--output", "json"];
        let summary = bench.trailcreator(args.iter().chain(more)).aws(&moto).run().success().json();
        let requests = |name: &str| summary["requests"].get(name).map_or(0, |count| count.as_u64().unwrap());
        [requests("s3:GetObject"), summary["files"]["already_loaded"].as_u64().unwrap()]
    };
    assert_eq!(load(&[]), [3, 0]);
    assert_eq!(load(&[]), [0, 0], "all days are closed");
    assert_eq!(load(&["--chains", "--since", "2026-03-02"]), [2, 0]);
    assert_eq!(load(&["--chains", "--since", "2026-03-02"]), [0, 0]);
    assert_eq!(load(&[]), [0, 0]);
    assert_eq!(load(&["--chains"]), [1, 0], "the first day only");
    assert_eq!(load(&["--chains"]), [0, 0]);
    assert_eq!(load(&[]), [0, 0]);
    assert_eq!(spans(&bench.path("creators.db")), ["|2026", "|2026"], "one without and one with sessions");
}

fn spans(database: &Path) -> Vec<String> {
    query(database, "SELECT coalesce(first_day, '') || '|' || substr(last_day, 1, 4) FROM ledger_spans")
}

#[test]
fn tag_and_report_follow_sessions_too() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let url = moto.boto3("result = client('sqs').create_queue(QueueName='jobs')['QueueUrl']");
    let made = Event::new("sqs.amazonaws.com", "CreateQueue")
        .by(session(ACCOUNT, "deploy", "botocore-session-1700000001", "ASIADEPLOY0000000001"))
        .request(json!({"queueName": "jobs"}))
        .response(json!({"queueUrl": url}));
    let files = write(&bench, &[made, assume(Caller::iam_user("anna"), "ASIADEPLOY0000000001")]);
    load(&bench, &files, &["--chains"]);
    let value = |more: &[&str]| {
        let args = ["tag", "--dry-run", "--output", "json"];
        let plan = bench.trailcreator(args.iter().chain(more)).aws(&moto).run().success().json();
        plan["actions"][0]["value"].as_str().expect("a write").to_owned()
    };
    assert_eq!((value(&[]).as_str(), value(&FOLLOWED).as_str()), ("deploy", "anna"));
    let creators = |more: &[&str]| {
        let args = ["report", "--offline", "--format", "json"];
        let report = bench.trailcreator(args.iter().chain(more)).run().success().json();
        report["creators"][0]["owner"].as_str().expect("a creator").to_owned()
    };
    assert_eq!((creators(&[]).as_str(), creators(&FOLLOWED).as_str()), ("deploy", "anna"));
}
