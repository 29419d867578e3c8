use std::cell::Cell;
use std::collections::BTreeMap;
use std::future;
use std::sync::LazyLock;

use serde_json::json;

use super::test_world::{ACCOUNT, Described, World, journal, queue, resource, volume, writes};
use super::*;
use crate::model::TagKey;
use crate::model::Tags;
use crate::resource_map::ResourceMap;

static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

fn arns(resources: &[LiveResource]) -> Vec<String> {
    resources.iter().map(|live| live.arn.to_string()).collect()
}

/// Applies to the end; the outcomes by number.
async fn run(world: &World, writes: &[ReadyWrite<'_>]) -> Vec<WriteOutcome> {
    let (_folder, store, job) = journal(writes);
    let applied = drive(world, &store, &job, writes, future::pending(), &mut |_| ()).await.unwrap();
    assert_eq!(applied.stopped, None);
    let outcomes: Vec<WriteOutcome> = applied.outcomes.into_values().collect();
    let journaled: Vec<WriteOutcome> = store.writes_of(job.run).unwrap().into_iter().map(|row| row.outcome).collect();
    assert_eq!(journaled, outcomes, "the journal matches the reported outcomes");
    assert_eq!(outcomes.len(), writes.len());
    outcomes
}

fn written() -> WriteOutcome {
    WriteOutcome::Written { request_id: Some("request".to_owned()) }
}

fn not_written(outcomes: &[WriteOutcome]) -> Vec<(usize, &WriteOutcome)> {
    outcomes.iter().enumerate().filter(|(_, outcome)| **outcome != written()).collect()
}

#[tokio::test]
async fn few_calls_tag_many_resources() {
    let mut resources: Vec<_> = (0..45).map(queue).collect();
    resources.extend((0..1_050).map(volume));
    let world = World::of(arns(&resources));
    let outcomes = run(&world, &writes(&MAP, resources.clone(), None, Some("alice"))).await;
    assert!(not_written(&outcomes).is_empty());
    assert!(resources.iter().all(|live| world.owner(live.arn.as_str()).as_deref() == Some("alice")));
    let mut sizes = world.calls_of("TagResources");
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 20, 20]);
    let mut sizes = world.calls_of("CreateTags");
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 1_000]);
}

#[tokio::test]
async fn one_vanished_volume_fails_only_itself() {
    let resources: Vec<_> = (0..9).map(volume).collect();
    let mut world = World::of(arns(&resources));
    world.tags.get_mut().remove(resources[4].arn.as_str());
    let outcomes = run(&world, &writes(&MAP, resources, None, Some("alice"))).await;
    let [(4, WriteOutcome::Vanished(why))] = not_written(&outcomes)[..] else { panic!("{outcomes:?}") };
    assert!(why.contains("vol-4"), "{why}");
    assert_eq!(world.calls_of("CreateTags"), [9, 8]);
}

#[tokio::test]
async fn what_the_tagging_api_refuses_goes_to_the_service() {
    let resources: Vec<_> = (0..3).map(queue).collect();
    let mut world = World::of(arns(&resources));
    world.refused.insert(resources[1].arn.to_string(), "InternalServiceException");
    let outcomes = run(&world, &writes(&MAP, resources.clone(), None, Some("alice"))).await;
    assert!(not_written(&outcomes).is_empty(), "{outcomes:?}");
    assert_eq!(world.calls_of("TagQueue"), [1]);
    assert_eq!(world.pauses.get(), 0);
    // And the same way back.
    let outcomes = run(&world, &writes(&MAP, resources.clone(), Some("alice"), None)).await;
    assert!(not_written(&outcomes).is_empty(), "{outcomes:?}");
    assert_eq!(world.calls_of("UntagQueue"), [1]);
    assert!(resources.iter().all(|live| world.owner(live.arn.as_str()).is_none()));
}

#[tokio::test]
async fn an_arn_that_breaks_the_whole_call_is_found() {
    let resources: Vec<_> = (0..20).map(queue).collect();
    let mut world = World::of(arns(&resources));
    world.poison.insert(resources[13].arn.to_string());
    let outcomes = run(&world, &writes(&MAP, resources.clone(), None, Some("alice"))).await;
    assert!(not_written(&outcomes).is_empty(), "the one went to SQS itself: {outcomes:?}");
    assert_eq!(world.calls_of("TagQueue"), [1]);
    assert!(world.calls_of("TagResources").len() <= 11, "halving takes two calls a level");
}

#[tokio::test]
async fn a_deleted_queue_and_a_refused_write_are_different_outcomes() {
    let resources: Vec<_> = (0..3).map(queue).collect();
    let mut world = World::of(arns(&resources));
    world.tags.get_mut().remove(resources[0].arn.as_str());
    world.refused.insert(resources[1].arn.to_string(), "InvalidParameterException");
    world.denied.insert("TagQueue");
    let outcomes = run(&world, &writes(&MAP, resources, None, Some("alice"))).await;
    let [(0, WriteOutcome::Failed(gone)), (1, WriteOutcome::Failed(denied))] = not_written(&outcomes)[..] else {
        panic!("{outcomes:?}")
    };
    assert!(gone.contains("does not exist"), "both errors are reported: {gone}");
    assert!(denied.contains("allow TagQueue") && denied.contains("not by this API"), "{denied}");
}

#[tokio::test]
async fn without_permission_for_the_tagging_api_the_services_are_called() {
    let resources: Vec<_> = (0..5).map(queue).collect();
    let mut world = World::of(arns(&resources));
    world.denied.insert("TagResources");
    world.tags.get_mut().remove(resources[2].arn.as_str());
    let outcomes = run(&world, &writes(&MAP, resources, None, Some("alice"))).await;
    assert!(matches!(not_written(&outcomes)[..], [(2, WriteOutcome::Vanished(_))]), "{outcomes:?}");
    assert_eq!(world.calls_of("TagResources"), [5]);
    assert_eq!(world.calls_of("TagQueue").len(), 5);
}

#[tokio::test]
async fn a_throttled_arn_is_waited_for() {
    let resources: Vec<_> = (0..5).map(queue).collect();
    let mut world = World::of(arns(&resources));
    world.throttled.get_mut().insert(resources[3].arn.to_string(), 2);
    world.throttled.get_mut().insert(resources[4].arn.to_string(), 99);
    let outcomes = run(&world, &writes(&MAP, resources, None, Some("alice"))).await;
    let [(4, WriteOutcome::Failed(why))] = not_written(&outcomes)[..] else { panic!("{outcomes:?}") };
    assert!(why.contains("ThrottlingException"), "{why}");
    assert_eq!(world.calls_of("TagResources"), [5, 2, 2, 1]);
    assert_eq!(world.pauses.get(), 3);
}

#[tokio::test]
async fn permission_for_one_type_only_is_used() {
    let mut resources: Vec<_> = (0..2).map(volume).collect();
    resources.push(resource("ec2", "i-1", &format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1"), json!({})));
    let mut world = World::of(arns(&resources));
    world.denied.insert("CreateTags");
    let outcomes = run(&world, &writes(&MAP, resources, None, Some("alice"))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Failed(_))), "{outcomes:?}");
    assert_eq!(world.calls_of("CreateTags"), [3, 2, 1], "each type is tried once");
}

#[tokio::test]
async fn a_call_that_replaces_all_tags_sends_all_of_them_as_they_are_now() {
    let bucket = resource("s3", "logs", "arn:aws:s3:::logs", json!({"Name": "logs"}));
    let mut world = World::of(arns(std::slice::from_ref(&bucket)));
    world.refused.insert(bucket.arn.to_string(), "InternalServiceException");
    world.denied.insert("POST /v20180820/tags/arn%3Aaws%3As3%3A%3A%3Alogs");
    let present = [("Team", "blue"), ("aws:cloudformation:stack-name", "web")];
    let present = present.map(|(key, value)| (key.to_owned(), value.to_owned()));
    world.tags.get_mut().insert(bucket.arn.to_string(), present.into());
    let outcomes = run(&world, &writes(&MAP, vec![bucket.clone()], None, Some("alice"))).await;
    assert!(not_written(&outcomes).is_empty(), "{outcomes:?}");
    let sent = world.inputs.borrow().values().next().unwrap().to_string();
    for part in ["\"Owner\"", "\"alice\"", "\"Team\"", "\"blue\"", "\"aws:cloudformation:stack-name\""] {
        assert!(sent.contains(part), "{sent}");
    }

    world.tags.get_mut().get_mut(bucket.arn.as_str()).unwrap().insert("Owner".to_owned(), "bob".to_owned());
    let outcomes = run(&world, &writes(&MAP, vec![bucket.clone()], None, Some("alice"))).await;
    assert!(matches!(&outcomes[0], WriteOutcome::Skipped(_)), "bob came between: {outcomes:?}");

    world.tags.get_mut().clear();
    let outcomes = run(&world, &writes(&MAP, vec![bucket], None, Some("alice"))).await;
    assert!(!matches!(&outcomes[0], WriteOutcome::Written { .. }), "its tags can't be read: {outcomes:?}");
}

#[tokio::test]
async fn a_bucket_is_tagged_by_the_call_that_adds_a_tag() {
    let bucket = resource("s3", "logs", "arn:aws:s3:::logs", json!({"Name": "logs"}));
    let mut world = World::of(arns(std::slice::from_ref(&bucket)));
    world.refused.insert(bucket.arn.to_string(), "InternalServiceException");
    let outcomes = run(&world, &writes(&MAP, vec![bucket], None, Some("alice"))).await;
    assert!(not_written(&outcomes).is_empty(), "{outcomes:?}");
    let expected = json!({
        "^x-amz-account-id": ACCOUNT,
        "TagResourceRequest": {"Tags": {"Tag": [{"Key": "Owner", "Value": "alice"}]}},
    });
    assert_eq!(world.inputs.borrow()["POST /v20180820/tags/arn%3Aaws%3As3%3A%3A%3Alogs"], expected);
}

#[tokio::test]
async fn removing_names_the_value_so_that_anothers_stays() {
    let world = World::of(arns(&[volume(0)]));
    world.set(volume(0).arn.as_str(), "Owner", "alice");
    run(&world, &writes(&MAP, vec![volume(0)], Some("alice"), None)).await;
    assert_eq!(world.inputs.borrow()["DeleteTags"]["Tag"], json!([{"Key": "Owner", "Value": "alice"}]));
}

/// 32 queues and 5 volumes: three batches.
fn mixed() -> Vec<LiveResource> {
    (0..32).map(queue).chain((0..5).map(volume)).collect()
}

#[tokio::test]
async fn regression_writes_with_a_lost_answer_are_read_and_not_sent_again() {
    let resources = mixed();
    let world = World { lost: Cell::new(u32::MAX), ..World::of(arns(&resources)) };
    let outcomes = run(&world, &writes(&MAP, resources.clone(), None, Some("alice"))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == WriteOutcome::Written { request_id: None }), "{outcomes:?}");
    assert!(resources.iter().all(|live| world.owner(live.arn.as_str()).as_deref() == Some("alice")));
    assert_eq!(world.calls.borrow().len(), 3, "a call for each batch: {:?}", world.calls.borrow());
}

#[tokio::test]
async fn writes_that_are_not_made_are_sent_again_within_bounds() {
    let resources = mixed();
    let world = World { down: Cell::new(3), ..World::of(arns(&resources)) };
    let outcomes = run(&world, &writes(&MAP, resources.clone(), None, Some("alice"))).await;
    assert!(not_written(&outcomes).is_empty(), "{outcomes:?}");
    assert_eq!(world.calls.borrow().len(), 6);

    let world = World { down: Cell::new(u32::MAX), ..World::of(arns(&resources)) };
    let outcomes = run(&world, &writes(&MAP, resources, None, Some("alice"))).await;
    let says_so =
        |outcome: &WriteOutcome| matches!(outcome, WriteOutcome::Failed(why) if why.contains("the tag is not written"));
    assert!(outcomes.iter().all(says_so), "{outcomes:?}");
    assert_eq!(world.calls.borrow().len(), 3 + 3 + 37, "in the last attempt each has a call of its own");
}

#[tokio::test]
async fn a_write_in_doubt_that_can_not_be_read_stays_in_doubt_and_is_found_when_resumed() {
    let resources = mixed();
    let world = World { lost: Cell::new(u32::MAX), is_blind: Cell::new(true), ..World::of(arns(&resources)) };
    let writes = writes(&MAP, resources, None, Some("alice"));
    let (_folder, store, job) = journal(&writes);
    drive(&world, &store, &job, &writes, future::pending(), &mut |_| ()).await.unwrap();
    assert!(!store.finish_run(job.run).unwrap(), "it can be resumed");
    let counts = store.run(job.run).unwrap().unwrap().counts;
    assert_eq!((counts.in_doubt, counts.failed, counts.open()), (37, 0, 37));
}

#[tokio::test]
async fn an_owner_that_appears_after_the_listing_is_kept() {
    let role =
        resource("iam-role", "app", "arn:aws:iam::123456789012:role/app", json!({"RoleName": "app", "Path": "/"}));
    for live in [role, volume(0)] {
        let world = World::of(arns(std::slice::from_ref(&live)));
        world.set(live.arn.as_str(), "Owner", "person");
        let outcomes = run(&world, &writes(&MAP, vec![live.clone()], None, Some("alice"))).await;
        let [WriteOutcome::Skipped(why)] = &outcomes[..] else { panic!("{outcomes:?}") };
        assert!(why.contains("it has Owner=person"), "{why}");
        assert_eq!(world.owner(live.arn.as_str()).as_deref(), Some("person"));
        assert_eq!(*world.calls.borrow(), []);
    }
}

/// DescribeTags shows only these owners.
fn described(tags: &[(&LiveResource, &str)]) -> Described {
    let of = |(live, owner): &(&LiveResource, &str)| {
        (live.arn.to_string(), BTreeMap::from([("Owner".to_owned(), (*owner).to_owned())]))
    };
    Described::As(tags.iter().map(of).collect())
}

#[tokio::test]
async fn ec2_s_resources_are_not_listed_again_where_their_tags_are_described() {
    let resources: Vec<_> = (0..9).map(volume).collect();
    let world = World { described: described(&[(&resources[2], "person")]), ..World::of(arns(&resources)) };
    let outcomes = run(&world, &writes(&MAP, resources.clone(), None, Some("alice"))).await;
    let [(2, WriteOutcome::Skipped(why))] = not_written(&outcomes)[..] else { panic!("{outcomes:?}") };
    assert!(why.contains("it has Owner=person"), "{why}");
    assert!(world.listed.borrow().is_empty());

    let denied = World::of(arns(&resources));
    let outcomes = run(&denied, &writes(&MAP, resources, None, Some("alice"))).await;
    assert!(not_written(&outcomes).is_empty());
    assert_eq!(*denied.listed.borrow(), [9], "without the permission they are listed");
}

#[tokio::test]
async fn a_tag_that_is_not_described_is_not_taken_for_removed() {
    let resources: Vec<_> = (0..2).map(volume).collect();
    for (new, operation) in [(Some("alice"), "CreateTags"), (None, "DeleteTags")] {
        let world = World { described: described(&[(&resources[0], "bob")]), ..World::of(arns(&resources)) };
        resources.iter().for_each(|live| world.set(live.arn.as_str(), "Owner", "bob"));
        let outcomes = run(&world, &writes(&MAP, resources.clone(), Some("bob"), new)).await;
        assert!(not_written(&outcomes).is_empty(), "{outcomes:?}");
        assert_eq!((&*world.listed.borrow(), world.calls_of(operation)), (&vec![1], vec![2]));
    }
}

#[tokio::test]
async fn a_write_in_doubt_is_found_where_the_described_tags_are_old() {
    let resources: Vec<_> = (0..3).map(volume).collect();
    let old = described(&[(&resources[0], "alice")]);
    let world = World { lost: Cell::new(1), described: old, ..World::of(arns(&resources)) };
    // The plan for the first one is older still.
    world.set(resources[0].arn.as_str(), "Owner", "alice");
    let outcomes = run(&world, &writes(&MAP, resources, None, Some("alice"))).await;
    assert!(matches!(&outcomes[0], WriteOutcome::Skipped(_)), "{outcomes:?}");
    assert_eq!(outcomes[1..], [const { WriteOutcome::Written { request_id: None } }; 2]);
    assert_eq!((world.calls_of("CreateTags"), &*world.listed.borrow()), (vec![2], &vec![2]));
}

#[tokio::test]
async fn a_write_in_doubt_is_not_listed_where_its_tag_is_described() {
    let resources: Vec<_> = (0..3).map(volume).collect();
    let world = World { lost: Cell::new(1), described: Described::Now, ..World::of(arns(&resources)) };
    let outcomes = run(&world, &writes(&MAP, resources, None, Some("alice"))).await;
    assert_eq!(outcomes, [const { WriteOutcome::Written { request_id: None } }; 3]);
    assert_eq!((world.calls_of("CreateTags"), &*world.listed.borrow()), (vec![3], &Vec::new()));
}

#[tokio::test]
async fn when_asked_to_stop_nothing_more_is_begun() {
    let resources: Vec<_> = (0..300).map(queue).collect();
    let world = World::of(arns(&resources));
    let writes = writes(&MAP, resources, None, Some("alice"));
    let (_folder, store, job) = journal(&writes);
    let applied = drive(&world, &store, &job, &writes, future::ready(()), &mut |_| ()).await.unwrap();
    assert_eq!(applied.stopped, Some(StopReason::Asked));
    assert_eq!(applied.outcomes.len(), 20 * WRITE_CONCURRENCY, "calls under way are finished");
    assert!(!store.finish_run(job.run).unwrap());
    let counts = store.run(job.run).unwrap().unwrap().counts;
    assert_eq!((counts.written, counts.started, counts.planned), (160, 0, 140));
}

#[tokio::test]
async fn lost_credentials_stop_the_run_and_leave_the_rest_planned() {
    let resources: Vec<_> = (0..400).map(queue).collect();
    let mut world = World::of(arns(&resources));
    world.poison.extend(arns(&resources));
    let writes = writes(&MAP, resources, None, Some("alice"));
    let (_folder, store, job) = journal(&writes);
    let lost = LostCredentials;
    let applied = drive(&lost, &store, &job, &writes, future::pending(), &mut |_| ()).await.unwrap();
    assert!(matches!(applied.stopped, Some(StopReason::Credentials(_))), "{:?}", applied.stopped);
    let counts = store.run(job.run).unwrap().unwrap().counts;
    assert_eq!((counts.planned, counts.started, counts.failed), (400, 0, 0));
}

/// AWS after the session's end.
struct LostCredentials;

impl TagApi for LostCredentials {
    async fn tag_resources(
        &self,
        region: &crate::model::Region,
        _arns: &[&str],
        _key: &TagKey,
        _value: Option<&crate::model::TagValue>,
    ) -> Result<api::TaggingAnswer, crate::aws::CallError> {
        use crate::aws::{CallError, ErrorClass};
        Err(CallError::bare("tag:TagResources", region, ErrorClass::Credentials, "ExpiredToken"))
    }

    async fn call(
        &self,
        _service: &crate::resource_map::Service,
        _region: &crate::model::Region,
        _call: &crate::resource_map::RenderedCall,
    ) -> Result<crate::aws::Answer, crate::aws::CallError> {
        unreachable!("no other call is tried without credentials")
    }

    async fn present_tags(&self, _task: &[&ReadyWrite<'_>]) -> Vec<Tags> {
        unreachable!("no other call is tried without credentials")
    }

    async fn pause(&self, _duration: std::time::Duration) {}
}

#[tokio::test]
async fn several_tags_of_many_resources_are_few_calls_and_one_resource_s_follow_each_other() {
    let resources: Vec<_> = (0..3).flat_map(|number| [queue(number), queue(number)]).collect();
    let world = World::of(arns(&resources));
    let mut writes = writes(&MAP, resources.clone(), None, Some("alice"));
    for ready in writes.iter_mut().skip(1).step_by(2) {
        ready.write.key = "By".into();
    }
    let outcomes = run(&world, &writes).await;
    assert!(not_written(&outcomes).is_empty());
    assert_eq!(world.calls_of("TagResources"), [3, 3]);
    for live in &resources {
        let tags = world.tags.borrow()[live.arn.as_str()].clone();
        assert_eq!((tags["Owner"].as_str(), tags["By"].as_str()), ("alice", "alice"));
    }
}
