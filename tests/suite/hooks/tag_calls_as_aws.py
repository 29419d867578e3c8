# The Tagging API writes queues and roles, as AWS's does and moto's does not: "IAM users and roles can only be used in TagResources and
# UntagResources operations." All else is moto's.
# https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
import json

from moto.backends import get_backend

ACCOUNT = '123456789012'


def write(arn, region, tags):
    service = arn.split(':')[2]
    if service == 'sqs':
        get_backend(service)[ACCOUNT][region].tag_queue(arn.rsplit(':', 1)[1], tags)
        return {}
    if ':role/' in arn:
        pairs = [dict(Key=key, Value=value) for key, value in tags.items()]
        get_backend('iam')[ACCOUNT]['aws'].tag_role(arn.rsplit('/', 1)[1], pairs)
        return {}
    return get_backend('resourcegroupstaggingapi')[ACCOUNT][region].tag_resources([arn], tags)


def before(entry, environ):
    if entry['action'] != 'TagResources':
        return None
    request = json.loads(entry['body'])
    failed = {}
    for arn in request['ResourceARNList']:
        failed.update(write(arn, entry['region'], request['Tags']))
    return 200, 'application/x-amz-json-1.1', json.dumps(dict(FailedResourcesMap=failed))
