use std::future;
use std::sync::LazyLock;

use super::super::test_world::{World, journal, queue, volume, writes};
use super::super::{Applied, Job, LiveResource, ReadyWrite, StopReason, drive};
use super::*;
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::store::journal::WriteState;

static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

/// A world with these resources, in which the one at `busy` meets so many conflicts.
fn world(resources: &[LiveResource], busy: usize, conflicts: u32) -> World {
    let world = World::of(resources.iter().map(|live| live.arn.to_string()));
    world.conflicts.borrow_mut().insert(resources[busy].arn.to_string(), conflicts);
    world
}

async fn run(world: &World, writes: &[ReadyWrite<'_>], stop: impl Future<Output = ()>) -> (Applied, Run) {
    let (folder, store, job) = journal(writes);
    let applied = drive(world, &store, &job, writes, stop, &mut |_| ()).await.unwrap();
    (applied, Run { _folder: folder, store, job })
}

/// A run in its database.
struct Run {
    _folder: tempfile::TempDir,
    store: Store,
    job: Job,
}

fn failed(applied: &Applied) -> Vec<(u32, &str)> {
    let mut found = Vec::new();
    for (position, outcome) in &applied.outcomes {
        match outcome {
            WriteOutcome::Written { .. } => {}
            WriteOutcome::Failed(why) | WriteOutcome::Unfinished(why) => found.push((*position, why.as_str())),
            other => panic!("{position}: {other:?}"),
        }
    }
    found
}

#[tokio::test]
async fn one_conflicting_arn_of_twenty_is_tried_again_alone() {
    let resources: Vec<_> = (0..20).map(queue).collect();
    let world = world(&resources, 7, 2);
    let (applied, ..) = run(&world, &writes(&MAP, resources, None, Some("alice")), future::pending()).await;
    assert_eq!(failed(&applied), []);
    assert_eq!(world.calls_of("TagResources"), [20, 1, 1]);
    assert_eq!(world.calls_of("TagQueue"), [0; 0], "another call would meet the same conflict");
    assert_eq!(world.pauses.get(), 2);
}

#[tokio::test]
async fn one_conflicting_volume_of_a_batch_is_tried_again_alone() {
    let resources: Vec<_> = (0..8).map(volume).collect();
    // Found by halving: 8, 4, 2, 1; then twice more.
    let world = world(&resources, 7, 5);
    let (applied, ..) = run(&world, &writes(&MAP, resources, None, Some("alice")), future::pending()).await;
    assert_eq!(failed(&applied), []);
    let mut sizes = world.calls_of("CreateTags");
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 1, 1, 2, 2, 4, 4, 8]);
    assert_eq!(world.pauses.get(), 2);
}

#[tokio::test]
async fn a_conflict_of_the_services_own_call_is_waited_for() {
    let mut world = world(&[queue(0)], 0, 2);
    world.denied.insert("TagResources");
    let (applied, ..) = run(&world, &writes(&MAP, vec![queue(0)], None, Some("alice")), future::pending()).await;
    assert_eq!(failed(&applied), []);
    assert_eq!(world.calls_of("TagQueue"), [1, 1, 1]);
}

#[tokio::test]
async fn a_conflict_that_does_not_pass_fails_after_bounded_attempts_and_the_rest_goes_on() {
    let resources: Vec<_> = (0..60).map(queue).collect();
    let world = world(&resources, 0, u32::MAX);
    let (applied, Run { store, job, _folder }) =
        run(&world, &writes(&MAP, resources.clone(), None, Some("alice")), future::pending()).await;
    let failed = failed(&applied);
    let [(0, why)] = failed[..] else { panic!("{failed:?}") };
    assert!(why.contains("ConcurrentModificationException: try again") && why.contains("8 attempts"), "{why}");
    assert_eq!(world.pauses.get() + 1, FOR_CONFLICTS.attempts);
    assert_eq!(store.run(job.run).unwrap().unwrap().counts.written, 59);
}

#[tokio::test]
async fn the_next_tag_of_a_resource_waits_until_the_first_is_through() {
    let world = world(&[queue(0)], 0, 1);
    let mut writes = writes(&MAP, vec![queue(0), queue(0)], None, Some("alice"));
    writes[1].write.key = "By".into();
    let (applied, ..) = run(&world, &writes, future::pending()).await;
    assert_eq!(failed(&applied), []);
    assert_eq!(world.calls_of("TagResources"), [1, 1, 1]);
    assert_eq!(applied.outcomes.len(), 2);
}

#[tokio::test]
async fn what_waits_when_the_run_is_stopped_stays_planned() {
    let resources: Vec<_> = (0..3).map(queue).collect();
    let mut world = world(&resources, 1, u32::MAX);
    world.is_slow = true;
    let writes = writes(&MAP, resources, None, Some("alice"));
    let (applied, Run { store, job, _folder }) = run(&world, &writes, world.asleep.notified()).await;
    assert_eq!(applied.stopped, Some(StopReason::Asked));
    let failed = failed(&applied);
    let [(1, why)] = failed[..] else { panic!("{failed:?}") };
    assert!(why.starts_with("to be retried: ConcurrentModificationException"), "{why}");
    let states: Vec<WriteState> = store.writes_of(job.run).unwrap().iter().map(|row| row.outcome.state()).collect();
    assert_eq!(states, [WriteState::Written, WriteState::Planned, WriteState::Written]);
    assert!(!store.finish_run(job.run).unwrap(), "it can be resumed");
}

#[test]
fn pauses_double_from_a_tenth_of_a_second_and_end_below_a_quarter_of_a_minute() {
    let pauses = (0..FOR_CONFLICTS.attempts - 1).map(|number| FOR_CONFLICTS.first_pause * 2_u32.pow(number));
    let total: Duration = pauses.sum();
    assert_eq!(total, Duration::from_millis(12_700));
}
