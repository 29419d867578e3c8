//! CloudTrail records in everything that people keep them in: one file for each envelope, with a name that says nothing.

use serde_json::{Value, json};

use super::gzip;

/// The name of an envelope, and how records are put into it.
pub(crate) struct Envelope {
    pub(crate) name: &'static str,
    pack: fn(&[Value]) -> Vec<u8>,
}

impl Envelope {
    /// The bytes of a file with these records.
    pub(crate) fn pack(&self, records: &[Value]) -> Vec<u8> {
        (self.pack)(records)
    }
}

/// All envelopes.
pub(crate) const ENVELOPES: [Envelope; 21] = [
    Envelope { name: "log-file.JSON.GZ", pack: |records| gzip(&bytes(&json!({ "Records": records }))) },
    Envelope { name: "mark", pack: |records| [b"\xef\xbb\xbf", &bytes(&json!({ "Records": records }))[..]].concat() },
    Envelope { name: "utf-16.txt", pack: utf_16 },
    Envelope { name: "array.dat", pack: |records| bytes(&json!(records)) },
    Envelope { name: "lines.log", pack: |records| joined(records, "\n") },
    Envelope { name: "concatenated.gz", pack: |records| gzip(&joined(records, "")) },
    Envelope {
        name: "pretty",
        pack: |records| records.iter().flat_map(|record| format!("{record:#}\n").into_bytes()).collect(),
    },
    Envelope {
        name: "lookup-events.json",
        pack: |records| bytes(&json!({"Events": all(records, lookup), "NextToken": "t"})),
    },
    Envelope { name: "lookup-lines", pack: |records| joined(&all(records, lookup), "\n") },
    Envelope { name: "lookup-texts", pack: |records| bytes(&json!(all(records, text))) },
    Envelope { name: "eventbridge", pack: |records| joined(&all(records, bridge), "\n") },
    Envelope { name: "eventbridge-firehose", pack: |records| gzip(&joined(&all(records, bridge), "")) },
    Envelope { name: "eventbridge-archive.json", pack: |records| bytes(&json!(all(records, bridge))) },
    Envelope {
        name: "filter-log-events",
        pack: |records| bytes(&json!({"events": all(records, log_event), "searchedLogStreams": []})),
    },
    Envelope { name: "subscription", pack: |records| subscribed(records).concat() },
    Envelope {
        name: "subscription-firehose",
        pack: |records| gzip(&subscribed(records).iter().flat_map(|data| gzip(data)).collect::<Vec<_>>()),
    },
    Envelope { name: "000000.gz", pack: |records| gzip(&lines_with("2026-03-01T10:00:00.000Z", records)) },
    Envelope {
        name: "logs-tail.txt",
        pack: |records| lines_with("2026-03-01T10:00:00.000000+00:00 123456789012_CloudTrail_us-east-1", records),
    },
    Envelope {
        name: "lake-rows",
        pack: |records| bytes(&json!({"QueryStatus": "FINISHED", "QueryResultRows": all(records, row)})),
    },
    Envelope {
        name: "lake-lines.json",
        pack: |records| joined(&all(records, |record| json!({"eventID": "x", "eventData": text(record)})), "\n"),
    },
    Envelope { name: "sqs-messages", pack: |records| bytes(&json!({"Messages": all(records, message)})) },
];

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn joined(values: &[Value], separator: &str) -> Vec<u8> {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(separator).into_bytes()
}

fn all(records: &[Value], wrap: fn(&Value) -> Value) -> Vec<Value> {
    records.iter().map(wrap).collect()
}

/// A string with the JSON of a record.
fn text(record: &Value) -> Value {
    json!(record.to_string())
}

fn lookup(record: &Value) -> Value {
    json!({"EventId": record["eventID"], "EventName": record["eventName"], "EventTime": 1.5, "Resources": [], "CloudTrailEvent": text(record)})
}

fn bridge(record: &Value) -> Value {
    let kind = "AWS API Call via CloudTrail";
    json!({"version": "0", "id": "1", "detail-type": kind, "source": "aws.s3", "account": "1", "resources": [], "detail": record})
}

fn log_event(record: &Value) -> Value {
    json!({"logStreamName": "s", "timestamp": 1, "message": text(record), "ingestionTime": 2, "eventId": "3"})
}

fn row(record: &Value) -> Value {
    json!([{"eventID": "x"}, {"eventName": "CreateBucket"}, {"eventData": text(record)}])
}

/// An EventBridge event in a notification in a message.
fn message(record: &Value) -> Value {
    let notification =
        json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": text(&bridge(record))});
    json!({"MessageId": "m", "ReceiptHandle": "r", "Body": text(&notification)})
}

/// Subscription data of some records each, with the message that checks the destination first.
fn subscribed(records: &[Value]) -> Vec<Vec<u8>> {
    let data = |kind: &str, events: Vec<Value>| {
        bytes(
            &json!({"messageType": kind, "owner": "1", "logGroup": "g", "logStream": "s", "subscriptionFilters": ["f"], "logEvents": events}),
        )
    };
    let check =
        json!({"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health of destination Firehose."});
    let event = |record: &Value| json!({"id": "3", "timestamp": 1, "message": text(record)});
    let chunks = records.chunks(3).map(|records| data("DATA_MESSAGE", records.iter().map(event).collect()));
    [data("CONTROL_MESSAGE", vec![check])].into_iter().chain(chunks).collect()
}

fn lines_with(before: &str, records: &[Value]) -> Vec<u8> {
    records.iter().flat_map(|record| format!("{before} {record}\n").into_bytes()).collect()
}

fn utf_16(records: &[Value]) -> Vec<u8> {
    let text = format!("\u{feff}{}\r\n", json!({ "Records": records }));
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
