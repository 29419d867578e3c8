# Two of each resource type, one with the tag Owner=amy, one without any. Leaves in `result`, for each type, what boto3
# itself lists: [id, ARN or None, tags or None where moto can't read them back].
import io, zipfile
tag = [{'Key': 'Owner', 'Value': 'amy'}]
low = [{'key': 'Owner', 'value': 'amy'}]
flat = {'Owner': 'amy'}
ec2, iam, s3 = client('ec2'), client('iam'), client('s3')

def spec(kind, tagged):
    return [{'ResourceType': kind, 'Tags': tag}] if tagged else []

vpc = ec2.create_vpc(CidrBlock='10.9.0.0/16', TagSpecifications=spec('vpc', True))['Vpc']['VpcId']
subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.9.{n}.0/24', AvailabilityZone='us-east-1' + 'ab'[n],
           TagSpecifications=spec('subnet', n))['Subnet']['SubnetId'] for n in range(2)]
image = ec2.describe_images()['Images'][0]['ImageId']
for n in range(2):
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnets[0],
                                 TagSpecifications=spec('instance', n))['Instances'][0]['InstanceId']
    volume = ec2.create_volume(Size=1, AvailabilityZone='us-east-1a', TagSpecifications=spec('volume', n))['VolumeId']
    ec2.create_snapshot(VolumeId=volume, TagSpecifications=spec('snapshot', n))
    ec2.create_image(InstanceId=instance, Name=f'image{n}', TagSpecifications=spec('image', n))
    ec2.create_network_interface(SubnetId=subnets[0], TagSpecifications=spec('network-interface', n))
    ec2.create_security_group(GroupName=f'group{n}', Description='x', VpcId=vpc, TagSpecifications=spec('security-group', n))
    ec2.create_internet_gateway(TagSpecifications=spec('internet-gateway', n))
    address = ec2.allocate_address(Domain='vpc', TagSpecifications=spec('elastic-ip', n))['AllocationId']
    ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address, TagSpecifications=spec('natgateway', n))
    ec2.create_route_table(VpcId=vpc, TagSpecifications=spec('route-table', n))
    ec2.create_key_pair(KeyName=f'key{n}', TagSpecifications=spec('key-pair', n))
    ec2.create_launch_template(LaunchTemplateName=f'template{n}', LaunchTemplateData={'InstanceType': 't3.nano', 'ImageId': image},
                               TagSpecifications=spec('launch-template', n))
    iam.create_user(UserName=f'user{n}', Tags=tag * n)
    iam.create_role(RoleName=f'role{n}', AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}', Path='/a/', Tags=tag * n)
    iam.create_policy(PolicyName=f'policy{n}', PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}', Tags=tag * n)
    iam.create_instance_profile(InstanceProfileName=f'profile{n}', Tags=tag * n)
    s3.create_bucket(Bucket=f'bucket{n}')
    client('sns').create_topic(Name=f'topic{n}', Tags=tag * n)
    client('sqs').create_queue(QueueName=f'queue{n}', tags=flat if n else {})
    client('dynamodb').create_table(TableName=f'table{n}', BillingMode='PAY_PER_REQUEST', Tags=tag * n,
        KeySchema=[{'AttributeName': 'a', 'KeyType': 'HASH'}], AttributeDefinitions=[{'AttributeName': 'a', 'AttributeType': 'S'}])
    client('kms').create_key(Tags=[{'TagKey': 'Owner', 'TagValue': 'amy'}] * n)
    client('logs').create_log_group(logGroupName=f'/group/{n}', tags=flat if n else {})
    client('secretsmanager').create_secret(Name=f'secret{n}', SecretString='x', Tags=tag * n)
    client('ssm').put_parameter(Name=('/deep/p' if n else 'p') + str(n), Value='x', Type='String', Tags=tag * n)
    client('cloudformation').create_stack(StackName=f'stack{n}', Tags=tag * n,
        TemplateBody='{"Resources":{"T":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"of-stack%d"}}}}' % n)
    client('rds').create_db_instance(DBInstanceIdentifier=f'db{n}', DBInstanceClass='db.t3.micro', Engine='postgres',
                                     MasterUsername='a', MasterUserPassword='secret99', AllocatedStorage=5, Tags=tag * n)
    client('rds').create_db_cluster(DBClusterIdentifier=f'cluster{n}', Engine='aurora-mysql', MasterUsername='a',
                                    MasterUserPassword='secret99', Tags=tag * n)
    client('rds').create_db_snapshot(DBSnapshotIdentifier=f'snapshot{n}', DBInstanceIdentifier='db0', Tags=tag * n)
    balancer = client('elbv2').create_load_balancer(Name=f'balancer{n}', Subnets=subnets, Tags=(tag if n else [{'Key': 'x', 'Value': ''}]))
    client('elbv2').create_target_group(Name=f'target{n}', Protocol='HTTP', Port=80, VpcId=vpc, Tags=(tag if n else [{'Key': 'x', 'Value': ''}]))
    cluster = client('ecs').create_cluster(clusterName=f'cluster{n}', tags=low * n)['cluster']['clusterArn']
    client('ecs').register_task_definition(family='f', containerDefinitions=[{'name': 'c', 'image': 'i', 'memory': 9}])
    client('ecs').create_service(cluster=cluster, serviceName=f'service{n}', taskDefinition='f', desiredCount=0, tags=low * n)
    client('eks').create_cluster(name=f'eks{n}', roleArn='arn:aws:iam::123456789012:role/a/role0', tags=flat if n else {},
                                 resourcesVpcConfig={'subnetIds': subnets})
    client('ecr').create_repository(repositoryName=f'team/repo{n}', tags=tag * n)
    client('efs').create_file_system(CreationToken=f't{n}', Tags=tag * n)
    client('elasticache').create_cache_cluster(CacheClusterId=f'cache{n}', Engine='redis', CacheNodeType='cache.t3.micro',
                                               NumCacheNodes=1, Tags=tag * n)
    client('kinesis').create_stream(StreamName=f'stream{n}', ShardCount=1, Tags=flat if n else {})
    client('stepfunctions').create_state_machine(name=f'machine{n}', roleArn='arn:aws:iam::123456789012:role/a/role0', tags=low * n,
        definition='{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}')
    client('events').create_event_bus(Name=f'bus{n}', Tags=tag * n)
    client('events').put_rule(Name=f'rule{n}', ScheduleExpression='rate(1 day)', Tags=tag * n)
    client('cloudwatch').put_metric_alarm(AlarmName=f'alarm{n}', MetricName='m', Namespace='n', Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator='GreaterThanThreshold', Statistic='Sum', Tags=tag * n)
    client('cloudtrail').create_trail(Name=f'trail{n}', S3BucketName='bucket0', TagsList=tag * n)
    client('autoscaling').create_launch_configuration(LaunchConfigurationName=f'launch{n}', ImageId=image, InstanceType='t3.nano')
    client('autoscaling').create_auto_scaling_group(AutoScalingGroupName=f'asg{n}', LaunchConfigurationName=f'launch{n}',
        MinSize=0, MaxSize=0, AvailabilityZones=['us-east-1a'], Tags=tag * n)
s3.put_bucket_tagging(Bucket='bucket1', Tagging={'TagSet': tag})
client('s3', 'eu-west-1').create_bucket(Bucket='far', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
client('s3', 'eu-west-1').put_bucket_tagging(Bucket='far', Tagging={'TagSet': tag})
packed = io.BytesIO()
with zipfile.ZipFile(packed, 'w') as file:
    file.writestr('a.py', 'x')
for n in range(2):
    client('lambda').create_function(FunctionName=f'function{n}', Runtime='python3.13', Handler='a.b', Tags=flat if n else {},
        Role=iam.get_role(RoleName='role0')['Role']['Arn'], Code={'ZipFile': packed.getvalue()})

def of(tags):
    if isinstance(tags, dict):
        return tags
    return {t.get('Key', t.get('key', t.get('TagKey'))): t.get('Value', t.get('value', t.get('TagValue'))) for t in tags or []}

def ec2_like(kind, items, id, account='123456789012', tags='Tags'):
    return [[i[id], f'arn:aws:ec2:us-east-1:{account}:{kind}/{i[id]}', of(i.get(tags))] for i in items]

def simple(items, id, arn, tags):
    return [[i[id], i[arn], of(tags(i))] for i in items]

c = client
def secondary(arn):
    return c('ecs').list_tags_for_resource(resourceArn=arn)['tags']

result = {
    'ec2': ec2_like('instance', [i for r in ec2.describe_instances()['Reservations'] for i in r['Instances']], 'InstanceId'),
    'ebs': ec2_like('volume', ec2.describe_volumes()['Volumes'], 'VolumeId'),
    'ebs-snapshot': ec2_like('snapshot', ec2.describe_snapshots(OwnerIds=['self'])['Snapshots'], 'SnapshotId', ''),
    'ami': ec2_like('image', ec2.describe_images(Owners=['self'])['Images'], 'ImageId', ''),
    'eni': ec2_like('network-interface', ec2.describe_network_interfaces()['NetworkInterfaces'], 'NetworkInterfaceId', tags='TagSet'),
    'security-group': ec2_like('security-group', ec2.describe_security_groups()['SecurityGroups'], 'GroupId'),
    'vpc': ec2_like('vpc', ec2.describe_vpcs()['Vpcs'], 'VpcId'),
    'subnet': ec2_like('subnet', ec2.describe_subnets()['Subnets'], 'SubnetId'),
    'internet-gateway': ec2_like('internet-gateway', ec2.describe_internet_gateways()['InternetGateways'], 'InternetGatewayId'),
    'nat-gateway': ec2_like('natgateway', ec2.describe_nat_gateways()['NatGateways'], 'NatGatewayId'),
    'route-table': ec2_like('route-table', ec2.describe_route_tables()['RouteTables'], 'RouteTableId'),
    'elastic-ip': ec2_like('elastic-ip', ec2.describe_addresses()['Addresses'], 'AllocationId'),
    'launch-template-version': ec2_like('launch-template', ec2.describe_launch_templates()['LaunchTemplates'], 'LaunchTemplateId'),
    'key-pair': ec2_like('key-pair', ec2.describe_key_pairs()['KeyPairs'], 'KeyPairId'),
    'iam-user': simple(iam.list_users()['Users'], 'UserName', 'Arn', lambda i: iam.list_user_tags(UserName=i['UserName'])['Tags']),
    'iam-role': simple(iam.list_roles()['Roles'], 'RoleName', 'Arn', lambda i: iam.list_role_tags(RoleName=i['RoleName'])['Tags']),
    'iam-policy': simple(iam.list_policies(Scope='Local')['Policies'], 'PolicyId', 'Arn', lambda i: iam.list_policy_tags(PolicyArn=i['Arn'])['Tags']),
    'iam-profile': simple(iam.list_instance_profiles()['InstanceProfiles'], 'InstanceProfileName', 'Arn',
                          lambda i: iam.get_instance_profile(InstanceProfileName=i['InstanceProfileName'])['InstanceProfile'].get('Tags')),
    's3': [[n, 'arn:aws:s3:::' + n, {} if n == 'bucket0' else flat] for n in (b['Name'] for b in s3.list_buckets()['Buckets'])],
    'sns': simple(c('sns').list_topics()['Topics'], 'TopicArn', 'TopicArn', lambda i: c('sns').list_tags_for_resource(ResourceArn=i['TopicArn'])['Tags']),
    'sqs': [[u, 'arn:aws:sqs:us-east-1:123456789012:' + u.rsplit('/')[-1], of(c('sqs').list_queue_tags(QueueUrl=u).get('Tags', {}))]
            for u in c('sqs').list_queues()['QueueUrls']],
    'dynamodb-table': [[n, a, of(c('dynamodb').list_tags_of_resource(ResourceArn=a)['Tags'])] for n, a in
        ((n, c('dynamodb').describe_table(TableName=n)['Table']['TableArn']) for n in c('dynamodb').list_tables()['TableNames'])],
    'kms-key': simple(c('kms').list_keys()['Keys'], 'KeyId', 'KeyArn', lambda i: c('kms').list_resource_tags(KeyId=i['KeyId'])['Tags']),
    'log-group': simple(c('logs').describe_log_groups()['logGroups'], 'logGroupName', 'logGroupArn',
                        lambda i: c('logs').list_tags_for_resource(resourceArn=i['logGroupArn'])['tags']),
    'secrets-manager': simple(c('secretsmanager').list_secrets()['SecretList'], 'Name', 'ARN', lambda i: i.get('Tags')),
    'ssm-parameter': [[i['Name'], 'arn:aws:ssm:us-east-1:123456789012:parameter/' + i['Name'].lstrip('/'),
                       of(c('ssm').list_tags_for_resource(ResourceType='Parameter', ResourceId=i['Name'])['TagList'])]
                      for i in c('ssm').describe_parameters()['Parameters']],
    'cfn': simple(c('cloudformation').describe_stacks()['Stacks'], 'StackName', 'StackId', lambda i: i.get('Tags')),
    'rds': simple(c('rds').describe_db_instances()['DBInstances'], 'DBInstanceIdentifier', 'DBInstanceArn', lambda i: i['TagList']),
    'rds-cluster': simple(c('rds').describe_db_clusters()['DBClusters'], 'DBClusterIdentifier', 'DBClusterArn', lambda i: i['TagList']),
    'rds-snapshot': simple(c('rds').describe_db_snapshots()['DBSnapshots'], 'DBSnapshotIdentifier', 'DBSnapshotArn', lambda i: i['TagList']),
    'app-elb': simple(c('elbv2').describe_load_balancers()['LoadBalancers'], 'LoadBalancerArn', 'LoadBalancerArn',
                      lambda i: c('elbv2').describe_tags(ResourceArns=[i['LoadBalancerArn']])['TagDescriptions'][0]['Tags']),
    'app-elb-target-group': simple(c('elbv2').describe_target_groups()['TargetGroups'], 'TargetGroupArn', 'TargetGroupArn',
                                   lambda i: c('elbv2').describe_tags(ResourceArns=[i['TargetGroupArn']])['TagDescriptions'][0]['Tags']),
    'ecs': [[a, a, of(secondary(a))] for a in c('ecs').list_clusters()['clusterArns']],
    'ecs-service': [[a, a, of(secondary(a))] for k in c('ecs').list_clusters()['clusterArns'] for a in c('ecs').list_services(cluster=k)['serviceArns']],
    'eks': [[n, k['arn'], of(k['tags'])] for n, k in ((n, c('eks').describe_cluster(name=n)['cluster']) for n in c('eks').list_clusters()['clusters'])],
    'ecr': simple(c('ecr').describe_repositories()['repositories'], 'repositoryName', 'repositoryArn',
                  lambda i: c('ecr').list_tags_for_resource(resourceArn=i['repositoryArn'])['tags']),
    'efs': simple(c('efs').describe_file_systems()['FileSystems'], 'FileSystemId', 'FileSystemArn', lambda i: i['Tags']),
    'cache-cluster': simple(c('elasticache').describe_cache_clusters()['CacheClusters'], 'CacheClusterId', 'ARN',
                            lambda i: c('elasticache').list_tags_for_resource(ResourceName=i['ARN'])['TagList']),
    'kinesis': [[n, s['StreamARN'], of(c('kinesis').list_tags_for_stream(StreamName=n)['Tags'])] for n, s in
        ((n, c('kinesis').describe_stream_summary(StreamName=n)['StreamDescriptionSummary']) for n in c('kinesis').list_streams()['StreamNames'])],
    'step-machine': simple(c('stepfunctions').list_state_machines()['stateMachines'], 'stateMachineArn', 'stateMachineArn',
                           lambda i: c('stepfunctions').list_tags_for_resource(resourceArn=i['stateMachineArn'])['tags']),
    'event-bus': simple([b for b in c('events').list_event_buses()['EventBuses']], 'Name', 'Arn',
                        lambda i: [] if i['Name'] == 'default' else c('events').list_tags_for_resource(ResourceARN=i['Arn'])['Tags']),
    'event-rule': simple(c('events').list_rules()['Rules'], 'Arn', 'Arn', lambda i: c('events').list_tags_for_resource(ResourceARN=i['Arn'])['Tags']),
    'alarm': simple(c('cloudwatch').describe_alarms()['MetricAlarms'], 'AlarmName', 'AlarmArn',
                    lambda i: c('cloudwatch').list_tags_for_resource(ResourceARN=i['AlarmArn'])['Tags']),
    'lambda': simple(c('lambda').list_functions()['Functions'], 'FunctionName', 'FunctionArn',
                     lambda i: c('lambda').list_tags(Resource=i['FunctionArn'])['Tags']),
    'cloudtrail': simple(c('cloudtrail').describe_trails()['trailList'], 'TrailARN', 'TrailARN',
                         lambda i: c('cloudtrail').list_tags(ResourceIdList=[i['TrailARN']])['ResourceTagList'][0]['TagsList']),
    'asg': simple(c('autoscaling').describe_auto_scaling_groups()['AutoScalingGroups'], 'AutoScalingGroupName', 'AutoScalingGroupARN', lambda i: i.get('Tags')),
}
