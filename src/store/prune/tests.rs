use super::*;
use crate::model::ResourceId;
use crate::model::event::{Action, Event, Identity, ResourceEvent, Touched};
use crate::store::Batch;
use crate::store::recorded::Wanted;

const ACCOUNT: &str = "123456789012";

/// `"sqs create 2019 q alice"`: type, action, year, ID and user; then, after `>`, the new name.
fn event(line: &str) -> ResourceEvent {
    let words: Vec<&str> = line.split(' ').collect();
    let [resource_type, action, year, id, user, ref more @ ..] = words[..] else { panic!("{line}") };
    let identity = Identity {
        kind: Some("IAMUser".into()),
        user_name: Some(user.into()),
        access_key_id: Some(format!("KEY-{user}").into()),
        ..Identity::default()
    };
    let event = Event {
        event_id: line.into(),
        account_id: ACCOUNT.into(),
        region: "eu-west-1".into(),
        time: if year.len() == 4 { format!("{year}-06-01T10:00:00Z").into() } else { year.into() },
        source_ip: Some("203.0.113.7".into()),
        identity,
        ..Event::default()
    };
    let touched = Touched {
        resource_type: resource_type.into(),
        resource_id: id.into(),
        action: Action::parse(action).unwrap(),
        names: vec![format!("name-of-{id}")],
        renamed_to: more.get(1).map(|name| ResourceId::new(*name)),
    };
    ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
}

fn store(lines: &[&str]) -> Store {
    let mut store = Store::in_memory().unwrap();
    add(&mut store, lines);
    store
}

fn add(store: &mut Store, lines: &[&str]) -> u64 {
    let events = lines.iter().map(|line| event(line)).collect();
    store.add(&Batch { events, ..Batch::default() }).unwrap().ids
}

fn pruning(year: &str) -> Pruning<'static> {
    let before = format!("{year}-01-01T00:00:00Z").parse().unwrap();
    Pruning { map: ResourceMap::built_in_once(), before, keeps_parents: false, forgets_creators: false }
}

/// The event IDs that remain. A creator that was removed shows as `-`.
fn rows(store: &Store) -> Vec<String> {
    let query = "SELECT event_id, identity_type FROM resource_events ORDER BY event_time, event_id";
    let mut statement = store.connection.prepare(query).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let (line, kind): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let is_pruned = kind.as_deref() == Some(PRUNED);
        Ok(if is_pruned { line.rsplit_once(' ').unwrap().0.to_owned() + " -" } else { line })
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// Prunes after a dry run, which must count the same and change nothing.
fn prune(store: &mut Store, pruning: &Pruning<'_>) -> Pruned {
    let before = rows(store);
    let planned = store.prune_dry(pruning, &mut |_| ()).unwrap();
    assert_eq!(rows(store), before);
    let pruned = store.prune(pruning, &mut |_| ()).unwrap();
    assert_eq!(planned, pruned);
    assert_eq!(store.prune(pruning, &mut |_| ()).unwrap().events, 0, "nothing is left to remove");
    pruned
}

fn left(lines: &[&str], pruning: &Pruning<'_>) -> Vec<String> {
    let mut store = store(lines);
    prune(&mut store, pruning);
    rows(&store)
}

/// The owners of the resources that exist: `q alice`.
fn owners(store: &Store) -> Vec<String> {
    let mut owners = Vec::new();
    let mut each = |found: crate::store::recorded::RecordedResource| {
        owners.push(format!("{} {}", found.id, found.creation.event.identity.user_name.as_deref().unwrap_or("-")));
        std::ops::ControlFlow::Continue(())
    };
    store.recorded_resources(ResourceMap::built_in_once(), &Wanted::default(), false, &mut each).unwrap();
    owners.sort();
    owners
}

#[test]
fn only_events_of_resources_that_were_deleted_before_are_removed() {
    let lines = [
        "sqs create 2019 exists alice",
        "sqs create 2019 gone bob",
        "sqs delete 2020 gone bob",
        "sqs delete 2020 unknown bob",
        "sqs create 2019 gone-later carol",
        "sqs delete 2024 gone-later carol",
        "sqs create 2024 young dan",
    ];
    let mut store = store(&lines);
    let pruned = prune(&mut store, &pruning("2023"));
    assert_eq!((pruned.old_events, pruned.events), (5, 3));
    assert_eq!(
        rows(&store),
        [
            "sqs create 2019 exists alice",
            "sqs create 2019 gone-later carol",
            "sqs create 2024 young dan",
            "sqs delete 2024 gone-later carol"
        ]
    );
}

#[test]
fn earlier_lives_of_a_name_are_removed_and_its_owner_stays() {
    let lines = [
        "sqs upsert 2018 q alice",
        "sqs delete 2019 q alice",
        "sqs upsert 2020 q bob",
        "sqs upsert 2021 q carol",
        "sqs upsert 2024 q dan",
    ];
    let mut store = store(&lines);
    prune(&mut store, &pruning("2023"));
    assert_eq!(rows(&store), lines[2..]);
    assert_eq!(owners(&store), ["q bob"]);
}

#[test]
fn a_create_event_in_the_second_of_a_delete_event_is_kept() {
    let lines = ["sqs create 2019 q alice", "sqs delete 2020 q alice", "sqs create 2020 q bob"];
    assert_eq!(left(&lines, &pruning("2023")), ["sqs create 2020 q bob"]);
}

#[test]
fn a_delete_by_another_name_of_the_resource_ends_it() {
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/q";
    let lines = [&format!("sqs create 2019 {url} alice"), "sqs delete 2020 q alice"];
    assert_eq!(left(&lines, &pruning("2023")), [""; 0]);
}

#[test]
fn a_renamed_resource_is_kept_until_it_is_deleted() {
    let lines = ["rds create 2019 old alice", "rds delete 2020 old bob > new"];
    assert_eq!(left(&lines, &pruning("2023")), lines);
    let deleted = [lines[0], lines[1], "rds delete 2021 new carol"];
    assert_eq!(left(&deleted, &pruning("2023")), [""; 0]);
    assert_eq!(left(&deleted, &pruning("2021")), deleted, "it existed then");
    let forgotten = left(&lines, &Pruning { forgets_creators: true, ..pruning("2023") });
    assert_eq!(forgotten, ["rds create 2019 old -", "rds delete 2020 old bob > -"]);
}

#[test]
fn parents_are_kept_if_asked_for() {
    let lines =
        ["asg create 2019 web alice", "asg delete 2020 web alice", "sqs create 2019 q bob", "sqs delete 2020 q bob"];
    let keeping = Pruning { keeps_parents: true, ..pruning("2023") };
    assert_eq!(left(&lines, &keeping), lines[..2]);
    assert_eq!(left(&lines, &pruning("2023")), [""; 0]);
}

#[test]
fn a_forgotten_creator_is_not_replaced_by_a_later_one() {
    let lines = [
        "sqs upsert 2019 q alice",
        "sqs upsert 2020 q bob",
        "sqs upsert 2024 q carol",
        "sqs create 2019 gone dan",
        "sqs delete 2020 gone dan",
        "sqs create 2019 gone-later erin",
        "sqs delete 2024 gone-later erin",
    ];
    let mut store = store(&lines);
    let forgetting = Pruning { forgets_creators: true, ..pruning("2023") };
    let pruned = prune(&mut store, &forgetting);
    assert_eq!((pruned.events, pruned.creators), (3, 2));
    let left = [
        "sqs create 2019 gone-later -",
        "sqs upsert 2019 q -",
        "sqs delete 2024 gone-later erin",
        "sqs upsert 2024 q carol",
    ];
    assert_eq!(rows(&store), left);
    assert_eq!(owners(&store), ["q -"]);
    let facts = "SELECT count(*) FROM resource_events WHERE identity_type = 'Pruned' AND \
                 coalesce(source_ip, user_agent, identity_user_name, identity_access_key_id, identity_arn) IS NOT NULL";
    assert_eq!(store.count(facts).unwrap(), 0);
    // What is read again changes nothing: neither what was removed nor what was forgotten comes back.
    let again = lines.iter().map(|line| event(line)).collect();
    let added = store.add(&Batch { events: again, ..Batch::default() }).unwrap();
    assert_eq!((added.ids, added.pruned), (0, 5));
    assert_eq!(rows(&store), left);
    let earlier = Pruning { forgets_creators: true, ..pruning("2020") };
    store.prune(&earlier, &mut |_| ()).unwrap();
    assert_eq!(add(&mut store, &["sqs create 2022 other frank"]), 0, "an earlier date reopens nothing");
}

#[test]
fn names_and_people_that_no_event_needs_are_removed() {
    let mut store =
        store(&["sqs create 2019 gone bob", "sqs delete 2020 gone bob", "sqs create 2019-01-01T00:00:00Z q al"]);
    store.connection.execute_batch("INSERT INTO identity_center_users VALUES ('s', 'u', 'bob', NULL, 'now')").unwrap();
    assert_eq!(prune(&mut store, &pruning("2023")).people, 1);
    assert_eq!(store.count("SELECT count(*) FROM resource_seconds").unwrap(), 2, "q and its other name");
}

#[test]
fn sessions_that_a_kept_event_needs_are_kept() {
    let session = |line: &str, key: &str| {
        let mut call = event(line);
        call.touched.clear();
        call.sessions = vec![key.to_owned()];
        call
    };
    let mut store = store(&["sqs create 2019 q bob", "sqs create 2019 gone carol", "sqs delete 2020 gone carol"]);
    let events = vec![
        session("sts create 2019 x alice", "KEY-bob"),
        session("sts create 2019 y dan", "KEY-carol"),
        session("sts create 2024 z erin", "KEY-new"),
    ];
    store.add(&Batch { events, ..Batch::default() }).unwrap();
    assert_eq!(prune(&mut store, &pruning("2023")).sessions, 1);
    assert_eq!(store.count("SELECT count(*) FROM sessions WHERE session = 'KEY-carol'").unwrap(), 0);
    assert_eq!(store.count("SELECT count(*) FROM session_calls").unwrap(), 2);
}

#[test]
fn at_no_moment_does_a_deleted_resource_look_as_if_it_existed() {
    const RESOURCES: usize = 5000;
    let mut lines: Vec<String> = Vec::new();
    for number in 0..RESOURCES {
        // The regions of a global type are in the order of the table, not in that of time.
        lines.push(format!(
            "iam-role create 2019-01-01T{:02}:{:02}:00Z r{number} bob",
            number / 3600,
            number / 60 % 60
        ));
        lines.push(format!(
            "iam-role delete 2020-01-01T{:02}:{:02}:00Z r{number} bob",
            number / 3600,
            number / 60 % 60
        ));
    }
    let mut store = Store::in_memory().unwrap();
    let events = lines.iter().map(|line| {
        let mut event = event(line);
        event.event.region = if line.contains("delete") { "ap-south-1".into() } else { "us-east-1".into() };
        event
    });
    store.add(&Batch { events: events.collect(), ..Batch::default() }).unwrap();
    let pruning = pruning("2023");
    let mut removal = Removal::new().unwrap();
    let pruned = store.choose(&pruning, Some(&mut removal), &|_| ()).unwrap();
    assert_eq!(pruned.events, 2 * RESOURCES as u64);
    let mut batches = 0;
    let each = &mut |rows: &[Row]| {
        let transaction = Transaction::new_unchecked(&store.connection, TransactionBehavior::Immediate).unwrap();
        change(&transaction, rows).unwrap();
        transaction.commit().unwrap();
        batches += 1;
        let existing = "SELECT count(*) FROM resource_events e WHERE action = 'create' AND NOT EXISTS \
                        (SELECT 1 FROM resource_events d WHERE d.action = 'delete' AND d.resource_id = e.resource_id)";
        assert_eq!(store.count(existing).unwrap(), 0, "after {batches} transactions");
        Ok(())
    };
    removal.each_batch(RESOURCES / 2, each).unwrap();
    assert!(batches > 1, "{batches}");
}

#[test]
fn a_prune_that_was_killed_leaves_entries_of_names_to_the_next_one() {
    let lines = ["sqs create 2019 gone bob", "sqs delete 2020 gone bob", "sqs create 2019 q alice"];
    let mut store = store(&lines);
    let count = |store: &Store| store.count("SELECT count(*) FROM resource_seconds").unwrap();
    let before = count(&store);
    let mut removal = Removal::new().unwrap();
    store.choose(&pruning("2023"), Some(&mut removal), &|_| ()).unwrap();
    store.remove(&removal, &mut |_| ()).unwrap();
    assert_eq!((rows(&store), count(&store)), (vec![lines[2].to_owned()], before), "killed here");
    assert_eq!(store.prune(&pruning("2023"), &mut |_| ()).unwrap().events, 0);
    assert_eq!(count(&store), 2, "q and its other name");
}

#[test]
fn space_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("creators.db");
    let mut store = Store::open(&path).unwrap();
    let lines: Vec<String> = (0..5000).map(|number| format!("sqs create 2019 q{number} bob")).collect();
    let deleted: Vec<String> = (0..5000).map(|number| format!("sqs delete 2020 q{number} bob")).collect();
    let events = lines.iter().chain(&deleted).map(|line| event(line)).collect();
    store.add(&Batch { events, ..Batch::default() }).unwrap();
    let before = store.size().unwrap();
    store.prune(&pruning("2023"), &mut |_| ()).unwrap();
    assert!(store.size().unwrap().unused_bytes > before.bytes / 2);
    store.compact().unwrap();
    let after = store.size().unwrap();
    assert_eq!(after.unused_bytes, 0);
    assert!(after.bytes < before.bytes / 2, "{before:?} {after:?}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), after.bytes);
}
