//! One suite for all loaders: the same records give the same rows from every source. `load-files` is the reference.
//!
//! `cases` has the records, `sources` the sources with the fields that each lacks, `world` connects the two. The servers:
//! moto has the objects; S3 Select, LookupEvents and ListRegions are the project's own (`trail_services.py`), as is Athena
//! (`tests/servers/athena`). Other behaviour of a loader (requests, resuming, messages) is tested in its own module.

mod cases;
mod sources;
mod windows;
mod world;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cases::Case;
use serde_json::json;
use sources::{SOURCES, Source};
use world::{Row, World, assert_same, rows};

use crate::common::database::query;

/// Loads the cases from each source twice, and compares them with the rows of the files.
fn assert_all_sources_agree(cases: &[Case]) {
    let world = World::new(cases);
    let files = world.load_files(&[]);
    let reference = rows(&world.database("files"));
    let counts = rows_by_case(&reference);
    for case in cases {
        let count = counts.get(case.name).copied().unwrap_or_default();
        assert!(case.rows.contains(&count), "{} has {count} rows and not {:?}", case.name, case.rows);
    }
    for source in &SOURCES {
        let first = source.load(&world, source.name, &[]).success().json();
        let loaded = rows(&world.database(source.name));
        assert_same(source, &source.of_reference(&reference), &loaded);
        for figure in ["without_ids", "ids", "new_ids"] {
            assert_eq!(first[figure], files[figure], "{figure} of {}", source.name);
        }
        let again = source.load(&world, source.name, &[]).success().json();
        assert_eq!(again["new_ids"], 0, "the second load of {}", source.name);
        assert!(rows(&world.database(source.name)) == loaded, "the second load of {} changed rows", source.name);
    }
}

/// The number of rows of each case.
fn rows_by_case(rows: &[Row]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let id = row["event_id"].as_deref().expect("every event has an id");
        *counts.entry(id.rsplit_once('-').expect("case-number").0).or_default() += 1;
    }
    counts
}

#[test]
fn generated_records_give_the_same_rows_from_every_source() {
    assert_all_sources_agree(&cases::generated());
}

/// With `--chains` every source loads the same sessions, and without it none.
#[test]
fn sessions_are_the_same_from_every_source() {
    let world = World::new(&[cases::sessions()]);
    let summary = world.load_files(&["--chains"]);
    assert_eq!((&summary["ids"], &summary["sessions"]["read"]), (&json!(1), &json!(10)), "{summary}");
    let sessions = |database: &str| {
        let known = "SELECT concat_ws(' ', iif(typeof(session) = 'blob', hex(session), session), called_at, caller_key, \
                     hex(event_id), hex(shared_event_id), facts) FROM sessions JOIN session_calls USING (call_id) ORDER BY 1";
        query(&world.database(database), known)
    };
    let expected = sessions("files");
    assert_eq!(expected.len(), 10);
    for source in &SOURCES {
        source.load(&world, source.name, &[]).success();
        assert_eq!(sessions(source.name), [""; 0], "{}", source.name);
        let summary = source.load(&world, source.name, &["--chains"]).success().json();
        assert_eq!(sessions(source.name), expected, "{}", source.name);
        assert_eq!((&summary["without_ids"], &summary["new_ids"]), (&json!({}), &json!(0)), "{}", source.name);
        let db = format!("{}.db", source.name);
        let who = ["who", "by-a-session", "--resolve-chains", "--output", "json", "--db", &db];
        let answer = world.bench.trailcreator(who).run().success().json();
        assert_eq!(answer["resources"][0]["owner"], "admin", "{}: {answer:#}", source.name);
    }
}

#[test]
fn recorded_events_give_the_same_rows_from_every_source() {
    assert_all_sources_agree(&[cases::recorded()]);
}

#[test]
fn results_of_several_pages_give_the_same_rows_from_every_source() {
    assert_all_sources_agree(&[cases::several_pages()]);
}

/// A field that one source lacks is filled in by another.
#[test]
fn all_sources_in_one_database_give_the_rows_of_the_files() {
    let world = World::new(&cases::generated());
    world.load_files(&[]);
    let reference = rows(&world.database("files"));
    let mut sources: Vec<&Source> = SOURCES.iter().collect();
    sources.sort_by_key(|source| Reverse(source.lacks.len()));
    for source in &sources {
        source.load(&world, "all", &[]).success();
        let sofar = rows(&world.database("all"));
        assert_same(source, &source.of_reference(&reference), &sofar);
    }
    let poorest = sources[0].of_reference(&reference);
    for lack in sources[0].lacks {
        let has = |rows: &[Row]| rows.iter().any(|row| row[lack.column].is_some());
        assert!(has(&reference) && !has(&poorest), "no case has {}", lack.field);
    }
}

/// The table in `docs/sources.md` has the fields that each source lacks in [`SOURCES`].
#[test]
fn missing_fields_of_sources_are_documented() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources.md");
    let text = fs::read_to_string(&file).expect("docs/sources.md is there");
    // The first section; others have tables of their own.
    let text = text.split("\n## ").next().expect("it is not empty");
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let documented: BTreeMap<&str, BTreeSet<&str>> = lines
        .filter_map(|line| line.split_once(" | "))
        .filter(|(title, _)| *title != "source" && !title.starts_with("---"))
        .map(|(title, lacks)| (title, lacks.split('`').skip(1).step_by(2).collect()))
        .collect();
    let mut declared: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::from([("`load-files`", BTreeSet::new())]);
    for source in &SOURCES {
        let fields = source.lacks.iter().map(|lack| lack.field).collect();
        let earlier = declared.insert(source.title, fields);
        assert!(earlier.is_none_or(|earlier| earlier == declared[source.title]), "{} twice", source.title);
    }
    assert_eq!(documented, declared, "{}", file.display());
}
