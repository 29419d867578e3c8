# Ten resources of each of twenty types, with tags in all spellings of `owner`; and their tags as boto3 sees them.
# `make()` gives each type's resources with the events that made them, `read(made)` the tags of each by type and id.

import json

IGNORES_CASE = ('iam-user', 'iam-role')
SPELLINGS = [
    {}, {'owner': 'payments'}, {'OWNER': 'payments'}, {'Owner': 'payments'}, {'oWner': 'payments'}, {'OwnerEmail': 'p@example.com'},
    {'Owner': 'payments', 'OwnerEmail': 'p@example.com'}, {'owner': 'payments', 'OWNER': 'billing'}, {'owner': 'alice'},
    {'ownerName': 'payments', 'Owner-Id': 'payments'},
]

def spelled(kind, number):
    tags = dict(SPELLINGS[number])
    if kind in IGNORES_CASE and len({key.lower() for key in tags}) < len(tags):
        del tags['OWNER']
    return {'team': 'blue', 'Cost Center': '7', 'TEAM2' if kind in IGNORES_CASE else 'Team': 'red', **tags}

def upper(tags):
    return [{'Key': key, 'Value': value} for key, value in tags.items()]

def lower(tags):
    return [{'key': key, 'value': value} for key, value in tags.items()]

def of(tags):
    return {tag.get('Key', tag.get('key', tag.get('TagKey'))): tag.get('Value', tag.get('value', tag.get('TagValue'))) for tag in tags}

def ec2(resource, tags):
    return [{'ResourceType': resource, 'Tags': upper(tags)}]

def of_ec2(id):
    tags = client('ec2').describe_tags(Filters=[{'Name': 'resource-id', 'Values': [id]}])['Tags']
    return {tag['Key']: tag['Value'] for tag in tags}

def bucket(name, tags):
    client('s3').create_bucket(Bucket=name)
    client('s3').put_bucket_tagging(Bucket=name, Tagging={'TagSet': upper(tags)})
    return name, {'bucketName': name}, None

def stream(name, tags):
    client('kinesis').create_stream(StreamName=name, ShardCount=1)
    client('kinesis').add_tags_to_stream(StreamName=name, Tags=tags)
    return name, {'streamName': name}, None

def table(name, tags):
    client('dynamodb').create_table(TableName=name, Tags=upper(tags), BillingMode='PAY_PER_REQUEST', KeySchema=[dict(AttributeName='k', KeyType='HASH')],
                                    AttributeDefinitions=[dict(AttributeName='k', AttributeType='S')])
    return name, {'tableName': name}, None

def log_group(name, tags):
    client('logs').create_log_group(logGroupName=name, tags=tags)
    return name, {'logGroupName': name}, None

def rule(name, tags):
    arn = client('events').put_rule(Name=name, ScheduleExpression='rate(1 day)', Tags=upper(tags))['RuleArn']
    return arn, {'name': name}, {'ruleArn': arn}

def key(_, tags):
    tags = [{'TagKey': key, 'TagValue': value} for key, value in tags.items()]
    id = client('kms').create_key(Tags=tags)['KeyMetadata']['KeyId']
    return id, None, {'keyMetadata': {'keyId': id}}

def parameter(name, tags):
    client('ssm').put_parameter(Name=name, Value='v', Type='String', Tags=upper(tags))
    return name, {'name': name}, {'version': 1}

def secret(name, tags):
    arn = client('secretsmanager').create_secret(Name=name, SecretString='s', Tags=upper(tags))['ARN']
    return name, {'name': name}, {'arn': arn}

def queue(name, tags):
    url = client('sqs').create_queue(QueueName=name, tags=tags)['QueueUrl']
    return url, {'queueName': name}, {'queueUrl': url}

def topic(name, tags):
    arn = client('sns').create_topic(Name=name, Tags=upper(tags))['TopicArn']
    return arn, None, {'topicArn': arn}

def cluster(name, tags):
    arn = client('ecs').create_cluster(clusterName=name, tags=lower(tags))['cluster']['clusterArn']
    return arn, None, {'cluster': {'clusterArn': arn}}

def repository(name, tags):
    client('ecr').create_repository(repositoryName=name, tags=upper(tags))
    return name, {'repositoryName': name}, None

def user(name, tags):
    client('iam').create_user(UserName=name, Tags=upper(tags))
    return name, {'userName': name}, None

def role(name, tags):
    client('iam').create_role(RoleName=name, AssumeRolePolicyDocument='{}', Tags=upper(tags))
    return name, {'roleName': name}, None

def profile(name, tags):
    client('iam').create_instance_profile(InstanceProfileName=name, Tags=upper(tags))
    return name, {'instanceProfileName': name}, None

def policy(name, tags):
    document = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Deny', 'Action': '*', 'Resource': '*'}]})
    made = client('iam').create_policy(PolicyName=name, PolicyDocument=document, Tags=upper(tags))['Policy']
    return made['PolicyId'], None, {'policy': {'policyId': made['PolicyId'], 'arn': made['Arn']}}

def volume(_, tags):
    id = client('ec2').create_volume(AvailabilityZone='us-east-1a', Size=1, TagSpecifications=ec2('volume', tags))['VolumeId']
    return id, None, {'volumeId': id}

def vpc(_, tags):
    id = client('ec2').create_vpc(CidrBlock='10.0.0.0/16', TagSpecifications=ec2('vpc', tags))['Vpc']['VpcId']
    return id, None, {'vpc': {'vpcId': id}}

def group(name, tags):
    made = client('ec2').create_security_group(GroupName=name, Description='d', TagSpecifications=ec2('security-group', tags))
    return made['GroupId'], None, {'groupId': made['GroupId']}

def gateway(_, tags):
    made = client('ec2').create_internet_gateway(TagSpecifications=ec2('internet-gateway', tags))['InternetGateway']['InternetGatewayId']
    return made, None, {'internetGateway': {'internetGatewayId': made}}

def arn(service, path):
    return f'arn:aws:{service}:us-east-1:123456789012:{path}'

TYPES = {
    'iam-user': ('iam', 'CreateUser', user, lambda id, _: of(client('iam').list_user_tags(UserName=id)['Tags'])),
    'iam-role': ('iam', 'CreateRole', role, lambda id, _: of(client('iam').list_role_tags(RoleName=id)['Tags'])),
    'iam-policy': ('iam', 'CreatePolicy', policy, lambda _, made: of(client('iam').list_policy_tags(PolicyArn=made['response']['policy']['arn'])['Tags'])),
    'iam-profile': ('iam', 'CreateInstanceProfile', profile, lambda id, _: of(client('iam').get_instance_profile(InstanceProfileName=id)['InstanceProfile']['Tags'])),
    'sqs': ('sqs', 'CreateQueue', queue, lambda id, _: client('sqs').list_queue_tags(QueueUrl=id).get('Tags', {})),
    'sns': ('sns', 'CreateTopic', topic, lambda id, _: of(client('sns').list_tags_for_resource(ResourceArn=id)['Tags'])),
    'ebs': ('ec2', 'CreateVolume', volume, lambda id, _: of_ec2(id)),
    'vpc': ('ec2', 'CreateVpc', vpc, lambda id, _: of_ec2(id)),
    'security-group': ('ec2', 'CreateSecurityGroup', group, lambda id, _: of_ec2(id)),
    'internet-gateway': ('ec2', 'CreateInternetGateway', gateway, lambda id, _: of_ec2(id)),
    'dynamodb-table': ('dynamodb', 'CreateTable', table, lambda id, _: of(client('dynamodb').list_tags_of_resource(ResourceArn=arn('dynamodb', f'table/{id}'))['Tags'])),
    'kms-key': ('kms', 'CreateKey', key, lambda id, _: of(client('kms').list_resource_tags(KeyId=id)['Tags'])),
    'log-group': ('logs', 'CreateLogGroup', log_group, lambda id, _: client('logs').list_tags_for_resource(resourceArn=arn('logs', f'log-group:{id}'))['tags']),
    'secrets-manager': ('secretsmanager', 'CreateSecret', secret, lambda id, _: of(client('secretsmanager').describe_secret(SecretId=id)['Tags'])),
    'ssm-parameter': ('ssm', 'PutParameter', parameter, lambda id, _: of(client('ssm').list_tags_for_resource(ResourceType='Parameter', ResourceId=id)['TagList'])),
    's3': ('s3', 'CreateBucket', bucket, lambda id, _: of(client('s3').get_bucket_tagging(Bucket=id)['TagSet'])),
    'kinesis': ('kinesis', 'CreateStream', stream, lambda id, _: of(client('kinesis').list_tags_for_stream(StreamName=id)['Tags'])),
    'ecr': ('ecr', 'CreateRepository', repository, lambda id, _: of(client('ecr').list_tags_for_resource(resourceArn=arn('ecr', f'repository/{id}'))['tags'])),
    'ecs': ('ecs', 'CreateCluster', cluster, lambda id, _: of(client('ecs').list_tags_for_resource(resourceArn=id)['tags'])),
    'event-rule': ('events', 'PutRule', rule, lambda id, _: of(client('events').list_tags_for_resource(ResourceARN=id)['Tags'])),
}

def make():
    made = []
    for kind, (service, event, create, _) in TYPES.items():
        for number in range(len(SPELLINGS)):
            tags = spelled(kind, number)
            id, request, response = create(f'trial-{kind}-{number}', tags)
            made.append({'type': kind, 'id': id, 'tags': tags, 'source': f'{service}.amazonaws.com', 'event': event,
                         'request': request, 'response': response})
    return made

def read(made):
    return [TYPES[one['type']][3](one['id'], one) for one in made]
