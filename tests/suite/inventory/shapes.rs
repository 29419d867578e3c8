//! Listings of unusual shapes, each by a user's map alone: scopes, several ancestors, trees, headers, tokens that are
//! the last item, services not in use, types without ARN.

use serde_json::{Value, json};

use super::{drive, sorted, triples};
use crate::common::{ACCOUNT, Bench, Moto};

/// Lists `resource_type` by the one map file.
fn listed(moto: &Moto, map: &str, resource_type: &str, region: &str) -> Value {
    let bench = Bench::new();
    let map = bench.write("map.yml", map).display().to_string();
    let task = json!({"map": map, "types": [resource_type], "confirm": true, "options": {"region": region}});
    drive(moto, &task)[resource_type].take()
}

fn field(list: &Value, name: &str) -> Vec<Value> {
    let resources = list["resources"].as_array().unwrap_or_else(|| panic!("not listed: {list}"));
    sorted(resources.iter().map(|one| one[name].clone()))
}

#[test]
fn each_scope_is_listed_and_one_with_a_region_only_there() {
    let map = "service: wafv2
protocol: json
target: AWSWAF_20190729
json: '1.1'
resources:
  - type: wafv2
    events: [{event: CreateWebACL, ids: responseElements.summary.aRN}]
    list:
      call: ListWebACLs
      scopes: [{params: {Scope: REGIONAL}}, {params: {Scope: CLOUDFRONT}, region: us-east-1}]
      items: WebACLs
      page: [NextMarker, NextMarker]
    id: Name
    arn: ARN
    tags: {call: ListTagsForResource, params: {ResourceARN: '{arn}'}, items: TagInfoForResource.TagList}
";
    let moto = Moto::start();
    moto.boto3(
        "
for region, scope in [('us-east-1', 'REGIONAL'), ('us-east-1', 'CLOUDFRONT'), ('eu-west-1', 'REGIONAL')]:
    client('wafv2', region).create_web_acl(Name=f'{region}-{scope}', Scope=scope, DefaultAction={'Allow': {}},
        Tags=[{'Key': 'Scope', 'Value': scope}], VisibilityConfig={
            'SampledRequestsEnabled': False, 'CloudWatchMetricsEnabled': False, 'MetricName': 'x'})",
    );
    let here = listed(&moto, map, "wafv2", "us-east-1");
    assert_eq!(field(&here, "id"), ["us-east-1-CLOUDFRONT", "us-east-1-REGIONAL"]);
    assert_eq!(field(&here, "tags"), [json!({"Scope": "CLOUDFRONT"}), json!({"Scope": "REGIONAL"})]);
    let elsewhere = listed(&moto, map, "wafv2", "eu-west-1");
    assert_eq!(field(&elsewhere, "id"), ["eu-west-1-REGIONAL"]);
}

#[test]
fn a_type_below_several_ancestors_has_their_values_everywhere() {
    let map = "service: appmesh
protocol: rest-json
resources:
  - type: appmesh-route
    events: [{event: CreateRoute, ids: requestParameters.routeName}]
    list:
      call: GET /v20190125/meshes/{parent.parent}/virtualRouter/{parent.router}/routes
      params: {'?limit': 100}
      items: routes
      page: ['?nextToken', nextToken]
      parent:
        type: appmesh-router
        value: {router: virtualRouterName, mesh: meshName}
    id: {template: '{parent.mesh}/{parent.router}/{routeName}'}
    names: [routeName, {template: '{account}/{id}'}]
    arn: arn
    tags:
      call: GET /v20190125/meshes/{parent.mesh}/virtualRouter/{parent.router}/routes/{routeName}
      items: '{mesh: meshName}'
  - type: appmesh-router
    events: [{event: CreateVirtualRouter, ids: requestParameters.virtualRouterName}]
    list:
      call: GET /v20190125/meshes/{parent}/virtualRouters
      items: virtualRouters
      parent: {list: {call: GET /v20190125/meshes, items: meshes}, value: meshName}
    id: virtualRouterName
";
    let moto = Moto::start();
    let wanted = moto.boto3(
        "
mesh = client('appmesh')
listener = {'listeners': [{'portMapping': {'port': 80, 'protocol': 'http'}}]}
spec = {'httpRoute': {'match': {'prefix': '/'}, 'action': {'weightedTargets': [{'virtualNode': 'x', 'weight': 1}]}}}
result = []
for m in 'ab':
    mesh.create_mesh(meshName=m)
    for r in 'rs':
        mesh.create_virtual_router(meshName=m, virtualRouterName=r, spec=listener)
        made = mesh.create_route(meshName=m, virtualRouterName=r, routeName='t', spec=spec)
        result.append([f'{m}/{r}/t', made['route']['metadata']['arn'], {'mesh': m}])",
    );
    let ours = listed(&moto, map, "appmesh-route", "us-east-1");
    assert_eq!(triples(&ours), *wanted.as_array().unwrap());
    let first = &ours["resources"][0];
    let (id, arn) = (first["id"].as_str().unwrap(), first["arn"].as_str().unwrap());
    assert_eq!(first["identifiers"], json!([id, "t", format!("{ACCOUNT}/{id}"), arn]));
    let routers = listed(&moto, map, "appmesh-router", "us-east-1");
    assert_eq!((field(&routers, "id").len(), field(&routers, "arn")), (2, vec![json!(""); 2]));
}

#[test]
fn a_tree_is_listed_to_its_leaves() {
    let map = "service: organizations
protocol: json
target: AWSOrganizationsV20161128
json: '1.1'
endpoints: {aws: {url: 'https://organizations.us-east-1.amazonaws.com', region: us-east-1}}
resources:
  - type: org-unit
    global: true
    events: [{event: CreateOrganizationalUnit, ids: responseElements.organizationalUnit.id}]
    list:
      call: ListOrganizationalUnitsForParent
      params: {ParentId: '{parent}'}
      items: OrganizationalUnits
      page: [NextToken, NextToken]
      parent: {list: {call: ListRoots, items: Roots, absent: [AWSOrganizationsNotInUseException]}, value: Id}
      recurse: Id
    id: Id
    names: [Name]
    arn: Arn
    tags: {call: ListTagsForResource, params: {ResourceId: '{id}'}, items: Tags}
";
    let moto = Moto::start();
    assert_eq!(listed(&moto, map, "org-unit", "eu-west-1"), json!({"resources": [], "problems": []}));
    let wanted = moto.boto3(
        "
org = client('organizations')
org.create_organization(FeatureSet='ALL')
above, result = org.list_roots()['Roots'][0]['Id'], []
def unit(parent, name):
    made = org.create_organizational_unit(ParentId=parent, Name=name, Tags=[{'Key': 'Name', 'Value': name}])
    result.append([made['OrganizationalUnit']['Id'], made['OrganizationalUnit']['Arn'], {'Name': name}])
    return result[-1][0]
for level in range(4):
    unit(above, f'leaf{level}')
    above = unit(above, f'branch{level}')",
    );
    let ours = listed(&moto, map, "org-unit", "eu-west-1");
    assert_eq!(triples(&ours), sorted(wanted.as_array().unwrap().iter().cloned()));
    assert_eq!(ours["resources"].as_array().unwrap().len(), 8);
}

#[test]
fn a_header_names_the_account() {
    let map = "service: s3control
protocol: rest-xml
endpoint: '{^x-amz-account-id}.s3-control'
signing: s3
event_source: s3.amazonaws.com
namespace: http://awss3control.amazonaws.com/doc/2018-08-20/
resources:
  - type: s3-access-point
    events: [{event: CreateAccessPoint, ids: requestParameters.name}]
    list:
      call: GET /v20180820/accesspoint
      params: {'^x-amz-account-id': '{account}'}
      items: to_array(AccessPointList.AccessPoint)[]
      page: ['?nextToken', NextToken]
    id: Name
    arn: AccessPointArn
";
    let moto = Moto::start();
    moto.boto3(&format!(
        "
client('s3').create_bucket(Bucket='bucket')
control = client('s3control')
# boto3 puts the account before the host's name, also before an address.
def without_account(request, **_):
    request.url = request.url.replace('{ACCOUNT}.', '')
control.meta.events.register('before-send', without_account)
for name in ['one', 'two']:
    control.create_access_point(AccountId='{ACCOUNT}', Name=name, Bucket='bucket')"
    ));
    let ours = listed(&moto, map, "s3-access-point", "us-east-1");
    assert_eq!(field(&ours, "id"), ["one", "two"]);
}

#[test]
fn a_token_may_be_the_last_item() {
    let map = "service: firehose
protocol: json
target: Firehose_20150804
json: '1.1'
resources:
  - type: firehose
    events: [{event: CreateDeliveryStream, ids: requestParameters.deliveryStreamName}]
    list:
      call: ListDeliveryStreams
      params: {Limit: 2}
      items: DeliveryStreamNames
      page: [ExclusiveStartDeliveryStreamName, 'HasMoreDeliveryStreams && DeliveryStreamNames[-1]']
    id: '@'
    arn: arn:{partition}:firehose:{region}:{account}:deliverystream/{id}
    tags: {call: ListTagsForDeliveryStream, params: {DeliveryStreamName: '{@}'}, items: Tags}
";
    let moto = Moto::start();
    moto.boto3(
        "
for n in range(5):
    client('firehose').create_delivery_stream(DeliveryStreamName=f's{n}', Tags=[{'Key': 'n', 'Value': str(n)}],
        S3DestinationConfiguration={'RoleARN': 'arn:aws:iam::123456789012:role/x', 'BucketARN': 'arn:aws:s3:::b'})",
    );
    let ours = listed(&moto, map, "firehose", "us-east-1");
    let arn = |n: u8| format!("arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/s{n}");
    let wanted: Vec<Value> = (0..5).map(|n| json!([format!("s{n}"), arn(n), {"n": n.to_string()}])).collect();
    assert_eq!(triples(&ours), wanted);
}
