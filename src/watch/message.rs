//! What a message announces: log files in a bucket, or a record itself. By content, whatever the queue is subscribed to.
//!
//! | form | source |
//! | --- | --- |
//! | S3 event notification | <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html> |
//! | the same in an SNS notification | <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html> |
//! | EventBridge `Object Created` | <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html> |
//! | CloudTrail's own notification | <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html> |
//! | EventBridge `… via CloudTrail` | <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html> |
//!
//! Pure.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::load::s3::ObjectVersion;

/// SNS notifications within each other: a topic's message that was published with another one.
const MAX_DEPTH: usize = 3;

/// What CloudTrail publishes to a topic when a trail begins to use it.
const VALIDATION: &str = "CloudTrail validation message.";

/// The end of the detail type of EventBridge events that hold a record.
const VIA_CLOUDTRAIL: &str = "via CloudTrail";

/// An object that a message announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedObject {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its version, if the message has it.
    pub version: Option<ObjectVersion>,
}

/// What a message announces. Nothing: a test event, or an event that adds no object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announced {
    /// Objects.
    pub objects: Vec<AnnouncedObject>,
    /// A record, as JSON.
    pub record: Option<String>,
}

/// Why a message can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownMessage {
    /// Its text is not a JSON object.
    #[error("it is not JSON")]
    NotJson,
    /// It is of none of the known forms.
    #[error("it is neither a notification of S3, SNS, EventBridge or CloudTrail nor a CloudTrail event")]
    UnknownForm,
    /// Something that its form needs is missing.
    #[error("{form} has no {missing}")]
    Incomplete {
        /// The form.
        form: &'static str,
        /// The missing part.
        missing: &'static str,
    },
    /// A topic asks to confirm its subscription.
    #[error("it asks to confirm the subscription to the topic {0}: until then, the topic sends nothing to the queue")]
    Unconfirmed(String),
}

/// Reads a message's body.
///
/// # Errors
/// It can't be understood.
pub fn read(body: &str) -> Result<Announced, UnknownMessage> {
    read_nested(body, 0)
}

/// The members of a message. A record in it is not parsed: it may be nested deeper, or hold other texts, than a parser takes.
struct Members<'b>(BTreeMap<String, &'b RawValue>);

impl<'b> Members<'b> {
    fn of(body: &'b str) -> Option<Self> {
        serde_json::from_str(body).ok().map(Self)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A member that is a text.
    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    fn value(&self, name: &str) -> Value {
        self.0.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }
}

fn read_nested(body: &str, depth: usize) -> Result<Announced, UnknownMessage> {
    if body.trim() == VALIDATION {
        return Ok(Announced::default());
    }
    let message = Members::of(body).ok_or(UnknownMessage::NotJson)?;
    match message.text("Type").as_deref() {
        Some("Notification") if depth < MAX_DEPTH => {
            let no_message = UnknownMessage::Incomplete { form: "the SNS notification", missing: "Message" };
            return read_nested(&message.text("Message").ok_or(no_message)?, depth + 1);
        }
        Some("SubscriptionConfirmation") => {
            return Err(UnknownMessage::Unconfirmed(message.text("TopicArn").unwrap_or_default()));
        }
        Some("UnsubscribeConfirmation") => return Ok(Announced::default()),
        _ => {}
    }
    if let (Some(source), Some(kind)) = (message.text("source"), message.text("detail-type")) {
        return of_eventbridge(&message, (&source, &kind));
    }
    if let Value::Array(records) = message.value("Records") {
        return of_s3(&records);
    }
    if message.has("s3ObjectKey") || message.has("s3Bucket") {
        return of_cloudtrail(&message);
    }
    if message.text("Event").as_deref() == Some("s3:TestEvent") {
        return Ok(Announced::default());
    }
    // A rule that sends only the detail of the events that it matches.
    if message.text("eventSource").is_some() && message.text("eventName").is_some() {
        return Ok(Announced { record: Some(body.to_owned()), ..Announced::default() });
    }
    Err(UnknownMessage::UnknownForm)
}

/// An S3 notification may have several records. Keys are encoded as in a form.
fn of_s3(records: &[Value]) -> Result<Announced, UnknownMessage> {
    let mut announced = Announced::default();
    for record in records {
        let name = record["eventName"].as_str().unwrap_or_default();
        if record["eventSource"] != "aws:s3" {
            return Err(UnknownMessage::UnknownForm);
        }
        let name = name.strip_prefix("s3:").unwrap_or(name);
        if !name.starts_with("ObjectCreated:") && name != "ObjectRestore:Completed" {
            continue;
        }
        let object = &record["s3"]["object"];
        let decode = |key: &str| {
            let spaced = key.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8().map(|key| key.into_owned()).ok()
        };
        let key = object["key"].as_str().and_then(decode);
        let bucket = record["s3"]["bucket"]["name"].as_str();
        announced.objects.push(announced_object("the S3 notification", bucket, key, version(object, "eTag"))?);
    }
    Ok(announced)
}

fn of_eventbridge(message: &Members<'_>, (source, kind): (&str, &str)) -> Result<Announced, UnknownMessage> {
    if kind.ends_with(VIA_CLOUDTRAIL) {
        let no_detail = UnknownMessage::Incomplete { form: "the EventBridge event", missing: "detail" };
        let record = message.0.get("detail").map(|raw| raw.get()).filter(|record| record.starts_with('{'));
        return Ok(Announced { record: Some(record.ok_or(no_detail)?.to_owned()), ..Announced::default() });
    }
    let detail = message.value("detail");
    match (source, kind) {
        ("aws.s3", "Object Created" | "Object Restore Completed") => {
            let object = &detail["object"];
            let key = object["key"].as_str().map(str::to_owned);
            let bucket = detail["bucket"]["name"].as_str();
            let object = announced_object("the EventBridge event", bucket, key, version(object, "etag"))?;
            Ok(Announced { objects: vec![object], ..Announced::default() })
        }
        ("aws.s3", _) => Ok(Announced::default()),
        _ => Err(UnknownMessage::UnknownForm),
    }
}

/// CloudTrail announces one object or several. Keys are as they are.
fn of_cloudtrail(message: &Members<'_>) -> Result<Announced, UnknownMessage> {
    let keys = match message.value("s3ObjectKey") {
        Value::String(key) => vec![Some(key)],
        Value::Array(keys) => keys.iter().map(|key| key.as_str().map(str::to_owned)).collect(),
        _ => vec![None],
    };
    let bucket = message.text("s3Bucket");
    let bucket = bucket.as_deref();
    let objects = keys.into_iter().map(|key| announced_object("CloudTrail's notification", bucket, key, None));
    Ok(Announced { objects: objects.collect::<Result<_, _>>()?, ..Announced::default() })
}

fn announced_object(
    form: &'static str,
    bucket: Option<&str>,
    key: Option<String>,
    version: Option<ObjectVersion>,
) -> Result<AnnouncedObject, UnknownMessage> {
    let there = |text: &String| !text.is_empty();
    let bucket = bucket.map(str::to_owned).filter(there);
    let bucket = bucket.ok_or(UnknownMessage::Incomplete { form, missing: "name of a bucket" })?;
    let key = key.filter(there).ok_or(UnknownMessage::Incomplete { form, missing: "key of an object" })?;
    Ok(AnnouncedObject { bucket, key, version })
}

/// The object's version. Listings have the ETag in quotation marks, notifications without them.
fn version(object: &Value, etag: &str) -> Option<ObjectVersion> {
    let (size, etag) = (object["size"].as_u64()?, object[etag].as_str().filter(|etag| !etag.is_empty())?);
    Some(ObjectVersion { size, etag: format!("\"{}\"", etag.trim_matches('"')) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn objects(message: &Value) -> Vec<(String, String, Option<u64>)> {
        let announced = read(&message.to_string()).unwrap();
        assert_eq!(announced.record, None);
        let row = |object: AnnouncedObject| (object.bucket, object.key, object.version.map(|version| version.size));
        announced.objects.into_iter().map(row).collect()
    }

    fn s3_record(name: &str, key: &str) -> Value {
        json!({"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventName": name,
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "logs", "arn": "arn:aws:s3:::logs"},
                "object": {"key": key, "size": 7, "eTag": "d41d8", "sequencer": "00"}}})
    }

    fn in_sns(message: &Value) -> Value {
        json!({"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t",
            "Message": message.to_string()})
    }

    fn in_sns_text(message: &str) -> String {
        json!({"Type": "Notification", "Message": message}).to_string()
    }

    #[test]
    fn every_form_that_announces_objects_is_read_also_within_sns() {
        let notification = json!({"Records": [s3_record("ObjectCreated:Put", "a/x+y%3A1.json.gz")]});
        let expected = vec![("logs".to_owned(), "a/x y:1.json.gz".to_owned(), Some(7))];
        assert_eq!(objects(&notification), expected);
        assert_eq!(objects(&in_sns(&notification)), expected);
        assert_eq!(objects(&in_sns(&in_sns(&notification))), expected);
        let created = json!({"source": "aws.s3", "detail-type": "Object Created", "detail": {
            "bucket": {"name": "logs"}, "object": {"key": "a/x+y%3A1.json.gz", "size": 7, "etag": "d41d8"}}});
        let as_it_is = vec![("logs".to_owned(), "a/x+y%3A1.json.gz".to_owned(), Some(7))];
        assert_eq!(objects(&created), as_it_is, "EventBridge does not encode keys");
        let own = json!({"s3Bucket": "logs", "s3ObjectKey": ["a.json.gz", "b.json.gz"]});
        let two = ["a.json.gz", "b.json.gz"].map(|key| ("logs".to_owned(), key.to_owned(), None)).to_vec();
        assert_eq!(objects(&own), two);
        assert_eq!(objects(&in_sns(&own)), two);
    }

    #[test]
    fn versions_are_those_of_a_listing() {
        let announced = read(&json!({"Records": [s3_record("ObjectCreated:Put", "k")]}).to_string()).unwrap();
        assert_eq!(announced.objects[0].version.as_ref().unwrap().etag, "\"d41d8\"");
    }

    #[test]
    fn what_adds_no_object_announces_nothing() {
        for message in [
            json!({"Records": [s3_record("ObjectRemoved:Delete", "k")]}),
            json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "logs"}),
            in_sns(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "logs"})),
            json!({"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}}),
            json!({"Type": "Notification", "Message": "CloudTrail validation message."}),
            json!({"Type": "UnsubscribeConfirmation"}),
        ] {
            assert_eq!(read(&message.to_string()), Ok(Announced::default()), "{message}");
        }
    }

    #[test]
    fn a_record_is_passed_on_byte_by_byte() {
        let record = r#"{"eventSource": "iam.amazonaws.com", "eventName": "CreateRole", "x": 1.50, "big": 123456789012345678901234567890}"#;
        let event =
            format!(r#"{{"detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "detail": {record}}}"#);
        for body in [event.as_str(), record] {
            assert_eq!(read(body).unwrap().record.as_deref(), Some(record));
        }
    }

    #[test]
    fn a_record_may_be_deeper_and_have_other_texts_than_a_parser_takes() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let record = format!(r#"{{"eventSource": "s", "eventName": "n", "deep": {deep}, "half": "\ud83d"}}"#);
        let event =
            format!(r#"{{"detail-type": "AWS API Call via CloudTrail", "source": "aws.s", "detail": {record}}}"#);
        for body in [&event, &record, &in_sns_text(&event)] {
            assert_eq!(read(body).unwrap().record.as_deref(), Some(record.as_str()));
        }
    }

    #[test]
    fn other_messages_are_refused_with_the_reason() {
        let reason = |body: &str| read(body).unwrap_err().to_string();
        assert_eq!(reason("hello"), "it is not JSON");
        assert_eq!(reason("[1]"), "it is not JSON");
        assert!(reason("{}").starts_with("it is neither"), "{}", reason("{}"));
        assert!(reason(r#"{"Records": [{"eventSource": "aws:ses"}]}"#).starts_with("it is neither"));
        assert_eq!(
            reason(r#"{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]}"#),
            "the S3 notification has no name of a bucket"
        );
        assert_eq!(reason(r#"{"s3Bucket": "logs"}"#), "CloudTrail's notification has no key of an object");
        assert_eq!(
            reason(r#"{"detail-type": "AWS API Call via CloudTrail", "source": "aws.iam"}"#),
            "the EventBridge event has no detail"
        );
        let unconfirmed = r#"{"Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:eu-west-1:1:t"}"#;
        assert!(reason(unconfirmed).contains("confirm the subscription to the topic arn:aws:sns"));
        let endless = (0..9).fold(json!({}), |inner, _| in_sns(&inner));
        assert!(read(&endless.to_string()).is_err());
    }
}
