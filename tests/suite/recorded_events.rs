//! Recorded create events, each with the resources that a person read from it: the built-in maps find exactly these.
//!
//! A file has one CloudTrail record a line. Beside CloudTrail's own fields a record has `_expected` (`{type: [ids]}`), and
//! sometimes `_also_ok` (other accepted forms of the ids, further resources) and `_note`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

use serde_json::Value;
use trailcreator::model::event::Action;
use trailcreator::resource_map::ResourceMap;
use trailcreator::trail::extract::{Extraction, read};
use trailcreator::trail::fields::Fields;
use trailcreator::trail::filter::RecordFilter;

/// The file that [`records_of_another_file_are_read_right`] reads.
const FILE_VARIABLE: &str = "TRAILCREATOR_RECORDED_EVENTS";

type Ids = BTreeMap<String, BTreeSet<String>>;

/// The ids under a record's `_expected` or `_also_ok`.
fn listed(record: &Value, field: &str) -> Ids {
    let Some(types) = record.get(field).and_then(Value::as_object) else { return Ids::new() };
    let text = |id: &Value| id.as_str().expect("an id is a text").to_owned();
    let ids = |ids: &Value| ids.as_array().expect("the ids are a list").iter().map(text).collect();
    types.iter().map(|(kind, list)| (kind.clone(), ids(list))).collect()
}

/// The resources that the record creates.
fn created(map: &ResourceMap, line: &str) -> Ids {
    let fields = Fields::parse(line).expect("a record is an object");
    let mut found = Ids::new();
    if let Extraction::Touched(event) = read(map, &RecordFilter::default(), &fields) {
        for touched in event.touched {
            if matches!(touched.action, Action::Create | Action::Upsert) {
                found.entry(touched.resource_type.to_string()).or_default().insert(touched.resource_id.to_string());
            }
        }
    }
    found
}

/// Whether all of `expected` is found in some accepted form, and nothing else.
fn is_right(found: &Ids, expected: &Ids, also: &Ids) -> bool {
    let none = BTreeSet::new();
    let accepted =
        |kind: &String, id: &String| [expected, also].iter().any(|ids| ids.get(kind).unwrap_or(&none).contains(id));
    let nothing_else = found.iter().all(|(kind, ids)| ids.iter().all(|id| accepted(kind, id)));
    let complete = |(kind, ids): (&String, &BTreeSet<String>)| {
        let found = found.get(kind).unwrap_or(&none);
        ids.is_subset(found) || (also.contains_key(kind) && !found.is_empty())
    };
    nothing_else && expected.iter().all(complete)
}

/// The number of records, and what is wrong with them.
fn wrong(file: &Path) -> (usize, Vec<String>) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let map = ResourceMap::built_in();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut wrong = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let record: Value = serde_json::from_str(line).expect("a line is JSON");
        let (expected, also) = (listed(&record, "_expected"), listed(&record, "_also_ok"));
        let found = created(&map, line);
        if !is_right(&found, &expected, &also) {
            let (source, name, note) = (&record["eventSource"], &record["eventName"], &record["_note"]);
            wrong.push(format!(
                "line {}: {source} {name}: found {found:?}, expected {expected:?} or {also:?} ({note})",
                number + 1
            ));
        }
    }
    (lines.len(), wrong)
}

fn assert_right(file: &Path) {
    let (records, wrong) = wrong(file);
    assert!(records > 0, "{} is empty", file.display());
    assert!(wrong.is_empty(), "{} of {records} records are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn recorded_events_are_read_right() {
    assert_right(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recorded-events.jsonl"));
}

/// `TRAILCREATOR_RECORDED_EVENTS=FILE cargo test --test suite another_file -- --ignored --nocapture`
#[test]
#[ignore = "reads the file in TRAILCREATOR_RECORDED_EVENTS"]
fn records_of_another_file_are_read_right() {
    let file = env::var_os(FILE_VARIABLE).unwrap_or_else(|| panic!("set {FILE_VARIABLE} to a file of records"));
    assert_right(Path::new(&file));
}

#[test]
fn only_the_expected_resources_in_an_accepted_form_are_right() {
    let ids = |list: &[(&str, &[&str])]| -> Ids {
        list.iter().map(|(kind, ids)| ((*kind).to_owned(), ids.iter().map(|id| (*id).to_owned()).collect())).collect()
    };
    let (expected, also) = (ids(&[("a", &["1", "2"])]), ids(&[("a", &["one"]), ("b", &["3"])]));
    for right in [ids(&[("a", &["1", "2"])]), ids(&[("a", &["1", "2"]), ("b", &["3"])]), ids(&[("a", &["one"])])] {
        assert!(is_right(&right, &expected, &also), "{right:?}");
    }
    for wrong in
        [ids(&[]), ids(&[("b", &["3"])]), ids(&[("a", &["1", "2", "4"])]), ids(&[("a", &["1", "2"]), ("c", &["5"])])]
    {
        assert!(!is_right(&wrong, &expected, &also), "{wrong:?}");
    }
    assert!(!is_right(&ids(&[("a", &["1"])]), &expected, &Ids::new()));
}
