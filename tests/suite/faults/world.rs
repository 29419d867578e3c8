//! Resources of each protocol with tags of other people, and what AWS has on them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Faults, Run};
use crate::tag::lab::Lab;

/// Tags by resource.
pub(crate) type Tags = BTreeMap<String, BTreeMap<String, String>>;

/// The owner that each resource is to get.
pub(crate) const OWNER: &str = "alice";

/// The database of the runs.
const DATABASE: &str = "creators.db";

/// The same, before any run.
const LOADED: &str = "loaded.db";

/// A lab with loaded events, and what AWS has on its resources.
pub(crate) struct World {
    pub(crate) lab: Lab,
    /// What commands that write need beside their name.
    allowed: &'static [&'static str],
}

impl World {
    /// A resource of each protocol and way to write.
    pub(crate) fn new() -> Self {
        let mut lab = Lab::with_hook(Bench::new(), include_str!("../hooks/faults_world.py"));
        lab.volumes(&[OWNER, OWNER]);
        for number in 0..3 {
            lab.queue(&format!("q{number}"), OWNER, &json!({"team": "one"}));
        }
        lab.role("app", OWNER, &json!({"team": "one"}));
        lab.topic("news", OWNER);
        lab.moto.boto3(
            "client('s3').create_bucket(Bucket='logs-of-faults')
client('s3').put_bucket_tagging(Bucket='logs-of-faults', Tagging={'TagSet': [{'Key': 'team', 'Value': 'one'}]})
client('ecr').create_repository(repositoryName='images', tags=[{'Key': 'team', 'Value': 'one'}])
client('logs').create_log_group(logGroupName='/app', tags={'team': 'one'})
client('events').put_rule(Name='nightly', ScheduleExpression='rate(1 day)', Tags=[{'Key': 'team', 'Value': 'one'}])",
        );
        for (source, name, request) in [
            ("s3.amazonaws.com", "CreateBucket", json!({"bucketName": "logs-of-faults"})),
            ("ecr.amazonaws.com", "CreateRepository", json!({"repositoryName": "images"})),
            ("logs.amazonaws.com", "CreateLogGroup", json!({"logGroupName": "/app"})),
            ("events.amazonaws.com", "PutRule", json!({"name": "nightly"})),
        ] {
            let arn = "arn:aws:events:us-east-1:123456789012:rule/nightly";
            let response = if name == "PutRule" { json!({"ruleArn": arn}) } else { Value::Null };
            lab.event(Event::new(source, name).request(request).response(response).by(Caller::iam_user(OWNER)));
        }
        let world = Self::of(lab, &[]);
        assert_eq!(world.tags(), world.tags_by_boto3());
        world
    }

    /// CloudFormation stacks, which are tagged by updates.
    pub(crate) fn of_stacks() -> Self {
        let mut lab = Lab::with_hook(Bench::new(), include_str!("../hooks/faults_world.py"));
        for name in ["web", "store"] {
            let id = lab.moto.boto3(&format!(
                "template = json.dumps(dict(Resources=dict(W=dict(Type='AWS::CloudFormation::WaitConditionHandle', Properties={{}}))))
tags = [dict(Key='team', Value='one')]
result = client('cloudformation').create_stack(StackName='{name}', TemplateBody=template, Tags=tags)['StackId']"
            ));
            let event = Event::new("cloudformation.amazonaws.com", "CreateStack").request(json!({"stackName": name}));
            lab.event(event.response(json!({"stackId": id})).by(Caller::iam_user(OWNER)));
        }
        Self::of(lab, &["--allow-updates", "cfn"])
    }

    fn of(lab: Lab, allowed: &'static [&'static str]) -> Self {
        lab.load();
        lab.moto.played("keep");
        fs::copy(lab.bench.path(DATABASE), lab.bench.path(LOADED)).expect("the folder is ours");
        Self { lab, allowed }
    }

    /// Runs a command that writes, without faults.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.lab.run(&[args, self.allowed].concat())
    }

    /// Back to the beginning: the tags of the resources, and a database without runs.
    pub(crate) fn reset(&self) {
        self.lab.moto.played("reset");
        let bench = &self.lab.bench;
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(bench.path(format!("{DATABASE}{suffix}"))));
        }
        fs::copy(bench.path(LOADED), bench.path(DATABASE)).expect("the folder is ours");
    }

    /// Lets a person add notes to resources while requests arrive.
    pub(crate) fn second_writer(&self, seed: u64, rate: f64) {
        self.lab.moto.played(&format!("second?{seed}:{rate}"));
    }

    /// Ends a second writer that deploys stacks: a deployment makes our change set obsolete, and the write is left for a later run.
    pub(crate) fn end_deployments(&self) {
        if !self.allowed.is_empty() {
            self.lab.moto.played("alone");
        }
    }

    /// Tags with the notes of the second writer.
    pub(crate) fn with_notes(&self, tags: &Tags) -> Tags {
        let mut tags = tags.clone();
        let notes: Vec<(String, String)> =
            serde_json::from_value(self.lab.moto.played("notes")).expect("pairs of texts");
        for (resource, note) in notes {
            tags.get_mut(&resource).expect("it is in this world").insert(note, "person".to_owned());
        }
        tags
    }

    /// All tags as AWS has them.
    pub(crate) fn tags(&self) -> Tags {
        serde_json::from_value(self.lab.moto.played("tags")).expect("tags are texts")
    }

    fn tags_by_boto3(&self) -> Tags {
        let tags = self.lab.moto.boto3(
            "def plain(tags): return {tag['Key']: tag['Value'] for tag in tags}
result = {}
for volume in client('ec2').describe_volumes()['Volumes']: result[volume['VolumeId']] = plain(volume.get('Tags', []))
for url in client('sqs').list_queues()['QueueUrls']: result[url.rsplit('/')[-1]] = client('sqs').list_queue_tags(QueueUrl=url).get('Tags', {})
result['app'] = plain(client('iam').list_role_tags(RoleName='app')['Tags'])
topic = client('sns').list_topics()['Topics'][0]['TopicArn']
result['news'] = plain(client('sns').list_tags_for_resource(ResourceArn=topic)['Tags'])
result['logs-of-faults'] = plain(client('s3').get_bucket_tagging(Bucket='logs-of-faults')['TagSet'])
repository = client('ecr').describe_repositories()['repositories'][0]['repositoryArn']
result['images'] = plain(client('ecr').list_tags_for_resource(resourceArn=repository)['tags'])
result['/app'] = client('logs').list_tags_log_group(logGroupName='/app')['tags']
result['nightly'] = plain(client('events').list_tags_for_resource(ResourceARN='arn:aws:events:us-east-1:123456789012:rule/nightly')['Tags'])",
        );
        serde_json::from_value(tags).expect("tags are texts")
    }

    /// Runs a command that writes through the proxy.
    pub(crate) fn through(&self, faults: &Faults, args: &[&str]) -> Run {
        let command = self.lab.bench.trailcreator([args, self.allowed].concat()).aws(&self.lab.moto);
        command.env("AWS_ENDPOINT_URL", &faults.endpoint()).run()
    }

    /// The journal's runs, the latest first.
    pub(crate) fn runs(&self) -> Vec<Value> {
        let mut runs = self.lab.run(&["runs", "--output", "json"]).success().json();
        serde_json::from_value(runs["runs"].take()).expect("a list")
    }

    /// Undoes all runs, the latest first.
    pub(crate) fn undo_all(&self) {
        for run in self.runs().iter().filter(|run| run["kind"] == "tag") {
            self.run(&["undo", &run["run_id"].to_string()]);
        }
    }
}

/// Asserts that what is on AWS differs from `before` only by owners that are to be written.
pub(crate) fn assert_nothing_lost(before: &Tags, now: &Tags, about: &str) {
    for (resource, tags) in before {
        let mut others = now[resource].clone();
        let owner = if tags.contains_key("Owner") { None } else { others.remove("Owner") };
        assert!(owner.is_none_or(|owner| owner == OWNER), "{about}: {resource} has a wrong owner: {now:#?}");
        assert_eq!(&others, tags, "{about}: {resource} has lost or changed tags");
    }
}

/// Asserts that the journal's last run says what AWS has.
pub(crate) fn assert_honest(world: &World, now: &Tags, about: &str) {
    let runs = world.runs();
    let Some(run) = runs.first() else { return };
    let document = world.lab.run(&["runs", &run["run_id"].to_string(), "--output", "json"]).success().json();
    for write in document["writes"].as_array().expect("a list") {
        let id = write["id"].as_str().expect("a text");
        let name = id.strip_prefix("arn:aws:events:us-east-1:123456789012:rule/").unwrap_or(id);
        let name = name.split_once(":stack/").map_or(name, |(_, stack)| stack.split('/').next().expect("not empty"));
        let name = if now.contains_key(name) { name } else { name.rsplit(['/', ':']).next().expect("not empty") };
        let has = now.get(name).unwrap_or_else(|| panic!("{about}: {id} is not known")).contains_key("Owner");
        let is_done = has == (run["kind"] == "tag");
        match write["state"].as_str() {
            Some("written") => assert!(is_done, "{about}: {write} is reported and not there"),
            Some("failed" | "vanished" | "planned") => assert!(!is_done, "{about}: {write} is there and not reported"),
            _ => {}
        }
    }
}
