//! The records: each case is a kind that a source can get wrong. The events are on one day that is still in Event history.
//!
//! An event's ID is the name of its case and its number in it, unless the case sets one.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::{Value, json};

use super::world::REGIONS;
use crate::common::{ACCOUNT, Caller, Event, moment};

/// The second account.
const OTHER: &str = "210987654321";

/// Days back from today.
const AGO: i64 = 5;

/// How the JSON of a case is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spelling {
    /// As CloudTrail does.
    Usual,
    /// With escapes for all non-ASCII characters and slashes.
    Escaped,
}

/// A kind of records.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) events: Vec<Event>,
    /// The number of its rows.
    pub(super) rows: RangeInclusive<usize>,
    /// The number of copies of each file.
    pub(super) copies: usize,
    pub(super) spelling: Spelling,
}

/// A case in CloudTrail's JSON, once.
pub(super) fn case(name: &'static str, rows: usize, events: Vec<Event>) -> Case {
    Case { name, events, rows: rows..=rows, copies: 1, spelling: Spelling::Usual }
}

fn call(source: &str, name: &str) -> Event {
    Event::new(source, name).at(&moment(AGO, "10:00:00"))
}

/// An event that creates a bucket: one row.
pub(super) fn bucket(name: &str) -> Event {
    call("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}))
}

/// All cases except the long and the recorded ones.
pub(super) fn generated() -> Vec<Case> {
    vec![
        texts("unicode", &UNICODE),
        Case { spelling: Spelling::Escaped, ..texts("escaped", &UNICODE) },
        texts("quotes", &QUOTES),
        fields("null-fields", |event, field| event.field(field, Value::Null)),
        fields("absent-fields", |event, field| event.without(field)),
        fields("empty-fields", |event, field| event.field(field, json!(""))),
        caller_fields("null-caller-fields", |caller, path| set(caller, path, Some(Value::Null))),
        caller_fields("absent-caller-fields", |caller, path| set(caller, path, None)),
        caller_fields("empty-caller-fields", |caller, path| set(caller, path, Some(json!("")))),
        null_json(),
        commas(),
        failed(),
        other_services(),
        callers(),
        many_ids(),
        Case { copies: 2, ..case("delivered-twice", 2, vec![bucket("twice-1"), bucket("twice-2")]) },
        shared(),
        large(),
        lambda_versions(),
        deletions(),
        renames(),
    ]
}

const UNICODE: [&str; 10] = [
    "größe",
    "ro\u{308}le",
    "Жанна-δ",
    "名前",
    "اسم",
    "\u{1F980}",
    "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
    "\u{10FFFD}",
    "\u{FEFF}mark",
    "\u{2028}line\u{2029}",
];

const QUOTES: [&str; 16] = [
    "\"quoted\"",
    "\"\"",
    "\"",
    "\",\"",
    "'single'; --",
    "a,b",
    "two\nlines",
    "two\r\nlines",
    "\n",
    "tab\there",
    "back\\slash\\",
    "\\N",
    "NULL",
    "null",
    " spaces ",
    "control\u{1}\u{1f}\u{7f}",
];

/// Each text in every field that callers control.
fn texts(name: &'static str, texts: &[&str]) -> Case {
    let mut events = Vec::new();
    for text in texts {
        let session = Caller::assumed_role(text, text).source_identity(text);
        let role = json!({"role": {"roleName": text, "arn": format!("arn:aws:iam::{ACCOUNT}:role/{text}")}});
        events.push(bucket(text).by(Caller::iam_user(text)).field("userAgent", json!(text)));
        events.push(
            call("iam.amazonaws.com", "CreateRole").by(session).request(json!({"roleName": text})).response(role),
        );
    }
    case(name, events.len(), events)
}

/// Top-level fields that AWS documents as optional, or that this program does not need.
const FIELDS: [&str; 22] = [
    "userAgent",
    "sourceIPAddress",
    "errorCode",
    "errorMessage",
    "responseElements",
    "additionalEventData",
    "requestID",
    "apiVersion",
    "managementEvent",
    "readOnly",
    "resources",
    "recipientAccountId",
    "serviceEventDetails",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "eventCategory",
    "addendum",
    "sessionCredentialFromConsole",
    "edgeDeviceDetails",
    "tlsDetails",
    "eventVersion",
];

/// An event for each optional field, with that field changed.
fn fields(name: &'static str, change: impl Fn(Event, &str) -> Event) -> Case {
    let events = FIELDS.iter().map(|field| change(bucket(&format!("{name}-{field}")), field));
    case(name, FIELDS.len(), events.collect())
}

const CALLER_FIELDS: [&str; 19] = [
    "",
    "type",
    "arn",
    "userName",
    "principalId",
    "accountId",
    "accessKeyId",
    "invokedBy",
    "sessionContext",
    "sessionContext/sourceIdentity",
    "sessionContext/attributes",
    "sessionContext/sessionIssuer",
    "sessionContext/sessionIssuer/type",
    "sessionContext/sessionIssuer/arn",
    "sessionContext/sessionIssuer/userName",
    "sessionContext/webIdFederationData",
    "sessionContext/webIdFederationData/federatedProvider",
    "onBehalfOf",
    "onBehalfOf/userId",
];

/// An event for each field of a caller that has all of them, with that field changed.
fn caller_fields(name: &'static str, change: impl Fn(&mut Value, &str)) -> Case {
    let event = |path: &&str| {
        let Caller(mut caller) = Caller::assumed_role("role", "session").source_identity("person");
        caller["userName"] = json!("user");
        caller["invokedBy"] = json!("ec2fleet.amazonaws.com");
        caller["onBehalfOf"] = on_behalf_of();
        caller["sessionContext"]["webIdFederationData"] =
            json!({"federatedProvider": "cognito-identity.amazonaws.com"});
        let mut record = bucket(&format!("{name}-{path}")).by(Caller(caller)).record().clone();
        change(&mut record, path);
        Event::from(record)
    };
    case(name, CALLER_FIELDS.len(), CALLER_FIELDS.iter().map(event).collect())
}

/// Sets or removes a field below `userIdentity`; with an empty path `userIdentity` itself.
fn set(record: &mut Value, path: &str, value: Option<Value>) {
    let path = format!("/userIdentity/{path}");
    let (parent, name) = path.trim_end_matches('/').rsplit_once('/').expect("it begins with one");
    let object = record.pointer_mut(parent).and_then(Value::as_object_mut).expect("the caller has all fields");
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
}

fn on_behalf_of() -> Value {
    let store = format!("arn:aws:identitystore::{ACCOUNT}:identitystore/d-9067642ac7");
    json!({"userId": "94482488-3041-7026-4cd1-2b4f5e9f6f1b", "identityStoreArn": store})
}

/// Requests and responses that are null, the text `null`, or unusable.
fn null_json() -> Case {
    let mut events = Vec::new();
    for nothing in [Value::Null, json!("null"), json!({}), json!("")] {
        let named = |place: &str| json!({"bucketName": format!("{place}-of-{nothing}")});
        events.push(bucket("").request(nothing.clone()).response(nothing.clone()));
        events.push(bucket("").request(named("request")).response(nothing.clone()));
        let function = call("lambda.amazonaws.com", "CreateFunction20150331").request(nothing.clone());
        events.push(function.response(json!({"functionName": format!("answer-of-{nothing}")})));
    }
    events.push(bucket("").request(json!({"bucketName": null})));
    events.push(bucket("").request(json!({"bucketName": ""})));
    events.push(bucket("").request(json!({"bucketName": "null"})));
    case("null-json", 9, events)
}

fn commas() -> Case {
    let names = ["a,b", "a ,b", "a, b ,c", ",", " ,", " ,a", "a ,"];
    let role = |name: &str| {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        call("iam.amazonaws.com", "CreateRole").response(json!({"role": {"roleName": name, "arn": arn}}))
    };
    let events: Vec<Event> = names.iter().map(|name| bucket(name)).chain(names.iter().map(|name| role(name))).collect();
    case("commas", events.len(), events)
}

fn failed() -> Case {
    let events = vec![
        bucket("refused").failed("AccessDenied"),
        bucket("message-only").field("errorMessage", json!("it failed")),
        bucket("code-only").field("errorCode", json!("Client.InvalidParameter")),
        bucket("code-and-no-message").field("errorCode", json!("AccessDenied")).field("errorMessage", Value::Null),
        bucket("tried-again"),
    ];
    case("failed", 1, events)
}

/// Event names that several services have; the map has one or two of them.
fn other_services() -> Case {
    let cluster = json!({"cluster": {"clusterName": "c", "name": "c", "clusterArn": "arn:aws:ecs:us-east-1:1:cluster/c",
        "arn": "arn:aws:eks:us-east-1:1:cluster/c", "clusterIdentifier": "c"}});
    let cluster = |source: &str| {
        let request = json!({"clusterName": "c", "name": "c", "clusterIdentifier": "c"});
        call(source, "CreateCluster").request(request).response(cluster.clone())
    };
    let events = vec![
        cluster("ecs.amazonaws.com"),
        cluster("eks.amazonaws.com"),
        // Of services that no map will ever have.
        cluster("clusters-without-owner.amazonaws.com"),
        call("repositories-without-owner.amazonaws.com", "CreateRepository").request(json!({"repositoryName": "git"})),
        call("someone-else.amazonaws.com", "CreateBucket").request(json!({"bucketName": "not-s3"})),
        call("s3.amazonaws.com", "CreateRole").request(json!({"roleName": "no-role", "bucketName": "no-bucket"})),
    ];
    case("other-services", 2, events)
}

/// Every kind of `userIdentity` that AWS documents.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
fn callers() -> Case {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/app");
    let issuer = json!({"type": "Role", "principalId": "AROAIDPPEZS35WEXAMPLE", "arn": role, "accountId": ACCOUNT, "userName": "app"});
    let with = |Caller(mut caller): Caller, path: &str, value: Value| {
        caller[path] = value;
        Caller(caller)
    };
    let session = || Caller::assumed_role("app", "ann@example.com");
    let callers = vec![
        Caller::root(),
        Caller::iam_user("ann"),
        session(),
        session().source_identity("ann"),
        with(session(), "onBehalfOf", on_behalf_of()),
        with(session(), "invokedBy", json!("cloudformation.amazonaws.com")),
        Caller(json!({"type": "Role", "principalId": "AROAIDPPEZS35WEXAMPLE", "arn": role, "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": issuer, "ec2RoleDelivery": "2.0"}})),
        Caller(json!({"type": "FederatedUser", "principalId": format!("{ACCOUNT}:ann"), "accountId": ACCOUNT,
            "arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/ann"), "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "principalId": "AIDAJ45Q7YFFAREXAMPLE",
                "arn": format!("arn:aws:iam::{ACCOUNT}:user/broker"), "accountId": ACCOUNT, "userName": "broker"},
                "attributes": {"creationDate": "2026-03-01T09:00:00Z", "mfaAuthenticated": "false"}}})),
        Caller::saml_user("sam@example.com"),
        Caller(
            json!({"type": "WebIdentityUser", "principalId": "accounts.google.com:app.apps.googleusercontent.com:114",
            "userName": "114", "identityProvider": "accounts.google.com"}),
        ),
        Caller(json!({"type": "AssumedRole", "principalId": "AROAIDPPEZS35WEXAMPLE:web", "accountId": ACCOUNT,
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/app/web"), "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {"sessionIssuer": issuer, "webIdFederationData": {
                "federatedProvider": "arn:aws:iam::123456789012:oidc-provider/token.example",
                "attributes": {"aud": "sts.amazonaws.com", "sub": "repo:org/app:ref:refs/heads/main"}}}})),
        Caller(json!({"type": "IdentityCenterUser", "accountId": ACCOUNT, "onBehalfOf": on_behalf_of(),
            "credentialId": "7a30c1d8"})),
        Caller(
            json!({"type": "Directory", "principalId": "d-1:S-1-5-21", "accountId": ACCOUNT, "userName": "corp\\ann"}),
        ),
        Caller(json!({"type": "AWSAccount", "principalId": "AIDAJ45Q7YFFAREXAMPLE", "accountId": OTHER})),
        Caller::service("autoscaling.amazonaws.com"),
        Caller(json!({"type": "Unknown", "principalId": "anonymous"})),
        Caller(json!({"accountId": ACCOUNT, "invokedBy": "AWS Internal"})),
        Caller(json!({"invokedBy": "AWS Internal"})),
        Caller(json!({})),
        Caller(Value::Null),
    ];
    let events: Vec<Event> = callers
        .into_iter()
        .enumerate()
        .map(|(number, caller)| bucket(&format!("caller-{number}")).by(caller))
        .collect();
    case("callers", events.len(), events)
}

/// 120 instances, each with two volumes and an interface, in both forms that EC2 has.
fn many_ids() -> Case {
    const INSTANCES: usize = 120;
    let instance = |number: usize| {
        let volume = |letter| json!({"deviceName": format!("/dev/xvd{letter}"), "ebs": {"volumeId": format!("vol-{number}{letter}")}});
        json!({
            "instanceId": format!("i-{number:017x}"),
            "blockDeviceMapping": {"items": [volume("a"), volume("b")]},
            "networkInterfaceSet": {"items": [{"networkInterfaceId": format!("eni-{number}")}]},
        })
    };
    let items: Vec<Value> = (0..INSTANCES).map(instance).collect();
    let newer: Vec<Value> = (0..INSTANCES).map(|number| json!({"instanceId": format!("i-new-{number}")})).collect();
    let answers = [
        json!({"instancesSet": {"items": items}}),
        json!({"RunInstancesResponse": {"instancesSet": {"item": newer}}}),
        json!({"RunInstancesResponse": {"instancesSet": {"item": {"instanceId": "i-alone"}}}}),
    ];
    let events = answers.map(|answer| call("ec2.amazonaws.com", "RunInstances").response(answer)).to_vec();
    case("many-ids", 4 * INSTANCES + INSTANCES + 1, events)
}

/// One call that two accounts recorded, and the same call in three regions.
fn shared() -> Case {
    let copy = |account: &str| {
        let event = bucket("shared").field("recipientAccountId", json!(account));
        event.field("sharedEventID", json!("47f8c1a1-0000-4000-8000-00000000000a"))
    };
    let mut events = vec![copy(ACCOUNT), copy(OTHER)];
    events.extend(REGIONS.map(|region| bucket("everywhere").region(region)));
    events.push(bucket("of-the-other").account(OTHER));
    case("shared", 6, events)
}

/// Records of the maximum length.
fn large() -> Case {
    const LENGTH: usize = 200_000;
    let template = "größe, \"quoted\"\n".repeat(LENGTH / 18);
    let stack = call("cloudformation.amazonaws.com", "CreateStack")
        .request(json!({"stackName": "large", "templateBody": template}))
        .response(json!({"stackId": format!("arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/large/1")}));
    case("large", 2, vec![stack, bucket("after-it")])
}

fn lambda_versions() -> Case {
    let names = ["CreateFunction", "CreateFunction20150331", "CreateFunction20150331v2"];
    let event = |name: &&str| {
        call("lambda.amazonaws.com", name).request(json!({"functionName": name})).response(
            json!({"functionName": name, "functionArn": format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}")}),
        )
    };
    let url = call("lambda.amazonaws.com", "CreateFunctionUrlConfig").request(json!({"functionName": "has-url"}));
    case("lambda-versions", names.len(), names.iter().map(event).chain([url]).collect())
}

fn deletions() -> Case {
    let event = |name: &str| call("s3.amazonaws.com", name).request(json!({"bucketName": "came-and-went"}));
    let times = ["10:00:00", "10:00:01", "10:00:02"];
    let names = ["CreateBucket", "DeleteBucket", "CreateBucket"];
    let events = times.into_iter().zip(names).map(|(time, name)| event(name).at(&moment(AGO, time))).collect();
    case("deletions", 3, events)
}

/// Three calls that can rename, and one that does: its row and that of the create event, and no event without identifiers.
fn renames() -> Case {
    let modify = |request: Value| call("rds.amazonaws.com", "ModifyDBInstance").request(request);
    let request = json!({"dBInstanceIdentifier": "orders", "engine": "mysql"});
    let events = vec![
        call("rds.amazonaws.com", "CreateDBInstance").request(request),
        modify(json!({"dBInstanceIdentifier": "orders", "allocatedStorage": 50})),
        modify(
            json!({"dBInstanceIdentifier": "Orders", "newDBInstanceIdentifier": "Orders-Old", "applyImmediately": true}),
        ),
        modify(Value::Null),
    ];
    case("renames", 2, events)
}

/// STS events that issue credentials: stored if sessions are loaded, with any other events.
pub(super) fn sessions() -> Case {
    let made = |name: &str, key: &str| {
        let answer = json!({"credentials": {"accessKeyId": key, "expiration": "Mar 1, 2026, 11:00:00 AM"}});
        call("sts.amazonaws.com", name).field("readOnly", json!(true)).response(answer)
    };
    let session = |key: &str| {
        let Caller(mut caller) = Caller::assumed_role("hub", "GitHubActions");
        caller["accessKeyId"] = json!(key);
        Caller(caller)
    };
    let shared = || json!("47f8c1a1-0000-4000-8000-00000000000b");
    let stranger =
        Caller(json!({"type": "AWSAccount", "principalId": "AROAIDPPEZS35WEXAMPLE:x", "accountId": ACCOUNT}));
    let calls = ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetDelegatedAccessToken"];
    let mut events: Vec<Event> = calls
        .iter()
        .chain(&["GetFederationToken", "GetSessionToken"])
        .map(|name| made(name, &format!("ASIA-{name}")))
        .collect();
    events.extend([
        made("AssumeRole", "ASIA-1"),
        made("AssumeRole", "ASIA-2").by(session("ASIA-1")).field("sharedEventID", shared()).response(Value::Null),
        made("AssumeRole", "ASIA-2")
            .by(stranger)
            .field("sharedEventID", shared())
            .field("recipientAccountId", json!(OTHER)),
        made("AssumeRole", "ASIA-3").by(Caller(json!({"accountId": ACCOUNT, "principalId": "AIDAJ45Q7YFFAREXAMPLE"}))),
        made("AssumeRole", "ASIA-refused").failed("AccessDenied"),
        made("AssumeRole", "ASIA-aws").by(Caller::service("lambda.amazonaws.com")),
        made("AssumeRole", "").response(Value::Null),
        bucket("by-a-session").by(session("ASIA-2")).region(REGIONS[1]),
    ]);
    case("sessions", 1, events)
}

/// More rows than a page of GetQueryResults or LookupEvents has.
pub(super) fn several_pages() -> Case {
    const ROWS: usize = 1230;
    let event = |number: usize| {
        let time = format!("{:02}:{:02}:{:02}", number / 3600, number / 60 % 60, number % 60);
        bucket(&format!("b-{number}")).at(&moment(AGO, &time)).region(REGIONS[number % REGIONS.len()])
    };
    case("several-pages", ROWS, (0..ROWS).map(event).collect())
}

/// Events in the form of recorded ones (`tests/fixtures/events`), moved into Event history's 90 days.
pub(super) fn recorded() -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the folder is there").map(|file| file.unwrap().path()).collect();
    files.sort();
    let (mut events, mut made) = (Vec::new(), 0);
    for file in files {
        let text = fs::read_to_string(&file).expect("a fixture is text");
        let cases: Vec<Value> = serde_json::from_str(&text).expect("a fixture is a list of cases");
        for case in &cases {
            let record = Event::from(case["record"].clone()).at(&moment(AGO, "10:00:00"));
            events.push(record.field("eventID", json!(format!("recorded-{}", events.len()))));
            made += usize::from(!case["expect"].as_array().expect("what it made").is_empty());
        }
    }
    // `resource_maps` checks the exact rows.
    Case { rows: made..=usize::MAX, ..case("recorded", made, events) }
}
