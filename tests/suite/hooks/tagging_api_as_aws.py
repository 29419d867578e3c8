# The Tagging API writes queues and roles, as AWS's does and moto's does not: "IAM users and roles can only be used in TagResources and
# UntagResources operations." All else is moto's.
# https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
import json

from moto.backends import get_backend
from moto.iam.models import get_account_id_from


def write(account, region, arn, tags):
    service = arn.split(':')[2]
    if service == 'sqs':
        get_backend(service)[account][region].tag_queue(arn.rsplit(':', 1)[1], tags)
        return {}
    if ':role/' in arn:
        pairs = [dict(Key=key, Value=value) for key, value in tags.items()]
        get_backend('iam')[account]['aws'].tag_role(arn.rsplit('/', 1)[1], pairs)
        return {}
    return get_backend('resourcegroupstaggingapi')[account][region].tag_resources([arn], tags)


def tagging_api(entry):
    if entry['action'] != 'TagResources':
        return None
    request = json.loads(entry['body'])
    account = get_account_id_from(entry['access_key'])
    failed = {}
    for arn in request['ResourceARNList']:
        failed.update(write(account, entry['region'], arn, request['Tags']))
    return 200, 'application/x-amz-json-1.1', json.dumps(dict(FailedResourcesMap=failed))
