//! Texts that callers choose, and fields that records lack.

use serde_json::{Value, json};

use super::callers::on_behalf_of;
use super::{Case, bucket, call, case};
use crate::common::{ACCOUNT, Caller, Event};

pub(super) const UNICODE: [&str; 10] = [
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

pub(super) const QUOTES: [&str; 16] = [
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
pub(super) fn texts(name: &'static str, texts: &[&str]) -> Case {
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
pub(super) fn fields(name: &'static str, change: impl Fn(Event, &str) -> Event) -> Case {
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
pub(super) fn caller_fields(name: &'static str, change: impl Fn(&mut Value, &str)) -> Case {
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
pub(super) fn set(record: &mut Value, path: &str, value: Option<Value>) {
    let path = format!("/userIdentity/{path}");
    let (parent, name) = path.trim_end_matches('/').rsplit_once('/').expect("it begins with one");
    let object = record.pointer_mut(parent).and_then(Value::as_object_mut).expect("the caller has all fields");
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
}

/// Requests and responses that are null, the text `null`, or unusable.
pub(super) fn null_json() -> Case {
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
