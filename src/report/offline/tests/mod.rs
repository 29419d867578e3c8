//! Resources count once, under all their names, with the tags that the journal has of them.

mod groups;

use super::*;
use crate::model::event::{Action, Identity, ResourceEvent, Touched};
use crate::model::{RunId, TagValue};
use crate::plan::test_data::stored;
use crate::report::coverage::Figures;
use crate::store::Batch;
use crate::store::journal::{NewRun, RunKind, WriteOutcome};

const ACCOUNT: &str = "123456789012";
const URL: &str = "http://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/q";

fn event(action: &str, resource_type: &str, id: &str, user: &str, day: u32) -> ResourceEvent {
    let stored = stored(action, id, user, &format!("2024-01-{day:02}T00:00:00Z"));
    let touched = Touched {
        resource_type: resource_type.into(),
        resource_id: id.into(),
        action: stored.action,
        names: Vec::new(),
        renamed_to: None,
    };
    ResourceEvent { event: stored.event, touched: vec![touched], sessions: Vec::new() }
}

fn write(store: &Store, kind: RunKind, undoes: Option<RunId>, id: &str, new_value: Option<&str>) -> RunId {
    let run = NewRun {
        kind,
        undoes,
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
        key: "Owner".into(),
        caller: "arn:aws:iam::1:user/ops".into(),
        organization: None,
    };
    let write = Write {
        position: 0,
        resource_type: "sqs".into(),
        id: id.into(),
        arn: format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:{}", id.rsplit('/').next().unwrap()).into(),
        region: "eu-west-1".into(),
        key: "Owner".into(),
        old_key: None,
        owner_keys: Vec::new(),
        skip_tags: Vec::new(),
        old_value: None,
        new_value: new_value.map(TagValue::from),
        event_id: None,
    };
    let run = store.begin_run(&run, &[write]).unwrap();
    let written = WriteOutcome::Written { request_id: None };
    store.end_writes(run, &[(0, written)].into()).unwrap();
    run
}

fn store(events: Vec<ResourceEvent>) -> Store {
    let mut store = Store::in_memory().unwrap();
    store.add(&Batch { events, ..Batch::default() }).unwrap();
    store
}

fn rows(store: &Store, filter: Filter) -> Vec<(String, String, u64, u64)> {
    let map = ResourceMap::built_in_once();
    let question = Question {
        key: "Owner".into(),
        owner_keys: Vec::new(),
        rules: OwnerRules::default(),
        filter,
        condition: None,
        map,
    };
    let mut coverage = Coverage::default();
    add_coverage(store, &question, &mut coverage).unwrap();
    coverage
        .rows()
        .map(|row| {
            let Figures { live, owned, would_be_owned, .. } = row.figures;
            assert_eq!(live, None);
            (row.region, row.resource_type.to_string(), owned, would_be_owned)
        })
        .collect()
}

fn row(region: &str, resource_type: &str, owned: u64, would_be_owned: u64) -> (String, String, u64, u64) {
    (region.to_owned(), resource_type.to_owned(), owned, would_be_owned)
}

#[test]
fn existing_resource_counts_once_for_all_spellings() {
    let mut both = event("create", "sqs", "q", "alice", 1);
    both.touched.push(Touched { resource_id: URL.into(), ..both.touched[0].clone() });
    let gone = [event("create", "sqs", "gone", "bob", 1), event("delete", "sqs", "gone", "bob", 2)];
    let store = store([vec![both, event("create", "iam-role", "app", "bob", 1)], gone.into()].concat());
    assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 0, 1), row(GLOBAL, "iam-role", 0, 1)]);
    let only = Filter { regions: vec!["us-east-1".into()], ..Filter::default() };
    assert_eq!(rows(&store, only), [row(GLOBAL, "iam-role", 0, 1)], "global types are in every region");
    let only = Filter { types: vec!["sqs".into()], accounts: vec![ACCOUNT.into()], ..Filter::default() };
    assert_eq!(rows(&store, only), [row("eu-west-1", "sqs", 0, 1)]);
}

#[test]
fn last_journal_write_decides_for_any_spelling() {
    let store = store(vec![event("create", "sqs", "q", "alice", 1)]);
    let run = write(&store, RunKind::Tag, None, URL, Some("alice"));
    assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 1, 0)]);
    write(&store, RunKind::Undo, Some(run), URL, None);
    assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 0, 1)]);
    write(&store, RunKind::Tag, None, URL, Some("alice"));
    write(&store, RunKind::Tag, None, "unrecorded", Some("zoe"));
    assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 2, 0)]);
}

#[test]
fn renamed_resource_counts_once_and_keeps_its_tag() {
    let mut rename = event("delete", "sqs", "old", "carol", 2);
    rename.touched[0].action = Action::Rename;
    rename.touched[0].renamed_to = Some("new".into());
    let store = store(vec![event("create", "sqs", "old", "alice", 1), rename]);
    assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 0, 1)]);
    write(&store, RunKind::Tag, None, "old", Some("alice"));
    assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 1, 0)]);
}

#[test]
fn service_created_resources_are_separate() {
    let mut by_service = event("create", "sqs", "q", "", 1);
    by_service.event.identity = Identity { kind: Some("AWSService".into()), ..Identity::default() };
    let store = store(vec![by_service]);
    let map = ResourceMap::built_in_once();
    let (key, rules, filter) = ("Owner".into(), OwnerRules::default(), Filter::default());
    let question = Question { key, owner_keys: Vec::new(), rules, filter, condition: None, map };
    let mut coverage = Coverage::default();
    add_coverage(&store, &question, &mut coverage).unwrap();
    assert_eq!(coverage.totals(), Figures { service_created: 1, ..Figures::default() });
    assert!(coverage.creators().is_empty());
}
