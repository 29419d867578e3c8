//! Records in every envelope, in memory and streamed, compressed in every way; and what is not CloudTrail's.

use super::*;

/// A string with the JSON of a value.
fn text(value: &Value) -> Value {
    json!(value.to_string())
}

fn joined(values: &[Value], separator: &str) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(separator)
}

/// Three records, in each envelope.
fn envelopes() -> Vec<(&'static str, String)> {
    let records = three();
    let of = |wrap: &dyn Fn(&Value) -> Value| records.iter().map(wrap).collect::<Vec<Value>>();
    let lookup = of(&|record| json!({"EventId": "e", "EventName": "x", "CloudTrailEvent": text(record)}));
    let bridge = of(
        &|record| json!({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": record}),
    );
    let events = of(&|record| json!({"logStreamName": "s", "timestamp": 1, "message": text(record), "eventId": "1"}));
    let data = |events: &[Value]| json!({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "subscriptionFilters": ["f"], "logEvents": events});
    let subscribed = of(&|record| json!({"id": "1", "timestamp": 1, "message": text(record)}));
    let lines = |before: &str| records.iter().map(|record| format!("{before} {record}\n")).collect::<String>();
    let rows = of(&|record| json!([{"eventID": "1"}, {"eventData": text(record)}, {"eventName": "x"}]));
    let found = of(&|record| json!([{"field": "@message", "value": text(record)}, {"field": "@ptr", "value": "p"}]));
    let notified = of(&|event| json!({"Type": "Notification", "TopicArn": "t", "Message": text(event)}));
    let queued = bridge.iter().map(|event| json!({"MessageId": "1", "Body": text(event)})).collect::<Vec<_>>();
    vec![
        ("lookup-events", json!({"Events": lookup, "NextToken": "x"}).to_string()),
        ("pages of lookup-events", json!([{"Events": lookup[..1]}, {"Events": lookup[1..]}]).to_string()),
        ("lines of lookup-events", joined(&lookup, "\n")),
        ("records of lookup-events", Value::from(of(&text)).to_string()),
        ("lines of records of lookup-events", joined(&of(&text), "\n")),
        ("EventBridge", joined(&bridge, "\n")),
        ("EventBridge archive", Value::from(bridge.clone()).to_string()),
        ("EventBridge in Firehose", joined(&bridge, "")),
        ("filter-log-events", json!({"events": events, "searchedLogStreams": []}).to_string()),
        ("pretty filter-log-events", serde_json::to_string_pretty(&json!({ "events": events })).unwrap()),
        ("subscription", data(&subscribed).to_string()),
        ("subscription in Firehose", joined(&[data(&subscribed[..1]), data(&subscribed[1..])], "")),
        ("export", lines("2026-03-01T10:00:00.000Z")),
        ("logs tail", lines("2026-03-01T10:00:00.000000+00:00 123456789012_CloudTrail_us-east-1")),
        ("mixed export", format!("2026-03-01T10:00:00Z START of a log\n  at x\n{}", lines("2026-03-01T10:00:00.000Z"))),
        ("Lake", json!({"QueryStatus": "FINISHED", "QueryResultRows": rows}).to_string()),
        ("Lake lines", joined(&of(&|record| json!({"eventData": record, "eventTime": "x"})), "\n")),
        ("Logs Insights", json!({"results": found, "status": "Complete"}).to_string()),
        ("SNS", joined(&notified, "\n")),
        ("SQS", json!({"Messages": queued}).to_string()),
        ("concatenated", joined(&records, "")),
        ("log files in a list", json!([{"Records": &records[..1]}, {"Records": &records[1..]}]).to_string()),
    ]
}

/// Larger than a document of the test, so that all are held in memory; and smaller, with the same limit for records.
const STREAMED: Limits = Limits { part: 300, buffered: 1000, record: 8000, decompressed: MIB, ..Limits::DEFAULT };

#[test]
fn records_are_found_in_every_envelope() {
    for (name, document) in envelopes() {
        let (scan, names) = scan_both_ways(STREAMED, document.as_bytes());
        assert_eq!((scan.broken, scan.broken_record), (None, None), "{name}: {document}");
        assert_eq!((names, scan.counts.records), (vec!["a".to_owned(), "b".to_owned()], 3), "{name}: {document}");
    }
}

#[test]
fn records_are_found_in_every_compression_and_encoding() {
    let document = json!({"Records": three()}).to_string();
    let zstd = |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    let utf16 = |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| {
        let text = format!("{document}\u{1f600}").replace('\u{1f600}', " ");
        [&mark[..], &text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()].concat()
    };
    let forms = [
        ("zstd", zstd(document.as_bytes())),
        ("frames of zstd", [zstd(&document.as_bytes()[..50]), zstd(&document.as_bytes()[50..])].concat()),
        ("gzip in gzip", gzip(&gzip(document.as_bytes()))),
        ("gzip in zstd", zstd(&gzip(document.as_bytes()))),
        ("members in gzip", gzip(&[gzip(&document.as_bytes()[..50]), gzip(&document.as_bytes()[50..])].concat())),
        ("byte order mark", format!("\u{feff}{document}").into_bytes()),
        ("UTF-16", utf16([0xff, 0xfe], u16::to_le_bytes)),
        ("UTF-16, big endian", utf16([0xfe, 0xff], u16::to_be_bytes)),
        ("UTF-16 in gzip", gzip(&utf16([0xff, 0xfe], u16::to_le_bytes))),
    ];
    for (name, bytes) in forms {
        let (scan, names) = scan(&bytes);
        assert_eq!((scan.broken, names), (None, vec!["a".to_owned(), "b".to_owned()]), "{name}");
    }
    let cut = zstd(document.as_bytes());
    let (scan, _) = scan(&cut[..cut.len() - 3]);
    assert_eq!(scan.broken.unwrap().to_string(), "the zstd data is truncated");
    let bomb = gzip(&gzip(&vec![b' '; 3_000_000]));
    let limits = Limits { decompressed: 100_000, ..Limits::default() };
    let (scan, _) = scan_with(limits, &bomb);
    assert_eq!(scan.broken.unwrap().to_string(), "decompresses to more than 100000 bytes");
}

#[test]
fn records_with_faults_in_envelopes_are_broken_and_cost_only_themselves() {
    let damaged = bucket("c").to_string().replacen("\",\"", "\"\"", 1);
    let events: Vec<Value> = [bucket("a").to_string(), damaged, bucket("b").to_string()]
        .iter()
        .map(|message| json!({"timestamp": 1, "message": message}))
        .collect();
    let (scan, names) = scan(json!({ "events": events }).to_string().as_bytes());
    assert_eq!((scan.broken, scan.counts.broken_records, names.len()), (None, 1, 2));
}

#[test]
fn faults_in_texts_of_records_in_envelopes_cost_nothing() {
    let record = bucket("a").to_string().replacen("aws-cli", "cut \\ud83d", 1);
    for envelope in
        [json!({"Events": [{"CloudTrailEvent": record}]}), json!({"events": [{"timestamp": 1, "message": record}]})]
    {
        let (scan, names) = scan(envelope.to_string().as_bytes());
        assert_eq!((scan.broken, scan.broken_record, names.len()), (None, None, 1), "{envelope}");
    }
}

#[test]
fn other_things_are_named_and_not_broken() {
    let event =
        json!({"version": "0", "detail-type": "EC2 Instance State-change Notification", "detail": {"state": "x"}});
    let aggregated = json!({"eventVersion": "1.0", "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent",
        "eventSource": "s3.amazonaws.com", "summary": {"primaryDimension": {"dimension": "eventName"}}});
    let object = json!({"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put"});
    for (document, kind) in [
        (event.to_string(), Kind::EventBridge),
        (json!([event, event]).to_string(), Kind::EventBridge),
        (json!({"Records": [aggregated]}).to_string(), Kind::Aggregated),
        (json!([aggregated]).to_string(), Kind::Aggregated),
        (json!({"Records": [object, object]}).to_string(), Kind::Notification),
        (json!({"Records": [{"eventCategory": "Insight", "eventVersion": "1.07"}]}).to_string(), Kind::Insights),
        (
            json!({"fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": [{"a": 1}]}).to_string(),
            Kind::Config,
        ),
        (json!({"a": 1}).to_string(), Kind::Json),
        (json!({"events": [{"timestamp": 1, "message": "a text"}]}).to_string(), Kind::LogEvent),
        (json!({"events": [{"timestamp": 1, "message": "{\"level\":\"info\"}"}]}).to_string(), Kind::LogEvent),
        (json!({"events": [{"timestamp": 1, "message": "{no JSON"}]}).to_string(), Kind::LogEvent),
        (
            json!({"logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: x"}]}).to_string(),
            Kind::PermissionCheck,
        ),
        (json!({"QueryResultRows": [[{"eventName": "CreateBucket"}]]}).to_string(), Kind::Rows),
        (
            "2015-05-13T23:39:43.945958Z lb 192.168.131.39:2817 10.0.0.1:80 1 2 3 200 200 0 29 \"GET\"\n".repeat(20),
            Kind::LoadBalancerLog,
        ),
        (
            "2 123456789010 eni-1235b8ca123456789 1.2.3.4 1.2.3.5 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n"
                .repeat(20),
            Kind::FlowLog,
        ),
    ] {
        for limits in [Limits::default(), STREAMED] {
            let (scan, names) = scan_with(limits, document.as_bytes());
            assert_eq!((scan.kind(), names.len()), (Some(kind), 0), "{document}");
            assert_eq!((scan.broken, scan.broken_record), (None, None), "{document}");
        }
        let (scan, _) = scan_with(Limits::default(), &gzip(document.as_bytes()));
        assert_eq!((scan.kind(), scan.broken), (Some(kind), None), "{document}");
    }
    let config = json!({"configurationItems": [{"a": "x".repeat(20_000)}]}).to_string();
    let (scan, _) = scan_with(STREAMED, config.as_bytes());
    assert_eq!((scan.kind(), scan.broken), (Some(Kind::Config), None));
}

#[test]
fn text_is_broken_only_under_the_name_of_json() {
    let (scan, _) = scan(b"Hello, this is a text. Of a person.");
    assert!(scan.broken.is_some());
    assert!(scan.clone().under_name("logs/a.JSON.GZ").broken.is_some());
    let other = scan.under_name("logs/README");
    assert_eq!((other.kind(), other.broken), (Some(Kind::Text), None));
}

#[test]
fn envelopes_in_envelopes_are_bounded() {
    let mut value = bucket("a");
    for _ in 0..40 {
        value = json!({"detail-type": "x via CloudTrail", "detail": value});
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let events = format!("{}1{}", "{\"Events\":[".repeat(10_000), "]}".repeat(10_000));
    for document in [value.to_string(), deep, events] {
        let (_, names) = scan_with(Limits::default(), document.as_bytes());
        assert!(names.is_empty());
    }
    let mut text = bucket("a").to_string();
    for _ in 0..8 {
        text = json!([{"TopicArn": "t", "Message": text}]).to_string();
    }
    assert!(scan_with(Limits::default(), text.as_bytes()).0.broken.is_none());
}
