# What the pages name, on moto: resources with their events in the trail, an organization, AWS Config, a queue to watch, and buckets.
# `result` has the IDs that AWS generates.

REGIONS = ['us-east-1', 'eu-west-1']


def resources():
    trust = '{"Version": "2012-10-17", "Statement": []}'
    sqs, iam = client('sqs'), client('iam')
    sqs.create_queue(QueueName='my-queue')
    sqs.create_queue(QueueName='by-terraform', tags={'Owner': 'ci'})
    sqs.create_queue(QueueName='of-the-platform', tags={'team': 'platform'})
    client('sqs', 'eu-west-1').create_queue(QueueName='orders')
    iam.create_role(RoleName='my-role', AssumeRolePolicyDocument=trust)
    client('s3').create_bucket(Bucket='invoices')
    template = json.dumps(dict(Resources=dict(Q=dict(Type='AWS::SQS::Queue', Properties=dict(QueueName='of-the-stack')))))
    stack = client('cloudformation').create_stack(StackName='web', TemplateBody=template)['StackId']
    ec2 = client('ec2')
    image = ec2.describe_images()['Images'][0]['ImageId']
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)['Instances'][0]['InstanceId']
    query = dict(Type='TAG_FILTERS_1_0', Query=json.dumps(dict(
        ResourceTypeFilters=['AWS::AllSupported'], TagFilters=[dict(Key='team', Values=['blue'])])))
    group = client('resource-groups').create_group(Name='blue', ResourceQuery=query, Tags={'team': 'blue'})['Group']['GroupArn']
    return dict(stack=stack, instance=instance, group=group)


def organization():
    """`/Workloads/Prod` has the accounts web-1 and audit; each has a queue in two regions."""
    org = client('organizations')
    org.create_organization(FeatureSet='ALL')
    root = org.list_roots()['Roots'][0]['Id']

    def unit(name, parent):
        return org.create_organizational_unit(ParentId=parent, Name=name)['OrganizationalUnit']['Id']

    def account(name, parent, **tags):
        tags = [dict(Key=key, Value=value) for key, value in tags.items()]
        status = org.create_account(AccountName=name, Email=f'{name}@example.com', Tags=tags)
        id = status['CreateAccountStatus']['AccountId']
        org.move_account(AccountId=id, SourceParentId=root, DestinationParentId=parent)
        for region in REGIONS:
            of_account(id, 'sqs', region).create_queue(QueueName='jobs')
        return id

    prod = unit('Prod', unit('Workloads', root))
    management = org.describe_organization()['Organization']['MasterAccountId']
    org.tag_resource(ResourceId=management, Tags=[dict(Key='team', Value='platform')])
    return dict(root=root, web=account('web-1', prod, stage='prod', team='shop'), audit=account('audit', prod, team='security'))


def of_account(account, service, region):
    keys = client('sts').assume_role(RoleArn=f'arn:aws:iam::{account}:role/world', RoleSessionName='world')['Credentials']
    return boto3.client(service, region_name=region, aws_access_key_id=keys['AccessKeyId'],
                        aws_secret_access_key=keys['SecretAccessKey'], aws_session_token=keys['SessionToken'])


def config():
    """A recorder in each account-region, and the aggregator `org` of the organization."""
    ids = [account['Id'] for account in pages('organizations', 'list_accounts', 'Accounts')]
    group = dict(allSupported=True, includeGlobalResourceTypes=True)
    for account in ids:
        for region in REGIONS:
            config = of_account(account, 'config', region)
            config.put_configuration_recorder(
                ConfigurationRecorder=dict(name='default', roleARN='arn:aws:iam::1:role/r', recordingGroup=group))
            config.put_delivery_channel(DeliveryChannel=dict(name='default', s3BucketName='config-deliveries'))
            config.start_configuration_recorder(ConfigurationRecorderName='default')
    client('config').put_configuration_aggregator(
        ConfigurationAggregatorName='org', AccountAggregationSources=[dict(AccountIds=ids, AllAwsRegions=True)])


def watched():
    """The queue that `watch` follows; returns its URL on AWS."""
    client('sqs', 'eu-west-1').create_queue(QueueName='trailcreator')
    return 'https://sqs.eu-west-1.amazonaws.com/123456789012/trailcreator'


def buckets():
    s3 = client('s3')
    s3.create_bucket(Bucket='my-templates')
    # An archived log file, beside the trail.
    s3.create_bucket(Bucket='my-trail-bucket')
    topic = client('sns').create_topic(Name='log-files')['TopicArn']
    s3.put_bucket_notification_configuration(Bucket='my-trail-bucket', NotificationConfiguration=dict(
        TopicConfigurations=[dict(TopicArn=topic, Events=['s3:ObjectCreated:*'])]))
    s3.put_object(Bucket='my-trail-bucket', Key='archived.json.gz', Body=b'', StorageClass='GLACIER')


buckets()
result = resources() | organization() | dict(queue=watched())
config()
