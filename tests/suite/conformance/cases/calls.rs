//! Calls with many, large, shared or unusual results.

use serde_json::{Value, json};

use super::super::world::REGIONS;
use super::{AGO, Case, OTHER, bucket, call, case};
use crate::common::{ACCOUNT, Event, moment};

pub(super) fn commas() -> Case {
    let names = ["a,b", "a ,b", "a, b ,c", ",", " ,", " ,a", "a ,"];
    let role = |name: &str| {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        call("iam.amazonaws.com", "CreateRole").response(json!({"role": {"roleName": name, "arn": arn}}))
    };
    let events: Vec<Event> = names.iter().map(|name| bucket(name)).chain(names.iter().map(|name| role(name))).collect();
    case("commas", events.len(), events)
}

pub(super) fn failed() -> Case {
    let events = vec![
        bucket("refused").failed("AccessDenied"),
        bucket("message-only").field("errorMessage", json!("it failed")),
        bucket("code-only").field("errorCode", json!("Client.InvalidParameter")),
        bucket("code-and-no-message").field("errorCode", json!("AccessDenied")).field("errorMessage", Value::Null),
        bucket("tried-again"),
    ];
    case("failed", 1, events)
}

/// Event names that several services have; the map has one or two of them.
pub(super) fn other_services() -> Case {
    let cluster = json!({"cluster": {"clusterName": "c", "name": "c", "clusterArn": "arn:aws:ecs:us-east-1:1:cluster/c",
        "arn": "arn:aws:eks:us-east-1:1:cluster/c", "clusterIdentifier": "c"}});
    let cluster = |source: &str| {
        let request = json!({"clusterName": "c", "name": "c", "clusterIdentifier": "c"});
        call(source, "CreateCluster").request(request).response(cluster.clone())
    };
    let events = vec![
        cluster("ecs.amazonaws.com"),
        cluster("eks.amazonaws.com"),
        // Of services that no map will ever have.
        cluster("clusters-without-owner.amazonaws.com"),
        call("repositories-without-owner.amazonaws.com", "CreateRepository").request(json!({"repositoryName": "git"})),
        call("someone-else.amazonaws.com", "CreateBucket").request(json!({"bucketName": "not-s3"})),
        call("s3.amazonaws.com", "CreateRole").request(json!({"roleName": "no-role", "bucketName": "no-bucket"})),
    ];
    case("other-services", 2, events)
}

/// 120 instances, each with two volumes and an interface, in both forms that EC2 has.
pub(super) fn many_ids() -> Case {
    const INSTANCES: usize = 120;
    let instance = |number: usize| {
        let volume = |letter| json!({"deviceName": format!("/dev/xvd{letter}"), "ebs": {"volumeId": format!("vol-{number}{letter}")}});
        json!({
            "instanceId": format!("i-{number:017x}"),
            "blockDeviceMapping": {"items": [volume("a"), volume("b")]},
            "networkInterfaceSet": {"items": [{"networkInterfaceId": format!("eni-{number}")}]},
        })
    };
    let items: Vec<Value> = (0..INSTANCES).map(instance).collect();
    let newer: Vec<Value> = (0..INSTANCES).map(|number| json!({"instanceId": format!("i-new-{number}")})).collect();
    let answers = [
        json!({"instancesSet": {"items": items}}),
        json!({"RunInstancesResponse": {"instancesSet": {"item": newer}}}),
        json!({"RunInstancesResponse": {"instancesSet": {"item": {"instanceId": "i-alone"}}}}),
    ];
    let events = answers.map(|answer| call("ec2.amazonaws.com", "RunInstances").response(answer)).to_vec();
    case("many-ids", 4 * INSTANCES + INSTANCES + 1, events)
}

/// One call that two accounts recorded, and the same call in three regions.
pub(super) fn shared() -> Case {
    let copy = |account: &str| {
        let event = bucket("shared").field("recipientAccountId", json!(account));
        event.field("sharedEventID", json!("47f8c1a1-0000-4000-8000-00000000000a"))
    };
    let mut events = vec![copy(ACCOUNT), copy(OTHER)];
    events.extend(REGIONS.map(|region| bucket("everywhere").region(region)));
    events.push(bucket("of-the-other").account(OTHER));
    case("shared", 6, events)
}

/// Records of the maximum length.
pub(super) fn large() -> Case {
    const LENGTH: usize = 200_000;
    let template = "größe, \"quoted\"\n".repeat(LENGTH / 18);
    let stack = call("cloudformation.amazonaws.com", "CreateStack")
        .request(json!({"stackName": "large", "templateBody": template}))
        .response(json!({"stackId": format!("arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/large/1")}));
    case("large", 2, vec![stack, bucket("after-it")])
}

pub(super) fn lambda_versions() -> Case {
    let names = ["CreateFunction", "CreateFunction20150331", "CreateFunction20150331v2"];
    let event = |name: &&str| {
        call("lambda.amazonaws.com", name).request(json!({"functionName": name})).response(
            json!({"functionName": name, "functionArn": format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}")}),
        )
    };
    let url = call("lambda.amazonaws.com", "CreateFunctionUrlConfig").request(json!({"functionName": "has-url"}));
    case("lambda-versions", names.len(), names.iter().map(event).chain([url]).collect())
}

pub(super) fn deletions() -> Case {
    let event = |name: &str| call("s3.amazonaws.com", name).request(json!({"bucketName": "came-and-went"}));
    let times = ["10:00:00", "10:00:01", "10:00:02"];
    let names = ["CreateBucket", "DeleteBucket", "CreateBucket"];
    let events = times.into_iter().zip(names).map(|(time, name)| event(name).at(&moment(AGO, time))).collect();
    case("deletions", 3, events)
}

/// Three calls that can rename, and one that does: its row and that of the create event, and no event without identifiers.
pub(super) fn renames() -> Case {
    let modify = |request: Value| call("rds.amazonaws.com", "ModifyDBInstance").request(request);
    let request = json!({"dBInstanceIdentifier": "orders", "engine": "mysql"});
    let events = vec![
        call("rds.amazonaws.com", "CreateDBInstance").request(request),
        modify(json!({"dBInstanceIdentifier": "orders", "allocatedStorage": 50})),
        modify(
            json!({"dBInstanceIdentifier": "Orders", "newDBInstanceIdentifier": "Orders-Old", "applyImmediately": true}),
        ),
        modify(Value::Null),
    ];
    case("renames", 2, events)
}
