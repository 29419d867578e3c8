//! One function for each kind of input that others write. Each takes any bytes, and panics if a promise is broken.
//!
//! `fuzz/` has a libFuzzer target for each entry of [`TARGETS`] and a small corpus; `cargo test` replays the corpus. Not an
//! interface: nothing else may use this module.

use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::value::RawValue;

use crate::aws::counts::Effect;
use crate::aws::protocol::{self, error_answer};
use crate::cli::{PlanDocument, check_writes};
use crate::creator::{CreatorValue, IdentityMap, OwnerRules, SameResource, creation_of, tool_of};
use crate::load::athena::csv::{CsvError, Reader};
use crate::load::athena::row::{Layout, Row};
use crate::model::event::{Event, ResourceEvent, StoredEvent};
use crate::org::accounts_file::AccountsFile;
use crate::resource_map::{Protocol, ResourceMap, definition::Service};
use crate::text::safe;
use crate::trail::extract::{Extraction, read_record};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::{Buffers, Counts, Limits, Scan, Scanner};

/// A target: it panics if the bytes break a promise.
pub type Target = fn(&[u8]);

/// All targets, by the name of their corpus.
pub const TARGETS: [(&str, Target); 9] = [
    ("records", records),
    ("envelopes", envelopes),
    ("scan_reference", scan_reference),
    ("maps", maps),
    ("accounts", accounts),
    ("identity_maps", identity_maps),
    ("athena_csv", athena_csv),
    ("answers", answers),
    ("plans", plans),
];

/// Runs a target.
///
/// # Panics
/// The bytes break a promise, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).expect("a target of this name");
    target(bytes);
}

/// The most characters of a tag value.
const MAX_VALUE: usize = 256;

/// Limits that a fuzzer's documents reach: larger ones are streamed.
const SMALL: Limits = Limits { part: 150, buffered: 600, record: 500, decompressed: 64 * 1024, ..Limits::DEFAULT };

/// The record of an event that the built-in map knows.
const RECORD: &str = r#"{"eventTime":"2023-07-10T11:54:39Z","eventSource":"sqs.amazonaws.com","eventName":"CreateQueue",
    "awsRegion":"eu-west-1","eventID":"e","recipientAccountId":"123456789012","userAgent":"aws-cli/2","userIdentity":{
    "type":"AssumedRole","arn":"arn:aws:sts::123456789012:assumed-role/dev/ann@example.com","accountId":"123456789012",
    "principalId":"AROA1:ann@example.com","sessionContext":{"sessionIssuer":{"type":"Role","userName":"dev",
    "arn":"arn:aws:iam::123456789012:role/dev"},"sourceIdentity":"ann"}},
    "responseElements":{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/q"}}"#;

static MAP: LazyLock<Arc<ResourceMap>> = LazyLock::new(|| Arc::new(ResourceMap::built_in()));

/// A scanner with these limits; the filter for all names of events is built once.
fn scanner(limits: Limits) -> Scanner {
    static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(Arc::clone(&MAP), RecordFilter::default()));
    SCANNER.clone().with_limits(limits)
}

/// A record's text: its event has an owner or a reason, and prints safely.
fn records(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match read_record(&MAP, &RecordFilter::default(), &text) {
        Extraction::Touched(event) => touched(&event),
        Extraction::Broken(reason) => printable(&reason.to_string()),
        _ => {}
    }
}

fn touched(of: &ResourceEvent) {
    assert!(!of.touched.is_empty() || !of.sessions.is_empty());
    match OwnerRules::default().owner_of(&of.event) {
        Ok(owner) => valid(&owner.value),
        Err(none) => printable(&none.to_string()),
    }
    drop(tool_of(&of.event));
    let mut same = SameResource::new(MAP.naming());
    let events: Vec<StoredEvent> = of.touched.iter().map(|touched| stored(&of.event, touched)).collect();
    for event in &events {
        same.add(&(), event);
    }
    same.finish();
    for event in &events {
        assert!(!event.resource_id.as_str().is_empty());
        printable(&same.name(&(), event, event.resource_id.as_str()));
    }
    assert!(creation_of(&events).is_none_or(|creation| events.contains(creation)));
}

fn stored(event: &Event, touched: &crate::model::event::Touched) -> StoredEvent {
    StoredEvent {
        resource_type: touched.resource_type.clone(),
        resource_id: touched.resource_id.clone(),
        action: touched.action,
        names: touched.names.clone(),
        renamed_to: touched.renamed_to.clone(),
        event: event.clone(),
    }
}

/// A value that AWS takes as a tag's.
fn valid(value: &str) {
    assert!(!value.is_empty() && value.encode_utf16().count() <= MAX_VALUE && safe::is_safe(value), "{value:?}");
}

/// What console and tables print of a text is safe and one line.
fn printable(text: &str) {
    assert!(safe::is_safe(&safe::one_line(text)));
}

fn scan(limits: Limits, bytes: &[u8]) -> (Scan, Vec<ResourceEvent>) {
    let mut events = Vec::new();
    let scan = scanner(limits).scan(&mut &bytes[..], &mut Buffers::default(), &mut |more| events.extend(more));
    (scan, events)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// A whole file: what memory and stream read of it agrees, compressed or not.
fn envelopes(bytes: &[u8]) {
    let (whole, events) = scan(Limits::default(), bytes);
    if let Some(broken) = &whole.broken {
        printable(&broken.to_string());
    }
    let (streamed, of_stream) = scan(SMALL, bytes);
    // A stream has two more reasons to fail: a record that is too large, or not JSON although nothing asks for it.
    if streamed.broken.is_none() && whole.broken.is_none() {
        assert_eq!(comparable(&whole.counts), comparable(&streamed.counts));
        assert_eq!(events, of_stream);
    }
    // The kind of what is not JSON is decided by its first 4 KiB, of which this stream has fewer.
    let is_other = !streamed.counts.others.is_empty();
    assert!(whole.broken.is_none() || streamed.broken.is_some() || is_other, "{:?}", whole.broken);
    if !whole.is_gzip {
        let (zipped, of_gzip) = scan(Limits::default(), &gzip(bytes));
        assert_eq!(
            (comparable(&whole.counts), whole.broken.is_some()),
            (comparable(&zipped.counts), zipped.broken.is_some())
        );
        assert_eq!(events, of_gzip);
    }
}

/// Without the size of the file as it was stored, and without that of its text if it is of another kind: a stream does not read such a
/// file to its end.
fn comparable(counts: &Counts) -> Counts {
    let bytes = if counts.others.is_empty() { counts.bytes } else { 0 };
    Counts { stored_bytes: 0, bytes, ..counts.clone() }
}

/// A list of records: the scanner finds what `serde_json` finds, for each of its ways through the bytes.
fn scan_reference(bytes: &[u8]) {
    let Ok(list) = std::str::from_utf8(bytes).map(|text| format!("[{text}]")) else { return };
    let Ok(records) = serde_json::from_str::<Vec<&RawValue>>(&list) else { return };
    let (mut counts, mut expected) = (Counts::default(), Vec::new());
    for record in &records {
        counts.records += 1;
        expected.extend(counts.take(read_record(&MAP, &RecordFilter::default(), record.get())).ok().flatten());
    }
    let largest = records.iter().map(|record| record.get().len() as u64).max().unwrap_or_default();
    for (document, limits) in [
        (format!("{{\"Records\":{list}}}"), Limits::default()),
        (format!("{{\"Records\":{list}}}"), Limits { record: largest + 1, ..SMALL }),
        (list.clone(), Limits::default()),
    ] {
        // An empty list, and one that begins with something else than a record, is a document of another kind.
        if records.first().is_none_or(|first| !first.get().starts_with('{')) {
            return;
        }
        let (scan, events) = scan(limits, document.as_bytes());
        assert!(scan.broken.is_none(), "{:?}", scan.broken);
        // In a list, an element that is no record of CloudTrail is named as something else.
        let others: u64 = scan.counts.others.values().sum();
        assert_eq!(
            (scan.counts.records + others, scan.counts.matched, scan.counts.ids),
            (counts.records, counts.matched, counts.ids)
        );
        assert_eq!(events, expected);
    }
}

/// A resource map of either format: it compiles, or says where it does not; what compiles reads a record.
fn maps(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match ResourceMap::parse_alone("map.yml", text) {
        Ok(map) => drop(read_record(&map, &RecordFilter::default(), RECORD)),
        Err(error) => printable(&error.to_string()),
    }
}

/// An accounts file: what is read of it is written so that the same is read again.
fn accounts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match AccountsFile::parse("accounts.yml", text) {
        Ok(file) => match AccountsFile::parse("again.yml", &file.to_yaml()) {
            Ok(again) => assert_eq!(file, again),
            Err(error) => panic!("{error}: {}", file.to_yaml()),
        },
        Err(error) => printable(&error.to_string()),
    }
}

/// An identity map: its owners are valid tag values.
fn identity_maps(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let map = match IdentityMap::parse("identities.yml", text) {
        Ok(map) => Arc::new(map),
        Err(error) => return printable(&error.to_string()),
    };
    let Extraction::Touched(event) = read_record(&MAP, &RecordFilter::default(), RECORD) else { unreachable!() };
    for value in [CreatorValue::default(), CreatorValue::Arn] {
        let rules = OwnerRules { value, identity_map: Some(Arc::clone(&map)), ..OwnerRules::default() };
        match rules.owner_of(&event.event) {
            Ok(owner) => valid(&owner.value),
            Err(none) => printable(&none.to_string()),
        }
    }
}

/// An Athena result: its rows don't depend on the pieces that it arrives in, and become records.
fn athena_csv(bytes: &[u8]) {
    let whole = rows(bytes, bytes.len().max(1));
    for piece in [1, 7] {
        assert_eq!(whole, rows(bytes, piece));
    }
    let Ok([header, rows @ ..]) = whole.as_deref() else { return };
    let header: Vec<String> = header.iter().map(|name| name.clone().unwrap_or_default()).collect();
    let Ok(layout) = Layout::new(&header) else { return };
    let mut text = String::new();
    for row in rows {
        match layout.record(row, &mut text) {
            Ok(()) => records(text.as_bytes()),
            Err(bad) => printable(&bad.to_string()),
        }
    }
}

fn rows(bytes: &[u8], piece: usize) -> Result<Vec<Row>, CsvError> {
    let (mut reader, mut rows) = (Reader::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        reader.feed(piece, &mut rows)?;
    }
    reader.finish(&mut rows)?;
    Ok(rows)
}

/// One service of each protocol; the target reads their answers.
fn services() -> [(Service, &'static str); 5] {
    [
        (Service::named("sqs", "SQS", Protocol::Json), "ListQueueTags"),
        (Service::named("iam", "IAM", Protocol::Query), "ListRoleTags"),
        (Service::named("ec2", "EC2", Protocol::Ec2), "CreateTags"),
        (Service::named("lambda", "Lambda", Protocol::RestJson), "GET /2017-03-31/tags/x"),
        (Service::named("s3", "S3", Protocol::RestXml), "GET /bucket?tagging"),
    ]
}

/// An answer of AWS, or of what is between: it proves nothing when it is blank, and its errors print safely.
fn answers(bytes: &[u8]) {
    let is_blank = bytes.iter().all(u8::is_ascii_whitespace);
    for (service, operation) in services() {
        for effect in [Effect::Read, Effect::Write, Effect::Replace] {
            match protocol::answer(&service, operation, effect, bytes) {
                Ok(_) => assert!(!(is_blank && effect == Effect::Read)),
                Err(error) => printable(&error.to_string()),
            }
        }
    }
    let status = StatusCode::try_from(400).expect("a status code");
    let error = error_answer::read(&Response::new(status, SdkBody::from(bytes)));
    printable(&error.to_string());
}

/// A plan, as `apply` reads it: what is accepted has only valid values.
fn plans(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match serde_json::from_str::<PlanDocument>(text) {
        Ok(plan) if check_writes(&plan.actions).is_ok() => {
            plan.actions.iter().for_each(|action| valid(action.value.as_str()));
        }
        Ok(_) => {}
        Err(error) => printable(&error.to_string()),
    }
}

#[cfg(test)]
mod tests;
