//! Tests of the scanner through its interface.

mod envelopes;
mod exactness;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::event::Action;
use crate::trail::samples::{map, record};

const RULES: [(&str, &str, &str, Action, &str); 2] = [
    ("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.bucketName"),
    ("s3.amazonaws.com", "DeleteBucket", "s3", Action::Delete, "requestParameters.bucketName"),
];

/// Small enough to stream the tests' documents.
const SMALL: Limits = Limits { part: 300, buffered: 1000, record: 900, decompressed: MIB, ..Limits::DEFAULT };

/// The same for records with many escapes.
const LARGER: Limits = Limits { part: 300, buffered: 8000, record: 7900, decompressed: MIB, ..Limits::DEFAULT };

fn scanner(limits: Limits) -> Scanner {
    Scanner::new(Arc::new(map(&RULES)), RecordFilter::default()).with_limits(limits)
}

fn scan_with(limits: Limits, bytes: &[u8]) -> (Scan, Vec<String>) {
    let mut names = Vec::new();
    let scan = scanner(limits).scan(&mut &bytes[..], &mut Buffers::default(), &mut |events| {
        names.extend(events.into_iter().map(|event| event.touched[0].resource_id.to_string()));
    });
    (scan, names)
}

fn scan(bytes: &[u8]) -> (Scan, Vec<String>) {
    scan_both_ways(SMALL, bytes)
}

/// Scans in memory and, with `limits`, streamed; both must have the same result.
fn scan_both_ways(limits: Limits, bytes: &[u8]) -> (Scan, Vec<String>) {
    let buffered = scan_with(Limits::default(), bytes);
    let streamed = scan_with(limits, bytes);
    assert_eq!(
        buffered.1,
        streamed.1,
        "{:?} {:?} of {}",
        buffered.0.broken,
        streamed.0.broken,
        String::from_utf8_lossy(bytes)
    );
    // After an error, the rest is not read.
    let bytes = if buffered.0.broken.is_some() { buffered.0.counts.bytes } else { streamed.0.counts.bytes };
    assert_eq!(buffered.0.counts, Counts { bytes, ..streamed.0.counts });
    assert_eq!(buffered.0.broken.is_some(), streamed.0.broken.is_some());
    buffered
}

fn bucket(name: &str) -> Value {
    record("s3.amazonaws.com", "CreateBucket", &json!({"requestParameters": {"bucketName": name}}))
}

fn three() -> Vec<Value> {
    vec![bucket("a"), record("s3.amazonaws.com", "ListBuckets", &json!({})), bucket("b")]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

#[test]
fn every_form_of_document_has_the_same_result() {
    let document = json!({ "Records": three() }).to_string();
    let shapes = [
        document.clone(),
        serde_json::to_string_pretty(&json!({ "Records": three() })).unwrap(),
        format!("\u{feff}{document}\n\n"),
        format!("{{\"a\":[{{\"Records\":[1]}}],{}", &document[1..]),
        format!("{},\"z\":null}}", document.strip_suffix('}').unwrap()),
        document.replace("Records", "\\u0052ecords"),
        Value::from(three()).to_string(),
        lines(&three()),
        lines(&three()).replace('\n', "\r\n\r\n"),
        lines(&[json!({ "Records": &three()[..2] }), json!({ "Records": &three()[2..] })]),
        lines(&[json!({ "Records": &three()[..1] }), three()[1].clone(), json!([three()[2]])]),
    ];
    for shape in shapes {
        let (plain, names) = scan(shape.as_bytes());
        assert_eq!(names, ["a", "b"], "{shape}");
        assert_eq!((plain.counts.records, plain.counts.matched, plain.counts.ids, plain.broken), (3, 2, 2, None));
        assert_eq!(plain.counts.bytes, shape.len() as u64);
        let (zipped, names) = scan(&gzip(shape.as_bytes()));
        assert_eq!((names.len(), zipped.counts.bytes, zipped.broken), (2, shape.len() as u64, None));
    }
    let (single, names) = scan(bucket("a").to_string().as_bytes());
    assert_eq!((names, single.counts.records, single.broken), (vec!["a".to_owned()], 1, None));
    let (none, _) = scan(br#"{"Records":[]}"#);
    assert_eq!((none.counts.records, none.broken), (0, None));
}

#[test]
fn all_members_of_a_gzip_file_are_read() {
    let document = json!({ "Records": three() }).to_string();
    let (first, second) = document.split_at(document.len() / 2);
    let members = [gzip(first.as_bytes()), gzip(b""), gzip(second.as_bytes())].concat();
    assert_eq!(scan(&members).1, ["a", "b"]);
}

#[test]
fn records_before_an_error_are_kept() {
    let document = json!({ "Records": three() }).to_string();
    let zipped = gzip(document.as_bytes());
    let mut damaged = zipped.clone();
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let cases: [(&str, Vec<u8>, &[&str]); 6] = [
        ("EOF while parsing", document.as_bytes()[..document.len() - 2].to_vec(), &["a", "b"]),
        ("EOF while parsing", document.as_bytes()[..document.len() - 30].to_vec(), &["a"]),
        ("expected", [document.as_bytes(), b" x"].concat(), &["a", "b"]),
        ("the gzip data is damaged", [&zipped[..], b"what is no gzip"].concat(), &["a", "b"]),
        ("the gzip data is damaged", damaged, &["a", "b"]),
        ("truncated", zipped[..zipped.len() - 4].to_vec(), &["a", "b"]),
    ];
    for (reason, bytes, expected) in cases {
        let (result, names) = scan(&bytes);
        let broken = result.broken.unwrap().to_string();
        assert!(broken.contains(reason), "{reason}: {broken}");
        assert_eq!(names, expected, "{reason}");
    }
    for bytes in [&b""[..], b"  \n", &gzip(b""), b"\x1f\x8b", b"x", b"{", b"\"text\"", br#"{"Records":1}"#] {
        assert!(scan(bytes).0.broken.is_some(), "{bytes:?}");
    }
}

#[test]
fn broken_records_do_not_fail_their_document() {
    let records = json!({"Records": [bucket("a"), 7, null, {"no": "name"}, "eventName", [], bucket("b")]});
    let (result, names) = scan(records.to_string().as_bytes());
    assert_eq!(names, ["a", "b"]);
    assert_eq!((result.counts.records, result.counts.broken_records, result.broken), (7, 5, None));
    assert!(result.broken_record.unwrap().to_string().contains("a record can't be read"));
}

/// Faults in texts, with whether `serde_json` refuses them only in the value.
const FAULTS: [&[u8]; 7] = [
    br#""cut \ud83d""#,
    br#""\udc4d""#,
    b"\"caf\xe9\"",
    b"\"a\x01b\"",
    br#""\q""#,
    b"1e999",
    br#"{"\ud83d":1,"a":1,"a":2}"#,
];

/// A document of two buckets, large enough to be streamed. `@` in the first one is replaced by a fault.
fn with_fault(record: &str, fault: &[u8], form: &str) -> Vec<u8> {
    let mut second = bucket("b");
    second["userAgent"] = json!("x".repeat(400));
    let whole = form.replace("<1>", record).replace("<2>", &second.to_string());
    let (before, after) = whole.split_once('@').unwrap();
    [before.as_bytes(), fault, after.as_bytes()].concat()
}

const FORMS: [&str; 4] = [r#"{"Records":[<1>,<2>]}"#, "[<1>,<2>]", "<1>\n<2>\n", "<1> <2>"];

#[test]
fn fault_in_a_field_of_no_interest_costs_nothing() {
    let deep = format!("{}1{}", "[".repeat(150), "]".repeat(150));
    for field in ["additionalEventData", "requestParameters.x", "userIdentity.sessionContext.x", "userAgent"] {
        let mut record = bucket("a");
        match field.split_once('.') {
            None => record[field] = json!("@"),
            Some(("requestParameters", x)) => record["requestParameters"][x] = json!("@"),
            Some(_) => record["userIdentity"] = json!({"type": "IAMUser", "sessionContext": {"x": "@"}}),
        }
        let record = record.to_string().replace("\"@\"", "@");
        for fault in FAULTS.into_iter().chain([deep.as_bytes()]) {
            for form in FORMS {
                let document = with_fault(&record, fault, form);
                let shown = String::from_utf8_lossy(&document).into_owned();
                let (result, names) = scan(&document);
                assert_eq!((result.broken, result.broken_record), (None, None), "{field} {shown}");
                assert_eq!(names, ["a", "b"], "{field} {shown}");
            }
        }
    }
}

#[test]
fn fault_in_a_field_of_interest_is_named_and_costs_only_its_record() {
    for (old, new, what) in [
        (r#""bucketName":"a""#, r#""bucketName":"a\ud83d""#, "an identifier"),
        (r#""bucketName":"a""#, r#""bucketName":123456789012345678901234567890"#, "an identifier"),
        (r#""userIdentity":{"#, r#""userIdentity":{"userName":"\udc4d","#, "userIdentity"),
    ] {
        let mut damaged = bucket("a");
        damaged["userIdentity"] = json!({"type": "IAMUser"});
        damaged["eventID"] = json!("e-1");
        let damaged = damaged.to_string();
        assert!(damaged.contains(old), "{damaged}");
        let document = format!("{{\"Records\":[{},{}]}}", damaged.replace(old, new), bucket("b"));
        let (result, names) = scan(document.as_bytes());
        assert_eq!((result.broken, result.counts.broken_records, names), (None, 1, vec!["b".to_owned()]));
        let reason = result.broken_record.unwrap().to_string();
        assert!(reason.contains("CreateBucket (event e-1)") && reason.ends_with(what), "{reason}");
    }
}

#[test]
fn record_that_is_not_json_costs_only_itself() {
    let broken = bucket("a").to_string().replacen("\",\"", "\"\"", 1);
    let (result, names) = scan(format!("{{\"Records\":[{broken},{}]}}", bucket("b")).as_bytes());
    assert_eq!((result.broken, result.counts.broken_records, names), (None, 1, vec!["b".to_owned()]));
}

#[test]
fn limits_bound_memory() {
    let limits = Limits { part: 300, buffered: 8192, record: 1000, decompressed: 100_000, ..Limits::DEFAULT };
    let agent = |length: usize| {
        let large = record("s3.amazonaws.com", "CreateBucket", &json!({"userAgent": "x".repeat(length)}));
        json!({"Records": [bucket("a"), large]}).to_string()
    };
    // In memory, and streamed.
    for length in [1000, 90_000] {
        let (result, names) = scan_with(limits, agent(length).as_bytes());
        assert!(result.broken.unwrap().to_string().contains("a record is larger than 1000 bytes"));
        assert_eq!(names, ["a"]);
    }
    let (result, _) = scan_with(limits, format!("{{\"Records\":[{}", " ".repeat(200_000)).as_bytes());
    assert!(result.broken.unwrap().to_string().contains("a record is larger"));
    let many: Vec<Value> = (0..300).map(|number| bucket(&number.to_string())).collect();
    let (result, names) = scan_with(limits, &gzip(json!({ "Records": many }).to_string().as_bytes()));
    assert!(result.broken.unwrap().to_string().contains("decompresses to more than 100000 bytes"));
    assert!(!names.is_empty() && names.len() < 300);
    let deep = format!("{{\"Records\":{}", "[".repeat(1_000_000));
    assert!(scan_with(Limits::default(), deep.as_bytes()).0.broken.is_some());
}

#[test]
fn events_are_passed_on_before_a_large_document_ends() {
    let many: Vec<Value> = (0..EVENTS_AT_ONCE + 1).map(|number| bucket(&number.to_string())).collect();
    let mut sizes = Vec::new();
    let text = json!({ "Records": many }).to_string();
    scanner(Limits::default())
        .scan(&mut text.as_bytes(), &mut Buffers::default(), &mut |events| sizes.push(events.len()));
    assert_eq!(sizes, [EVENTS_AT_ONCE, 1]);
}

#[test]
fn last_of_two_lists_counts() {
    let text = format!(r#"{{"Records":[{},1],"Records":[{}]}}"#, bucket("a"), bucket("b"));
    let (result, names) = scan(text.as_bytes());
    assert_eq!(names, ["b"]);
    assert_eq!((result.counts.records, result.counts.broken_records), (1, 0));
}

#[test]
fn digests_and_insights_are_skipped() {
    let digest = json!({"awsAccountId": "1", "digestS3Bucket": "b", "previousDigestS3Bucket": "b", "logFiles": []});
    let (result, _) = scan(digest.to_string().as_bytes());
    assert_eq!((result.kind(), result.counts.records, result.broken), (Some(Kind::Digest), 0, None));
    let insight = json!({"eventType": "AwsCloudTrailInsight", "insightDetails": {"eventName": "ListBuckets"}});
    let (result, _) = scan(json!({"Records": [insight, insight, bucket("a")]}).to_string().as_bytes());
    assert_eq!((result.counts.insights, result.counts.ids, result.counts.broken_records), (2, 1, 0));
    let digest = "1_CloudTrail-Digest_us-east-1_t_us-east-1_20230710T114500Z.json.gz";
    assert_eq!(kind_of_name(digest), Some(Kind::Digest));
    assert_eq!(kind_of_name("1_CloudTrail_us-east-1_20230710T1145Z_7xgocspSowgK0Gto.json.gz"), None);
}

/// A record as a list of fields, so that keys can be duplicated and in any order.
type Entries = Vec<(String, Value)>;

fn any_record() -> impl Strategy<Value = Entries> {
    let name = prop::sample::select(vec!["CreateBucket", "DeleteBucket", "ListBuckets", "CreateBucke", ""]);
    let planted = prop::sample::select(vec![
        r#""eventName":"CreateBucket""#,
        r#"\"eventName\":\"ListBuckets\""#,
        "CreateBucket",
        "\\",
        "é\u{7f}\u{1f600}",
        "}],[{",
    ]);
    let field = prop_oneof![
        4 => name.clone().prop_map(|name| ("eventName".to_owned(), json!(name))),
        4 => Just(("eventSource".to_owned(), json!("s3.amazonaws.com"))),
        1 => Just(("eventSource".to_owned(), json!("ec2.amazonaws.com"))),
        1 => prop::sample::select(vec![json!(null), json!("Denied")]).prop_map(|code| ("errorCode".to_owned(), code)),
        1 => Just(("errorMessage".to_owned(), json!(null))),
        4 => planted.clone().prop_map(|id| ("requestParameters".to_owned(), json!({"bucketName": id}))),
        1 => Just(("requestParameters".to_owned(), json!([{"eventName": "CreateBucket"}]))),
        1 => name.prop_map(|name| ("additionalEventData".to_owned(), json!({"eventName": name, "x": [1.5e3, -0.1]}))),
        1 => planted.prop_map(|text| (text.to_owned(), json!(text))),
        1 => Just(("eventName".to_owned(), json!({"eventName": "CreateBucket"}))),
    ];
    prop::collection::vec(field, 0..9).prop_map(|mut entries| {
        entries.insert(entries.len() / 2, ("eventTime".to_owned(), json!("2023-07-10T11:54:39Z")));
        entries
    })
}

/// Writes JSON with the white space and escapes that `style` selects.
struct Writer<'a> {
    style: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    text: String,
}

impl Writer<'_> {
    fn choose(&mut self) -> u8 {
        *self.style.next().unwrap()
    }

    fn space(&mut self) {
        let space = ["", "", "", " ", "\n", "\t\r\n "][usize::from(self.choose() % 6)];
        self.text.push_str(space);
    }

    fn token(&mut self, token: &str) {
        self.space();
        self.text.push_str(token);
        self.space();
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            let must = matches!(character, '"' | '\\') || character < ' ';
            if must || self.choose().is_multiple_of(16) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    self.text.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                self.text.push(character);
            }
        }
        self.text.push('"');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => self.list("[", items, "]", |writer, item| writer.value(item)),
            Value::Object(fields) => {
                let entries: Entries = fields.clone().into_iter().collect();
                self.object(&entries);
            }
            other => self.text.push_str(&other.to_string()),
        }
    }

    fn object(&mut self, entries: &Entries) {
        self.list("{", entries, "}", |writer, (key, value)| {
            writer.string(key);
            writer.token(":");
            writer.value(value);
        });
    }

    fn list<T>(&mut self, open: &str, items: &[T], close: &str, mut write: impl FnMut(&mut Self, &T)) {
        self.token(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.token(",");
            }
            write(self, item);
        }
        self.token(close);
    }
}

/// The result of a full parse of the record: the name of the bucket.
fn kept_by_full_parse(record: &Value) -> Option<String> {
    let failed = |key: &str| record.get(key).is_some_and(|value| !value.is_null());
    let wanted = record["eventSource"] == "s3.amazonaws.com"
        && (record["eventName"] == "CreateBucket" || record["eventName"] == "DeleteBucket")
        && !failed("errorCode")
        && !failed("errorMessage");
    wanted.then(|| record["requestParameters"]["bucketName"].as_str().map(str::to_owned)).flatten()
}

proptest! {
    // A failure becomes a named test, not a file of seeds.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_scanner_keeps_exactly_what_a_full_parse_keeps(
        records in prop::collection::vec(any_record(), 0..8),
        style in prop::collection::vec(any::<u8>(), 1..200),
        as_lines in any::<bool>(),
    ) {
        let mut writer = Writer { style: style.iter().cycle(), text: String::new() };
        if as_lines {
            records.iter().for_each(|record| writer.object(record));
            writer.text.insert_str(0, "{\"Records\":null}");
        } else {
            writer.token("{");
            writer.string("Records");
            writer.token(":");
            writer.list("[", &records, "]", Writer::object);
            writer.token("}");
        }
        let values = serde_json::Deserializer::from_str(&writer.text).into_iter::<Value>();
        let parsed: Vec<Value> = values.map(Result::unwrap).collect();
        let all: &[Value] = if as_lines { &parsed[1..] } else { parsed[0]["Records"].as_array().unwrap() };
        let expected: Vec<String> = all.iter().filter_map(kept_by_full_parse).collect();
        // White space at the end: only the size decides that a document is streamed.
        let text = format!("{}{}", writer.text, " ".repeat(8000));
        let (result, names) = scan_both_ways(LARGER, text.as_bytes());
        prop_assert_eq!(names, expected);
        prop_assert_eq!(result.broken, None);
        prop_assert_eq!(result.counts.records, records.len() as u64);
    }
}

/// Reads the text a few bytes at a time, then fails.
struct Torn<'t>(&'t [u8]);

impl Read for Torn<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.len().min(buffer.len()).min(7);
        if length == 0 {
            return Err(io::Error::other("the connection was lost"));
        }
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

#[test]
fn part_of_a_large_file_that_was_read_before_an_error_is_kept() {
    let document = json!({"Records": [bucket("a"), bucket("b"), bucket("c")]}).to_string();
    let end = document.find("\"bucketName\":\"c\"").unwrap();
    for limits in [Limits::default(), SMALL] {
        let mut names = Vec::new();
        let mut take = |events: Vec<ResourceEvent>| {
            names.extend(events.into_iter().map(|event| event.touched[0].resource_id.to_string()));
        };
        let input = &mut Torn(&document.as_bytes()[..end]);
        let scan = scanner(limits).scan(input, &mut Buffers::default(), &mut take);
        assert!(scan.broken.unwrap().to_string().contains("the connection was lost"));
        assert_eq!(names, ["a", "b"]);
    }
}

#[test]
fn log_file_of_any_size_is_read_in_parts() {
    let filler = |size: usize| record("s3.amazonaws.com", "ListBuckets", &json!({"userAgent": "x".repeat(size)}));
    // Records that are larger than a part, one after the other and between small ones, and elements that are no records.
    let records =
        json!([filler(10), bucket("a"), filler(700), filler(600), 7, bucket("b"), null, filler(10), bucket("c")]);
    for rest in ["", ",\"x\":[1,2],\"Records2\":{}", ",\"Records\":[]"] {
        let document = format!("{{\n\"Records\": {records}{rest} }}\n");
        let (whole, names) = scan_both_ways(LARGER, document.as_bytes());
        let is_replaced = rest.ends_with("\"Records\":[]");
        assert_eq!(whole.broken, None, "{rest}");
        assert_eq!(names, if is_replaced { &[][..] } else { &["a", "b", "c"] }, "{rest}");
    }
    for damage in ["]", ", ]}", "]]", "] x", "}", " 1]}", ",{]}", ".5]}", "e5]}", "\n,\n\n x]}"] {
        let document = format!("{{\"Records\":{}{damage}", records.to_string().strip_suffix(']').unwrap());
        let (whole, names) = scan_both_ways(LARGER, document.as_bytes());
        assert!(whole.broken.is_some(), "{damage}");
        assert_eq!(names, ["a", "b", "c"], "{damage}");
    }
}

#[test]
fn elements_that_are_no_objects_are_read_in_parts_in_linear_time() {
    // As a scan of all that follows each element, this takes minutes.
    let scalars = "0,".repeat(300_000);
    let text = format!("{{\"Records\":[{scalars}{}]}}", bucket("a"));
    let (result, names) = scan_both_ways(SMALL, text.as_bytes());
    assert_eq!((result.broken, result.counts.broken_records, names), (None, 300_000, vec!["a".to_owned()]));
    let record = Value::from(bucket("b").to_string()).to_string();
    let strings = vec![record.as_str(); 40].join(",");
    let (result, names) = scan_both_ways(LARGER, format!("{{\"Records\":[{strings}]}}").as_bytes());
    assert_eq!((result.broken, names.len()), (None, 40), "more than one record may have, in all");
}

#[test]
fn log_files_that_follow_each_other_are_read_in_parts() {
    let file = |names: [&str; 2]| json!({"Records": names.map(bucket)}).to_string();
    let broken = file(["x", "c"]).replacen("\",\"", "\"\"", 1);
    for between in ["", "\n", &" ".repeat(500)] {
        let text = [file(["a", "b"]), broken.clone(), file(["d", "e"])].join(between);
        let (result, names) = scan_both_ways(LARGER, text.as_bytes());
        assert_eq!((result.broken, result.counts.broken_records), (None, 1));
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        let (result, names) = scan_both_ways(LARGER, &text.as_bytes()[..text.len() - 10]);
        assert!(result.broken.is_some(), "truncated in the last");
        assert_eq!(names, ["a", "b", "c", "d"]);
    }
}

#[test]
fn errors_in_parts_have_their_position_in_the_document() {
    let filler = record("s3.amazonaws.com", "ListBuckets", &json!({"userAgent": "x".repeat(100)})).to_string();
    for (lines, between) in [(1, ","), (41, ",\n")] {
        let text = format!("{{\"Records\":[{}{between}?]}}", vec![filler.as_str(); 40].join(between));
        let (whole, _) = scan_with(Limits::default(), text.as_bytes());
        let (parts, _) = scan_with(LARGER, text.as_bytes());
        let error = parts.broken.unwrap().to_string();
        assert!(error.contains(&format!("at line {lines} column ")), "{error}");
        assert_eq!(whole.broken.unwrap().to_string(), error);
    }
}
