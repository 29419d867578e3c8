"""Makes resources of every built-in service through the AWS API, and reads all tags of everything back.

Each maker gives the id under which `everything` lists the resource (cloud-custodian's), and the CloudTrail event that the call would have
left: source, name, request and response in CloudTrail's spelling (json and query services lower the first letter of
each key; EC2 wraps lists in sets). Runs after the harness's prelude (`client`, `pages`).
"""

import datetime, io, zipfile  # noqa: E401

ACCOUNT, REGION = '123456789012', 'us-east-1'
CASES = {  # the suffix of each resource's name, and the tags it is made with
    'fresh': {'team': 'blue', 'cost center': 'a+b=c'},
    'bare': {},
    'owned': {'team': 'red', 'Owner': 'somebody'},
    'unrecorded': {'team': 'green'},
    'machine': {'team': 'white'},
}


def kv(tags, key='Key', value='Value'):
    return [{key: k, value: v} for k, v in tags.items()]


def back(pairs, key='Key', value='Value'):
    return {pair[key]: pair[value] for pair in pairs or []}


def lowered(value):
    """A boto3 answer as CloudTrail of a json or query service writes it."""
    if isinstance(value, dict):
        return {k[:1].lower() + k[1:]: lowered(v) for k, v in value.items() if k != 'ResponseMetadata'}
    if isinstance(value, list):
        return [lowered(v) for v in value]
    return value.strftime('%b %d, %Y %I:%M:%S %p') if isinstance(value, datetime.datetime) else value


def given(has_tags, **parameters):
    """Request parameters, without those for tags where there are none: some calls refuse an empty list."""
    return {k: v for k, v in parameters.items() if has_tags or k not in ('Tags', 'tags', 'TagSpecifications')}


def spec(resource_type, tags):
    return [{'ResourceType': resource_type, 'Tags': kv(tags)}]


ec2, iam, rds, ecs, elb = client('ec2'), client('iam'), client('rds'), client('ecs'), client('elbv2')
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}'
TEMPLATE = '{"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}'
MACHINE = '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}'


@functools.lru_cache(maxsize=None)
def base():
    """What other resources need. Nothing recorded their creation."""
    vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.0.{n}.0/24', AvailabilityZone=f'us-east-1{zone}')['Subnet']['SubnetId']
        for n, zone in ((200, 'a'), (201, 'b'))
    ]
    image = next(i['ImageId'] for i in ec2.describe_images()['Images'])
    volume = ec2.create_volume(AvailabilityZone='us-east-1a', Size=1)['VolumeId']
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnets[0])['Instances'][0]['InstanceId']
    role = iam.create_role(RoleName='base', AssumeRolePolicyDocument=TRUST)['Role']['Arn']
    client('s3').create_bucket(Bucket='base-bucket')
    rds.create_db_instance(DBInstanceIdentifier='base', DBInstanceClass='db.t3.micro', Engine='mysql', AllocatedStorage=5,
                           MasterUsername='admin', MasterUserPassword='secret-word')
    ecs.create_cluster(clusterName='base')
    ecs.register_task_definition(family='base', containerDefinitions=[{'name': 'a', 'image': 'b', 'memory': 1}])
    template = ec2.create_launch_template(LaunchTemplateName='base', LaunchTemplateData={'ImageId': image, 'InstanceType': 't3.micro'})
    code = io.BytesIO()
    with zipfile.ZipFile(code, 'w') as archive:
        archive.writestr('main.py', 'def handler(event, context): pass')
    return {'vpc': vpc, 'subnets': subnets, 'image': image, 'volume': volume, 'instance': instance, 'role': role,
            'template': template['LaunchTemplate']['LaunchTemplateId'], 'code': code.getvalue()}


COUNTER = iter(range(1, 200))


# --- EC2 ------------------------------------------------------------------------------------------------------------

def make_ec2(name, tags):
    made = ec2.run_instances(**given(tags, ImageId=base()['image'], MinCount=1, MaxCount=1, SubnetId=base()['subnets'][0],
                                     TagSpecifications=spec('instance', tags)))['Instances'][0]
    # Volumes are not attached yet when EC2 answers: the record's block device mapping is empty.
    items = [{'instanceId': made['InstanceId'], 'imageId': made['ImageId'], 'blockDeviceMapping': {}, 'networkInterfaceSet': {}}]
    return made['InstanceId'], 'ec2', 'RunInstances', {'instanceType': 'm1.small'}, {'instancesSet': {'items': items}}


def make_ebs(name, tags):
    made = ec2.create_volume(**given(tags, AvailabilityZone='us-east-1a', Size=1, TagSpecifications=spec('volume', tags)))
    return made['VolumeId'], 'ec2', 'CreateVolume', {'size': '1'}, {'volumeId': made['VolumeId'], 'size': '1'}


def make_ebs_snapshot(name, tags):
    made = ec2.create_snapshot(**given(tags, VolumeId=base()['volume'], TagSpecifications=spec('snapshot', tags)))
    return made['SnapshotId'], 'ec2', 'CreateSnapshot', {'volumeId': made['VolumeId']}, {'snapshotId': made['SnapshotId'], 'volumeId': made['VolumeId']}


def make_ami(name, tags):
    made = ec2.create_image(**given(tags, InstanceId=base()['instance'], Name=name, TagSpecifications=spec('image', tags)))
    return made['ImageId'], 'ec2', 'CreateImage', {'instanceId': base()['instance'], 'name': name}, {'imageId': made['ImageId']}


def make_eni(name, tags):
    made = ec2.create_network_interface(**given(tags, SubnetId=base()['subnets'][0], TagSpecifications=spec('network-interface', tags)))
    made = made['NetworkInterface']['NetworkInterfaceId']
    return made, 'ec2', 'CreateNetworkInterface', {'subnetId': base()['subnets'][0]}, {'networkInterface': {'networkInterfaceId': made}}


def make_security_group(name, tags):
    made = ec2.create_security_group(**given(tags, GroupName=name, Description=name, VpcId=base()['vpc'],
                                             TagSpecifications=spec('security-group', tags)))
    return made['GroupId'], 'ec2', 'CreateSecurityGroup', {'groupName': name, 'vpcId': base()['vpc']}, {'_return': True, 'groupId': made['GroupId']}


def make_vpc(name, tags):
    made = ec2.create_vpc(**given(tags, CidrBlock='10.1.0.0/16', TagSpecifications=spec('vpc', tags)))['Vpc']['VpcId']
    return made, 'ec2', 'CreateVpc', {'cidrBlock': '10.1.0.0/16'}, {'vpc': {'vpcId': made, 'state': 'pending'}}


def make_subnet(name, tags):
    made = ec2.create_subnet(**given(tags, VpcId=base()['vpc'], CidrBlock=f'10.0.{next(COUNTER)}.0/24', TagSpecifications=spec('subnet', tags)))
    made = made['Subnet']['SubnetId']
    return made, 'ec2', 'CreateSubnet', {'vpcId': base()['vpc']}, {'subnet': {'subnetId': made, 'vpcId': base()['vpc']}}


def make_internet_gateway(name, tags):
    made = ec2.create_internet_gateway(**given(tags, TagSpecifications=spec('internet-gateway', tags)))
    made = made['InternetGateway']['InternetGatewayId']
    return made, 'ec2', 'CreateInternetGateway', {}, {'internetGateway': {'internetGatewayId': made, 'attachmentSet': {}}}


def make_nat_gateway(name, tags):
    address = ec2.allocate_address(Domain='vpc')['AllocationId']
    made = ec2.create_nat_gateway(**given(tags, SubnetId=base()['subnets'][0], AllocationId=address, TagSpecifications=spec('natgateway', tags)))
    made = made['NatGateway']['NatGatewayId']
    return (made, 'ec2', 'CreateNatGateway', {'CreateNatGatewayRequest': {'AllocationId': address}},
            {'CreateNatGatewayResponse': {'xmlns': 'http://ec2.amazonaws.com/doc/2016-11-15/', 'natGateway': {'natGatewayId': made}}})


def make_route_table(name, tags):
    made = ec2.create_route_table(**given(tags, VpcId=base()['vpc'], TagSpecifications=spec('route-table', tags)))['RouteTable']['RouteTableId']
    return made, 'ec2', 'CreateRouteTable', {'vpcId': base()['vpc']}, {'routeTable': {'routeTableId': made, 'vpcId': base()['vpc']}}


def make_elastic_ip(name, tags):
    made = ec2.allocate_address(**given(tags, Domain='vpc', TagSpecifications=spec('elastic-ip', tags)))
    return made['AllocationId'], 'ec2', 'AllocateAddress', {'domain': 'vpc'}, {'publicIp': made['PublicIp'], 'domain': 'vpc', 'allocationId': made['AllocationId']}


def make_launch_template(name, tags):
    made = ec2.create_launch_template(**given(tags, LaunchTemplateName=name, LaunchTemplateData={'InstanceType': 't3.micro'},
                                              TagSpecifications=spec('launch-template', tags)))['LaunchTemplate']['LaunchTemplateId']
    return (made, 'ec2', 'CreateLaunchTemplate', {'CreateLaunchTemplateRequest': {'LaunchTemplateName': name}},
            {'CreateLaunchTemplateResponse': {'launchTemplate': {'launchTemplateId': made, 'launchTemplateName': name}}})


def make_key_pair(name, tags):
    made = ec2.create_key_pair(**given(tags, KeyName=name, TagSpecifications=spec('key-pair', tags)))['KeyPairId']
    return made, 'ec2', 'CreateKeyPair', {'keyName': name}, {'keyName': name, 'keyPairId': made, 'keyMaterial': '<sensitiveDataRemoved>'}


# --- IAM ------------------------------------------------------------------------------------------------------------

def make_iam_user(name, tags):
    made = iam.create_user(UserName=name, Tags=kv(tags))
    return name, 'iam', 'CreateUser', {'userName': name}, lowered(made)


def make_iam_role(name, tags):
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=kv(tags))
    return name, 'iam', 'CreateRole', {'roleName': name}, lowered(made)


def make_iam_policy(name, tags):
    made = iam.create_policy(PolicyName=name, PolicyDocument=POLICY, Tags=kv(tags))
    return made['Policy']['PolicyId'], 'iam', 'CreatePolicy', {'policyName': name}, lowered(made)


def make_iam_profile(name, tags):
    made = iam.create_instance_profile(InstanceProfileName=name, Tags=kv(tags))
    return name, 'iam', 'CreateInstanceProfile', {'instanceProfileName': name}, lowered(made)


# --- The others -----------------------------------------------------------------------------------------------------

def make_s3(name, tags):
    client('s3').create_bucket(Bucket=name)
    if tags:
        client('s3').put_bucket_tagging(Bucket=name, Tagging={'TagSet': kv(tags)})
    return name, 's3', 'CreateBucket', {'bucketName': name, 'Host': f'{name}.s3.amazonaws.com'}, None


def make_lambda(name, tags):
    made = client('lambda').create_function(FunctionName=name, Role=base()['role'], Runtime='python3.13', Handler='main.handler',
                                            Code={'ZipFile': base()['code']}, Tags=tags)
    return name, 'lambda', 'CreateFunction20150331', {'functionName': name}, lowered(made)


def make_sqs(name, tags):
    made = client('sqs').create_queue(QueueName=name, tags=tags)
    return made['QueueUrl'], 'sqs', 'CreateQueue', {'queueName': name}, {'queueUrl': f'https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}'}


def make_sns(name, tags):
    made = client('sns').create_topic(Name=name, Tags=kv(tags))
    return made['TopicArn'], 'sns', 'CreateTopic', {'name': name}, lowered(made)


def make_dynamodb_table(name, tags):
    made = client('dynamodb').create_table(**given(
        tags, TableName=name, KeySchema=[{'AttributeName': 'a', 'KeyType': 'HASH'}], BillingMode='PAY_PER_REQUEST',
        AttributeDefinitions=[{'AttributeName': 'a', 'AttributeType': 'S'}], Tags=kv(tags)))
    return name, 'dynamodb', 'CreateTable', {'tableName': name}, lowered(made)


def make_rds(name, tags):
    made = rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass='db.t3.micro', Engine='mysql', AllocatedStorage=5,
                                  MasterUsername='admin', MasterUserPassword='secret-word', Tags=kv(tags))
    return name, 'rds', 'CreateDBInstance', {'dBInstanceIdentifier': name}, lowered(made['DBInstance'])


def make_rds_cluster(name, tags):
    made = rds.create_db_cluster(DBClusterIdentifier=name, Engine='aurora-mysql', MasterUsername='admin', MasterUserPassword='secret-word', Tags=kv(tags))
    return name, 'rds', 'CreateDBCluster', {'dBClusterIdentifier': name}, lowered(made['DBCluster'])


def make_rds_snapshot(name, tags):
    made = rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier='base', Tags=kv(tags))
    return name, 'rds', 'CreateDBSnapshot', {'dBSnapshotIdentifier': name}, lowered(made['DBSnapshot'])


def make_kms_key(name, tags):
    made = client('kms').create_key(Description=name, Tags=kv(tags, 'TagKey', 'TagValue'))
    return made['KeyMetadata']['KeyId'], 'kms', 'CreateKey', {'description': name}, lowered(made)


def make_log_group(name, tags):
    client('logs').create_log_group(**given(tags, logGroupName=name, tags=tags))
    return name, 'logs', 'CreateLogGroup', {'logGroupName': name}, None


def make_secrets_manager(name, tags):
    made = client('secretsmanager').create_secret(**given(tags, Name=name, SecretString='x', Tags=kv(tags)))
    return name, 'secretsmanager', 'CreateSecret', {'name': name}, {'arn': made['ARN']}


def make_ssm_parameter(name, tags):
    client('ssm').put_parameter(Name=name, Value='x', Type='String', Tags=kv(tags))
    return name, 'ssm', 'PutParameter', {'name': name, 'value': 'HIDDEN_DUE_TO_SECURITY_REASONS', 'type': 'String'}, {'version': 1, 'tier': 'Standard'}


def make_cfn(name, tags):
    made = client('cloudformation').create_stack(StackName=name, TemplateBody=TEMPLATE, Tags=kv(tags))
    return name, 'cloudformation', 'CreateStack', {'stackName': name}, {'stackId': made['StackId']}


def make_app_elb(name, tags):
    made = elb.create_load_balancer(**given(tags, Name=name, Subnets=base()['subnets'], Tags=kv(tags)))
    return made['LoadBalancers'][0]['LoadBalancerArn'], 'elasticloadbalancing', 'CreateLoadBalancer', {'name': name, 'type': 'application'}, lowered(made)


def make_app_elb_target_group(name, tags):
    made = elb.create_target_group(**given(tags, Name=name, Protocol='HTTP', Port=80, VpcId=base()['vpc'], Tags=kv(tags)))
    return made['TargetGroups'][0]['TargetGroupArn'], 'elasticloadbalancing', 'CreateTargetGroup', {'name': name}, lowered(made)


def make_ecs(name, tags):
    made = ecs.create_cluster(clusterName=name, tags=kv(tags, 'key', 'value'))
    return made['cluster']['clusterArn'], 'ecs', 'CreateCluster', {'clusterName': name}, lowered(made)


def make_ecs_service(name, tags):
    made = ecs.create_service(cluster='base', serviceName=name, taskDefinition='base', desiredCount=0, tags=kv(tags, 'key', 'value'))
    return made['service']['serviceArn'], 'ecs', 'CreateService', {'serviceName': name, 'cluster': 'base'}, lowered(made)


def make_eks(name, tags):
    made = client('eks').create_cluster(name=name, roleArn=base()['role'], resourcesVpcConfig={'subnetIds': base()['subnets']}, tags=tags)
    return name, 'eks', 'CreateCluster', {'name': name}, {'cluster': {'name': name, 'arn': made['cluster']['arn'], 'status': 'CREATING'}}


def make_ecr(name, tags):
    made = client('ecr').create_repository(repositoryName=name, tags=kv(tags))
    return name, 'ecr', 'CreateRepository', {'repositoryName': name}, lowered(made)


def make_efs(name, tags):
    made = client('efs').create_file_system(CreationToken=name, Tags=kv(tags))
    return made['FileSystemId'], 'elasticfilesystem', 'CreateFileSystem', {'creationToken': name}, lowered(made)


def make_cache_cluster(name, tags):
    made = client('elasticache').create_cache_cluster(CacheClusterId=name, Engine='redis', CacheNodeType='cache.t3.micro', NumCacheNodes=1, Tags=kv(tags))
    return name, 'elasticache', 'CreateCacheCluster', {'cacheClusterId': name}, lowered(made['CacheCluster'])


def make_kinesis(name, tags):
    client('kinesis').create_stream(StreamName=name, ShardCount=1)
    if tags:  # moto drops CreateStream's own Tags
        client('kinesis').add_tags_to_stream(StreamName=name, Tags=tags)
    return name, 'kinesis', 'CreateStream', {'streamName': name, 'shardCount': 1}, None


def make_step_machine(name, tags):
    made = client('stepfunctions').create_state_machine(name=name, definition=MACHINE, roleArn=base()['role'], tags=kv(tags, 'key', 'value'))
    return made['stateMachineArn'], 'states', 'CreateStateMachine', {'name': name}, {'stateMachineArn': made['stateMachineArn'], 'creationDate': 'Mar 1, 2026 10:00:00 AM'}


def make_event_rule(name, tags):
    made = client('events').put_rule(Name=name, ScheduleExpression='rate(1 hour)', Tags=kv(tags))
    return made['RuleArn'], 'events', 'PutRule', {'name': name, 'scheduleExpression': 'rate(1 hour)'}, {'ruleArn': made['RuleArn']}


def make_alarm(name, tags):
    client('cloudwatch').put_metric_alarm(AlarmName=name, MetricName='m', Namespace='n', Statistic='Sum', Period=60, EvaluationPeriods=1,
                                          Threshold=1, ComparisonOperator='GreaterThanThreshold', Tags=kv(tags))
    return name, 'monitoring', 'PutMetricAlarm', {'alarmName': name, 'metricName': 'm'}, None


def make_cloudtrail(name, tags):
    made = client('cloudtrail').create_trail(Name=name, S3BucketName='base-bucket', TagsList=kv(tags))
    return made['TrailARN'], 'cloudtrail', 'CreateTrail', {'name': name, 's3BucketName': 'base-bucket'}, lowered(made)


def make_asg(name, tags):
    full = [{**tag, 'PropagateAtLaunch': False, 'ResourceId': name, 'ResourceType': 'auto-scaling-group'} for tag in kv(tags)]
    client('autoscaling').create_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, MaxSize=1, AvailabilityZones=['us-east-1a'],
                                                    LaunchTemplate={'LaunchTemplateId': base()['template'], 'Version': '$Latest'}, Tags=full)
    return name, 'autoscaling', 'CreateAutoScalingGroup', {'autoScalingGroupName': name, 'minSize': 0}, None


NAMES = {'cloudtrail': 'lab-trail-', 's3': 'lab-bucket-', 'log-group': '/lab/', 'ssm-parameter': '/lab/'}
SPELLING = {'launch-template-version': 'launch_template'}
TYPES = [
    'ec2', 'ebs', 'ebs-snapshot', 'ami', 'eni', 'security-group', 'vpc', 'subnet', 'internet-gateway', 'nat-gateway', 'route-table',
    'elastic-ip', 'launch-template-version', 'key-pair', 'iam-user', 'iam-role', 'iam-policy', 'iam-profile', 's3', 'lambda', 'sqs', 'sns',
    'dynamodb-table', 'rds', 'rds-cluster', 'rds-snapshot', 'kms-key', 'log-group', 'secrets-manager', 'ssm-parameter', 'cfn',
    'app-elb', 'app-elb-target-group', 'ecs', 'ecs-service', 'eks', 'ecr', 'efs', 'cache-cluster', 'kinesis', 'step-machine',
    'event-rule', 'alarm', 'cloudtrail', 'asg',
]


def create(types=TYPES, cases=CASES):
    """Makes a resource of each type for each case; gives what was made with the event of each."""
    made = []
    for kind in types:
        maker = globals()['make_' + SPELLING.get(kind, kind).replace('-', '_')]
        for case, tags in cases.items():
            ident, service, event, request, response = maker(NAMES.get(kind, 'lab-') + case, tags)
            made.append({'type': kind, 'case': case, 'id': ident, 'source': f'{service}.amazonaws.com', 'event': event,
                         'request': request, 'response': json.loads(json.dumps(response, default=str))})
    return made


# --- Reading back, by each service's own calls ----------------------------------------------------------------------

def read_ec2(operation, items, ident, **params):
    answer = getattr(ec2, operation)(**params)
    return {item[ident]: back(item.get('Tags')) for item in answer[items]}


def read_iam(list_operation, items, ident, tags_operation, **params):
    found = {}
    for item in pages('iam', list_operation, items, **params):
        wanted = {'PolicyArn': item['Arn']} if ident == 'PolicyId' else {ident: item[ident]}
        found[item[ident]] = back(getattr(iam, tags_operation)(**wanted)['Tags'])
    return found


def read_iam_profiles():
    names = [p['InstanceProfileName'] for p in pages('iam', 'list_instance_profiles', 'InstanceProfiles')]
    return {name: back(iam.get_instance_profile(InstanceProfileName=name)['InstanceProfile'].get('Tags')) for name in names}


def read_s3():
    found = {}
    for bucket in client('s3').list_buckets()['Buckets']:
        try:
            found[bucket['Name']] = back(client('s3').get_bucket_tagging(Bucket=bucket['Name'])['TagSet'])
        except client('s3').exceptions.ClientError as error:
            if error.response['Error']['Code'] != 'NoSuchTagSet':
                raise
            found[bucket['Name']] = {}
    return found


def read_ecs_services():
    found = {}
    for cluster in ecs.list_clusters()['clusterArns']:
        for arn in ecs.list_services(cluster=cluster, maxResults=100)['serviceArns']:
            found[arn] = back(ecs.list_tags_for_resource(resourceArn=arn).get('tags'), 'key', 'value')
    return found


def own_kms_keys():
    kms = client('kms')
    for key in pages('kms', 'list_keys', 'Keys'):
        if kms.describe_key(KeyId=key['KeyId'])['KeyMetadata']['KeyManager'] == 'CUSTOMER':
            yield key['KeyId']


READERS = {
    'ec2': lambda: {i['InstanceId']: back(i.get('Tags')) for r in ec2.describe_instances()['Reservations'] for i in r['Instances']},
    'ebs': lambda: read_ec2('describe_volumes', 'Volumes', 'VolumeId'),
    'ebs-snapshot': lambda: read_ec2('describe_snapshots', 'Snapshots', 'SnapshotId', OwnerIds=['self']),
    'ami': lambda: read_ec2('describe_images', 'Images', 'ImageId', Owners=['self']),
    'eni': lambda: {i['NetworkInterfaceId']: back(i.get('TagSet')) for i in ec2.describe_network_interfaces()['NetworkInterfaces']},
    'security-group': lambda: read_ec2('describe_security_groups', 'SecurityGroups', 'GroupId'),
    'vpc': lambda: read_ec2('describe_vpcs', 'Vpcs', 'VpcId'),
    'subnet': lambda: read_ec2('describe_subnets', 'Subnets', 'SubnetId'),
    'internet-gateway': lambda: read_ec2('describe_internet_gateways', 'InternetGateways', 'InternetGatewayId'),
    'nat-gateway': lambda: read_ec2('describe_nat_gateways', 'NatGateways', 'NatGatewayId'),
    'route-table': lambda: read_ec2('describe_route_tables', 'RouteTables', 'RouteTableId'),
    'elastic-ip': lambda: read_ec2('describe_addresses', 'Addresses', 'AllocationId'),
    'launch-template-version': lambda: read_ec2('describe_launch_templates', 'LaunchTemplates', 'LaunchTemplateId'),
    'key-pair': lambda: read_ec2('describe_key_pairs', 'KeyPairs', 'KeyPairId'),
    'iam-user': lambda: read_iam('list_users', 'Users', 'UserName', 'list_user_tags'),
    'iam-role': lambda: read_iam('list_roles', 'Roles', 'RoleName', 'list_role_tags'),
    'iam-policy': lambda: read_iam('list_policies', 'Policies', 'PolicyId', 'list_policy_tags', Scope='Local'),
    'iam-profile': read_iam_profiles,
    's3': read_s3,
    'lambda': lambda: {f['FunctionName']: client('lambda').list_tags(Resource=f['FunctionArn'])['Tags'] for f in pages('lambda', 'list_functions', 'Functions')},
    'sqs': lambda: {q: client('sqs').list_queue_tags(QueueUrl=q).get('Tags', {}) for q in client('sqs').list_queues().get('QueueUrls', [])},
    'sns': lambda: {t['TopicArn']: back(client('sns').list_tags_for_resource(ResourceArn=t['TopicArn'])['Tags']) for t in pages('sns', 'list_topics', 'Topics')},
    'dynamodb-table': lambda: {t: back(client('dynamodb').list_tags_of_resource(ResourceArn=f'arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{t}')['Tags'])
                               for t in pages('dynamodb', 'list_tables', 'TableNames')},
    'rds': lambda: {i['DBInstanceIdentifier']: back(rds.list_tags_for_resource(ResourceName=i['DBInstanceArn'])['TagList']) for i in pages('rds', 'describe_db_instances', 'DBInstances')},
    'rds-cluster': lambda: {i['DBClusterIdentifier']: back(rds.list_tags_for_resource(ResourceName=i['DBClusterArn'])['TagList']) for i in pages('rds', 'describe_db_clusters', 'DBClusters')},
    'rds-snapshot': lambda: {i['DBSnapshotIdentifier']: back(rds.list_tags_for_resource(ResourceName=i['DBSnapshotArn'])['TagList']) for i in pages('rds', 'describe_db_snapshots', 'DBSnapshots')},
    'kms-key': lambda: {k: back(client('kms').list_resource_tags(KeyId=k)['Tags'], 'TagKey', 'TagValue') for k in own_kms_keys()},
    'log-group': lambda: {g['logGroupName']: client('logs').list_tags_log_group(logGroupName=g['logGroupName'])['tags'] for g in pages('logs', 'describe_log_groups', 'logGroups')},
    'secrets-manager': lambda: {s['Name']: back(client('secretsmanager').describe_secret(SecretId=s['ARN']).get('Tags')) for s in pages('secretsmanager', 'list_secrets', 'SecretList')},
    'ssm-parameter': lambda: {p['Name']: back(client('ssm').list_tags_for_resource(ResourceType='Parameter', ResourceId=p['Name'])['TagList'])
                              for p in pages('ssm', 'describe_parameters', 'Parameters')},
    'cfn': lambda: {s['StackName']: back(s.get('Tags')) for s in pages('cloudformation', 'describe_stacks', 'Stacks')},
    'app-elb': lambda: {b['LoadBalancerArn']: back(elb.describe_tags(ResourceArns=[b['LoadBalancerArn']])['TagDescriptions'][0]['Tags']) for b in pages('elbv2', 'describe_load_balancers', 'LoadBalancers')},
    'app-elb-target-group': lambda: {b['TargetGroupArn']: back(elb.describe_tags(ResourceArns=[b['TargetGroupArn']])['TagDescriptions'][0]['Tags']) for b in pages('elbv2', 'describe_target_groups', 'TargetGroups')},
    'ecs': lambda: {c: back(ecs.list_tags_for_resource(resourceArn=c).get('tags'), 'key', 'value') for c in pages('ecs', 'list_clusters', 'clusterArns')},
    'ecs-service': read_ecs_services,
    'eks': lambda: {c: client('eks').describe_cluster(name=c)['cluster'].get('tags', {}) for c in pages('eks', 'list_clusters', 'clusters')},
    'ecr': lambda: {r['repositoryName']: back(client('ecr').list_tags_for_resource(resourceArn=r['repositoryArn'])['tags']) for r in pages('ecr', 'describe_repositories', 'repositories')},
    'efs': lambda: {f['FileSystemId']: back(client('efs').list_tags_for_resource(ResourceId=f['FileSystemId'])['Tags']) for f in pages('efs', 'describe_file_systems', 'FileSystems')},
    'cache-cluster': lambda: {c['CacheClusterId']: back(client('elasticache').list_tags_for_resource(ResourceName=c['ARN'])['TagList']) for c in pages('elasticache', 'describe_cache_clusters', 'CacheClusters')},
    'kinesis': lambda: {s: back(client('kinesis').list_tags_for_stream(StreamName=s)['Tags']) for s in pages('kinesis', 'list_streams', 'StreamNames')},
    'step-machine': lambda: {m['stateMachineArn']: back(client('stepfunctions').list_tags_for_resource(resourceArn=m['stateMachineArn'])['tags'], 'key', 'value')
                             for m in pages('stepfunctions', 'list_state_machines', 'stateMachines')},
    'event-rule': lambda: {r['Arn']: back(client('events').list_tags_for_resource(ResourceARN=r['Arn'])['Tags']) for r in pages('events', 'list_rules', 'Rules')},
    'alarm': lambda: {a['AlarmName']: back(client('cloudwatch').list_tags_for_resource(ResourceARN=a['AlarmArn'])['Tags']) for a in pages('cloudwatch', 'describe_alarms', 'MetricAlarms')},
    'cloudtrail': lambda: {t['TrailARN']: back(client('cloudtrail').list_tags(ResourceIdList=[t['TrailARN']])['ResourceTagList'][0]['TagsList'])
                           for t in client('cloudtrail').describe_trails()['trailList']},
    'asg': lambda: {g['AutoScalingGroupName']: back(g['Tags']) for g in pages('autoscaling', 'describe_auto_scaling_groups', 'AutoScalingGroups')},
}


def everything(types=TYPES):
    """All live resources of the types with all their tags."""
    return {kind: READERS[kind]() for kind in types}
