//! The pass over the bytes has the same result as a full parse with `serde_json`: for every position in a block, for every
//! cut of a document, and for every damaged byte.

use super::*;

/// The number of bytes that the tested texts are shifted by: more than two blocks.
const OFFSETS: usize = 131;

/// Texts that look like structure.
const TRICKY: [&str; 9] = [
    "\"",
    "\\",
    "\\\\\"",
    "\\\"eventName\\\":\\\"CreateBucket\\\"",
    "\"}],\"Records\":[{\"eventName\":\"CreateBucket\"",
    "{[{[{[",
    "}]}]}]",
    "\u{e9}\u{1f600}\u{7f}",
    "\n\t\r\u{1}",
];

/// The result of a full parse of a document: the number of records, and the names of buckets.
fn full_parse(document: &[u8]) -> Option<(u64, Vec<String>)> {
    let value: Value = serde_json::from_slice(document).ok()?;
    let records = value["Records"].as_array()?;
    Some((records.len() as u64, records.iter().filter_map(kept_by_full_parse).collect()))
}

fn assert_as_full_parse(document: &str) {
    let (result, names) = scan_with(Limits::default(), document.as_bytes());
    assert_eq!((result.broken, result.broken_record), (None, None), "{document}");
    assert_eq!(Some((result.counts.records, names)), full_parse(document.as_bytes()), "{document}");
}

/// Records, some of them matching, with `text` in fields that callers control, `pad` bytes from the beginning.
fn document_with(text: &str, pad: usize) -> String {
    let planted = json!({
        "pad": "x".repeat(pad), "userAgent": text, "requestParameters": {text: [{"eventName": "CreateBucket"}, text]},
        "eventSource": "s3.amazonaws.com", "eventName": "ListBuckets", "errorMessage": text,
    });
    let wanted = json!({
        "eventTime": "2023-07-10T11:54:39Z", text: text, "userAgent": text, "eventSource": "s3.amazonaws.com",
        "requestParameters": {"bucketName": format!("b{text}"), "eventName": "ListBuckets", text: text},
        "eventName": "CreateBucket",
    });
    json!({"Records": [planted, wanted, planted, wanted]}).to_string()
}

#[test]
fn texts_that_look_like_structure_are_text_in_every_position() {
    for text in TRICKY {
        for pad in 0..OFFSETS {
            assert_as_full_parse(&document_with(text, pad));
        }
    }
}

#[test]
fn runs_of_backslashes_end_strings_correctly_in_every_position() {
    for run in [1, 2, 3, 63, 64, 65] {
        for pad in 0..OFFSETS {
            assert_as_full_parse(&document_with(&"\\".repeat(run), pad));
        }
    }
}

#[test]
fn keys_and_names_are_found_in_every_spelling_and_position() {
    let spelled = [
        r#""eventName":"CreateBucket""#,
        r#""eventName" : "CreateBucket""#,
        "\"eventName\"\r\n\t :\r\n\t \"CreateBucket\"",
        r#""eventName":"Create\u0042ucket""#,
        r#""event\u004eame":"CreateBucket""#,
        r#""\u0065\u0076\u0065\u006e\u0074\u004e\u0061\u006D\u0065":"\u0043reateBucket""#,
        r#""eventName":"ListBuckets","eventName":"CreateBucket""#,
        r#""eventName":"ListBuckets","\u0065ventName":"CreateBucket""#,
        r#""eventName":"CreateBucket","eventName":"ListBuckets""#,
        r#""eventName":"CreateBucket","x":"\"eventName\":\"ListBuckets\"""#,
        r#""eventName":"ListBuckets","x":"eventName""#,
        r#""eventName":"ListBuckets","xeventName":"CreateBucket","\"eventName":"CreateBucket""#,
        r#""eventName":"ListBuckets","\\\"eventName":"CreateBucket","eventName\\":"CreateBucket""#,
    ];
    for spelled in spelled {
        for pad in 0..OFFSETS {
            let record = format!(
                r#"{{"pad":"{}",{spelled},"eventTime":"2023-07-10T11:54:39Z",
                "eventSource":"s3.amazonaws.com","requestParameters":{{"bucketName":"b"}}}}"#,
                "x".repeat(pad)
            );
            assert_as_full_parse(&format!("{{\"Records\":[{record} ,\n{record}]}}"));
        }
    }
}

/// Ends of the records in a document.
fn ends(document: &str) -> Vec<usize> {
    let records: Vec<&serde_json::value::RawValue> =
        serde_json::from_str(&document["{\"Records\":".len()..document.len() - 1]).unwrap();
    records
        .iter()
        .map(|record| record.get().as_ptr() as usize - document.as_ptr() as usize + record.get().len())
        .collect()
}

/// Two matching records among four others.
fn mixed_document() -> String {
    let wanted = |name: &str| {
        json!({
            "eventTime": "2023-07-10T11:54:39Z", "eventSource": "s3.amazonaws.com", "eventName": "CreateBucket",
            "requestParameters": {"bucketName": name},
        })
    };
    let unwanted = json!({
        "userAgent": "a\"\\{é}", "eventName": "RunInstances", "x": [-1.5e3, {"y": [null, true, ""]}, {}],
        "eventSource": "ec2.amazonaws.com",
    });
    json!({"Records": [unwanted, wanted("a"), unwanted, unwanted, wanted("b"), unwanted]}).to_string()
}

#[test]
fn document_cut_anywhere_fails_and_keeps_the_records_before() {
    let document = mixed_document();
    let ends = ends(&document);
    for length in 0..document.len() {
        let (result, names) = scan_with(Limits::default(), &document.as_bytes()[..length]);
        let whole = ends.iter().filter(|&&end| end <= length).count();
        assert!(result.broken.is_some(), "cut at {length}");
        assert_eq!(result.counts.records, whole as u64, "cut at {length}");
        assert_eq!(names, ["a", "b"][..usize::from(whole > 1) + usize::from(whole > 4)], "cut at {length}");
    }
}

#[test]
fn damaged_byte_is_reported_unless_it_is_in_a_dismissed_record() {
    let document = mixed_document();
    let ends = ends(&document);
    for (at, &original) in document.as_bytes().iter().enumerate() {
        for byte in *b"\"\\{}[],: \xff" {
            let mut damaged = document.clone().into_bytes();
            damaged[at] = byte;
            let (result, names) = scan_with(Limits::default(), &damaged);
            let counts = &result.counts;
            let is_reported = result.broken.is_some() || counts.broken_records > 0 || !counts.others.is_empty();
            let (place, is) = (char::from(original), char::from(byte));
            if is_reported {
                continue;
            }
            if let Some(expected) = full_parse(&damaged) {
                assert_eq!((result.counts.records, names), expected, "{place:?} at {at} is {is:?}");
            } else {
                let record = ends.iter().filter(|&&end| end <= at).count();
                assert!(record < ends.len() && ![1, 4].contains(&record), "{place:?} at {at} is {is:?}");
                assert_eq!((result.counts.records, names), (6, vec!["a".to_owned(), "b".to_owned()]));
            }
        }
    }
}

#[test]
fn records_that_run_into_each_other_are_reported() {
    let document = mixed_document();
    // The end of a string and the first key of the next record are missing: by its brackets it is one record.
    let end = document.find("\"},{\"").unwrap();
    let quote = document[end..].find("{\"").unwrap() + end + 1;
    let mut damaged = document.into_bytes();
    damaged[end] = b'x';
    damaged[quote] = b'x';
    let (result, names) = scan_with(Limits::default(), &damaged);
    assert_eq!((result.broken, result.counts.broken_records), (None, 1));
    assert_eq!(names, ["b"], "the records after them are kept");
}

#[test]
fn text_after_a_document_or_between_records_is_reported() {
    let one = bucket("a").to_string();
    for broken in [
        format!("{{\"Records\":[{one}]}}]"),
        format!("{{\"Records\":[{one}]}} x"),
        format!("{{\"Records\":[{one},]}}"),
        format!("{{\"Records\":[{one}{one}]}}"),
        format!("{{\"Records\":[{one},,{one}]}}"),
        format!("{{\"Records\":[,{one}]}}"),
        format!("{{\"Records\":[{one}:{one}]}}"),
        format!("{{\"Records\":[{one} x,{one}]}}"),
        format!("{{\"Records\":[{one}\u{b},{one}]}}"),
        format!("{{\"Records\":[{one}}}}}"),
        format!("{{\"Records\":[{one}],}}"),
        format!("{{\"Records\":[{one}],\"x\"}}"),
        format!("{{\"Records\":[{one}] \"x\":1}}"),
        format!("{{\"Records\":{one}}}"),
        format!("[{one},{one}"),
        "{\"a\":1,x}".to_owned(),
    ] {
        assert!(scan(broken.as_bytes()).0.broken.is_some(), "{broken}");
    }
}

#[test]
fn errors_have_their_position_in_the_document() {
    let document = format!("{{\"Records\":[\n{},\n{{\"a\":[}}\n]}}", bucket("a"));
    let (result, names) = scan_with(Limits::default(), document.as_bytes());
    let broken = |scan: Scan| scan.broken.unwrap().to_string();
    assert_eq!((broken(result).as_str(), names.len()), ("expected value at line 3 column 7", 1));
    let (result, _) = scan_with(Limits::default(), b"{\"Records\":[\n1\n2]}");
    assert_eq!(broken(result), "expected `,` or `]` at line 3 column 1");
}

#[test]
fn records_of_any_depth_are_framed_or_read() {
    for depth in [0, 1, 61, 62, 63, 64, 65, 127, 128, 129, 100_000] {
        for (open, close) in [("[", "]"), ("{\"x\":", "}")] {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            let deep = format!(
                r#"{{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","requestParameters":{open}1{close}}}"#
            );
            let text = format!("{{\"Records\":[{deep},{},{deep}]}}", bucket("a"));
            let (result, names) = scan_with(Limits::default(), text.as_bytes());
            assert_eq!((result.broken, result.counts.records, names), (None, 3, vec!["a".to_owned()]), "{depth}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn large_documents_of_any_spelling_are_as_a_full_parse_says(
        records in prop::collection::vec(any_record(), 0..60),
        style in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let mut writer = Writer { style: style.iter().cycle(), text: String::new() };
        writer.token("{");
        writer.string("x");
        writer.token(":");
        writer.value(&json!([{"Records": [1]}, "\"Records\":[{"]));
        writer.token(",");
        writer.string("Records");
        writer.token(":");
        writer.list("[", &records, "]", Writer::object);
        writer.token("}");
        let (result, names) = scan_with(Limits::default(), writer.text.as_bytes());
        prop_assert_eq!(result.broken, None);
        prop_assert_eq!(Some((result.counts.records, names)), full_parse(writer.text.as_bytes()));
    }

    #[test]
    fn bytes_that_are_no_json_are_no_matter(bytes in prop::collection::vec(prop::sample::select(
        br#"""\{}[],: {"Records":[{"eventName":"x"}"#.to_vec(),
    ), 0..400)) {
        let start = b"{\"Records\":[{\"eventName\":\"CreateBucket\"},".to_vec();
        let (result, _) = scan_with(Limits::default(), &[start, bytes].concat());
        prop_assert!(result.broken.is_some() || result.counts.broken_records > 0);
    }
}
