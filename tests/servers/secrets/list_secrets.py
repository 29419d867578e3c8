"""Secrets Manager's ListSecrets with any number of secrets, made up page by page: moto keeps all of them, and slowly. TagResources
accepts tags for them, and forgets them.

A hook for moto_launcher.py (`before`). As strict as AWS: a page has at most 100 secrets, and a token is good for the next page only.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
A call of TagResources has at most 20 ARNs.
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html

Environment: TRAIL_SECRETS (how many); TRAIL_SECRETS_OWNER (the value of their tag Owner; without it they have none); TRAIL_SECRETS_STACK (the ARN
of their stack; without it they have none).
"""

import hashlib
import json
import os

PAGE = 100
MOST_ARNS = 20


def before(entry, environ):
    if entry["action"] == "TagResources":
        return tagged(json.loads(entry["body"])["ResourceARNList"])
    if entry["action"] != "ListSecrets":
        return None
    request = json.loads(entry["body"] or "{}")
    size, token = request.get("MaxResults", PAGE), request.get("NextToken", "page-0")
    if not 1 <= size <= PAGE:
        return error("ValidationException", "MaxResults must be between 1 and 100")
    if not token.startswith("page-"):
        return error("InvalidNextTokenException", "the token is of another request")
    first, count = int(token.removeprefix("page-")), int(os.environ["TRAIL_SECRETS"])
    last = min(first + size, count)
    answer = {"SecretList": [secret(number) for number in range(first, last)]}
    if last < count:
        answer["NextToken"] = f"page-{last}"
    return 200, "application/x-amz-json-1.1", json.dumps(answer)


def tagged(arns):
    if not 1 <= len(arns) <= MOST_ARNS:
        return error("InvalidParameterException", "ResourceARNList must have 1 to 20 ARNs")
    return 200, "application/x-amz-json-1.1", json.dumps({"FailedResourcesMap": {}})


def error(code, message):
    return 400, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})


def secret(number):
    name = f"team-{number % 50}/service-{number:07}/database"
    return {
        "ARN": f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf",
        "Name": name,
        "Description": "Password of the service's database user",
        "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "RotationEnabled": True,
        "LastRotatedDate": 1767225600.0,
        "LastChangedDate": 1767225600.0,
        "LastAccessedDate": 1767225600.0,
        "Tags": tags(number),
        # A UUID, which does not compress.
        "SecretVersionsToStages": {hashlib.md5(name.encode()).hexdigest(): ["AWSCURRENT"]},
        "CreatedDate": 1767225600.0,
    }


def tags(number):
    tags = [{"Key": "Environment", "Value": "production"}, {"Key": "Service", "Value": f"service-{number}"}]
    for key, variable in [("Owner", "TRAIL_SECRETS_OWNER"), ("aws:cloudformation:stack-id", "TRAIL_SECRETS_STACK")]:
        if variable in os.environ:
            tags.append({"Key": key, "Value": os.environ[variable]})
    return tags
