//! Every kind of caller, and the calls that issue credentials.

use serde_json::{Value, json};

use super::super::world::REGIONS;
use super::{Case, OTHER, bucket, call, case};
use crate::common::{ACCOUNT, Caller, Event};

pub(super) fn on_behalf_of() -> Value {
    let store = format!("arn:aws:identitystore::{ACCOUNT}:identitystore/d-9067642ac7");
    json!({"userId": "94482488-3041-7026-4cd1-2b4f5e9f6f1b", "identityStoreArn": store})
}

/// Every kind of `userIdentity` that AWS documents.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
pub(super) fn callers() -> Case {
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

/// STS events that issue credentials: stored if sessions are loaded, with any other events.
pub(in crate::conformance) fn sessions() -> Case {
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
