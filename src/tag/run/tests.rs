use std::collections::BTreeMap;
use std::future;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::apply::drive;
use super::super::apply::test_world::{World, job, journal, queue, volume, writes};
use super::*;
use crate::model::Tags;
use crate::tag::current::Unread;

static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

fn owned(owner: Option<&str>) -> Current {
    let mut live = queue(0);
    live.tags = Tags::Known(owner.map(|owner| ("Owner".to_owned(), owner.to_owned())).into_iter().collect());
    Current::Live(Box::new(live))
}

fn write(old: Option<&str>, new: Option<&str>) -> Write {
    writes(&MAP, vec![queue(0)], old, new).remove(0).write
}

fn over(write: &Write, state: WriteState, current: Current) -> WriteOutcome {
    match check(write, TagKeys::MatchCase, state, current) {
        Check::Over(outcome) => outcome,
        Check::Ready(live) | Check::Begun(live) => panic!("ready: {live:?}"),
    }
}

fn is_ready(write: &Write, current: Current) -> bool {
    matches!(check(write, TagKeys::MatchCase, WriteState::Started, current), Check::Ready(_))
}

#[test]
fn only_the_expected_value_is_replaced() {
    let first = write(None, Some("alice"));
    assert!(is_ready(&first, owned(None)));
    assert!(is_ready(&write(Some("bob"), Some("alice")), owned(Some("bob"))));
    assert!(is_ready(&write(Some("alice"), None), owned(Some("alice"))));
    let WriteOutcome::Skipped(why) = over(&first, WriteState::Planned, owned(Some("carol"))) else { panic!() };
    assert!(why.contains("Owner=carol"), "{why}");
    let WriteOutcome::Skipped(why) = over(&write(Some("alice"), None), WriteState::Planned, owned(Some("carol")))
    else {
        panic!()
    };
    assert!(why.contains("Owner=carol"), "{why}");
    let WriteOutcome::Skipped(why) = over(&write(Some("bob"), Some("alice")), WriteState::Planned, owned(None)) else {
        panic!()
    };
    assert!(why.contains("no tag Owner"), "{why}");
}

#[test]
fn a_started_write_that_is_found_done_was_ours_and_a_planned_one_was_not() {
    let write = write(None, Some("alice"));
    assert_eq!(over(&write, WriteState::Started, owned(Some("alice"))), WriteOutcome::Written { request_id: None });
    assert!(matches!(over(&write, WriteState::Planned, owned(Some("alice"))), WriteOutcome::Skipped(_)));
}

#[test]
fn what_is_gone_or_unread_is_not_written() {
    let write = write(None, Some("alice"));
    assert!(matches!(over(&write, WriteState::Planned, Current::Gone), WriteOutcome::Vanished(_)));
    let unread = Current::Unreadable(Unread::Listing("denied".to_owned()));
    assert_eq!(over(&write, WriteState::Planned, unread), WriteOutcome::Failed("denied".to_owned()));
}

#[test]
fn a_reverse_keeps_its_number_and_swaps_the_values() {
    let reversed = reverse(write(Some("bob"), Some("alice")));
    assert_eq!(reversed, Write { event_id: None, ..write(Some("alice"), Some("bob")) });
}

fn tagged(tags: &[(&str, &str)]) -> Current {
    let mut live = queue(0);
    live.tags = Tags::Known(tags.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect());
    Current::Live(Box::new(live))
}

fn is_ready_without_case(write: &Write, current: Current) -> bool {
    matches!(check(write, TagKeys::IgnoreCase, WriteState::Planned, current), Check::Ready(_))
}

#[test]
fn a_reverse_restores_the_spelling_of_the_key() {
    let overwrite = Write { old_key: Some("owner".into()), ..write(Some("payments"), Some("alice")) };
    let undo = reverse(overwrite.clone());
    assert_eq!((undo.key.as_str(), undo.old_key.as_ref().map(TagKey::as_str)), ("owner", Some("Owner")));
    assert_eq!((&undo.old_value, &undo.new_value), (&overwrite.new_value, &overwrite.old_value));
    // Whether AWS took the new spelling or kept the old one.
    assert!(is_ready_without_case(&undo, tagged(&[("Owner", "alice")])));
    assert!(is_ready_without_case(&undo, tagged(&[("owner", "alice")])));
    assert!(!is_ready_without_case(&undo, tagged(&[("OWNER", "alice")])), "another writer's spelling");
    assert!(!is_ready_without_case(&undo, tagged(&[("Owner", "bob")])));
    assert_eq!(reverse(undo), overwrite);
}

#[test]
fn a_tag_that_was_spelled_otherwise_since_is_left() {
    let (first, removal) = (write(None, Some("alice")), write(Some("alice"), None));
    assert!(!is_ready_without_case(&first, tagged(&[("owner", "payments")])));
    assert!(!is_ready_without_case(&removal, tagged(&[("owner", "alice")])), "not the tag that was written");
    let Check::Over(WriteOutcome::Skipped(why)) =
        check(&first, TagKeys::IgnoreCase, WriteState::Started, tagged(&[("owner", "alice")]))
    else {
        panic!("it has the tag")
    };
    assert!(why.contains("has owner=alice"), "{why}");
}

#[test]
fn a_tag_is_not_added_beside_a_further_owner_key() {
    let write = Write { owner_keys: vec!["OwnerEmail".into()], ..write(None, Some("alice")) };
    assert!(is_ready(&write, tagged(&[("team", "blue")])));
    let WriteOutcome::Skipped(why) = over(&write, WriteState::Planned, tagged(&[("OwnerEmail", "a@b")])) else {
        panic!()
    };
    assert!(why.contains("has OwnerEmail=a@b"), "{why}");
    let both = tagged(&[("OwnerEmail", "a@b"), ("Owner", "alice")]);
    assert_eq!(
        over(&write, WriteState::Started, both),
        WriteOutcome::Written { request_id: None },
        "it was made before"
    );
}

/// The rest of a run, as `apply --resume` takes it up: what isn't over, compared with the world.
fn rest(world: &World, store: &Store, run: RunId) -> (Vec<ReadyWrite<'static>>, BTreeMap<u32, WriteOutcome>) {
    let (mut ready, mut over) = (Vec::new(), BTreeMap::new());
    for row in store.writes_of(run).unwrap() {
        if !matches!(row.outcome.state(), WriteState::Planned | WriteState::Started) {
            continue;
        }
        let tags: Option<BTreeMap<String, String>> = world.tags.borrow().get(row.write.arn.as_str()).cloned();
        let current = tags.map_or(Current::Gone, |tags| {
            let number = row.write.arn.last_segment().trim_start_matches(|letter: char| !letter.is_ascii_digit());
            let number = number.parse().unwrap();
            let mut live = if row.write.resource_type.as_str() == "sqs" { queue(number) } else { volume(number) };
            live.tags = Tags::Known(tags);
            Current::Live(Box::new(live))
        });
        match check(&row.write, TagKeys::MatchCase, row.outcome.state(), current) {
            Check::Over(outcome) => drop(over.insert(row.write.position, outcome)),
            Check::Ready(live) | Check::Begun(live) => {
                let definition = &MAP.types[&row.write.resource_type];
                ready.push(ReadyWrite::new(row.write, *live, definition).unwrap());
            }
        }
    }
    (ready, over)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The process dies in the middle of any call, which has its effect or not, in a world with all kinds of faults. Resumed
    /// as often as needed, the world and the journal end as those of a run that nothing disturbed.
    #[test]
    fn a_killed_run_resumed_ends_where_an_undisturbed_run_ends(
        queues in 0..70_usize,
        volumes in 0..30_usize,
        gone in prop::collection::btree_set(0..100_usize, 0..4),
        refused in prop::collection::btree_set(0..70_usize, 0..6),
        poison in prop::option::of(0..70_usize),
        deaths in prop::collection::vec((0..12_u32, any::<bool>()), 0..4),
    ) {
        let resources: Vec<LiveResource> = (0..queues).map(queue).chain((0..volumes).map(volume)).collect();
        let world = || {
            let arn = |number: &usize| resources.get(*number).map(|live| live.arn.to_string());
            let mut world = World::of(resources.iter().map(|live| live.arn.to_string()));
            gone.iter().filter_map(arn).for_each(|arn| drop(world.tags.get_mut().remove(&arn)));
            world.refused.extend(refused.iter().filter_map(arn).map(|arn| (arn, "InternalServiceException")));
            world.poison.extend(poison.iter().filter_map(arn));
            world
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let states = |store: &Store, run| -> Vec<WriteState> {
            store.writes_of(run).unwrap().into_iter().map(|row| row.outcome.state()).collect()
        };

        let (undisturbed, all) = (world(), writes(&MAP, resources.clone(), None, Some("alice")));
        let (_folder, store, job_of_it) = journal(&all);
        runtime.block_on(drive(&undisturbed, &store, &job_of_it, &all, future::pending(), &mut |_| ())).unwrap();
        let expected = states(&store, job_of_it.run);

        let (mut disturbed, (_folder, store, first)) = (world(), journal(&all));
        let run = first.run;
        let mut lives: Vec<Option<(u32, bool)>> = deaths.into_iter().map(Some).collect();
        lives.push(None);
        for life in lives {
            disturbed.life.set(life);
            disturbed.death = tokio::sync::Notify::new();
            let (ready, over) = rest(&disturbed, &store, run);
            store.end_writes(run, &over).unwrap();
            let (job, mut silent) = (job(run), |_| ());
            runtime.block_on(async {
                let driven = drive(&disturbed, &store, &job, &ready, future::pending(), &mut silent);
                tokio::select! {
                    applied = driven => drop(applied.unwrap()),
                    () = disturbed.death.notified() => {}
                }
            });
        }
        prop_assert!(store.finish_run(run).unwrap());
        prop_assert_eq!(&*disturbed.tags.borrow(), &*undisturbed.tags.borrow());
        prop_assert_eq!(states(&store, run), expected);
    }
}
