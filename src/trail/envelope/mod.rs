//! Envelopes: what people keep CloudTrail records in, recognized by the keys of an object.
//!
//! `scan::document` walks a document's JSON and asks here what an object is: a record, something that holds records, or
//! something else. So a file's name plays no role, and envelopes can be nested: a JSON array of EventBridge events, CloudWatch
//! Logs subscription data in one Firehose object, a notification in a queue's message.
//!
//! * [`List`]: the lists of the envelopes, and what their elements are
//! * [`Members`], [`recognize`]: one object
//! * [`kind`]: what a file without records is
//! * [`text`]: what is not JSON
//!
//! | envelope | recognized by |
//! | --- | --- |
//! | log file | `Records` |
//! | `aws cloudtrail lookup-events` | `Events`, and `CloudTrailEvent` of each |
//! | EventBridge event, archive | `detail-type` and `detail` |
//! | `aws logs filter-log-events`, `get-log-events` | `events`, and `message` of each |
//! | CloudWatch Logs subscription data | `logEvents`, and `message` of each |
//! | CloudWatch Logs Insights result | `results`, and `field` and `value` of each column; `@message` |
//! | CloudTrail Lake result | `QueryResultRows`, and the column `eventData` |
//! | SNS notification, SQS message | `TopicArn` and `Message`; `Messages`, and `Body` of each |
//!
//! Pure.

pub mod kind;
pub(super) mod text;

pub use kind::Kind;

/// A list of values in an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// `Records`: each is a record, or broken.
    Records,
    /// A JSON array, or values that follow each other: each can be anything.
    Values,
    /// Log events of a log group, which can have other logs too.
    LogEvents,
    /// Rows of a query, each a list of columns.
    Rows,
}

impl List {
    /// The list that a key of an envelope holds.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        match key {
            "Records" => Some(Self::Records),
            "Events" | "Messages" => Some(Self::Values),
            "events" | "logEvents" => Some(Self::LogEvents),
            "QueryResultRows" | "results" => Some(Self::Rows),
            _ => None,
        }
    }
}

/// The keys of objects that this module looks at, in alphabetical order.
const KEYS: [&str; 44] = [
    "@message",
    "Body",
    "CloudTrailEvent",
    "Event",
    "Findings",
    "Message",
    "ProductArn",
    "Service",
    "Sns",
    "TopicArn",
    "apiVersion",
    "body",
    "class_uid",
    "configSnapshotId",
    "configurationItem",
    "configurationItems",
    "detail",
    "detail-type",
    "digestS3Bucket",
    "event",
    "eventCategory",
    "eventData",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "field",
    "firewall_name",
    "httpRequest",
    "ingestionTime",
    "message",
    "messageId",
    "query_class",
    "query_name",
    "receiptHandle",
    "requestParameters",
    "schemaVersion",
    "service",
    "timestamp",
    "userIdentity",
    "value",
    "webaclId",
];

/// The members of an object that it is recognized by: keys, and their values as JSON. Of equal keys, the last counts.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    known: Vec<(&'static str, &'a [u8])>,
    /// Whether the object has a list of [`List::of_key`]; that is walked when it is found.
    has_list: bool,
}

impl<'a> Members<'a> {
    /// Takes a member, if its key matters.
    pub(super) fn add(&mut self, key: &str, value: &'a [u8]) {
        if let Ok(index) = KEYS.binary_search(&key) {
            self.known.push((KEYS[index], value));
        }
    }

    /// A list was found and walked.
    pub(super) fn add_list(&mut self) {
        self.has_list = true;
    }

    /// Whether it has a list.
    pub(super) fn has_list(&self) -> bool {
        self.has_list
    }

    /// The JSON of a member that is not null.
    fn get(&self, key: &str) -> Option<&'a [u8]> {
        let (_, value) = self.known.iter().rev().find(|(known, _)| *known == key)?;
        (*value != b"null").then_some(*value)
    }

    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    fn has_all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.has(key))
    }

    /// Whether a member is this string, written without escapes.
    fn is(&self, key: &str, text: &str) -> bool {
        self.get(key).and_then(unquoted) == Some(text.as_bytes())
    }

    /// Whether a member is a string that begins or ends so.
    fn is_like(&self, key: &str, matches: impl Fn(&[u8]) -> bool) -> bool {
        self.get(key).and_then(unquoted).is_some_and(matches)
    }
}

fn unquoted(json: &[u8]) -> Option<&[u8]> {
    json.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// A record, complete or not.
    Record,
    /// An envelope of one value: a record, or a string with the JSON of one.
    Holds(&'a [u8]),
    /// An envelope with a list, or a part of one without content of its own.
    Walked,
    /// Something else.
    Other(Kind),
}

/// Keys of records that nothing else has. An object with one of them claims to be a record.
const OF_RECORDS: [&str; 7] =
    ["eventID", "eventName", "eventSource", "eventTime", "eventVersion", "requestParameters", "userIdentity"];

/// Recognizes an element of `list` by its members.
pub(super) fn recognize<'a>(members: &Members<'a>, list: List) -> Meaning<'a> {
    if members.has("eventName") {
        return notification(members).map_or(Meaning::Record, Meaning::Other);
    }
    if members.has("digestS3Bucket") {
        return Meaning::Other(Kind::Digest);
    }
    if is_aggregated(members) {
        return Meaning::Other(Kind::Aggregated);
    }
    if members.is("eventCategory", "Insight") || members.is("eventType", "AwsCloudTrailInsight") {
        return Meaning::Record;
    }
    if let Some(meaning) = envelope(members) {
        return meaning;
    }
    if members.has_list {
        return Meaning::Walked;
    }
    match kind::of_object(members) {
        _ if members.has_any(&OF_RECORDS) => Meaning::Record,
        Some(kind) => Meaning::Other(kind),
        None if list == List::Records => Meaning::Record,
        None if list == List::LogEvents => Meaning::Other(Kind::LogEvent),
        None => Meaning::Other(Kind::Json),
    }
}

/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html>
fn is_aggregated(members: &Members<'_>) -> bool {
    members.is("eventCategory", "Aggregated") || members.is("eventType", "AwsAggregatedEvent")
}

/// A notification of another service, which has CloudTrail's keys too.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
fn notification(members: &Members<'_>) -> Option<Kind> {
    members.is_like("eventSource", |source| source.starts_with(b"aws:")).then_some(Kind::Notification)
}

/// Whether a record can be a [`notification`]: a fast check of its bytes, for the first one of a list.
pub(super) fn may_be_notification(record: &[u8]) -> bool {
    memchr::memmem::find(record, b"\"aws:").is_some()
}

fn envelope<'a>(members: &Members<'a>) -> Option<Meaning<'a>> {
    if members.has("detail-type") {
        let is_of_trail = members.is_like("detail-type", |text| text.ends_with(b"via CloudTrail"));
        let detail = members.get("detail").filter(|_| is_of_trail);
        return Some(detail.map_or(Meaning::Other(Kind::EventBridge), Meaning::Holds));
    }
    if let Some(value) = members.get("CloudTrailEvent").or_else(|| members.get("@message")) {
        return Some(Meaning::Holds(value));
    }
    // An event of CloudTrail Lake has metadata beside it.
    if let Some(value) = members.get("eventData") {
        return Some(Meaning::Holds(value));
    }
    if members.has("field") && members.has("value") {
        let message = members.get("value").filter(|_| members.is("field", "@message"));
        return Some(message.map_or(Meaning::Walked, Meaning::Holds));
    }
    let text = |key: &str, beside: &[&str]| members.get(key).filter(|_| members.has_any(beside));
    let message = text("message", &["timestamp", "ingestionTime"])
        .or_else(|| text("Message", &["TopicArn"]))
        .or_else(|| members.get("Sns"))
        .or_else(|| members.get("Body"))
        .or_else(|| text("body", &["messageId", "receiptHandle"]));
    message.map(Meaning::Holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_can_be_searched() {
        assert!(KEYS.is_sorted());
    }

    fn meaning<'a>(members: &[(&str, &'a str)], list: List) -> Meaning<'a> {
        let mut known = Members::default();
        members.iter().for_each(|(key, value)| known.add(key, value.as_bytes()));
        recognize(&known, list)
    }

    #[test]
    fn object_with_the_keys_of_a_record_is_one() {
        assert_eq!(meaning(&[("eventName", "\"A\""), ("message", "\"{}\"")], List::Values), Meaning::Record);
        assert_eq!(meaning(&[("eventSource", "\"s\"")], List::Values), Meaning::Record);
        assert_eq!(meaning(&[("x", "1")], List::Records), Meaning::Record);
        assert_eq!(meaning(&[("x", "1")], List::Values), Meaning::Other(Kind::Json));
        assert_eq!(meaning(&[("x", "1")], List::LogEvents), Meaning::Other(Kind::LogEvent));
        let aggregated = [("eventSource", "\"s\""), ("eventCategory", "\"Aggregated\"")];
        assert_eq!(meaning(&aggregated, List::Records), Meaning::Other(Kind::Aggregated));
        let notification = [("eventName", "\"ObjectCreated:Put\""), ("eventSource", "\"aws:s3\"")];
        assert_eq!(meaning(&notification, List::Records), Meaning::Other(Kind::Notification));
    }

    #[test]
    fn last_of_two_equal_keys_counts() {
        let two = [("CloudTrailEvent", "1"), ("CloudTrailEvent", "2")];
        assert_eq!(meaning(&two, List::Values), Meaning::Holds(b"2"));
    }

    #[test]
    fn events_of_other_sources_are_not_opened() {
        let event = |kind| [("detail-type", kind), ("detail", "{}")];
        let of_trail = "\"AWS API Call via CloudTrail\"";
        assert_eq!(meaning(&event(of_trail), List::Values), Meaning::Holds(b"{}"));
        let other = "\"EC2 Instance State-change Notification\"";
        assert_eq!(meaning(&event(other), List::Values), Meaning::Other(Kind::EventBridge));
    }
}
