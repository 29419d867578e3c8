//! A server, a workbench, and resources with create events in the loaded trail.

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Moto, Run, Trail};

/// Resources on moto, and the trail of their creation.
pub(crate) struct Lab {
    pub(crate) moto: Moto,
    pub(crate) bench: Bench,
    trail: Trail,
}

impl Lab {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::on(Moto::start(), Bench::new())
    }

    /// On this server.
    pub(crate) fn on(moto: Moto, bench: Bench) -> Self {
        Self { moto, bench, trail: Trail::new() }
    }

    /// On a server that asks `hook` first.
    pub(crate) fn with_hook(bench: Bench, hook: &str) -> Self {
        Self::on(Moto::start_with(hook), bench)
    }

    /// A volume for each owner; their ids.
    pub(crate) fn volumes(&mut self, owners: &[&str]) -> Vec<String> {
        let made = self.moto.boto3(&format!(
            "result = [client('ec2').create_volume(AvailabilityZone='us-east-1a', Size=1)['VolumeId'] for _ in range({})]",
            owners.len()
        ));
        let ids: Vec<String> = serde_json::from_value(made).expect("ids are texts");
        for (id, owner) in ids.iter().zip(owners) {
            let event = Event::new("ec2.amazonaws.com", "CreateVolume").response(json!({"volumeId": id}));
            self.trail.push(event.by(Caller::iam_user(owner)));
        }
        ids
    }

    /// A queue with tags; its URL.
    pub(crate) fn queue(&mut self, name: &str, owner: &str, tags: &Value) -> String {
        let url = self
            .moto
            .boto3(&format!("result = client('sqs').create_queue(QueueName='{name}', tags={tags})['QueueUrl']"));
        let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": name}));
        self.trail.push(event.response(json!({"queueUrl": url})).by(Caller::iam_user(owner)));
        url.as_str().expect("a URL is a text").to_owned()
    }

    /// A role with tags.
    pub(crate) fn role(&mut self, name: &str, owner: &str, tags: &Value) {
        self.moto.boto3(&format!(
            "client('iam').create_role(RoleName='{name}', AssumeRolePolicyDocument='{{}}', Tags=[dict(Key=key, Value=value) for key, value in {tags}.items()])"
        ));
        let event = Event::new("iam.amazonaws.com", "CreateRole").request(json!({"roleName": name}));
        let response = json!({"role": {"roleName": name, "arn": format!("arn:aws:iam::123456789012:role/{name}")}});
        self.trail.push(event.response(response).by(Caller::iam_user(owner)));
    }

    /// A topic; its ARN.
    pub(crate) fn topic(&mut self, name: &str, owner: &str) -> String {
        let arn = self.moto.boto3(&format!("result = client('sns').create_topic(Name='{name}')['TopicArn']"));
        let event = Event::new("sns.amazonaws.com", "CreateTopic").request(json!({"name": name}));
        self.trail.push(event.response(json!({"topicArn": arn})).by(Caller::iam_user(owner)));
        arn.as_str().expect("an ARN is a text").to_owned()
    }

    /// Any further event.
    pub(crate) fn event(&mut self, event: Event) {
        self.trail.push(event);
    }

    /// Loads the trail.
    pub(crate) fn load(&self) {
        self.trail.write(&self.bench.path("trail.json.gz"));
        self.bench.trailcreator(["load-files", "trail.json.gz"]).run().success();
    }

    /// Runs the binary against moto.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.bench.trailcreator(args).aws(&self.moto).run()
    }

    /// The same with stdin and stderr on a terminal, where `answer` is typed when it asks.
    #[cfg(unix)]
    pub(crate) fn run_on_terminal(&self, args: &[&str], answer: &str) -> Run {
        self.bench.trailcreator(args).aws(&self.moto).on_terminal(answer)
    }

    /// Runs of the journal.
    pub(crate) fn runs(&self) -> usize {
        let runs = self.run(&["runs", "--output", "json"]).success().json();
        runs["runs"].as_array().expect("a list").len()
    }

    /// A volume's tags, by boto3.
    pub(crate) fn volume_tags(&self, id: &str) -> Value {
        self.moto.boto3(&format!(
            "result = {{tag['Key']: tag['Value'] for tag in client('ec2').describe_volumes(VolumeIds=['{id}'])['Volumes'][0].get('Tags', [])}}"
        ))
    }

    /// A queue's tags, by boto3.
    pub(crate) fn queue_tags(&self, url: &str) -> Value {
        self.moto.boto3(&format!("result = client('sqs').list_queue_tags(QueueUrl='{url}').get('Tags', {{}})"))
    }

    /// A role's tags, by boto3.
    pub(crate) fn role_tags(&self, name: &str) -> Value {
        self.moto.boto3(&format!(
            "result = {{tag['Key']: tag['Value'] for tag in client('iam').list_role_tags(RoleName='{name}')['Tags']}}"
        ))
    }

    /// A topic's tags, by boto3.
    pub(crate) fn topic_tags(&self, arn: &str) -> Value {
        self.moto.boto3(&format!(
            "result = {{tag['Key']: tag['Value'] for tag in client('sns').list_tags_for_resource(ResourceArn='{arn}')['Tags']}}"
        ))
    }

    /// How often we sent an action.
    pub(crate) fn sent(&self, action: &str) -> usize {
        self.moto.our_requests().iter().filter(|request| request.action == action).count()
    }
}

/// The entry of a list of resources that has this id.
pub(crate) fn entry<'v>(list: &'v Value, id: &str) -> &'v Value {
    let entries = list.as_array().expect("a list");
    entries.iter().find(|entry| entry["id"] == id).unwrap_or_else(|| panic!("{id} is not in {list:#}"))
}
