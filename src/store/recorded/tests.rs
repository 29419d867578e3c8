use super::*;
use crate::model::event::{ResourceEvent, Touched};
use crate::store::Batch;

const ACCOUNT: &str = "123456789012";

/// `"sqs create 1 q"`: type, action, second and ID; then further names, or after `>` the new name.
fn event(line: &str) -> ResourceEvent {
    let words: Vec<&str> = line.split(' ').collect();
    let [resource_type, action, second, id, ref more @ ..] = words[..] else { panic!("{line}") };
    let renamed_to = more.iter().position(|word| *word == ">").map(|at| ResourceId::new(more[at + 1]));
    let names = if renamed_to.is_some() { Vec::new() } else { more.iter().map(|&name| name.to_owned()).collect() };
    let action = Action::parse(action).unwrap();
    let event = Event {
        event_id: line.into(),
        account_id: ACCOUNT.into(),
        region: "eu-west-1".into(),
        time: format!("2026-03-01T10:00:{second:0>2}Z").into(),
        ..Event::default()
    };
    let touched = Touched { resource_type: resource_type.into(), resource_id: id.into(), action, names, renamed_to };
    ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
}

fn store(lines: &[&str]) -> Store {
    let mut store = Store::in_memory().unwrap();
    let events = lines.iter().map(|line| event(line)).collect();
    store.add(&Batch { events, ..Batch::default() }).unwrap();
    store
}

fn found(store: &Store, wanted: &Wanted) -> Vec<String> {
    let mut found = Vec::new();
    let mut each = |RecordedResource { creation, id }| {
        found.push(format!("{} {id} {}", creation.resource_type, creation.event.time.get(17..19).unwrap()));
        ControlFlow::Continue(())
    };
    store.recorded_resources(ResourceMap::built_in_once(), wanted, false, &mut each).unwrap();
    found
}

fn all(lines: &[&str]) -> Vec<String> {
    found(&store(lines), &Wanted::default())
}

#[test]
fn resources_that_were_deleted_are_left_out() {
    let lines =
        ["sqs create 1 q", "sqs create 2 gone", "sqs delete 3 gone", "sqs delete 4 unknown", "ebs create 5 vol-1"];
    assert_eq!(all(&lines), ["sqs q 01", "ebs vol-1 05"]);
}

#[test]
fn a_delete_by_another_name_counts() {
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/q";
    assert_eq!(all(&[&format!("sqs create 1 {url}"), "sqs delete 2 q"]), [""; 0]);
    let arn = "arn:aws:iam::123456789012:policy/x";
    assert_eq!(all(&[&format!("iam-policy create 1 ANPA1 {arn}"), &format!("iam-policy delete 2 {arn}")]), [""; 0]);
    assert_eq!(all(&["security-group create 1 sg-1 web", "security-group delete 2 web"]), [""; 0]);
    assert_eq!(all(&["security-group create 1 sg-1 web", "security-group create 1 sg-2 web"]).len(), 2);
}

#[test]
fn the_event_that_created_it_is_the_one_that_who_shows() {
    assert_eq!(all(&["sqs upsert 1 q", "sqs upsert 2 q"]), ["sqs q 01"]);
    assert_eq!(all(&["sqs create 1 q", "sqs delete 2 q", "sqs create 3 q"]), ["sqs q 03"]);
}

#[test]
fn a_renamed_resource_is_one_with_its_new_name() {
    assert_eq!(all(&["rds create 1 old", "rds delete 2 old > new"]), ["rds new 01"]);
    let swapped =
        ["rds create 1 a", "rds create 1 b", "rds delete 2 a > t", "rds delete 3 b > a", "rds delete 4 t > b"];
    assert_eq!(all(&swapped), ["rds b 01", "rds a 01"]);
}

#[test]
fn regression_a_repeated_event_before_or_after_the_second_of_a_rename_counts() {
    // Second 8: the resource is renamed, and another one is created with its old name.
    let lines = ["rds create 0 a", "rds create 1 a", "rds create 8 a", "rds delete 8 a > b"];
    assert_eq!(all(&lines), ["rds b 01", "rds a 08"]);
    // Second 2: the upsert event is of the resource that gave up the name, not of the one that got it.
    let lines = [
        "rds create 1 a",
        "rds delete 2 a > b",
        "rds delete 2 c > a",
        "rds upsert 2 a",
        "rds upsert 3 a",
        "rds upsert 4 a",
        "rds upsert 5 a",
    ];
    assert_eq!(all(&lines), ["rds b 01", "rds a 03"]);
}

#[test]
fn of_repeated_events_four_are_kept() {
    let kept = |seconds: &[u8]| {
        let lines: Vec<String> = seconds.iter().map(|second| format!("sqs upsert {second} q")).collect();
        let store = store(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let mut kept = Vec::new();
        let wanted = Wanted::default();
        let mut each = |group: Group| {
            kept.extend(group.events.iter().map(|(_, event)| event.event.time[17..19].parse::<u8>().unwrap()));
            Ok(())
        };
        store.recorded_groups(ResourceMap::built_in_once(), &wanted, &|_| Ok(()), &mut each).unwrap();
        kept
    };
    assert_eq!(kept(&[1, 2, 3, 4, 5, 6, 7, 8]), [1, 2, 7, 8]);
    assert_eq!(kept(&[1, 2]), [1, 2]);
}

#[test]
fn an_event_with_two_ids_of_a_resource_is_one_resource() {
    let mut both = event("sqs create 1 q");
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/q";
    both.touched.push(Touched { resource_id: url.into(), ..both.touched[0].clone() });
    let mut store = Store::in_memory().unwrap();
    store.add(&Batch { events: vec![both], ..Batch::default() }).unwrap();
    assert_eq!(found(&store, &Wanted::default()), ["sqs q 01"]);
}

#[test]
fn only_what_is_wanted_is_read_and_global_types_are_everywhere() {
    let store = store(&["sqs create 1 q", "iam-role create 2 r", "ebs create 3 vol-1"]);
    let of = |types: &[&str], region: &str| {
        let types = types.iter().map(|&name| name.into()).collect();
        found(&store, &Wanted { types, regions: vec![region.into()], accounts: vec![ACCOUNT.into()] })
    };
    assert_eq!(of(&[], "us-east-1"), ["iam-role r 02"]);
    assert_eq!(of(&["sqs", "iam-role"], "eu-west-1"), ["sqs q 01", "iam-role r 02"]);
    let other = Wanted { accounts: vec!["999999999999".into()], ..Wanted::default() };
    assert_eq!(found(&store, &other), [""; 0]);
}

#[test]
fn reading_ends_where_it_breaks() {
    let store = store(&["sqs create 1 a", "sqs create 2 b", "sqs create 3 c"]);
    for resolve_chains in [false, true] {
        let mut count = 0;
        let mut each = |_| {
            count += 1;
            if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        store.recorded_resources(ResourceMap::built_in_once(), &Wanted::default(), resolve_chains, &mut each).unwrap();
        assert_eq!(count, 2);
    }
}
