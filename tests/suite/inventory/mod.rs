//! The generic caller and the live population against moto, with boto3 as the witness.
//!
//! There is no command that only lists, so the library itself is driven: [`driver`] runs in a process of its own, because
//! AWS's settings come from the environment, and that can be set for a child only.

use std::path::PathBuf;
use std::process::Command;

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use trailcreator::aws::{AwsOptions, CallError, Session};
use trailcreator::inventory::{TagIndexes, confirm_tags, list};
use trailcreator::model::{AccountId, Region};
use trailcreator::model::{AccountRegion, LiveResource, Tags};
use trailcreator::org::Member;
use trailcreator::org::directory::all_accounts;
use trailcreator::resource_map::{ResourceMap, TypeDefinition};

use crate::common::{ACCOUNT, Bench, Moto, REGION};

mod shapes;

/// How many types [`driver`] lists at once.
const TYPES_AT_ONCE: usize = 4;
const TASK: &str = "TRAILCREATOR_TEST_TASK";
const ANSWER: &str = "TRAILCREATOR_TEST_ANSWER";

/// Runs a task of [`driver`] as moto's default account.
pub(crate) fn drive(moto: &Moto, task: &Value) -> Value {
    let credentials = [("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing"), ("AWS_REGION", REGION)];
    let endpoint = moto.endpoint();
    drive_with(task, credentials.into_iter().chain([("AWS_ENDPOINT_URL", endpoint.as_str())]))
}

/// Runs a task of [`driver`] with these variables as its only AWS settings.
fn drive_with<'a>(task: &Value, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let bench = Bench::new();
    let answer = bench.path("answer.json");
    let mut command = Command::new(std::env::current_exe().expect("the test binary has a path"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.args(["--exact", "inventory::driver", "--ignored"]).env("HOME", bench.path(""));
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(variables);
    command.env(TASK, task.to_string()).env(ANSWER, &answer);
    let output = command.output().expect("the test binary starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let text = std::fs::read_to_string(&answer).unwrap_or_else(|error| panic!("no answer: {error}\n{said}"));
    serde_json::from_str(&text).expect("the driver writes JSON")
}

#[tokio::test]
#[ignore = "other tests run it in a process of its own"]
async fn driver() {
    let (Ok(task), Ok(file)) = (std::env::var(TASK), std::env::var(ANSWER)) else { return };
    let task: Value = serde_json::from_str(&task).unwrap();
    let answer = perform(&task).await.unwrap_or_else(|error| {
        json!({"error": {"class": format!("{:?}", error.class), "code": error.code, "message": error.message,
                         "operation": error.operation, "request_id": error.request_id, "hint": error.hint()}})
    });
    std::fs::write(file, answer.to_string()).unwrap();
}

/// `{types, map?, options?, confirm?}` lists and confirms; `{call: [type, operation, input]}` calls; `{account: true}` asks STS;
/// `{organization: true}` asks Organizations for all accounts.
async fn perform(task: &Value) -> Result<Value, CallError> {
    let text = |name: &str| task["options"][name].as_str().map(str::to_owned);
    let session = Session::open(&AwsOptions {
        profile: text("profile"),
        region: text("region").map(Region::new),
        assume: serde_json::from_value(task["options"]["assume"].clone()).unwrap_or_default(),
        external_id: text("external_id"),
        endpoint_url: text("endpoint_url"),
        default_region: None,
        ask_code: None,
    })
    .await?;
    let files: Vec<PathBuf> = task["map"].as_str().map(PathBuf::from).into_iter().collect();
    let map = ResourceMap::load(&files, &[]).unwrap();
    if task["account"] == json!(true) {
        return Ok(json!(session.account().await?.as_str()));
    }
    if task["organization"] == json!(true) {
        let members = all_accounts(&session).await?;
        let shown = |member: &Member| json!([member.id, member.name, member.email, member.state, member.path]);
        return Ok(json!(members.iter().map(shown).collect::<Vec<_>>()));
    }
    if let [resource_type, operation, input] = task["call"].as_array().map_or(&[][..], Vec::as_slice) {
        let access = map.types[resource_type.as_str().unwrap()].access.as_ref().unwrap();
        let answer =
            session.caller().call(&access.service, session.region(), operation.as_str().unwrap(), input).await?;
        return Ok(json!({"body": answer.body, "id": answer.request_id, "sent": session.counts().total()}));
    }
    let confirm = task["confirm"] == json!(true);
    let names = task["types"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let (session, map) = (&session, &map);
    let lists = names.map(async |name| (name.to_owned(), listed(session, map, &map.types[name], confirm).await));
    Ok(Value::Object(stream::iter(lists).buffered(TYPES_AT_ONCE).collect().await))
}

async fn listed(session: &Session, map: &ResourceMap, definition: &TypeDefinition, confirm: bool) -> Value {
    let place = AccountRegion { account: AccountId::from(ACCOUNT), region: session.region().clone() };
    let population = match list(session, map, definition, &place, &TagIndexes::of([definition])).await {
        Ok(population) => population,
        Err(error) => return json!({"error": error.to_string(), "class": format!("{:?}", error.class)}),
    };
    let mut resources: Vec<LiveResource> = population.resources.iter().collect();
    if confirm {
        confirm_tags(session, definition, &place, &mut resources.iter_mut().collect::<Vec<_>>()).await;
    }
    let shown = |resource: &LiveResource| {
        let (kind, tags) = match &resource.tags {
            Tags::Known(tags) => ("known", json!(tags)),
            Tags::Partial(tags) => ("partial", json!(tags)),
            Tags::Unknown(reason) => ("unknown", json!(reason)),
        };
        json!({"id": resource.id.as_str(), "arn": resource.arn.as_str(), "region": resource.region.as_str(),
               "identifiers": resource.identifiers, "kind": kind, "tags": tags})
    };
    json!({"resources": resources.iter().map(shown).collect::<Vec<_>>(), "problems": population.problems})
}

/// `[id, arn, tags]` of what was listed, by id.
pub(crate) fn triples(list: &Value) -> Vec<Value> {
    let resources = list["resources"].as_array().unwrap_or_else(|| panic!("not listed: {list}"));
    sorted(resources.iter().map(|one| json!([one["id"], one["arn"], one["tags"]])))
}

fn sorted(items: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut items: Vec<Value> = items.collect();
    items.sort_by_key(ToString::to_string);
    items
}

/// A map file in which roles are listed two a page.
fn small_pages(bench: &Bench) -> String {
    let map = "service: iam
protocol: query
version: '2010-05-08'
resources:
  - type: iam-role
    global: true
    events: [{event: CreateRole, ids: responseElements.role.roleName}]
    list: {call: ListRoles, params: {MaxItems: 2}, items: Roles, page: [Marker, Marker]}
    id: RoleName
    arn: Arn
    tags: {call: ListRoleTags, params: {RoleName: '{id}'}, items: Tags}
";
    bench.write("map.yml", map).display().to_string()
}

const FIVE_ROLES: &str = "
for n in range(5):
    client('iam').create_role(RoleName=f'role{n}', AssumeRolePolicyDocument='{}')";

#[test]
fn pages_are_read_to_the_last_token() {
    let (moto, bench) = (Moto::start(), Bench::new());
    moto.boto3(FIVE_ROLES);
    let ours = drive(&moto, &json!({"map": small_pages(&bench), "types": ["iam-role"]}));
    let ids: Vec<Value> = triples(&ours["iam-role"]).into_iter().map(|mut triple| triple[0].take()).collect();
    assert_eq!(ids, ["role0", "role1", "role2", "role3", "role4"]);
    let actions: Vec<String> = moto.our_requests().into_iter().map(|request| request.action).collect();
    assert_eq!(actions, ["ListRoles"; 3]);
}

#[test]
fn tags_are_read_to_the_last_page() {
    let moto = Moto::start();
    moto.boto3(
        "client('dynamodb').create_table(TableName='orders', BillingMode='PAY_PER_REQUEST',
    Tags=[{'Key': f'key{n:02}', 'Value': str(n)} for n in range(12)],
    KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
    AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}])",
    );
    let ours = drive(&moto, &json!({"types": ["dynamodb-table"], "confirm": true}));
    let table = &ours["dynamodb-table"]["resources"][0];
    let wanted: serde_json::Map<String, Value> =
        (0..12).map(|n| (format!("key{n:02}"), json!(n.to_string()))).collect();
    assert_eq!((&table["kind"], &table["tags"]), (&json!("known"), &Value::Object(wanted)));
    let reads = moto.our_requests().into_iter().filter(|request| request.action == "ListTagsOfResource").count();
    assert_eq!(reads, 2, "moto's pages, as AWS's, hold ten tags");
}

#[test]
fn global_types_are_listed_in_their_partitions_home_region() {
    let moto = Moto::start();
    moto.boto3(FIVE_ROLES);
    let ours = drive(&moto, &json!({"types": ["iam-role"], "options": {"region": "eu-west-1"}}));
    assert_eq!(ours["iam-role"]["resources"][0]["region"], json!("us-east-1"));
    assert_eq!(moto.our_requests()[0].region.as_deref(), Some("us-east-1"));
}

#[test]
fn buckets_keep_their_own_region_and_are_read_there() {
    // moto leaves the BucketRegion out that AWS gives where pages are asked for.
    let moto = Moto::start_with(
        "def before(entry, environ):
    if entry['action'] == 'GET /' and 'max-buckets' in entry['query']:
        bucket = '<Bucket><Name>far</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>'
        return 200, 'application/xml', f'<ListAllMyBucketsResult><Buckets>{bucket}</Buckets></ListAllMyBucketsResult>'",
    );
    moto.boto3(
        "client('s3', 'eu-west-1').create_bucket(Bucket='far', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})",
    );
    let ours = drive(&moto, &json!({"types": ["s3"], "confirm": true}));
    let bucket = &ours["s3"]["resources"][0];
    assert_eq!(
        (&bucket["region"], &bucket["kind"], &bucket["tags"]),
        (&json!("eu-west-1"), &json!("known"), &json!({}))
    );
    let regions: Vec<(String, Option<String>)> =
        moto.our_requests().into_iter().map(|request| (request.action, request.region)).collect();
    let of = |action: &str| regions.iter().find(|(name, _)| name == action).and_then(|(_, region)| region.clone());
    assert_eq!(of("GetResources").as_deref(), Some("eu-west-1"));
    assert_eq!(of("GET /far?tagging").as_deref(), Some("eu-west-1"));
}

#[test]
fn a_bucket_is_tagged_through_the_generic_caller() {
    let moto = Moto::start();
    moto.boto3("client('s3').create_bucket(Bucket='a-bucket')");
    let tags = json!([{"Key": "Owner <&>", "Value": "ämy"}, {"Key": "b", "Value": "/:+"}]);
    let input = json!({"Tagging": {"TagSet": {"Tag": tags}}});
    let answer = drive(&moto, &json!({"call": ["s3", "PUT /a-bucket?tagging", input]}));
    assert_eq!(answer["body"], Value::Null, "{answer}");
    assert_eq!(moto.boto3("result = client('s3').get_bucket_tagging(Bucket='a-bucket')['TagSet']"), tags);
    assert_eq!(moto.writes(), 1);
}

#[test]
fn throttled_and_failed_requests_are_sent_again() {
    let moto = Moto::start_with(
        "answers = [(503, 'text/html', '<html>busy'),
    (400, 'application/x-amz-json-1.0', '{\"__type\": \"ThrottlingException\", \"message\": \"slow down\"}')]
def before(entry, environ):
    if entry['action'] == 'ListTables' and answers:
        return answers.pop(0)",
    );
    let answer = drive(&moto, &json!({"call": ["dynamodb-table", "ListTables", {}]}));
    assert_eq!((&answer["body"], &answer["sent"]), (&json!({"TableNames": []}), &json!(3)), "{answer}");
}

#[test]
fn each_kind_of_refusal_has_its_own_hint() {
    let moto = Moto::start_with(
        "def before(entry, environ):
    xml = lambda code, text: f'<ErrorResponse><Error><Code>{code}</Code><Message>{text}</Message></Error><RequestId>r</RequestId></ErrorResponse>'
    return {
        'ListRoles': (403, 'text/xml', xml('AccessDenied', 'User: arn:aws:iam::1:user/x is not authorized to perform: iam:ListRoles on resource: *')),
        'DescribeVpcs': (400, 'text/xml', '<Response><Errors><Error><Code>RequestExpired</Code><Message>old</Message></Error></Errors><RequestID>r</RequestID></Response>'),
        'GetCallerIdentity': (403, 'text/xml', xml('InvalidClientTokenId', 'The security token included in the request is invalid.')),
        'GET /': (403, 'application/xml', '<Error><Code>InvalidAccessKeyId</Code><Message>none</Message></Error>'),
        'DescribeTable': (400, 'application/x-amz-json-1.0', '{\"__type\": \"com.amazonaws#ResourceNotFoundException\", \"message\": \"gone\"}'),
        'ListStreams': (200, 'application/x-amz-json-1.1', '<html>not json'),
        'ListKeys': (200, 'application/x-amz-json-1.1', 'x' * 70_000_000),
    }.get(entry['action'])",
    );
    let error = |task: Value| drive(&moto, &task)["error"].clone();
    let call = |resource_type: &str, operation: &str| error(json!({"call": [resource_type, operation, {}]}));
    let denied = call("iam-role", "ListRoles");
    assert_eq!(denied["class"], json!("AccessDenied"));
    assert_eq!(denied["hint"], json!("allow iam:ListRoles to the user or role in use"));
    assert_eq!(denied["request_id"], json!("played"));
    let expired = call("vpc", "DescribeVpcs");
    assert_eq!((&expired["class"], &expired["code"]), (&json!("Credentials"), &json!("RequestExpired")));
    assert!(expired["hint"].as_str().unwrap().contains("aws sso login"), "{expired}");
    assert_eq!(error(json!({"account": true}))["class"], json!("Credentials"));
    assert_eq!(call("s3", "GET /")["class"], json!("Credentials"));
    let gone = call("dynamodb-table", "DescribeTable");
    assert_eq!((&gone["class"], &gone["code"]), (&json!("NotFound"), &json!("ResourceNotFoundException")));
    assert_eq!(call("kinesis", "ListStreams")["class"], json!("BadAnswer"));
    assert_eq!(call("kms-key", "ListKeys")["class"], json!("BadAnswer"));
    assert_eq!(moto.our_requests().len(), 7, "none of these is worth a second try");
}

#[test]
fn a_list_that_cannot_be_trusted_is_an_error() {
    let moto = Moto::start_with(
        "def before(entry, environ):
    return {
        'DescribeRepositories': (200, 'application/x-amz-json-1.1', '{}'),
        'ListTables': (200, 'application/x-amz-json-1.0', '{\"TableNames\": [\"a\"], \"LastEvaluatedTableName\": \"a\"}'),
    }.get(entry['action'])",
    );
    let ours = drive(&moto, &json!({"types": ["ecr", "dynamodb-table", "kms-key"]}));
    let error = |name: &str| ours[name]["error"].as_str().unwrap_or_else(|| panic!("{ours}"));
    assert!(error("ecr").contains("the response has no repositories"), "{ours}");
    assert!(error("dynamodb-table").contains("was returned twice"), "{ours}");
    assert_eq!(ours["kms-key"]["resources"], json!([]), "an empty list is none");
    assert_eq!(moto.our_requests().iter().filter(|request| request.action == "ListTables").count(), 2);
}

#[test]
fn tags_that_cannot_be_read_are_unknown_and_the_others_known() {
    let moto = Moto::start_with(
        "def before(entry, environ):
    if environ['HTTP_USER_AGENT'].startswith('Boto3'):
        return None
    if entry['action'] == 'GetResources':
        return 400, 'application/x-amz-json-1.1', '{\"__type\": \"AccessDeniedException\", \"message\": \"no\"}'
    if entry['action'] == 'ListQueueTags' and 'queue0' in entry['body']:
        return 403, 'application/x-amz-json-1.0', '{\"__type\": \"AccessDenied\", \"message\": \"not yours\"}'
    if entry['action'] == 'DescribeTags' and 'balancer0' in entry['body']:
        return 400, 'text/xml', '<ErrorResponse><Error><Code>LoadBalancerNotFound</Code><Message>gone</Message></Error></ErrorResponse>'",
    );
    moto.boto3(
        "
vpc = client('ec2').create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
subnets = [client('ec2').create_subnet(VpcId=vpc, CidrBlock=f'10.9.{n}.0/24', AvailabilityZone='us-east-1' + 'ab'[n])['Subnet']['SubnetId'] for n in range(2)]
for n in range(2):
    client('sqs').create_queue(QueueName=f'queue{n}')
    client('elbv2').create_load_balancer(Name=f'balancer{n}', Subnets=subnets, Tags=[{'Key': 'a', 'Value': 'b'}])",
    );
    let ours = drive(&moto, &json!({"types": ["sqs", "app-elb"], "confirm": true}));
    let kinds = |name: &str| -> Vec<Value> {
        let resources = ours[name]["resources"].as_array().unwrap_or_else(|| panic!("{ours}"));
        resources.iter().map(|one| one["kind"].clone()).collect()
    };
    assert_eq!(kinds("sqs"), ["unknown", "known"]);
    let reason = ours["sqs"]["resources"][0]["tags"].as_str().unwrap();
    assert!(reason.contains("not yours"), "{reason}");
    assert_eq!(kinds("app-elb"), ["unknown", "known"], "a vanished one does not fail its batch");
    assert_eq!(ours["app-elb"]["resources"][1]["tags"], json!({"a": "b"}));
    let problem = ours["sqs"]["problems"][0].as_str().unwrap();
    assert!(problem.contains("tag:GetResources") && problem.contains("AccessDeniedException"), "{problem}");
}

#[test]
fn roles_are_assumed_one_after_the_other_with_the_external_id_for_the_last() {
    let moto = Moto::start();
    let roles = ["arn:aws:iam::111111111111:role/hub", "arn:aws:iam::222222222222:role/spoke"];
    let options = json!({"assume": roles, "external_id": "secret-handshake"});
    assert_eq!(drive(&moto, &json!({"account": true, "options": options})), json!("222222222222"));
    let requests = moto.our_requests();
    let actions: Vec<&str> = requests.iter().map(|request| request.action.as_str()).collect();
    assert_eq!(actions, ["AssumeRole", "AssumeRole", "GetCallerIdentity"]);
    assert!(requests[0].body.contains("RoleSessionName=trailcreator") && !requests[0].body.contains("handshake"));
    assert!(requests[1].body.contains("ExternalId=secret-handshake") && requests[1].body.contains("spoke"));
    assert_ne!(requests[0].access_key, requests[1].access_key, "the second is called with the first's credentials");
}

#[test]
fn a_role_that_cannot_be_assumed_is_a_failure_of_credentials() {
    let moto = Moto::start_with(
        "def before(entry, environ):
    if entry['action'] == 'AssumeRole':
        return 403, 'text/xml', '<ErrorResponse><Error><Code>AccessDenied</Code><Message>may not assume</Message></Error></ErrorResponse>'",
    );
    let options = json!({"assume": ["arn:aws:iam::111111111111:role/hub"]});
    let error = drive(&moto, &json!({"account": true, "options": options}))["error"].clone();
    assert_eq!((&error["class"], &error["code"]), (&json!("Credentials"), &json!("role not assumed")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("may not assume"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("trust policy"), "{error}");
}

#[test]
fn settings_that_are_missing_or_wrong_come_back_with_advice() {
    let nowhere = "http://127.0.0.1:9";
    let keys = [("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")];
    let account = json!({"account": true});
    let no_region = drive_with(&account, keys)["error"].clone();
    assert_eq!(no_region["code"], json!("no region"));
    assert!(no_region["hint"].as_str().unwrap().contains("--region"), "{no_region}");
    let no_credentials = drive_with(&account, [("AWS_REGION", REGION), ("AWS_ENDPOINT_URL", nowhere)])["error"].clone();
    assert_eq!(no_credentials["class"], json!("Credentials"), "{no_credentials}");
    assert!(no_credentials["hint"].as_str().unwrap().contains("AWS_PROFILE"), "{no_credentials}");
    let task = json!({"account": true, "options": {"profile": "missing", "region": REGION}});
    let no_profile = drive_with(&task, keys)["error"].clone();
    assert!(no_profile["message"].as_str().unwrap().contains("no profile \"missing\""), "{no_profile}");
}

#[test]
fn a_services_own_endpoint_setting_is_honoured_by_the_generic_caller() {
    let moto = Moto::start();
    let endpoint = moto.endpoint();
    let keys = [
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", REGION),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ];
    let call = |task: Value, setting: &str| drive_with(&task, keys.into_iter().chain([(setting, endpoint.as_str())]));
    let groups = json!({"call": ["log-group", "DescribeLogGroups", {}]});
    let answer = call(groups, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS");
    assert_eq!(answer["body"]["logGroups"], json!([]), "{answer}");
    let balancers = json!({"call": ["app-elb", "DescribeLoadBalancers", {}]});
    let answer = call(balancers, "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
    assert_eq!(answer["body"]["LoadBalancers"], Value::Null, "{answer}");
    let by_option = json!({"call": ["sqs", "ListQueues", {}], "options": {"endpoint_url": endpoint}});
    let answer = drive_with(&by_option, keys.into_iter().chain([("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")]));
    assert!(answer["error"].is_null(), "the option comes before the environment: {answer}");
}
