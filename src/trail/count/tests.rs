//! The counts, by various fields.

use super::*;
use crate::trail::window::WindowText;

const DOCUMENT: &str = r#"{"Records":[
    {"eventName":"A","eventSource":"s","eventTime":"2024-01-01T00:00:00Z","readOnly":true,"userIdentity":{"type":"Root","arn":""}},
    {"event\u004eame":"\u0041","eventSource":"s","eventTime":"2024-01-02T00:00:00Z","errorCode":"No","readOnly":false},
    {"eventName":"B","eventSource":"s","eventTime":"2024-01-01T00:00:00Z","userIdentity":{"x":{"type":"no"},"type":"IAMUser"}},
    {"eventCategory":"Insight","insightDetails":{"eventName":"A"}},
    {"eventSource":"s"}, 7
]}"#;

fn count(by: &[&str], window: TimeWindow) -> (Vec<String>, Scan) {
    count_in(DOCUMENT, by, window)
}

fn count_in(document: &str, by: &[&str], window: TimeWindow) -> (Vec<String>, Scan) {
    let counter = Counter::new(by.iter().map(|name| name.parse().unwrap()).collect(), window);
    let mut tally = Tally::default();
    let scan = counter.scan(&mut document.as_bytes(), &mut Buffers::default(), &mut tally);
    let line = |(key, calls): (Key, Calls)| {
        let values: Vec<_> = key.into_iter().map(|value| value.unwrap_or("-".to_owned())).collect();
        format!("{} {}/{}", values.join(","), calls.failed, calls.count)
    };
    counter.check().unwrap();
    (tally.ranked().into_iter().map(line).collect(), scan)
}

#[test]
fn calls_are_counted_by_any_fields_and_ranked() {
    let (lines, scan) = count(&["eventSource", "eventName"], TimeWindow::default());
    assert_eq!(lines, ["s,A 1/2", "s,B 0/1"]);
    let counts = scan.counts;
    assert_eq!((counts.records, counts.matched, counts.insights, counts.broken_records), (6, 3, 1, 2));
    assert_eq!(scan.broken_record, Some(BrokenRecord::NoField("eventName")));
    let (lines, _) = count(&["userIdentity.type", "userIdentity.arn", "readOnly"], TimeWindow::default());
    assert_eq!(lines, ["-,-,false 1/1", "IAMUser,-,- 0/1", "Root,-,true 0/1"]);
}

#[test]
fn every_path_through_a_document_counts_the_same() {
    let values: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    let records = values["Records"].as_array().unwrap();
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    let many: String = (0..200).map(|_| DOCUMENT.replace('\n', " ") + "\n").collect();
    let filler = format!("{{\"Records\":[{}]}}", vec![DOCUMENT[12..].trim_end_matches("]}").trim(); 200].join(","));
    let count = |document: &str, buffered: u64| {
        let fields = ["eventName", "userIdentity.type"].map(|name| name.parse().unwrap());
        let mut counter = Counter::new(fields.to_vec(), TimeWindow::default());
        counter.limits.buffered = buffered;
        let mut tally = Tally::default();
        let scan = counter.scan(&mut document.as_bytes(), &mut Buffers::default(), &mut tally);
        let counts = scan.counts;
        (tally.ranked(), [counts.records, counts.matched, counts.insights, counts.broken_records], scan.broken)
    };
    let whole = Limits::default().buffered;
    assert_eq!(count(&lines, whole), count(DOCUMENT, whole));
    let expected = count(&filler, whole);
    assert_eq!((expected.1, &expected.2), ([1200, 600, 200, 400], &None));
    for (document, buffered) in [(&filler, 5000), (&many, whole), (&many, 5000)] {
        assert_eq!(count(document, buffered), expected);
    }
}

#[test]
fn values_are_found_in_every_spelling_and_position() {
    let call = r#""eventName":"A","eventSource":"s""#;
    let planted = r#""userAgent":"\"eventName\":\"B\"\\","requestParameters":{"eventName":"B","errorCode":"No"}"#;
    let cases = [
        (format!("{{{call},{planted}}}"), "A,-,-,- 0/1"),
        (format!("{{{planted} , {call},\"readOnly\" : true}}"), "A,-,true,- 0/1"),
        (format!("{{{call},{planted},\"errorMessage\":\"\\\"}}\"}}"), "A,-,-,- 1/1"),
        (format!("{{{call},\"eventName\":\"C\",\"errorCode\":null}}"), "C,-,-,- 0/1"),
        (format!("{{{call},\"event\\u004eame\":\"D\"}}"), "D,-,-,- 0/1"),
        (format!("{{{call},\"awsRegion\":\"\\u0065u-\\\"é\"}}"), "A,-,-,eu-\"é 0/1"),
        (format!("{{{call},\"userIdentity\":{{\"x\":{{\"type\":1}},\"type\":[1,\"}}\"]}}}}"), "A,[1,\"}\"],-,- 0/1"),
        (format!("{{{call},\"userIdentity\":7,\"readOnly\":-1.5e3}}"), "A,-,-1.5e3,- 0/1"),
    ];
    let by = ["eventName", "userIdentity.type", "readOnly", "awsRegion"];
    for (record, expected) in cases {
        for pad in 0..130 {
            let document = format!("{{\"Records\":[{{\"pad\":\"{}\",{}]}}", "x".repeat(pad), &record[1..]);
            assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok(), "{document}");
            let (lines, scan) = count_in(&document, &by, TimeWindow::default());
            assert_eq!((lines, scan.broken, scan.counts.broken_records), (vec![expected.to_owned()], None, 0));
        }
    }
    for broken in ["tru", "{\"type\":}"] {
        let document = format!("{{\"Records\":[{{{call},\"userIdentity\":{broken}}}]}}");
        let (_, scan) = count_in(&document, &by, TimeWindow::default());
        assert_eq!((scan.broken, scan.counts.broken_records), (None, 1), "{document}");
    }
}

#[test]
fn only_calls_in_the_time_range_are_counted() {
    let day = WindowText { day: Some("2024/01/02"), ..WindowText::default() };
    let window = TimeWindow::parse(day, "2025-01-01T00:00:00Z".parse().unwrap()).unwrap();
    let (lines, scan) = count(&["eventName"], window);
    assert_eq!((lines, scan.counts.filtered), (vec!["A 1/1".to_owned()], 2));
}

#[test]
fn too_many_values_are_an_error_and_not_a_wrong_count() {
    let mut counter = Counter::new(vec!["eventName".parse().unwrap()], TimeWindow::default());
    counter.memory = 2 * ENTRY + 1;
    counter.scan(&mut DOCUMENT.as_bytes(), &mut Buffers::default(), &mut Tally::default());
    assert!(counter.check().is_err());
}

#[test]
fn unknown_field_suggests_a_known_one() {
    let suggested = |name: &str| name.parse::<Field>().unwrap_err().nearest;
    assert_eq!(suggested("eventname"), Some("eventName"));
    assert_eq!(suggested("arn"), Some("userIdentity.arn"));
    assert_eq!(suggested("zzz"), None);
}
