//! How many AWS calls a run takes, and why: on moto as it is, and with its Tagging API as capable as AWS's.

use std::collections::BTreeMap;

use serde_json::json;

use super::lab::Lab;
use crate::common::calls::{Calls, TAGGING_API_AS_AWS, calls, calls_of, listed};
use crate::common::{Bench, Caller, Event, Moto};

/// How many resources of each type there are for each in the usual size. 50 is the account of docs/performance.md.
fn scale() -> usize {
    std::env::var("TRAILCREATOR_SCALE").ok().map_or(1, |text| text.parse().expect("TRAILCREATOR_SCALE is a number"))
}

/// How many resources of a type there are.
fn size(kind: &str) -> usize {
    SIZES.iter().find(|(name, _)| *name == kind).expect("it is one").1 * scale()
}

/// Resources in the proportions of an account that was measured with c7n-trailcreator too.
const SIZES: [(&str, usize); 6] =
    [("role", 40), ("bucket", 10), ("queue", 10), ("table", 10), ("instance", 10), ("volume", 20)];

const MAKE: &str = "
def role(name):
    client('iam').create_role(RoleName=name, AssumeRolePolicyDocument='{}')
    return name

def bucket(name):
    client('s3').create_bucket(Bucket=name)
    return name

def queue(name):
    return client('sqs').create_queue(QueueName=name)['QueueUrl']

def table(name):
    client('dynamodb').create_table(TableName=name, BillingMode='PAY_PER_REQUEST', KeySchema=[dict(AttributeName='k', KeyType='HASH')],
                                    AttributeDefinitions=[dict(AttributeName='k', AttributeType='S')])
    return name

def instance(name):
    image = globals().setdefault('image', client('ec2').describe_images()['Images'][0]['ImageId'])
    return client('ec2').run_instances(ImageId=image, MinCount=1, MaxCount=1)['Instances'][0]['InstanceId']

def volume(name):
    return client('ec2').create_volume(AvailabilityZone='us-east-1a', Size=1)['VolumeId']

result = {kind: [globals()[kind](f'{kind}-{number}') for number in range(count)] for kind, count in sizes.items()}";

fn event(kind: &str, id: &str) -> Event {
    match kind {
        "role" => {
            let role = json!({"roleName": id, "arn": format!("arn:aws:iam::123456789012:role/{id}")});
            Event::new("iam.amazonaws.com", "CreateRole")
                .request(json!({"roleName": id}))
                .response(json!({"role": role}))
        }
        "bucket" => Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": id})),
        "queue" => Event::new("sqs.amazonaws.com", "CreateQueue").response(json!({"queueUrl": id})),
        "table" => Event::new("dynamodb.amazonaws.com", "CreateTable").request(json!({"tableName": id})),
        "instance" => Event::new("ec2.amazonaws.com", "RunInstances")
            .response(json!({"instancesSet": {"items": [{"instanceId": id}]}})),
        _ => Event::new("ec2.amazonaws.com", "CreateVolume").response(json!({"volumeId": id})),
    }
}

/// The calls of `tag` by operation.
fn calls_of_tag(moto: Moto) -> Calls {
    let mut lab = Lab::on(moto, Bench::new());
    let sizes: BTreeMap<&str, usize> = SIZES.iter().map(|(kind, count)| (*kind, count * scale())).collect();
    let made = lab.moto.boto3(&format!("sizes = {}\n{MAKE}", json!(sizes)));
    for (kind, _) in SIZES {
        for (number, id) in made[kind].as_array().expect("a list").iter().enumerate() {
            let owner = format!("user{}", number % OWNERS);
            lab.event(event(kind, id.as_str().expect("a text")).by(Caller::iam_user(&owner)));
        }
    }
    lab.load();
    let run = lab.run(&["tag", "--stats", "--output", "json"]);
    let summary = &run.success().json()["summary"];
    let tags: usize = sizes.values().sum();
    calls_of(&run, summary, tags)
}

/// One value in a call, so that each owner takes calls of its own.
const OWNERS: usize = 3;

/// The calls that AWS needs too: each list and the Tagging API's once, in pages; each tag read as late as the service allows, one
/// resource a call where it reads only one; 20 ARNs in a call of the Tagging API; 1,000 IDs in a write of EC2, 200 in a read before it.
/// moto lists all roles, instances and volumes on one page.
fn least() -> Calls {
    let of = size;
    let pages = |count: usize, page: usize| count.div_ceil(page);
    // The owners take turns in each type.
    let of_owner =
        |kinds: &[&str], owner: usize| kinds.iter().map(|kind| (of(kind) + OWNERS - 1 - owner) / OWNERS).sum();
    let arns = |owner: usize| pages(of_owner(&["role", "bucket", "queue", "table"], owner), 20);
    let ids = |owner: usize| pages(of_owner(&["instance", "volume"], owner), 200);
    calls([
        ("STS:GetCallerIdentity", 1),
        ("dynamodb:ListTables", pages(of("table"), 100)),
        ("dynamodb:ListTagsOfResource", of("table")),
        ("iam:GetAccountAuthorizationDetails", 1),
        ("iam:ListRoleTags", of("role")),
        ("s3:GET /", 1),
        ("s3:GET /…?tagging", of("bucket")),
        ("sqs:ListQueues", pages(of("queue"), 1000)),
        ("sqs:ListQueueTags", of("queue")),
        ("ec2:CreateTags", OWNERS),
        ("ec2:DescribeInstances", 1),
        ("ec2:DescribeTags", (0..OWNERS).map(ids).sum()),
        ("ec2:DescribeVolumes", 1),
        ("tag:GetResources", 1),
        ("tag:TagResources", (0..OWNERS).map(arns).sum()),
    ])
}

/// Reads of single resources for the plan. Writes that begin a minute later read again, so a slow machine makes more of them.
const READS_FOR_THE_PLAN: [&str; 3] = ["dynamodb:ListTagsOfResource", "s3:GET /…?tagging", "sqs:ListQueueTags"];

fn assert_least(mut calls: Calls) {
    let mut least = least();
    for name in READS_FOR_THE_PLAN {
        let (made, least) = (calls.remove(name), least.remove(name));
        assert!(made >= least && made <= least.map(|least| 2 * least), "{made:?} of {name}, at least {least:?}");
    }
    assert_eq!(calls, least);
}

/// moto's Tagging API writes neither queues nor roles: with it, each takes a further call, and nothing else does.
#[test]
fn a_run_makes_only_calls_that_aws_needs() {
    let hook = format!("{TAGGING_API_AS_AWS}\ndef before(entry, environ):\n    return tagging_api(entry)\n");
    let as_aws = calls_of_tag(Moto::start_with(&hook));
    println!("{}", listed(&as_aws));
    assert_least(as_aws);
    let mut on_moto = calls_of_tag(Moto::start());
    for (call, kind) in [("sqs:TagQueue", "queue"), ("iam:TagRole", "role")] {
        assert_eq!(on_moto.remove(call), Some(size(kind)));
    }
    assert_least(on_moto);
}

/// 200 IDs in a request, 1,000 tags on a page.
#[test]
fn the_tags_of_many_volumes_are_read_in_few_pages() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice"; 201]);
    let keys = ["a", "b", "c", "d", "e", "f"];
    lab.moto.boto3(&format!(
        "client('ec2').create_tags(Resources={}, Tags=[dict(Key=key, Value='0') for key in {}])",
        json!(volumes),
        json!(keys)
    ));
    lab.load();
    // These keys decide too, so each volume has six tags in the answer.
    let skip = keys.map(|key| format!("--skip-tag={key}=1"));
    let args: Vec<&str> = ["tag", "--type", "ebs"].into_iter().chain(skip.iter().map(String::as_str)).collect();
    lab.run(&args).success().says(["201 tagged"]);
    let sent = ["DescribeVolumes", "DescribeTags", "CreateTags"].map(|call| lab.sent(call));
    assert_eq!(sent, [1, 3, 1], "the tags of the first 200 are two pages");
}

/// Up to 8 batches are written at once, and have called DescribeTags when the first is denied.
#[test]
fn a_denied_read_of_tags_is_not_tried_for_each_batch() {
    const BATCHES: usize = 20;
    const AT_ONCE: usize = 8;
    let hook = "
def before(entry, environ):
    if entry['action'] == 'DescribeTags':
        return 403, 'text/xml', '<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>'
";
    let mut lab = Lab::with_hook(Bench::new(), hook);
    let owners: Vec<String> = (0..BATCHES).map(|number| format!("user{number}")).collect();
    lab.volumes(&owners.iter().map(String::as_str).collect::<Vec<_>>());
    lab.load();
    lab.run(&["tag", "--type", "ebs"]).success().says([&format!("{BATCHES} tagged")]);
    let [described, listed, written] = ["DescribeTags", "DescribeVolumes", "CreateTags"].map(|call| lab.sent(call));
    assert!((1..=AT_ONCE).contains(&described), "{described}");
    assert_eq!([listed, written], [1 + BATCHES, BATCHES]);
}
