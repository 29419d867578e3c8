//! `who` by every name that people copy: IDs, ARNs, URLs, names, pages of the console.

use serde_json::{Value, json};

use crate::common::{ACCOUNT, Bench, Event, Trail};

/// The region of all resources here that have one.
const REGION: &str = "eu-west-1";

fn event(source: &str, name: &str, request: Value, response: Value) -> Event {
    let event = Event::new(&format!("{source}.amazonaws.com"), name).region(REGION).request(request);
    if response.is_null() { event } else { event.response(response) }
}

fn arn(rest: &str) -> String {
    let (service, resource) = rest.split_once('|').expect("service and resource");
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// A trail with a resource of each kind of name, all named differently.
fn trail() -> Trail {
    let events = identities_and_networks().into_iter().chain(applications()).chain(data_and_operations());
    events.enumerate().fold(Trail::new(), |trail, (at, event)| {
        trail.event(event.at(&format!("2026-03-01T10:{:02}:{:02}Z", at / 60, at % 60)))
    })
}

fn identities_and_networks() -> Vec<Event> {
    vec![
        event(
            "iam",
            "CreatePolicy",
            json!({"policyName": "read-logs"}),
            json!({"policy": {"policyId": "ANPAEXAMPLEREADLOGS01", "policyName": "read-logs", "arn": format!("arn:aws:iam::{ACCOUNT}:policy/team/read-logs")}}),
        ),
        event(
            "iam",
            "CreateRole",
            json!({"roleName": "deploy"}),
            json!({"role": {"roleName": "deploy", "roleId": "AROAEXAMPLEDEPLOY0001", "path": "/ci/", "arn": format!("arn:aws:iam::{ACCOUNT}:role/ci/deploy")}}),
        ),
        event(
            "secretsmanager",
            "CreateSecret",
            json!({"name": "prod/db"}),
            json!({"arn": arn("secretsmanager|secret:prod/db-AbCdEf")}),
        ),
        event(
            "route53",
            "CreateHostedZone",
            json!({"name": "example.com"}),
            json!({"hostedZone": {"id": "/hostedzone/Z0123456789ABCDEFGHIJ", "name": "example.com."}}),
        ),
        event(
            "lambda",
            "CreateFunction20150331",
            json!({"functionName": "resize", "role": format!("arn:aws:iam::{ACCOUNT}:role/other")}),
            json!({"functionName": "resize", "functionArn": arn("lambda|function:resize"), "role": format!("arn:aws:iam::{ACCOUNT}:role/other")}),
        ),
        event("s3", "CreateBucket", json!({"bucketName": "my.photos"}), Value::Null),
        event(
            "elasticloadbalancing",
            "CreateLoadBalancer",
            json!({"name": "front", "type": "application"}),
            json!({"loadBalancers": [{"loadBalancerArn": arn("elasticloadbalancing|loadbalancer/app/front/50dc6c495c0c9188"), "loadBalancerName": "front"}]}),
        )
        .field("apiVersion", json!("2015-12-01")),
        event(
            "elasticloadbalancing",
            "CreateTargetGroup",
            json!({"name": "front-targets"}),
            json!({"targetGroups": [{"targetGroupArn": arn("elasticloadbalancing|targetgroup/front-targets/6d0ecf831eec9f09"), "targetGroupName": "front-targets"}]}),
        ),
        event("ec2", "CreateSecurityGroup", json!({"groupName": "ssh-only", "vpcId": "vpc-1"}), json!({"groupId": "sg-0123456789abcdef0"})),
        event("ec2", "CreateKeyPair", json!({"keyName": "laptop"}), json!({"keyName": "laptop", "keyPairId": "key-0123456789abcdef0"})),
        event(
            "ec2",
            "RunInstances",
            json!({}),
            json!({"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}}),
        ),
        event("cognito-idp", "CreateUserPool", json!({"poolName": "customers"}), json!({"userPool": {"id": "eu-west-1_AbCdEfGhI", "name": "customers"}})),
        event("synthetics", "CreateCanary", json!({"Name": "login"}), json!({"Canary": {"Id": "0a1b2c3d-0000-4000-8000-00000000cafe", "Name": "login"}})),
        event("rds", "CreateDBInstance", json!({"dBInstanceIdentifier": "Orders"}), json!({"dBInstanceIdentifier": "orders", "dBInstanceArn": arn("rds|db:orders")})),
    ]
}

fn applications() -> Vec<Event> {
    vec![
        event(
            "cloudformation",
            "CreateStack",
            json!({"stackName": "network"}),
            json!({"stackId": arn("cloudformation|stack/network/0a1b2c3d-1111-4000-8000-000000000001")}),
        ),
        event("sns", "CreateTopic", json!({"name": "alarms"}), json!({"topicArn": arn("sns|alarms")})),
        event(
            "sqs",
            "CreateQueue",
            json!({"queueName": "jobs"}),
            json!({"queueUrl": format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/jobs")}),
        ),
        event(
            "ecs",
            "CreateCluster",
            json!({"clusterName": "blue"}),
            json!({"cluster": {"clusterArn": arn("ecs|cluster/blue"), "clusterName": "blue"}}),
        ),
        event(
            "ecs",
            "CreateService",
            json!({"serviceName": "api", "cluster": "blue"}),
            json!({"service": {"serviceArn": arn("ecs|service/blue/api"), "serviceName": "api"}}),
        ),
        event(
            "ecr",
            "CreateRepository",
            json!({"repositoryName": "team/app"}),
            json!({"repository": {"repositoryName": "team/app", "repositoryArn": arn("ecr|repository/team/app")}}),
        ),
        event(
            "apigateway",
            "CreateRestApi",
            json!({"createRestApiInput": {"name": "shop"}}),
            json!({"id": "a1b2c3d4e5", "name": "shop"}),
        ),
        event(
            "cloudfront",
            "CreateDistribution",
            json!({}),
            json!({"distribution": {"id": "E1A2B3C4D5E6F7", "domainName": "d111111abcdef8.cloudfront.net", "aRN": format!("arn:aws:cloudfront::{ACCOUNT}:distribution/E1A2B3C4D5E6F7")}}),
        ),
        event(
            "dynamodb",
            "CreateTable",
            json!({"tableName": "Carts"}),
            json!({"tableDescription": {"tableName": "Carts", "tableArn": arn("dynamodb|table/Carts")}}),
        ),
        event(
            "lambda",
            "PublishLayerVersion20181031",
            json!({"layerName": "pandas"}),
            json!({"layerArn": arn("lambda|layer:pandas"), "layerVersionArn": arn("lambda|layer:pandas:1")}),
        ),
    ]
}

fn data_and_operations() -> Vec<Event> {
    vec![
        event("logs", "CreateLogGroup", json!({"logGroupName": "/aws/lambda/thumbnails"}), Value::Null),
        event(
            "events",
            "PutRule",
            json!({"name": "nightly", "eventBusName": "billing"}),
            json!({"ruleArn": arn("events|rule/billing/nightly")}),
        ),
        event(
            "kms",
            "CreateKey",
            json!({}),
            json!({"keyMetadata": {"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "arn": arn("kms|key/1234abcd-12ab-34cd-56ef-1234567890ab")}}),
        ),
        event(
            "kms",
            "CreateAlias",
            json!({"aliasName": "alias/backups", "targetKeyId": "0000abcd-12ab-34cd-56ef-1234567890ab"}),
            Value::Null,
        ),
        event(
            "acm",
            "RequestCertificate",
            json!({"domainName": "shop.example.org"}),
            json!({"certificateArn": arn("acm|certificate/0a1b2c3d-2222-4000-8000-000000000002")}),
        ),
        event(
            "elasticfilesystem",
            "CreateFileSystem",
            json!({}),
            json!({"fileSystemId": "fs-0123456789abcdef0", "fileSystemArn": arn("elasticfilesystem|file-system/fs-0123456789abcdef0")}),
        ),
        event(
            "states",
            "CreateStateMachine",
            json!({"name": "checkout"}),
            json!({"stateMachineArn": arn("states|stateMachine:checkout")}),
        ),
        event("glue", "CreateJob", json!({"name": "nightly-etl"}), json!({"name": "nightly-etl"})),
        event(
            "eks",
            "CreateNodegroup",
            json!({"clusterName": "green", "nodegroupName": "workers"}),
            json!({"nodegroup": {"nodegroupName": "workers", "nodegroupArn": arn("eks|nodegroup/green/workers/c8c2a0de-3333-4000-8000-000000000003")}}),
        ),
        event("autoscaling", "CreateAutoScalingGroup", json!({"autoScalingGroupName": "web-asg"}), Value::Null),
        event(
            "elasticache",
            "CreateCacheCluster",
            json!({"cacheClusterId": "Sessions"}),
            json!({"cacheClusterId": "sessions"}),
        ),
        event(
            "kafka",
            "CreateCluster",
            json!({"clusterName": "events-bus"}),
            json!({"clusterArn": arn("kafka|cluster/events-bus/0a1b2c3d-4444-4000-8000-000000000004-2"), "clusterName": "events-bus"}),
        ),
        event("ssm", "PutParameter", json!({"name": "/shop/password", "type": "SecureString"}), json!({"version": 1})),
    ]
}

/// What people copy, and the type of the one resource that it names. `A`: the account.
const COPIED: &[(&str, &str)] = &[
    ("ANPAEXAMPLEREADLOGS01", "iam-policy"),
    ("arn:aws:iam::A:policy/team/read-logs", "iam-policy"),
    ("read-logs", "iam-policy"),
    ("policy/team/read-logs", "iam-policy"),
    (
        "https://us-east-1.console.aws.amazon.com/iam/home?region=eu-west-1#/policies/details/arn%3Aaws%3Aiam%3A%3AA%3Apolicy%2Fteam%2Fread-logs?section=permissions",
        "iam-policy",
    ),
    ("deploy", "iam-role"),
    ("AROAEXAMPLEDEPLOY0001", "iam-role"),
    ("arn:aws:iam::A:role/ci/deploy", "iam-role"),
    ("role/deploy", "iam-role"),
    ("https://us-east-1.console.aws.amazon.com/iam/home#/roles/details/deploy?section=permissions", "iam-role"),
    ("arn:aws:secretsmanager:eu-west-1:A:secret:prod/db-AbCdEf", "secrets-manager"),
    ("prod/db", "secrets-manager"),
    (
        "https://eu-west-1.console.aws.amazon.com/secretsmanager/secret?name=prod%2Fdb&region=eu-west-1",
        "secrets-manager",
    ),
    ("Z0123456789ABCDEFGHIJ", "hostedzone"),
    ("/hostedzone/Z0123456789ABCDEFGHIJ", "hostedzone"),
    ("arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ", "hostedzone"),
    (
        "https://us-east-1.console.aws.amazon.com/route53/v2/hostedzones#ListRecordSets/Z0123456789ABCDEFGHIJ",
        "hostedzone",
    ),
    ("resize", "lambda"),
    ("arn:aws:lambda:eu-west-1:A:function:resize", "lambda"),
    ("arn:aws:lambda:eu-west-1:A:function:resize:42", "lambda"),
    ("arn:aws:lambda:eu-west-1:A:function:resize:live", "lambda"),
    ("function:resize", "lambda"),
    ("https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/resize?tab=code", "lambda"),
    ("my.photos", "s3"),
    ("s3://my.photos", "s3"),
    ("s3://my.photos/2024/a.jpg", "s3"),
    ("arn:aws:s3:::my.photos", "s3"),
    ("arn:aws:s3:::my.photos/*", "s3"),
    ("https://my.photos.s3.eu-west-1.amazonaws.com/a.jpg", "s3"),
    ("https://s3.eu-west-1.amazonaws.com/my.photos/a.jpg", "s3"),
    ("https://s3.console.aws.amazon.com/s3/buckets/my.photos?region=eu-west-1&tab=objects", "s3"),
    ("front", "app-elb"),
    ("arn:aws:elasticloadbalancing:eu-west-1:A:loadbalancer/app/front/50dc6c495c0c9188", "app-elb"),
    ("app/front/50dc6c495c0c9188", "app-elb"),
    ("front-1234567890.eu-west-1.elb.amazonaws.com", "app-elb"),
    ("front-targets", "app-elb-target-group"),
    ("targetgroup/front-targets/6d0ecf831eec9f09", "app-elb-target-group"),
    ("ssh-only", "security-group"),
    ("sg-0123456789abcdef0", "security-group"),
    ("arn:aws:ec2:eu-west-1:A:security-group/sg-0123456789abcdef0", "security-group"),
    ("laptop", "key-pair"),
    ("key-0123456789abcdef0", "key-pair"),
    ("arn:aws:ec2:eu-west-1:A:instance/i-0123456789abcdef0", "ec2"),
    (
        "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#InstanceDetails:instanceId=i-0123456789abcdef0",
        "ec2",
    ),
    ("customers", "user-pool"),
    ("eu-west-1_AbCdEfGhI", "user-pool"),
    ("arn:aws:cognito-idp:eu-west-1:A:userpool/eu-west-1_AbCdEfGhI", "user-pool"),
    ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI", "user-pool"),
    ("login", "cloudwatch-synthetics"),
    ("arn:aws:synthetics:eu-west-1:A:canary:login", "cloudwatch-synthetics"),
    ("Orders", "rds"),
    ("orders", "rds"),
    ("ORDERS", "rds"),
    ("arn:aws:rds:eu-west-1:A:db:orders", "rds"),
    ("orders.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com", "rds"),
    ("network", "cfn"),
    ("arn:aws:cloudformation:eu-west-1:A:stack/network/0a1b2c3d-1111-4000-8000-000000000001", "cfn"),
    ("alarms", "sns"),
    ("arn:aws:sns:eu-west-1:A:alarms", "sns"),
    ("jobs", "sqs"),
    ("arn:aws:sqs:eu-west-1:A:jobs", "sqs"),
    ("https://sqs.eu-west-1.amazonaws.com/A/jobs", "sqs"),
    ("https://eu-west-1.queue.amazonaws.com/A/jobs", "sqs"),
    ("blue", "ecs"),
    ("arn:aws:ecs:eu-west-1:A:cluster/blue", "ecs"),
    ("api", "ecs-service"),
    ("blue/api", "ecs-service"),
    ("arn:aws:ecs:eu-west-1:A:service/api", "ecs-service"),
    (
        "https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/blue/services/api/health?region=eu-west-1",
        "ecs-service",
    ),
    ("team/app", "ecr"),
    ("A.dkr.ecr.eu-west-1.amazonaws.com/team/app:latest", "ecr"),
    ("arn:aws:ecr:eu-west-1:A:repository/team/app", "ecr"),
    ("a1b2c3d4e5", "rest-api"),
    ("shop", "rest-api"),
    ("arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5", "rest-api"),
    ("https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod", "rest-api"),
    ("E1A2B3C4D5E6F7", "distribution"),
    ("d111111abcdef8.cloudfront.net", "distribution"),
    ("https://d111111abcdef8.cloudfront.net/", "distribution"),
    ("arn:aws:dynamodb:eu-west-1:A:table/Carts", "dynamodb-table"),
    ("https://eu-west-1.console.aws.amazon.com/dynamodbv2/home?region=eu-west-1#table?name=Carts", "dynamodb-table"),
    ("arn:aws:lambda:eu-west-1:A:layer:pandas:3", "lambda-layer"),
    ("/aws/lambda/thumbnails", "log-group"),
    ("arn:aws:logs:eu-west-1:A:log-group:/aws/lambda/thumbnails:*", "log-group"),
    (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fthumbnails",
        "log-group",
    ),
    ("nightly", "event-rule"),
    ("billing/nightly", "event-rule"),
    ("1234abcd-12ab-34cd-56ef-1234567890ab", "kms-key"),
    ("arn:aws:kms:eu-west-1:A:key/1234abcd-12ab-34cd-56ef-1234567890ab", "kms-key"),
    ("alias/backups", "kms"),
    ("arn:aws:kms:eu-west-1:A:alias/backups", "kms"),
    ("0a1b2c3d-2222-4000-8000-000000000002", "acm-certificate"),
    ("shop.example.org", "acm-certificate"),
    ("fs-0123456789abcdef0.efs.eu-west-1.amazonaws.com", "efs"),
    ("arn:aws:elasticfilesystem:eu-west-1:A:file-system/fs-0123456789abcdef0", "efs"),
    ("checkout", "step-machine"),
    ("arn:aws:states:eu-west-1:A:stateMachine:checkout", "step-machine"),
    ("arn:aws:states:eu-west-1:A:stateMachine:checkout:7", "step-machine"),
    ("arn:aws:glue:eu-west-1:A:job/nightly-etl", "glue-job"),
    ("workers", "eks-nodegroup"),
    ("green/workers", "eks-nodegroup"),
    ("arn:aws:eks:eu-west-1:A:nodegroup/green/workers/c8c2a0de-3333-4000-8000-000000000003", "eks-nodegroup"),
    (
        "arn:aws:autoscaling:eu-west-1:A:autoScalingGroup:0a1b2c3d-5555-4000-8000-000000000005:autoScalingGroupName/web-asg",
        "asg",
    ),
    ("SESSIONS", "cache-cluster"),
    ("events-bus", "kafka"),
    ("arn:aws:ssm:eu-west-1:A:parameter/shop/password", "ssm-parameter"),
    ("/shop/password", "ssm-parameter"),
];

/// What looks like one of the resources, and is none of them.
const OF_OTHERS: &[&str] = &[
    "arn:aws:iam::A:role/web-asg",
    "arn:aws:iam::A:user/deploy",
    "arn:aws:iam::999999999999:role/ci/deploy",
    "arn:aws-cn:iam::A:role/ci/deploy",
    "https://sqs.eu-west-1.amazonaws.com/999999999999/jobs",
    "https://sqs.us-east-1.amazonaws.com/A/jobs",
    "arn:aws:secretsmanager:eu-west-1:A:secret:prod/db-XxYyZz",
    "arn:aws:secretsmanager:eu-west-1:A:secret:db-AbCdEf",
    "arn:aws:ecs:eu-west-1:A:service/green/api",
    "arn:aws:logs:eu-west-1:A:log-group:thumbnails:*",
    "arn:aws:lambda:us-west-2:A:function:resize",
    "arn:aws:rds:eu-west-1:A:cluster:orders",
    "arn:aws:cloudformation:eu-west-1:A:stack/network/0a1b2c3d-9999-4000-8000-000000000009",
    "999999999999.dkr.ecr.eu-west-1.amazonaws.com/team/app",
    "role/resize",
    "s3://jobs",
    "https://us-east-1.console.aws.amazon.com/iam/home#/users/details/resize",
];

#[test]
fn every_name_that_people_copy_finds_its_resource_and_only_that() {
    let bench = Bench::new();
    trail().write(&bench.path("logs/one.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let in_account = |text: &str| {
        let text = text.replace(":A:", &format!(":{ACCOUNT}:")).replace("/A/", &format!("/{ACCOUNT}/"));
        let text = text.replace("%3AA%3A", &format!("%3A{ACCOUNT}%3A"));
        text.strip_prefix("A.").map_or(text.clone(), |rest| format!("{ACCOUNT}.{rest}"))
    };
    let texts = COPIED.iter().map(|(text, _)| *text).chain(OF_OTHERS.iter().copied());
    let mut wrong = Vec::new();
    let asked: Vec<String> = texts.map(in_account).collect();
    // Several at once, unless one of them has more or fewer answers than one.
    for (at, texts) in asked.chunks(asked.len()).enumerate() {
        let arguments = ["who", "--output", "json"].into_iter().chain(texts.iter().map(String::as_str));
        let document = bench.trailcreator(arguments).run().json();
        let answers = document["resources"].as_array().expect("a list").clone();
        assert_eq!(at, 0);
        if answers.len() == texts.len() {
            for (text, answer) in texts.iter().zip(&answers) {
                check(text, &[answer], &mut wrong, &asked);
            }
            continue;
        }
        for text in texts {
            let document = bench.trailcreator(["who", "--output", "json", text]).run().json();
            let answers: Vec<&Value> = document["resources"].as_array().expect("a list").iter().collect();
            check(text, &answers, &mut wrong, &asked);
        }
    }
    println!("{} names found, {} of other resources refused", COPIED.len(), OF_OTHERS.len());
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), asked.len(), wrong.join("\n"));
}

fn check(text: &str, answers: &[&Value], wrong: &mut Vec<String>, asked: &[String]) {
    let at = asked.iter().position(|other| other == text).expect("it is one of them");
    let expected: Vec<&str> = COPIED.get(at).map(|(_, resource_type)| *resource_type).into_iter().collect();
    let found: Vec<&str> = answers.iter().filter_map(|answer| answer["type"].as_str()).collect();
    if found != expected {
        wrong.push(format!("{text}: {found:?}, expected {expected:?}"));
    }
}
