//! CloudTrail log files with records of realistic, full shape from a compact description.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{Timestamp, ToSpan, tz::Offset};
use serde_json::{Value, json};

use super::{ACCOUNT, REGION};

/// Who called: a `userIdentity`.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Value);

/// One record. Made by [`Event::new`]; everything else has a usual value.
#[derive(Debug, Clone)]
pub(crate) struct Event(Value);

/// Records, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    records: Vec<Value>,
}

impl Caller {
    /// A user with a long-lived access key.
    pub(crate) fn iam_user(name: &str) -> Self {
        Self(json!({
            "type": "IAMUser", "principalId": "AIDAJ45Q7YFFAREXAMPLE", "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
            "accountId": ACCOUNT, "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": name,
        }))
    }

    /// A session of a role.
    pub(crate) fn assumed_role(role: &str, session: &str) -> Self {
        Self(json!({
            "type": "AssumedRole", "principalId": format!("AROAIDPPEZS35WEXAMPLE:{session}"),
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"),
            "accountId": ACCOUNT, "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAIDPPEZS35WEXAMPLE",
                    "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "accountId": ACCOUNT, "userName": role,
                },
                "webIdFederationData": {},
                "attributes": {"creationDate": "2026-03-01T09:00:00Z", "mfaAuthenticated": "false"},
            },
        }))
    }

    /// A session that says who is behind it.
    #[must_use]
    pub(crate) fn source_identity(mut self, person: &str) -> Self {
        self.0["sessionContext"]["sourceIdentity"] = json!(person);
        self
    }

    /// The account's root user.
    pub(crate) fn root() -> Self {
        Self(json!({
            "type": "Root", "principalId": ACCOUNT, "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "accountId": ACCOUNT,
            "accessKeyId": "",
        }))
    }

    /// A user of an identity provider who signs in by SAML.
    pub(crate) fn saml_user(name: &str) -> Self {
        Self(json!({
            "type": "SAMLUser", "principalId": "FlOc7wOGHIGjFCmz9HlSYUAMPLE=:https://idp.example/saml", "userName": name,
            "identityProvider": "FlOc7wOGHIGjFCmz9HlSYUAMPLE=",
        }))
    }

    /// An AWS service on its own behalf.
    pub(crate) fn service(host: &str) -> Self {
        Self(json!({"type": "AWSService", "invokedBy": host}))
    }
}

impl Event {
    /// A successful call of `name` of `source` (`iam.amazonaws.com`) by `admin` in the default account and region.
    pub(crate) fn new(source: &str, name: &str) -> Self {
        Self(json!({
            "eventVersion": "1.11",
            "userIdentity": Caller::iam_user("admin").0,
            "eventTime": "2026-03-01T10:00:00Z",
            "eventSource": source,
            "eventName": name,
            "awsRegion": REGION,
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "aws-cli/2.31.0 md/awscrt#0.28.0 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7",
            "requestParameters": null,
            "responseElements": null,
            "requestID": null,
            "eventID": null,
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": format!("{}.{REGION}.amazonaws.com", source.split('.').next().unwrap_or(source))},
        }))
    }

    /// Who called.
    #[must_use]
    pub(crate) fn by(mut self, caller: Caller) -> Self {
        self.0["userIdentity"] = caller.0;
        self
    }

    /// `requestParameters`.
    #[must_use]
    pub(crate) fn request(self, request: Value) -> Self {
        self.field("requestParameters", request)
    }

    /// `responseElements`.
    #[must_use]
    pub(crate) fn response(self, response: Value) -> Self {
        self.field("responseElements", response)
    }

    /// `eventTime`.
    #[must_use]
    pub(crate) fn at(self, time: &str) -> Self {
        self.field("eventTime", json!(time))
    }

    /// `awsRegion`.
    #[must_use]
    pub(crate) fn region(self, region: &str) -> Self {
        self.field("awsRegion", json!(region))
    }

    /// The account that received the event, which is also the caller's.
    #[must_use]
    pub(crate) fn account(mut self, account: &str) -> Self {
        self.0["userIdentity"]["accountId"] = json!(account);
        self.field("recipientAccountId", json!(account))
    }

    /// The call failed.
    #[must_use]
    pub(crate) fn failed(self, code: &str) -> Self {
        self.field("errorCode", json!(code)).field("errorMessage", json!("it was refused"))
    }

    /// Any field of the record.
    #[must_use]
    pub(crate) fn field(mut self, name: &str, value: Value) -> Self {
        self.0[name] = value;
        self
    }

    /// The record without a field.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.as_object_mut().expect("a record is an object").remove(name);
        self
    }

    /// The record so far.
    pub(crate) fn record(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for Event {
    /// A record as it is.
    fn from(record: Value) -> Self {
        Self(record)
    }
}

/// Midnight (UTC) so many days ago, as `2026-03-01`: for what only sees the last 90 days.
pub(crate) fn day(ago: i64) -> String {
    let moment = Timestamp::now().checked_sub((ago * 24).hours()).expect("a moment");
    Offset::UTC.to_datetime(moment).date().to_string()
}

/// A time of that day, as `2026-03-01T10:00:00Z`.
pub(crate) fn moment(ago: i64, time: &str) -> String {
    format!("{}T{time}Z", day(ago))
}

impl Trail {
    /// Without records.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a record; without ids of its own it gets ones made from its place in the trail.
    #[must_use]
    pub(crate) fn event(mut self, event: Event) -> Self {
        self.push(event);
        self
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, event: Event) {
        let mut record = event.0;
        let place = self.records.len();
        for (field, letter) in [("requestID", 'a'), ("eventID", 'b')] {
            if record[field].is_null() {
                record[field] = json!(format!("{place:08x}-0000-4000-8000-00000000000{letter}"));
            }
        }
        self.records.push(record);
    }

    /// The records.
    pub(crate) fn records(&self) -> &[Value] {
        &self.records
    }

    /// The document as CloudTrail writes it.
    pub(crate) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(&json!({"Records": self.records})).expect("JSON of JSON")
    }

    /// The document, compressed.
    pub(crate) fn gz(&self) -> Vec<u8> {
        gzip(&self.json())
    }

    /// Writes it to a file, with its folders: compressed where the name ends in `.gz`.
    pub(crate) fn write(&self, path: &Path) {
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("folders can be made");
        let compressed = path.extension().is_some_and(|extension| extension == "gz");
        fs::write(path, if compressed { self.gz() } else { self.json() }).expect("the file can be written");
    }
}

/// Bytes, compressed.
pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
