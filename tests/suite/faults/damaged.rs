//! Each kind of damage on each read and each write, one at a time.

use super::world::{World, assert_honest, assert_nothing_lost};
use crate::common::{Faults, Script};

/// Answers with status 200 (or 204) that prove nothing.
const FOREIGN: [&str; 10] = [
    "swallowed-empty",
    "swallowed-object",
    "swallowed-null",
    "swallowed-text",
    "swallowed-html",
    "swallowed-error-xml",
    "swallowed-error-json",
    "swallowed-message",
    "swallowed-foreign",
    "swallowed-204",
];

/// An owner set by a person on every resource that has one by a call of its own; then damaged reads of the tags.
#[test]
fn regression_damaged_tag_reads_are_never_taken_for_no_tags() {
    let world = World::new();
    world.lab.moto.boto3(
        "tags = [{'Key': 'Owner', 'Value': 'person'}, {'Key': 'team', 'Value': 'one'}]
client('s3').put_bucket_tagging(Bucket='logs-of-faults', Tagging={'TagSet': tags})
client('ecr').tag_resource(resourceArn=client('ecr').describe_repositories()['repositories'][0]['repositoryArn'], tags=[{'Key': 'Owner', 'Value': 'person'}])
client('logs').tag_log_group(logGroupName='/app', tags={'Owner': 'person'})
client('events').tag_resource(ResourceARN='arn:aws:events:us-east-1:123456789012:rule/nightly', Tags=[{'Key': 'Owner', 'Value': 'person'}])
client('sns').tag_resource(ResourceArn=client('sns').list_topics()['Topics'][0]['TopicArn'], Tags=[{'Key': 'Owner', 'Value': 'person'}])
for url in client('sqs').list_queues()['QueueUrls']: client('sqs').tag_queue(QueueUrl=url, Tags={'Owner': 'person'})",
    );
    let before = world.tags();
    let types = "--type=s3,ecr,log-group,event-rule,sns,sqs";
    for kind in FOREIGN.into_iter().chain(["applied-truncated", "applied-garbled"]) {
        // The Tagging API's sweep would show the owners: it fails, so that each type's own read decides.
        let reads = "^(ListTagsForResource|ListQueueTags|GetResources|GET .*tagging|GET .*/tags/)";
        let script = Script { seed: 1, rate: 1.0, kinds: &[kind], actions: reads, most: 10_000 };
        let faults = Faults::start(&world.lab.moto, &script);
        let run = world.through(&faults, &["tag", types]);
        assert!(faults.played().len() > 4, "{kind}: {:?}\n{}", faults.played(), run.printed());
        assert_eq!(world.tags(), before, "{kind}\n{}", run.printed());
        assert_eq!(world.lab.runs(), 0, "{kind}: nothing was to be written\n{}", run.printed());
    }
}

#[test]
fn regression_writes_answered_with_nothing_that_proves_them_are_not_journaled_as_written() {
    let world = World::new();
    let first = world.tags();
    let writes = "^(TagResources|CreateTags|TagRole|TagQueue|TagResource|PUT .*tagging|POST .*tags)";
    for kind in FOREIGN.into_iter().chain(["swallowed-closed", "swallowed-failed-500"]) {
        let script = Script { seed: 1, rate: 1.0, kinds: &[kind], actions: writes, most: 10_000 };
        let faults = Faults::start(&world.lab.moto, &script);
        let run = world.through(&faults, &["tag"]);
        run.code(4);
        let now = world.tags();
        assert_eq!(now, first, "nothing was passed on: {kind}");
        assert_honest(&world, &now, &format!("{kind}\n{}", run.printed()));
        assert!(faults.played().len() < 100, "{kind}: {} requests", faults.played().len());
    }
}

#[test]
fn regression_writes_whose_answers_are_lost_are_read_and_journaled_as_written() {
    let world = World::new();
    let first = world.tags();
    let writes = "^(TagResources|CreateTags|TagRole|TagQueue|TagResource|PUT .*tagging|POST .*tags)";
    for kind in ["applied-closed", "applied-truncated", "applied-garbled", "applied-failed-500", "applied-html"] {
        let script = Script { seed: 1, rate: 1.0, kinds: &[kind], actions: writes, most: 10_000 };
        let faults = Faults::start(&world.lab.moto, &script);
        let run = world.through(&faults, &["tag"]);
        let about = format!("{kind} {:?}\n{}", faults.played(), run.printed());
        assert_eq!(run.code, Some(0), "{about}");
        let now = world.tags();
        assert_nothing_lost(&first, &now, &about);
        assert!(now.values().all(|tags| tags.contains_key("Owner")), "{about}");
        assert_honest(&world, &now, &about);
        // A call for each batch; another, and at last the services' own calls, for the five that moto's Tagging API does not take.
        assert!(faults.played().len() <= 8, "{about}");
        world.undo_all();
        assert_eq!(world.tags(), first, "{about}");
    }
}
