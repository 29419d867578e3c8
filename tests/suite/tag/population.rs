//! `--population config`: the same plans as by the services, with AWS Config's answer and what it lacks.

use serde_json::{Value, json};

use super::lab::Lab;
use crate::common::{Bench, Caller, Event, Run};

/// Stops AWS Config's items in time, and adds some: see `moto_strict/config_queries.py`.
pub(crate) const HOOK: &str = include_str!("../hooks/config_played.py");

const REGION: &str = "us-east-1";

/// A recorder that records.
pub(crate) fn record(lab: &Lab, group: &str) {
    lab.moto.boto3(&format!(
        "config = client('config')
config.put_configuration_recorder(ConfigurationRecorder=dict(name='default', roleARN='arn:aws:iam::123456789012:role/r', recordingGroup={group}))
config.put_delivery_channel(DeliveryChannel=dict(name='default', s3BucketName='config-deliveries'))
config.start_configuration_recorder(ConfigurationRecorderName='default')"
    ));
}

const ALL: &str = "dict(allSupported=True, includeGlobalResourceTypes=True)";

fn lab() -> Lab {
    Lab::with_hook(Bench::new(), HOOK)
}

/// Resources of many types, each once with the owner tag and once without.
fn world() -> Lab {
    let mut lab = lab();
    lab.moto.boto3("client('s3').create_bucket(Bucket='config-deliveries')");
    lab.volumes(&["alice", "bob"]);
    for (name, tags) in [("a", json!({})), ("b", json!({"Owner": "carol"})), ("c", json!({"team": "blue"}))] {
        lab.queue(&format!("queue-{name}"), "alice", &tags);
        lab.role(&format!("role-{name}"), "bob", &tags);
    }
    lab.topic("alarms", "carol");
    let policy = lab.moto.boto3(
        "tags = [dict(Key='Owner', Value='x')]
client('dynamodb').create_table(TableName='table-a', KeySchema=[dict(AttributeName='a', KeyType='HASH')], AttributeDefinitions=[dict(AttributeName='a', AttributeType='S')], BillingMode='PAY_PER_REQUEST')
client('secretsmanager').create_secret(Name='prod/db', SecretString='x')
client('secretsmanager').create_secret(Name='prod/tagged', SecretString='x', Tags=tags)
client('ecr').create_repository(repositoryName='team/images')
result = client('iam').create_policy(PolicyName='policy-a', PolicyDocument=json.dumps(dict(Version='2012-10-17', Statement=[dict(Effect='Allow', Action='s3:Get*', Resource='*')])))['Policy']
result = dict(PolicyId=result['PolicyId'], Arn=result['Arn'])
client('iam').create_role(RoleName='linked', Path='/aws-service-role/x.amazonaws.com/', AssumeRolePolicyDocument='{}')
client('cloudwatch').put_metric_alarm(AlarmName='cpu', ComparisonOperator='GreaterThanThreshold', EvaluationPeriods=1, MetricName='m', Namespace='n', Period=60, Statistic='Sum', Threshold=1)
client('logs').create_log_group(logGroupName='/app')
client('ec2').create_security_group(GroupName='web', Description='web')
client('kms').create_key()",
    );
    let by = |event: Event, user: &str| event.by(Caller::iam_user(user));
    for event in [
        Event::new("dynamodb.amazonaws.com", "CreateTable").request(json!({"tableName": "table-a"})),
        Event::new("secretsmanager.amazonaws.com", "CreateSecret").request(json!({"name": "prod/db"})),
        Event::new("ecr.amazonaws.com", "CreateRepository").request(json!({"repositoryName": "team/images"})),
        Event::new("monitoring.amazonaws.com", "PutMetricAlarm").request(json!({"alarmName": "cpu"})),
        Event::new("logs.amazonaws.com", "CreateLogGroup").request(json!({"logGroupName": "/app"})),
        Event::new("iam.amazonaws.com", "CreatePolicy").request(json!({"policyName": "policy-a"})).response(
            json!({"policy": {"policyName": "policy-a", "policyId": policy["PolicyId"], "arn": policy["Arn"]}}),
        ),
        Event::new("iam.amazonaws.com", "CreateRole").request(json!({"roleName": "linked"})),
    ] {
        lab.event(by(event, "dora"));
    }
    lab.load();
    lab
}

/// A plan without what differs by intent: where the types are from.
fn without_sources(mut plan: Value) -> Value {
    for figures in plan["summary"]["types"].as_array_mut().expect("a list") {
        figures.as_object_mut().expect("an object").remove("source");
    }
    plan
}

fn sources(plan: &Value) -> Vec<String> {
    let figures = plan["summary"]["types"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    figures.map(|one| format!("{} {}", text(&one["type"]), text(&one["source"]["from"]))).collect()
}

fn reason(plan: &Value, resource_type: &str) -> String {
    let figures = plan["summary"]["types"].as_array().expect("a list").iter();
    let found = figures.into_iter().find(|one| one["type"] == resource_type);
    found.unwrap_or_else(|| panic!("{resource_type} is not in {plan:#}"))["source"]["reason"]
        .as_str()
        .unwrap_or("config")
        .to_owned()
}

fn plan(lab: &Lab, args: &[&str]) -> Value {
    let args = [&["tag", "--dry-run", "--output", "json"], args].concat();
    lab.run(&args).json()
}

#[test]
fn the_plan_by_config_is_the_plan_by_the_services() {
    let lab = world();
    record(&lab, ALL);
    for more in [
        &[][..],
        &["--overwrite"],
        &["--tag", "team={tool}"],
        &["--skip-tag", "team"],
        &["--where", "!tags.team"],
        &["--inherit"],
    ] {
        let native = plan(&lab, more);
        let config = plan(&lab, &[more, &["--population", "config"]].concat());
        assert_eq!(native, without_sources(config.clone()), "{more:?}");
        assert!(native["actions"].as_array().expect("a list").len() > 8, "{native:#}");
        let of_config = sources(&config).iter().filter(|source| source.ends_with(" config")).count();
        assert!(of_config >= 5, "{config:#}");
    }
    let config = plan(&lab, &["--population", "config"]);
    assert_eq!(reason(&config, "ebs"), "its list call proves which tags are absent");
    assert_eq!(reason(&config, "log-group"), "AWS Config has no items of it");
    for of_config in ["sqs", "iam-role", "sns", "dynamodb-table", "ecr", "iam-policy", "alarm"] {
        assert_eq!(reason(&config, of_config), "config", "{of_config}");
    }
}

#[test]
fn what_config_says_costs_no_calls_of_the_services() {
    let mut lab = lab();
    for number in 0..120 {
        lab.queue(&format!("queue-{number}"), "alice", &json!({"Owner": "alice"}));
    }
    lab.queue("untagged", "bob", &json!({}));
    lab.load();
    record(&lab, ALL);
    let run = lab.run(&["tag", "--population", "config"]);
    run.success().says(["source:config", "population: 1 type from AWS Config", "1 tagged"]);
    assert_eq!(lab.sent("SelectResourceConfig"), 2, "pages of a hundred");
    assert_eq!(lab.sent("ListQueues") + lab.sent("GetResources"), 0);
    assert_eq!(lab.sent("ListQueueTags"), 1, "before the write, of one queue");
    lab.run(&["tag", "--population", "config"]).success();
    assert_eq!(lab.sent("ListQueueTags"), 1, "nothing is left to prove");
}

#[test]
fn a_tag_that_config_does_not_have_yet_is_seen_before_the_write() {
    let mut lab = lab();
    let urls = ["late", "open"].map(|name| lab.queue(name, "alice", &json!({})));
    let volumes = lab.volumes(&["bob", "bob"]);
    lab.role("late", "carol", &json!({}));
    lab.load();
    record(&lab, ALL);
    lab.moto.played(&format!("freeze?123456789012:{REGION}"));
    lab.moto.boto3(&format!(
        "client('sqs').tag_queue(QueueUrl='{}', Tags=dict(Owner='person'))
client('ec2').create_tags(Resources=['{}'], Tags=[dict(Key='Owner', Value='person')])
client('iam').tag_role(RoleName='late', Tags=[dict(Key='owner', Value='person')])",
        urls[0], volumes[0]
    ));
    lab.run(&["tag", "--population", "config"]).success();
    assert_eq!(lab.queue_tags(&urls[0]), json!({"Owner": "person"}));
    assert_eq!(lab.queue_tags(&urls[1]), json!({"Owner": "alice"}));
    assert_eq!(lab.volume_tags(&volumes[0]), json!({"Owner": "person"}));
    assert_eq!(lab.volume_tags(&volumes[1]), json!({"Owner": "bob"}));
    assert_eq!(lab.role_tags("late"), json!({"owner": "person"}));
}

#[test]
fn what_is_deleted_since_is_no_failure() {
    let mut lab = lab();
    let urls = ["gone", "stays"].map(|name| lab.queue(name, "alice", &json!({})));
    lab.load();
    record(&lab, ALL);
    lab.moto.played(&format!("freeze?123456789012:{REGION}"));
    lab.moto.boto3(&format!("client('sqs').delete_queue(QueueUrl='{}')", urls[0]));
    let run = lab.run(&["tag", "--population", "config", "--output", "json"]);
    let document = run.success().json();
    assert_eq!(document["actions"].as_array().expect("a list").len(), 1, "{document:#}");
    assert_eq!(lab.queue_tags(&urls[1]), json!({"Owner": "alice"}));
    // An item that ended as deleted does not exist, whatever else the answer has of it.
    let item = json!({"accountId": "123456789012", "awsRegion": REGION, "resourceType": "AWS::SQS::Queue", "resourceId": urls[0],
        "resourceName": "gone", "arn": format!("arn:aws:sqs:{REGION}:123456789012:gone"), "tags": [],
        "configurationItemStatus": "ResourceDeleted"});
    lab.moto.played(&format!("add?{}", item.to_string().replace('"', "%22")));
    lab.moto.played("thaw");
    let live = lab.run(&["list", "--live", "--population", "config", "--unrecorded", "--output", "json"]);
    let document = live.success().json();
    assert_eq!(document["resources"].as_array().expect("a list").len(), 1, "{document:#}");
}

#[test]
fn regression_what_is_newer_than_configs_answer_is_not_gone() {
    let mut lab = lab();
    lab.queue("old", "alice", &json!({"Owner": "alice"}));
    record(&lab, ALL);
    lab.moto.played(&format!("freeze?123456789012:{REGION}"));
    let url = lab.moto.boto3("result = client('sqs').create_queue(QueueName='new')['QueueUrl']");
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": "new"}));
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    lab.event(event.response(json!({"queueUrl": url})).by(Caller::iam_user("bob")).at(&now));
    lab.load();
    let listed = lab.run(&["list", "--live", "--population", "config", "--output", "json"]).success().json();
    assert_eq!(listed["resources"].as_array().expect("a list").len(), 2, "{listed:#}");
    let run = lab.run(&["tag", "--population", "config"]);
    run.success().says(["sqs listed by the service: the database has newer events than AWS Config", "1 tagged"]);
    assert_eq!(lab.queue_tags(url.as_str().expect("a URL")), json!({"Owner": "bob"}));
}

#[test]
fn types_that_are_not_recorded_are_listed_by_their_services() {
    let lab = world();
    for (group, of_config, of_service) in [
        ("dict(allSupported=True)", "sqs", "iam-role"),
        ("dict(allSupported=False, resourceTypes=['AWS::IAM::Role'])", "iam-role", "sqs"),
        (
            "dict(allSupported=False, resourceTypes=[], exclusionByResourceTypes=dict(resourceTypes=['AWS::SQS::Queue']), recordingStrategy=dict(useOnly='EXCLUSION_BY_RESOURCE_TYPES'))",
            "sns",
            "sqs",
        ),
    ] {
        record(&lab, group);
        let native = plan(&lab, &[]);
        let config = plan(&lab, &["--population", "config"]);
        assert_eq!(native, without_sources(config.clone()), "{group}");
        assert_eq!(reason(&config, of_config), "config", "{group}");
        assert_eq!(reason(&config, of_service), "AWS Config does not record it here", "{group}");
    }
}

#[test]
fn a_role_that_several_regions_record_is_one_role() {
    let mut lab = lab();
    lab.role("app", "alice", &json!({"Owner": "alice"}));
    lab.load();
    record(&lab, ALL);
    lab.moto.boto3(
        "for region in ['eu-west-1', 'eu-central-1']:
    config = client('config', region)
    config.put_configuration_recorder(ConfigurationRecorder=dict(name='default', roleARN='arn:aws:iam::123456789012:role/r', recordingGroup=dict(allSupported=True, includeGlobalResourceTypes=True)))
    config.put_delivery_channel(DeliveryChannel=dict(name='default', s3BucketName='config-deliveries'))
    config.start_configuration_recorder(ConfigurationRecorderName='default')
client('config').put_configuration_aggregator(ConfigurationAggregatorName='all', AccountAggregationSources=[dict(AccountIds=['123456789012'], AllAwsRegions=True)])",
    );
    for population in ["config", "config:all"] {
        let report = lab.run(&["report", "--population", population, "--output", "json"]).success().json();
        assert_eq!(report["totals"]["live"], 1, "{population} {report:#}");
        assert_eq!(report["sources"][0]["from"], "config", "{report:#}");
        assert_eq!(report["sources"][0]["type"], "iam-role", "{report:#}");
    }
}

#[test]
fn buckets_are_listed_by_s3_for_each_region_has_its_own() {
    let mut lab = lab();
    lab.moto.boto3("client('s3').create_bucket(Bucket='here')\nclient('s3', 'eu-west-1').create_bucket(Bucket='there', CreateBucketConfiguration=dict(LocationConstraint='eu-west-1'))");
    for name in ["here", "there"] {
        lab.event(
            Event::new("s3.amazonaws.com", "CreateBucket")
                .request(json!({"bucketName": name}))
                .by(Caller::iam_user("alice")),
        );
    }
    lab.load();
    record(&lab, ALL);
    let config = plan(&lab, &["--population", "config"]);
    assert_eq!(config["actions"].as_array().expect("a list").len(), 2, "{config:#}");
    assert_eq!(reason(&config, "s3"), "AWS Config records it region by region");
}

#[test]
fn a_report_takes_tags_from_config_too() {
    let lab = world();
    record(&lab, ALL);
    let types = "sqs,iam-role,ebs,sns";
    let native = lab.run(&["report", "--type", types, "--output", "json"]).success().json();
    let before = lab.moto.our_requests().len();
    let config = lab.run(&["report", "--type", types, "--population", "config", "--output", "json"]).success().json();
    for part in ["totals", "rows", "creators"] {
        assert_eq!(native[part], config[part], "{part}");
    }
    let asked: Vec<String> =
        lab.moto.our_requests().split_off(before).into_iter().map(|request| request.action).collect();
    let expected = [
        "GetCallerIdentity",
        "DescribeConfigurationRecorders",
        "DescribeConfigurationRecorderStatus",
        "SelectResourceConfig",
        // Which creators still exist.
        "GetAccountAuthorizationDetails",
    ];
    assert_eq!(asked, expected);
    let native = lab.run(&["list", "--live", "--type", types, "--unrecorded", "--output", "json"]).success().json();
    let args = ["list", "--live", "--type", types, "--unrecorded", "--population", "config", "--output", "json"];
    assert_eq!(native["resources"], lab.run(&args).success().json()["resources"]);
}

fn refused(lab: &Lab, population: &str) -> Run {
    let run = lab.run(&["tag", "--dry-run", "--population", population]);
    run.code(1);
    run
}

#[test]
fn errors_say_what_is_missing() {
    let mut lab = lab();
    lab.queue("jobs", "alice", &json!({}));
    lab.load();
    refused(&lab, "config")
        .says(["AWS Config has no recorder in account 123456789012 in us-east-1", "leave out --population"]);
    record(&lab, ALL);
    lab.moto.boto3("client('config').stop_configuration_recorder(ConfigurationRecorderName='default')");
    refused(&lab, "config").says(["is stopped", "start the recorder"]);
    refused(&lab, "config:all").says(["there is no aggregator all in us-east-1", "there is none in us-east-1"]);
    lab.moto.boto3("client('config').put_configuration_aggregator(ConfigurationAggregatorName='organization', AccountAggregationSources=[dict(AccountIds=['123456789012'], AllAwsRegions=True)])");
    refused(&lab, "config:organisation").says(["there is no aggregator organisation", "did you mean organization?"]);
    refused(&lab, "config:zzz").says(["there are: organization"]);
    let elsewhere = "config:arn:aws:config:eu-west-1:123456789012:config-aggregator/config-aggregator-x";
    refused(&lab, elsewhere).says(["there is no aggregator arn:aws:config:eu-west-1"]);
    for (population, words) in [
        ("rgta", "service, config or config:AGGREGATOR"),
        ("config:", "aggregator's name"),
        ("config:arn:aws:iam::1:role/x", "not of an aggregator"),
    ] {
        lab.run(&["tag", "--population", population]).code(2).says([words]);
    }
    lab.run(&["list", "--population", "config"]).code(2).says(["--population config needs --live"]);
}

#[test]
fn without_permission_the_missing_one_is_named() {
    let denied = |action: &str| format!("{HOOK}\nDENIED.append({action:?})\n");
    for action in ["SelectResourceConfig", "DescribeConfigurationRecorders", "DescribeConfigurationRecorderStatus"] {
        let mut lab = Lab::with_hook(Bench::new(), &denied(action));
        lab.queue("jobs", "alice", &json!({}));
        lab.load();
        record(&lab, ALL);
        refused(&lab, "config").says([format!("allow config:{action}").as_str()]);
        lab.run(&["tag", "--dry-run"]).success();
    }
}

#[test]
fn an_aggregator_is_found_by_name_and_by_arn_in_its_region() {
    let mut lab = lab();
    let url = lab.queue("jobs", "alice", &json!({}));
    lab.load();
    record(&lab, ALL);
    let arn = lab.moto.boto3("result = client('config', 'eu-west-1').put_configuration_aggregator(ConfigurationAggregatorName='all', AccountAggregationSources=[dict(AccountIds=['123456789012'], AllAwsRegions=True)])['ConfigurationAggregator']['ConfigurationAggregatorArn']");
    let population = format!("config:{}", arn.as_str().expect("an ARN"));
    lab.run(&["tag", "--population", &population]).success().says(["source:config"]);
    assert_eq!(lab.queue_tags(&url), json!({"Owner": "alice"}));
    assert_eq!((lab.sent("SelectAggregateResourceConfig"), lab.sent("SelectResourceConfig")), (1, 0));
    refused(&lab, "config:all").says(["to use an aggregator in another region, give its ARN"]);
}

#[test]
fn an_item_that_leads_to_no_resource_makes_the_service_list_the_type() {
    let mut lab = lab();
    let url = lab.queue("jobs", "alice", &json!({}));
    lab.load();
    record(&lab, ALL);
    let item = json!({"accountId": "123456789012", "awsRegion": REGION, "resourceType": "AWS::SQS::Queue", "resourceId": "x",
        "arn": format!("arn:aws:sqs:{REGION}:123456789012:y"), "tags": []});
    lab.moto.played(&format!("add?{}", item.to_string().replace('"', "%22")));
    lab.run(&["tag", "--population", "config"]).success().says(["AWS Config's items do not identify its resources"]);
    assert_eq!(lab.queue_tags(&url), json!({"Owner": "alice"}));
}

#[test]
fn the_policy_has_configs_actions_where_the_option_is_used() {
    let lab = lab();
    let policy = |args: &[&str]| lab.run(args).success().stdout.clone();
    for command in ["tag", "tag-org", "report", "list"] {
        let with = policy(&["policy", command, "--type", "sqs", "--population", "config"]);
        assert!(
            with.contains("config:SelectResourceConfig") && with.contains("config:DescribeConfigurationRecorders"),
            "{with}"
        );
        assert!(!with.contains("config:SelectAggregateResourceConfig"), "{with}");
        let with = policy(&["policy", command, "--type", "sqs", "--population", "config:all"]);
        assert!(with.contains("config:SelectAggregateResourceConfig"), "{with}");
        assert!(with.contains("sqs:ListQueues"), "what AWS Config lacks is listed by the service: {with}");
        assert!(!policy(&["policy", command, "--type", "sqs"]).contains("config:"));
    }
}
