//! Owners by an identity map and by the identity store, as shown by `who` and `tag`.

use serde_json::{Value, json};

use crate::common::{ACCOUNT, Bench, Caller, Event, Moto, Trail};

const STORE: &str = "arn:aws:identitystore::123456789012:identitystore/d-9067642ac7";

const MAP: &str = "rules:
  - name: pipelines
    role: /ci-(?<team>[a-z]+)/
    owner: \"{team}@example.com\"
  - user: robot
    skip: a shared robot
  - user: matches-no-user
    owner: x
";

fn queue(name: &str, caller: Caller) -> Event {
    let url = format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}");
    Event::new("sqs.amazonaws.com", "CreateQueue")
        .by(caller)
        .request(json!({"queueName": name}))
        .response(json!({"queueUrl": url}))
}

fn center_user(user_id: &str) -> Caller {
    let behalf = json!({"userId": user_id, "identityStoreArn": STORE});
    Caller(
        json!({"type": "IdentityCenterUser", "accountId": ACCOUNT, "onBehalfOf": behalf, "credentialId": "7a30c1d8"}),
    )
}

fn load(bench: &Bench, events: Vec<Event>) {
    let mut trail = Trail::new();
    events.into_iter().for_each(|event| trail.push(event));
    trail.write(&bench.path("logs/one.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
}

/// The answer for the only resource with that name.
fn one(document: &Value) -> Value {
    let resources = document["resources"].as_array().expect("a list");
    assert_eq!(resources.len(), 1, "{document:#}");
    resources[0].clone()
}

#[test]
fn identity_map_decides_and_who_shows_the_rule() {
    let bench = Bench::new();
    load(
        &bench,
        vec![
            queue("built", Caller::assumed_role("ci-data", "GitHubActions")),
            queue("left", Caller::iam_user("robot")),
            queue("own", Caller::iam_user("anna")),
        ],
    );
    bench.write("map.yml", MAP);
    let who = |id: &str| {
        let args = ["who", id, "--identity-map", "map.yml", "--output", "json"];
        one(&bench.trailcreator(args).run().success().json())
    };
    let built = who("built");
    assert_eq!(
        (&built["owner"], &built["owner_reason"]),
        (&json!("data@example.com"), &json!("identity map, rule pipelines (map.yml:2)"))
    );
    let spoke = "rule pipelines (map.yml:2): role ci-data matches /ci-(?<team>[a-z]+)/; owner data@example.com";
    assert!(
        built["evidence"].as_array().unwrap().contains(&json!({"rule": "identity-map", "says": spoke})),
        "{built:#}"
    );
    let left = who("left");
    assert_eq!(left["owner_reason"], "a shared robot (identity map, rule 2 (map.yml:5))");
    assert_eq!((&left["owner"], left["advice"].as_array().map(Vec::len)), (&Value::Null, Some(1)));
    assert_eq!(who("own")["owner"], "anna");
    let run = bench.trailcreator(["who", "built", "left", "--identity-map", "map.yml"]).run();
    run.success().says(["rule 3 (map.yml:7): matched no principal"]);
    assert!(!run.stderr.contains("pipelines"), "{}", run.stderr);
    assert!(run.stdout.contains("why      rule pipelines"), "{}", run.stdout);
}

#[test]
fn invalid_identity_map_is_an_error_with_its_position() {
    let bench = Bench::new();
    load(&bench, vec![queue("q", Caller::root())]);
    bench.write("map.yml", "rules:\n  - rolle: x\n    owner: y\n");
    let run = bench.trailcreator(["who", "q", "--identity-map", "map.yml"]).run();
    run.code(2).says(["map.yml:2:5: unknown key `rolle`; did you mean `role`?"]);
    bench
        .trailcreator(["tag", "--identity-map", "no.yml"])
        .run()
        .code(2)
        .says(["no.yml: the identity map can't be read"]);
}

#[test]
fn identity_store_is_asked_once_per_user() {
    let moto = Moto::start();
    let made = moto.boto3(
        "
store = client('identitystore')
anna = store.create_user(IdentityStoreId='d-9067642ac7', UserName='anna', DisplayName='Anna', Name=dict(FamilyName='S', GivenName='A'), Emails=[dict(Value='anna@example.com', Primary=True)])
url = client('sqs').create_queue(QueueName='hers')['QueueUrl']
client('sqs').create_queue(QueueName='lost')
result = anna['UserId']",
    );
    let anna = made.as_str().expect("an id is a text");
    let bench = Bench::new();
    load(
        &bench,
        vec![queue("hers", center_user(anna)), queue("lost", center_user("00000000-0000-0000-0000-000000000000"))],
    );
    let who = |args: &[&str]| {
        let args = ["who", "hers", "--output", "json"].into_iter().chain(args.iter().copied());
        one(&bench.trailcreator(args).aws(&moto).run().success().json())
    };
    assert_eq!(who(&[])["owner"], anna, "without having asked");
    let run = bench.trailcreator(["tag", "--dry-run", "--output", "json"]).aws(&moto).run();
    let plan = run.success().json();
    let action = |name: &str| {
        let actions = plan["actions"].as_array().expect("a list");
        actions.iter().find(|action| action["id"].as_str().is_some_and(|id| id.ends_with(name))).unwrap().clone()
    };
    assert_eq!(action("hers")["value"], "anna");
    let lost = action("lost");
    assert_eq!(lost["value"], "00000000-0000-0000-0000-000000000000");
    let reason = lost["reason"].as_str().unwrap();
    assert!(reason.contains("no such user in the identity store in us-east-1"), "{reason}");
    let asked = || moto.our_requests().iter().filter(|request| request.action == "DescribeUser").count();
    assert_eq!(asked(), 2);
    assert_eq!(who(&[])["owner"], "anna", "kept in the database");
    assert_eq!(who(&["--creator-value", "email"])["owner"], "anna@example.com");
    bench.trailcreator(["tag", "--dry-run"]).aws(&moto).run().success();
    assert_eq!(asked(), 3, "known users are not looked up again");
}

#[test]
fn without_access_to_the_identity_store_ids_are_used_with_the_reason() {
    let moto = Moto::start_with(
        "def before(entry, environ):
    if entry['action'] == 'DescribeUser':
        return 400, 'application/x-amz-json-1.1', '{\"__type\": \"AccessDeniedException\", \"Message\": \"no\"}'",
    );
    let bench = Bench::new();
    let users = ["u-1", "u-2", "u-3", "u-4", "u-5", "u-6", "u-7", "u-8", "u-9"];
    load(&bench, users.iter().map(|user| queue(user, center_user(user))).collect());
    let run = bench.trailcreator(["who", "u-9", "--live", "--output", "json"]).aws(&moto).run();
    let answer = one(&run.success().json());
    assert_eq!(answer["owner"], "u-9");
    assert_eq!(
        answer["owner_reason"],
        "Identity Center user ID; the user name is unknown: access denied to identitystore:DescribeUser in us-east-1"
    );
    assert!(answer["advice"][0].as_str().unwrap().contains("identitystore:DescribeUser"), "{answer:#}");
    let asked = moto.our_requests().iter().filter(|request| request.action == "DescribeUser").count();
    assert!(asked < users.len(), "a refusal ends it: {asked}");
}

#[test]
fn contents_of_the_database_are_shown_if_a_resource_is_unknown() {
    let bench = Bench::new();
    load(&bench, vec![queue("a", Caller::root()), queue("b", Caller::root()).at("2026-04-01T00:00:00Z")]);
    let run = bench.trailcreator(["who", "a", "no-such-thing"]).run();
    let text = &run.code(4).stdout;
    let covered = format!("account {ACCOUNT} in us-east-1, from 2026-03-01T10:00:00Z to 2026-04-01T00:00:00Z");
    for line in [&format!("  events   {covered}"), "  read     files", "  next     look in Event history"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let document = bench.trailcreator(["who", "no-such-thing", "--output", "json"]).run().code(4).json();
    assert_eq!(document["loaded"]["places"][0]["first_event"], "2026-03-01T10:00:00Z");
    assert_eq!(document["loaded"]["sources"], json!([{"source": "files"}]));
    let known = bench.trailcreator(["who", "a", "--output", "json"]).run().success().json();
    assert_eq!(known["loaded"], Value::Null);
}

#[test]
fn caller_of_another_account_and_identity_provider_are_shown() {
    let mut pipeline = Caller::assumed_role("ci-data", "GitHubActions");
    let provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    pipeline.0["sessionContext"]["webIdFederationData"] = json!({"federatedProvider": provider, "attributes": {}});
    let mut stranger = Caller::assumed_role("deploy", "eve");
    stranger.0["accountId"] = json!("444455556666");
    let bench = Bench::new();
    load(&bench, vec![queue("built", pipeline), queue("theirs", stranger)]);
    let who = |id: &str| one(&bench.trailcreator(["who", id, "--output", "json"]).run().success().json());
    let built = who("built");
    assert_eq!(built["event"]["principal"]["federated_provider"], provider);
    let reason = built["owner_reason"].as_str().unwrap();
    assert!(reason.ends_with(", signed in through GitHub Actions (token.actions.githubusercontent.com)"), "{reason}");
    let theirs = who("theirs");
    assert_eq!(theirs["event"]["principal"]["account_id"], "444455556666");
    assert_eq!(
        (&theirs["owner"], &theirs["owner_reason"]),
        (&json!("eve"), &json!("session name of role deploy, of account 444455556666"))
    );
}
