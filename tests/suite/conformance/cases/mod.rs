//! The records: each case is a kind that a source can get wrong. The events are on one day that is still in Event history.
//!
//! An event's ID is the name of its case and its number in it, unless the case sets one.

mod callers;
mod calls;
mod fields;

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::{Value, json};

use super::world::REGIONS;
use crate::common::{Event, moment};
use callers::callers;
pub(super) use callers::sessions;
use calls::{commas, deletions, failed, lambda_versions, large, many_ids, other_services, renames, shared};
use fields::{QUOTES, UNICODE, caller_fields, fields, null_json, set, texts};

/// The second account.
const OTHER: &str = "210987654321";

/// Days back from today.
const AGO: i64 = 5;

/// How the JSON of a case is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spelling {
    /// As CloudTrail does.
    Usual,
    /// With escapes for all non-ASCII characters and slashes.
    Escaped,
}

/// A kind of records.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) events: Vec<Event>,
    /// The number of its rows.
    pub(super) rows: RangeInclusive<usize>,
    /// The number of copies of each file.
    pub(super) copies: usize,
    pub(super) spelling: Spelling,
}

/// A case in CloudTrail's JSON, once.
pub(super) fn case(name: &'static str, rows: usize, events: Vec<Event>) -> Case {
    Case { name, events, rows: rows..=rows, copies: 1, spelling: Spelling::Usual }
}

fn call(source: &str, name: &str) -> Event {
    Event::new(source, name).at(&moment(AGO, "10:00:00"))
}

/// An event that creates a bucket: one row.
pub(super) fn bucket(name: &str) -> Event {
    call("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}))
}

/// All cases except the long and the recorded ones.
pub(super) fn generated() -> Vec<Case> {
    vec![
        texts("unicode", &UNICODE),
        Case { spelling: Spelling::Escaped, ..texts("escaped", &UNICODE) },
        texts("quotes", &QUOTES),
        fields("null-fields", |event, field| event.field(field, Value::Null)),
        fields("absent-fields", |event, field| event.without(field)),
        fields("empty-fields", |event, field| event.field(field, json!(""))),
        caller_fields("null-caller-fields", |caller, path| set(caller, path, Some(Value::Null))),
        caller_fields("absent-caller-fields", |caller, path| set(caller, path, None)),
        caller_fields("empty-caller-fields", |caller, path| set(caller, path, Some(json!("")))),
        null_json(),
        commas(),
        failed(),
        other_services(),
        callers(),
        many_ids(),
        Case { copies: 2, ..case("delivered-twice", 2, vec![bucket("twice-1"), bucket("twice-2")]) },
        shared(),
        large(),
        lambda_versions(),
        deletions(),
        renames(),
    ]
}

/// More rows than a page of GetQueryResults or LookupEvents has.
pub(super) fn several_pages() -> Case {
    const ROWS: usize = 1230;
    let event = |number: usize| {
        let time = format!("{:02}:{:02}:{:02}", number / 3600, number / 60 % 60, number % 60);
        bucket(&format!("b-{number}")).at(&moment(AGO, &time)).region(REGIONS[number % REGIONS.len()])
    };
    case("several-pages", ROWS, (0..ROWS).map(event).collect())
}

/// Events in the form of recorded ones (`tests/fixtures/events`), moved into Event history's 90 days.
pub(super) fn recorded() -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the folder is there").map(|file| file.unwrap().path()).collect();
    files.sort();
    let (mut events, mut made) = (Vec::new(), 0);
    for file in files {
        let text = fs::read_to_string(&file).expect("a fixture is text");
        let cases: Vec<Value> = serde_json::from_str(&text).expect("a fixture is a list of cases");
        for case in &cases {
            let record = Event::from(case["record"].clone()).at(&moment(AGO, "10:00:00"));
            events.push(record.field("eventID", json!(format!("recorded-{}", events.len()))));
            made += usize::from(!case["expect"].as_array().expect("what it made").is_empty());
        }
    }
    // `resource_maps` checks the exact rows.
    Case { rows: made..=usize::MAX, ..case("recorded", made, events) }
}
