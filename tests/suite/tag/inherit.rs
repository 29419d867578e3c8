//! `--inherit`: what a service made has its parent's owner, on moto's stacks, groups, instances and volumes.

use serde_json::{Value, json};

use super::lab::{Lab, entry};
use crate::common::{Bench, Caller, Event, Moto};

const GROUP: &str = "aws:autoscaling:groupName";
const STACK: &str = "aws:cloudformation:stack-id";

/// EC2 says of a volume whether it goes with its instance; moto does not.
const GOES_WITH_ITS_INSTANCE: &str = include_str!("../hooks/tag_inherit_goes_with_its_instance.py");

/// A stack of alice's; in it a volume that CloudFormation made, one that bob made by an update with his own permissions, and a
/// group; an instance of the group; and the instance's volume, which has no record.
struct World {
    lab: Lab,
    stack: String,
    volume: String,
    bobs: String,
    instance: String,
    root: String,
}

fn cloudformation() -> Caller {
    Caller::assumed_role("stacks", "AWSCloudFormation")
}

fn auto_scaling() -> Caller {
    let mut caller = Caller::assumed_role("AWSServiceRoleForAutoScaling", "AutoScaling");
    caller.0["sessionContext"]["sessionIssuer"]["arn"] =
        json!("arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
    caller
}

fn ec2(call: &str, by: Caller, response: Value, second: u8) -> Event {
    Event::new("ec2.amazonaws.com", call).by(by).response(response).at(&format!("2026-03-01T10:00:{second:02}Z"))
}

impl World {
    fn new() -> Self {
        Self::on(Lab::with_hook(Bench::new(), GOES_WITH_ITS_INSTANCE))
    }

    fn on(mut lab: Lab) -> Self {
        let made = lab.moto.boto3(&format!(
            "
volume = dict(Type='AWS::EC2::Volume', Properties=dict(AvailabilityZone='us-east-1a', Size=1))
stack = client('cloudformation').create_stack(StackName='site', TemplateBody=json.dumps(dict(Resources=dict(V=volume, W=volume))))['StackId']
ec2 = client('ec2')
volumes = [volume['VolumeId'] for volume in ec2.describe_volumes()['Volumes']]
image = ec2.describe_images(Owners=['amazon'])['Images'][0]['ImageId']
ec2.create_launch_template(LaunchTemplateName='web', LaunchTemplateData=dict(ImageId=image, InstanceType='t3.micro'))
client('autoscaling').create_auto_scaling_group(
    AutoScalingGroupName='web', MinSize=1, MaxSize=1, AvailabilityZones=['us-east-1a'], LaunchTemplate=dict(LaunchTemplateName='web'),
    Tags=[dict(Key='{STACK}', Value=stack, ResourceId='web', ResourceType='auto-scaling-group', PropagateAtLaunch=False)])
instance = ec2.describe_instances()['Reservations'][0]['Instances'][0]
result = [stack, *sorted(volumes), instance['InstanceId'], instance['BlockDeviceMappings'][0]['Ebs']['VolumeId']]"
        ));
        let [stack, volume, bobs, instance, root] = serde_json::from_value::<[String; 5]>(made).expect("five texts");
        let at = |event: Event, second: u8| event.at(&format!("2026-03-01T10:00:{second:02}Z"));
        let create_stack = Event::new("cloudformation.amazonaws.com", "CreateStack")
            .request(json!({"stackName": "site"}))
            .response(json!({"stackId": stack}))
            .by(Caller::iam_user("alice"));
        lab.event(at(create_stack, 0));
        lab.event(ec2("CreateVolume", cloudformation(), json!({"volumeId": volume}), 10));
        lab.event(ec2("CreateVolume", Caller::iam_user("bob"), json!({"volumeId": bobs}), 20));
        let create_group = Event::new("autoscaling.amazonaws.com", "CreateAutoScalingGroup")
            .request(json!({"autoScalingGroupName": "web"}))
            .by(cloudformation());
        lab.event(at(create_group, 30));
        let launched = json!({"instancesSet": {"items": [{"instanceId": instance}]}});
        lab.event(ec2("RunInstances", auto_scaling(), launched, 40));
        lab.load();
        Self { lab, stack, volume, bobs, instance, root }
    }

    fn instance_tags(&self) -> Value {
        self.lab.moto.boto3(
            "tags = client('ec2').describe_instances()['Reservations'][0]['Instances'][0]['Tags']
result = {tag['Key']: tag['Value'] for tag in tags if not tag['Key'].startswith('aws:')}",
        )
    }

    fn group_owner(&self) -> Value {
        self.lab.moto.boto3(
            "tags = client('autoscaling').describe_auto_scaling_groups()['AutoScalingGroups'][0]['Tags']
result = [tag['Value'] for tag in tags if tag['Key'] == 'Owner']",
        )
    }

    /// A volume's tags but AWS's own.
    fn volume_tags(&self, id: &str) -> Value {
        let mut tags = self.lab.volume_tags(id);
        tags.as_object_mut().expect("an object").retain(|key, _| !key.starts_with("aws:"));
        tags
    }
}

/// More secrets than are looked at together.
#[test]
fn each_resource_of_a_large_type_has_its_stack_s_owner() {
    const SECRETS: &str = include_str!("../../servers/secrets/list_secrets.py");
    let stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/site/4f0e7a30-0000-11f1-8000-0aa0aa0aa0aa";
    let moto = Moto::start_with_options(SECRETS, &[("TRAIL_SECRETS", "2500"), ("TRAIL_SECRETS_STACK", stack)]);
    let mut lab = Lab::on(moto, Bench::new());
    let create_stack = Event::new("cloudformation.amazonaws.com", "CreateStack")
        .request(json!({"stackName": "site"}))
        .response(json!({"stackId": stack}));
    lab.event(create_stack.by(Caller::iam_user("alice")).at("2026-03-01T10:00:00Z"));
    let bobs = "team-7/service-0002007/database";
    for number in 0..2500 {
        let name = format!("team-{}/service-{number:07}/database", number % 50);
        let by = if name == bobs { Caller::iam_user("bob") } else { cloudformation() };
        let create_secret = Event::new("secretsmanager.amazonaws.com", "CreateSecret").request(json!({"name": name}));
        lab.event(create_secret.by(by).at("2026-03-01T10:00:10Z"));
    }
    lab.load();
    let tag = ["tag", "--inherit", "--type", "secrets-manager", "--dry-run", "--output", "json"];
    let plan = lab.run(&tag).success().json();
    let actions = plan["actions"].as_array().expect("a list");
    assert_eq!(actions.len(), 2500);
    for action in actions {
        let owner = if action["id"] == bobs { "bob" } else { "alice" };
        assert_eq!(action["value"], owner, "{action}");
    }
    assert_eq!(plan["summary"]["types"][0]["population"], 2500);
    let one = lab.run(&[&tag[..], &["--id", "team-8/service-0001508/database"]].concat()).success().json();
    assert_eq!(one["actions"].as_array().map(Vec::len), Some(1), "{one}");
    assert_eq!(one["actions"][0]["value"], "alice");
}

#[test]
fn a_stack_s_resources_a_group_s_instances_and_their_volumes_have_the_stack_s_owner() {
    let world = World::new();
    let lab = &world.lab;
    let plan =
        lab.run(&["tag", "--inherit", "--allow-updates", "cfn", "--dry-run", "--output", "json"]).success().json();
    let of = |id: &str| entry(&plan["actions"], id);
    let by_alice = "IAM user name, CreateStack 2026-03-01T10:00:00Z";
    let from_stack = format!("from cfn {} ({STACK}): {by_alice}", world.stack);
    assert_eq!(of(&world.volume)["reason"], format!("inherited {from_stack}"));
    assert_eq!(of("web")["reason"], format!("inherited {from_stack}"));
    assert_eq!(of(&world.instance)["reason"], format!("inherited from asg web ({GROUP}), {from_stack}"));
    let way = format!("inherited from ec2 {}, from asg web ({GROUP}), {from_stack}", world.instance);
    assert_eq!(of(&world.root)["reason"], way);
    assert_eq!(of(&world.bobs)["reason"], "IAM user name, CreateVolume 2026-03-01T10:00:20Z");
    for id in [&world.volume, &world.instance, &world.root] {
        assert_eq!(of(id)["event_id"], of("site")["event_id"], "all rest on the stack's creation");
    }
    for call in ["DescribeStacks", "DescribeAutoScalingGroups", "DescribeInstances", "DescribeVolumes"] {
        let ours = lab.moto.our_requests().iter().filter(|request| request.action == call).count();
        assert_eq!(ours, 1, "{call}: what the run lists is not listed again");
    }

    lab.run(&["tag", "--inherit"]).success();
    for (id, owner) in [(&world.volume, "alice"), (&world.bobs, "bob"), (&world.root, "alice")] {
        assert_eq!(world.volume_tags(id), json!({"Owner": owner}), "{id}");
    }
    assert_eq!(world.instance_tags(), json!({"Owner": "alice"}));
    assert_eq!(world.group_owner(), json!(["alice"]));
    let writes = lab.moto.writes();
    lab.run(&["tag", "--inherit"]).success().says(["nothing to write"]);
    assert_eq!(lab.moto.writes(), writes, "the second run wrote");

    lab.run(&["undo", "1"]).success();
    assert_eq!(world.volume_tags(&world.root), json!({}));
    assert_eq!(world.group_owner(), json!([]));
}

#[test]
fn a_tag_that_is_there_stays_unless_it_is_to_be_overwritten() {
    let world = World::new();
    let tag = |value: &str| {
        let volumes = [&world.volume, &world.root];
        world.lab.moto.boto3(&format!(
            "client('ec2').create_tags(Resources={volumes:?}, Tags=[dict(Key='Owner', Value='{value}')])"
        ));
    };
    tag("zoe");
    world.lab.run(&["tag", "--inherit", "--type", "ebs"]).success();
    assert_eq!(world.volume_tags(&world.root), json!({"Owner": "zoe"}));
    world.lab.run(&["tag", "--inherit", "--type", "ebs", "--overwrite"]).success();
    assert_eq!(world.volume_tags(&world.root), json!({"Owner": "alice"}));
    assert_eq!(world.volume_tags(&world.bobs), json!({"Owner": "bob"}));
    world.lab.run(&["undo", "2"]).success();
    assert_eq!(world.volume_tags(&world.root), json!({"Owner": "zoe"}));
}

#[test]
fn only_parents_without_a_recorded_owner_are_listed_and_none_without_the_option() {
    let world = World::new();
    let lab = &world.lab;
    lab.run(&["tag", "--type", "ebs", "--dry-run"]).success().says(["2 to tag; skipped: 1 without a create event"]);
    assert_eq!((lab.sent("DescribeInstances"), lab.sent("DescribeAutoScalingGroups")), (0, 0));
    let run = lab.run(&["tag", "--type", "ebs", "--inherit", "--dry-run"]);
    run.success().says(["3 to tag;"]);
    assert!(
        run.stdout.contains(&format!("tag ebs {} Owner=alice (inherited from ec2 ", world.root)),
        "{}",
        run.printed()
    );
    assert_eq!((lab.sent("DescribeInstances"), lab.sent("DescribeAutoScalingGroups")), (1, 1));
    assert_eq!(lab.sent("DescribeStacks"), 0, "the database knows who made it");
}

#[test]
fn the_report_counts_what_would_be_inherited() {
    let world = World::new();
    let figures = |args: &[&str]| {
        let args: Vec<&str> = ["report", "--output", "json"].iter().chain(args).copied().collect();
        let report = world.lab.run(&args).success().json();
        let totals = &report["totals"];
        let alice = report["creators"].as_array().expect("a list").iter().find(|creator| creator["owner"] == "alice");
        let resources = alice.map_or(Value::Null, |alice| alice["resources"].clone());
        json!([totals["would_be_owned"], totals["service_created"], resources])
    };
    let only = ["--type", "ebs,ec2,asg,cfn"];
    assert_eq!(
        figures(&only),
        json!([4, 1, 1]),
        "the roles of CloudFormation's sessions, and the principals of the records"
    );
    assert_eq!(figures(&[&only[..], &["--inherit"]].concat()), json!([6, 0, 5]));
    let refused = world.lab.run(&["report", "--inherit", "--offline"]);
    refused.code(2).says(["--inherit", "--offline"]);
}

#[test]
fn an_organization_s_accounts_inherit_too() {
    let world = World::new();
    world.lab.bench.write("accounts.yml", "accounts:\n  - {name: main, account_id: '123456789012'}\n");
    let report =
        world.lab.run(&["report", "--config", "accounts.yml", "--inherit", "--output", "json"]).success().json();
    assert_eq!(report["totals"]["service_created"], 0, "{report:#}");
    world.lab.run(&["tag-org", "accounts.yml", "--inherit"]).success();
    assert_eq!(world.volume_tags(&world.root), json!({"Owner": "alice"}), "a type without records");
    assert_eq!(world.volume_tags(&world.bobs), json!({"Owner": "bob"}));
    assert_eq!(world.instance_tags(), json!({"Owner": "alice"}));
}

#[test]
fn a_resource_without_a_record_needs_a_live_stack() {
    let mut lab = Lab::new();
    let stack = lab.moto.boto3(
        "result = client('cloudformation').create_stack(StackName='site', TemplateBody=json.dumps(dict(Resources=dict(T=dict(Type='AWS::SNS::Topic')))))['StackId']",
    );
    let stack = stack.as_str().expect("an id is a text").to_owned();
    let earlier = stack.replace("/site/", "/site/0");
    let queue = |name: &str, stack: &str| {
        let made = lab.moto.boto3(&format!(
            "result = client('sqs').create_queue(QueueName='{name}', tags={{'{STACK}': '{stack}'}})['QueueUrl']"
        ));
        made.as_str().expect("a URL is a text").to_owned()
    };
    let (of_stack, of_earlier) = (queue("live", &stack), queue("retained", &earlier));
    let event = Event::new("cloudformation.amazonaws.com", "CreateStack").request(json!({"stackName": "site"}));
    lab.event(event.response(json!({"stackId": stack})).by(Caller::iam_user("alice")));
    lab.load();
    let report = lab.run(&["tag", "--inherit", "--type", "sqs", "--output", "json"]).success().json();
    assert_eq!(entry(&report["actions"], &of_stack)["value"], "alice");
    let left = entry(&report["skipped"], &of_earlier);
    assert_eq!(left["kind"], "no-record");
    let reason = left["reason"].as_str().expect("a text");
    assert!(
        reason.contains(&format!("its parent cfn {earlier} has no record; it is not among the live resources")),
        "{reason}"
    );
    assert_eq!(lab.queue_tags(&of_stack), json!({STACK: stack, "Owner": "alice"}));
    assert_eq!(lab.sent("DescribeStacks"), 1, "one listing for both");
}

/// Listing groups is denied.
const NO_GROUPS: &str = include_str!("../hooks/tag_inherit_no_groups.py");

#[test]
fn a_parent_with_access_denied_is_reported_with_the_missing_permission() {
    let world = World::on(Lab::with_hook(Bench::new(), NO_GROUPS));
    let run = world.lab.run(&["tag", "--inherit", "--type", "ec2", "--output", "json"]);
    let report = run.code(4).json();
    let reason = entry(&report["skipped"], &world.instance)["reason"].as_str().expect("a text");
    assert!(reason.contains("its parent asg web could not be read"), "{reason}");
    run.says(["asg: could not read the parents of other resources", "allow autoscaling:DescribeAutoScalingGroups"]);
}

#[test]
fn the_policy_allows_all_that_inheriting_asks_for() {
    let world = World::new();
    let lab = &world.lab;
    lab.run(&["tag", "--inherit", "--type", "ebs"]).success();
    let policy = |more: &[&str]| {
        let args: Vec<&str> = ["policy", "tag", "--type", "ebs"].iter().chain(more).copied().collect();
        lab.run(&args).success().json()["Statement"][0]["Action"].clone()
    };
    let (plain, inheriting) = (policy(&[]), policy(&["--inherit"]));
    let has = |actions: &Value, action: &str| actions.as_array().expect("a list").iter().any(|known| known == action);
    for request in lab.moto.our_requests().iter().filter(|request| request.action != "GetCallerIdentity") {
        let action = format!("{}:{}", request.service.as_deref().unwrap_or_default(), request.action);
        assert!(has(&inheriting, &action), "{action} is not in {inheriting}");
    }
    assert!(!has(&plain, "autoscaling:DescribeAutoScalingGroups"));
}
