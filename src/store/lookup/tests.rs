use std::collections::BTreeSet;

use super::*;
use crate::model::event::{Action, ResourceEvent, Touched};
use crate::store::Batch;
use crate::store::open::MIGRATIONS;
use crate::store::prune::Pruning;
use crate::trail::samples::built_in;

/// The version before this table.
const BEFORE: usize = 16;

const TIME: &str = "2024-01-01T00:00:00Z";

fn event(action: Action, time: &str, id: &str, names: &[&str]) -> ResourceEvent {
    let event = Event {
        event_id: format!("{} {time} {id}", action.as_str()).into(),
        account_id: "111122223333".into(),
        region: "eu-west-1".into(),
        time: time.into(),
        ..Event::default()
    };
    let touched = Touched {
        resource_type: "sqs".into(),
        resource_id: id.into(),
        action,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        renamed_to: None,
    };
    ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
}

fn store(events: Vec<ResourceEvent>) -> Store {
    let mut store = Store::in_memory().unwrap();
    store.add(&Batch { events, ..Batch::default() }).unwrap();
    store
}

fn found(store: &Store, part: &str) -> Vec<String> {
    let mut found = Vec::new();
    store.each_row_by_last_part(part, &mut |row| found.push(row.resource_id.to_string())).unwrap();
    found
}

fn entries(store: &Store) -> Vec<Entry> {
    let mut entries = store.connection.prepare("SELECT * FROM resource_seconds").unwrap();
    let entries = entries.query_map([], |row| Ok((row.get(0)?, row.get(1)?, Second::of_entry(row.get(2)?))));
    entries.unwrap().map(Result::unwrap).collect()
}

#[test]
fn times_come_back_as_they_were() {
    let numbers = ["1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "0000-01-01T00:00:00Z", "9999-12-30T00:00:00Z"];
    for time in numbers {
        assert!(matches!(Second::of(time), Second::Number(_)), "{time}");
        assert_eq!(Second::of(time).text(), time);
    }
    let texts = [
        "",
        "today",
        "2024-01-01T00:00:00.5Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01 00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "9999-12-31T23:59:59Z",
        "2024-01-01T01:00:00+01:00",
    ];
    for time in texts {
        assert_eq!(Second::of(time), Second::Text(time.to_owned()));
        assert_eq!(Second::of(time).text(), time);
    }
}

#[test]
fn rows_are_found_by_the_ends_of_their_names() {
    let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs";
    let store = store(vec![
        event(Action::Create, TIME, url, &["arn:aws:sqs:eu-west-1:111122223333:jobs", "team/blue"]),
        event(Action::Create, TIME, "other", &["green"]),
        event(Action::Create, "another form", "odd", &[]),
    ]);
    for (part, id) in [("jobs", url), ("blue", url), ("other", "other"), ("green", "other"), ("odd", "odd")] {
        assert_eq!(found(&store, part), [id], "{part}");
    }
    assert!(found(&store, url).is_empty() && found(&store, "").is_empty());
    assert_eq!(entries(&store).len(), 5, "jobs is entered once");
}

#[test]
fn entries_are_found_in_all_tables_and_move_on_from_full_ones() {
    let mut store = Store::in_memory().unwrap();
    let tiers = [1, 4, 16, u64::MAX].into_iter().zip(TIERS).map(|(capacity, tier)| Tier { capacity, ..tier });
    let tiers: Vec<Tier> = tiers.collect();
    let mut counts = BTreeSet::new();
    for number in 0..100 {
        let events = vec![event(Action::Create, TIME, &format!("r{number}"), &["all"])];
        store.add(&Batch { events, ..Batch::default() }).unwrap();
        let transaction = store.connection.transaction().unwrap();
        settle(&transaction, &tiers).unwrap();
        transaction.commit().unwrap();
        let count = |tier: Tier| {
            let query = format!("SELECT count(*) FROM {}", tier.name);
            store.connection.query_row(&query, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        counts.insert(TIERS.map(|tier| count(tier) > 0));
        for known in 0..=number {
            assert_eq!(found(&store, &format!("r{known}")), [format!("r{known}")]);
        }
        assert_eq!(found(&store, "all").len(), number + 1);
    }
    assert!(counts.contains(&[false, true, true, true]) && counts.contains(&[false, true, false, false]), "{counts:?}");
}

#[test]
fn a_shared_digest_leads_to_no_other_resource() {
    let store = store(vec![event(Action::Create, TIME, "jobs", &["blue"])]);
    store.connection.execute("UPDATE seconds_1 SET part = ?1 WHERE part = ?2", [digest("x"), digest("jobs")]).unwrap();
    assert!(found(&store, "x").is_empty());
    assert_eq!(found(&store, "blue"), ["jobs"]);
}

#[test]
fn database_of_an_earlier_version_gets_the_same_entries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("creators.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    MIGRATIONS[..BEFORE].iter().for_each(|migration| old.execute_batch(migration).unwrap());
    old.pragma_update(None, "user_version", i64::try_from(BEFORE).unwrap()).unwrap();
    let mut events = Vec::new();
    for (time, id, names) in [
        (TIME, "jobs", vec!["team/blue", "arn:x:jobs"]),
        (TIME, "a/b", vec![]),
        ("another form", "jobs", vec!["green"]),
    ] {
        events.push(event(Action::Create, time, id, &names));
        let names = (!names.is_empty()).then(|| names.join("\n"));
        let sql = "INSERT INTO resource_events (account_id, region, event_time, event_id, resource_type, resource_id, action, \
                   event_name, event_source, names) \
                   VALUES ('111122223333', 'eu-west-1', ?1, ?1 || ?2, 'sqs', ?2, 'create', 'Any', 'any.amazonaws.com', ?3)";
        old.execute(sql, params![time, id, names]).unwrap();
    }
    drop(old);
    let migrated = Store::open(&path).unwrap();
    assert_eq!(entries(&migrated), entries(&store(events)));
    assert_eq!(found(&migrated, "jobs"), ["jobs", "jobs"]);
}

/// Notes the entries that rows need now.
fn needed(store: &Store) -> Needed {
    let mut needed = Needed::default();
    needed.begin(&store.connection).unwrap();
    let mut rows = store
        .connection
        .prepare("SELECT account_id, region, event_time, resource_id, names FROM resource_events")
        .unwrap();
    let mut rows = rows.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let place = [0, 1, 2].map(|column| text(row, column).unwrap());
        needed.note(&store.connection, place, text(row, 3).unwrap(), text_or_null(row, 4).unwrap()).unwrap();
    }
    needed
}

fn add_entry(store: &Store, tier: Tier, part: &str, second: &Second) {
    let sql = format!("INSERT INTO {} VALUES (?1, 1, ?2)", tier.name);
    store.connection.execute(&sql, params![digest(part), second]).unwrap();
}

#[test]
fn entries_without_a_row_are_removed_from_all_tables() {
    let rows = (0..20).map(|number| event(Action::Create, TIME, &format!("r{number}"), &["all"]));
    let mut store = store(rows.chain([event(Action::Create, "another form", "odd", &[])]).collect());
    let of_rows = entries(&store);
    for (number, tier) in TIERS.into_iter().enumerate() {
        for other in 0..10 {
            add_entry(&store, tier, &format!("gone {number} {other}"), &Second::of(TIME));
        }
        add_entry(&store, tier, "gone", &Second::of("another form"));
    }
    let needed = needed(&store);
    let mut watched = Vec::new();
    store.sweep_by(&needed, 3, &mut |done, total| watched.push((done, total))).unwrap();
    assert_eq!(entries(&store), of_rows);
    let all = of_rows.len() as u64 + 44;
    assert!(watched.is_sorted() && watched.iter().all(|(done, total)| done <= total && *total == all), "{watched:?}");
}

#[test]
fn an_entry_is_kept_that_another_process_writes_a_row_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("creators.db");
    let mut store = Store::open(&path).unwrap();
    let add = |store: &mut Store, id: &str| {
        store.add(&Batch { events: vec![event(Action::Create, TIME, id, &[])], ..Batch::default() }).unwrap();
    };
    add(&mut store, "kept");
    add_entry(&store, LAST_TIER, "new", &Second::of(TIME));
    add_entry(&store, LAST_TIER, "gone", &Second::of(TIME));
    let needed = needed(&store);
    let mut other = Store::open(&path).unwrap();
    add(&mut other, "new");
    // As a load does that empties a full table into the last one.
    other.connection.execute("DELETE FROM seconds_1 WHERE part = ?1", [digest("new")]).unwrap();
    store.sweep(&needed, &mut |_, _| ()).unwrap();
    assert_eq!(found(&store, "new"), ["new"]);
    let parts: BTreeSet<i64> = entries(&store).into_iter().map(|(part, ..)| part).collect();
    assert_eq!(parts, BTreeSet::from(["kept", "new"].map(digest)));
}

#[test]
fn pruned_rows_leave_the_entries_that_others_need() {
    let mut store = store(vec![
        event(Action::Create, TIME, "gone", &["shared", "own"]),
        event(Action::Delete, "2024-01-02T00:00:00Z", "gone", &[]),
        event(Action::Create, TIME, "kept", &["shared"]),
    ]);
    let pruning = Pruning {
        map: built_in(),
        before: "2025-01-01T00:00:00Z".parse().unwrap(),
        keeps_parents: false,
        forgets_creators: false,
    };
    assert_eq!(store.prune(&pruning, &mut |_| ()).unwrap().events, 2);
    assert_eq!(found(&store, "shared"), ["kept"]);
    let mut parts: Vec<i64> = entries(&store).into_iter().map(|(part, ..)| part).collect();
    parts.sort_unstable();
    let mut expected = ["kept", "shared"].map(digest);
    expected.sort_unstable();
    assert_eq!(parts, expected);
}
