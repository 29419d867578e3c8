//! The recorded outcome of each type: what a run finds must be exactly what `tests/catalog/coverage.json` says.
//!
//! `TRAILCREATOR_COVERAGE=write cargo test --test suite catalog::` writes what it finds instead; its diff is to be read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

/// A type's outcome: `equal`, `empty`, `tagged`, or a group and a reason, `unsupported: …`.
pub(super) type Outcomes = BTreeMap<String, String>;

static FILE: Mutex<()> = Mutex::new(());

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog/coverage.json")
}

fn recorded() -> Value {
    let text = std::fs::read_to_string(path()).unwrap_or_else(|_| "{}".to_owned());
    serde_json::from_str(&text).expect("tests/catalog/coverage.json is JSON")
}

/// How many types are in each group.
fn counts(outcomes: &Outcomes) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes.values() {
        let group = outcome.split(':').next().expect("a split has a first part");
        *counts.entry(group.to_owned()).or_default() += 1;
    }
    counts
}

/// Asserts that `outcomes` are the file's `section`, or makes them so where the environment says it.
pub(super) fn check(section: &str, outcomes: &Outcomes) {
    let counts = counts(outcomes);
    #[expect(clippy::print_stdout, reason = "the counts are wanted with --nocapture")]
    {
        println!("{section}: {counts:?}");
    }
    let lock = FILE.lock();
    let mut file = recorded();
    if std::env::var("TRAILCREATOR_COVERAGE").is_ok_and(|wanted| wanted == "write") {
        file[section] = json!({"counts": counts, "types": outcomes});
        let text = serde_json::to_string_pretty(&file).expect("JSON of JSON");
        std::fs::write(path(), text + "\n").expect("tests/catalog/coverage.json can be written");
        return;
    }
    drop(lock);
    let before: Outcomes = serde_json::from_value(file[section]["types"].take()).unwrap_or_default();
    let name = |outcome: Option<&String>| outcome.map_or("nothing", String::as_str).to_owned();
    let changed: Vec<String> = before
        .keys()
        .chain(outcomes.keys().filter(|kind| !before.contains_key(*kind)))
        .filter(|kind| before.get(*kind) != outcomes.get(*kind))
        .map(|kind| format!("{kind}: recorded {}, found {}", name(before.get(kind)), name(outcomes.get(kind))))
        .collect();
    assert!(
        changed.is_empty(),
        "tests/catalog/coverage.json ({section}) does not say what was found:\n{}\nIf no type got worse, record it: \
         TRAILCREATOR_COVERAGE=write cargo test --test suite catalog::",
        changed.join("\n")
    );
    assert_eq!(file[section]["counts"], json!(counts), "the file's counts are not of its types");
}
