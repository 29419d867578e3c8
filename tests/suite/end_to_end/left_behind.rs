//! What can't be tagged: each counted, named and explained, the rest tagged, exit code 4 where an item failed.

use super::world::{assert_same, create, everything, trail_of, with_owners};
use crate::common::{Bench, Moto};

/// The server refuses one queue (all its requests and the Tagging API's for it), and deletes a volume and a table just before
/// the first write reaches it.
const HOOK: &str = r#"
import boto3, os, threading
once = threading.Lock()
def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    body = entry['body'].replace('%2F', '/').replace('%3A', ':')
    if entry['action'] in ('CreateTags', 'TagResources', 'TagResource', 'TagQueue') and once.acquire(blocking=False):
        def client(name):
            return boto3.client(name, region_name='us-east-1', endpoint_url='http://127.0.0.1:' + os.environ['MOTO_PORT'],
                                aws_access_key_id='testing', aws_secret_access_key='testing')
        ec2 = client('ec2')
        for volume in ec2.describe_volumes(Filters=[{'Name': 'tag:vanishes', 'Values': ['yes']}])['Volumes']:
            ec2.delete_volume(VolumeId=volume['VolumeId'])
        client('dynamodb').delete_table(TableName='lab-vanishes')
    if 'lab-refused' in body and entry['action'] in ('TagResources', 'TagQueue'):
        return 400, 'application/x-amz-json-1.0', '{"__type": "com.amazonaws.sqs#AccessDeniedException", "message": "User: alice is not authorized to perform: sqs:TagQueue"}'
"#;

const CASES: &str =
    "types=['ebs', 'sqs', 'dynamodb-table', 'log-group'], cases={'fresh': {'team': 'blue'}, 'bare': {}}";

#[test]
fn vanished_and_refused_are_named_and_the_rest_is_tagged() {
    let (moto, bench) = (Moto::start_with(HOOK), Bench::new());
    let mut made = create(&moto, CASES);
    let special = create(
        &moto,
        "types=['ebs', 'dynamodb-table'], cases={'vanishes': {'vanishes': 'yes'}}) + create(types=['sqs'], cases={'refused': {}}",
    );
    made.extend(special.clone().into_iter().map(|mut resource| {
        resource.case = "fresh".to_owned();
        resource
    }));
    let (trail, mut owners) = trail_of(&made);
    trail.write(&bench.path("trail.json.gz"));
    bench.trailcreator(["load-files", "trail.json.gz"]).run().success();
    let mut before = everything(&moto);

    let run = bench.trailcreator(["tag", "--output", "json"]).aws(&moto).run();
    run.code(4);

    for resource in &special {
        owners.remove(&resource.key());
    }
    before.retain(|key, _| !special.iter().any(|resource| resource.case == "vanishes" && resource.key() == *key));
    assert_same(&everything(&moto), &with_owners(&before, &owners), "after tag");
    let report = run.json();
    let failed = report["failed"].as_array().expect("a report tells what failed");
    for resource in &special {
        let entry = failed.iter().find(|entry| resource.is(entry));
        let entry = entry.unwrap_or_else(|| panic!("{resource:?} is not named in {report:#}"));
        assert!(entry["error"].as_str().is_some_and(|error| !error.is_empty()), "{entry}");
    }
    assert!(report.to_string().contains("sqs:TagQueue"), "the missing permission is not told: {report:#}");
}
