"""The operations that `tag-org` calls for these types, on a population: AWS's answers in its own protocols, by pages.

Signatures are not checked. The account is in the access key that AssumeRole gave, the region and service in the signature's scope.
"""

import json
import re
import urllib.parse

from population import policy_id, url

MANAGEMENT = "123456789012"
SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
PAGE_OF_TAGGING_API = 100
PAGE_OF_ORGANIZATIONS = 20
MOST_ARNS = 20
# DescribeTags: values of a filter, and tags on a page.
MOST_VALUES = 200
MOST_TAGS = 1000

# What each service answers to a throttled request: status, code.
#
# Sources: the errors of each API's reference, such as
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueueTags.html
THROTTLED = {
    "ec2": (503, "RequestLimitExceeded"),
    "sqs": (400, "RequestThrottled"),
    "tagging": (400, "ThrottledException"),
    "organizations": (400, "TooManyRequestsException"),
    "iam": (400, "Throttling"),
    "sts": (400, "Throttling"),
}
JSON = ("sqs", "tagging", "organizations")


class Request:
    """A request as the services see it."""

    def __init__(self, headers, body):
        key, self.region, self.service = SCOPE.search(headers.get("authorization", "")).groups()
        self.account = key.removeprefix("ASIA") if key.startswith("ASIA") else MANAGEMENT
        if self.service in JSON:
            self.operation = headers.get("x-amz-target", "").rpartition(".")[2]
            self.input = json.loads(body or b"{}")
        else:
            self.input = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
            self.operation = self.input.get("Action", "")


class Refused(Exception):
    """AWS's answer is an error."""

    def __init__(self, status, code, message):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def throttled(service):
    status, code = THROTTLED[service]
    return Refused(status, code, "Rate exceeded")


def error(service, refused, request_id):
    """Content type and body of an error."""
    if service in JSON:
        return "application/x-amz-json-1.1", json.dumps({"__type": refused.code, "message": refused.message})
    parts = f"<Code>{refused.code}</Code><Message>{refused.message}</Message>"
    if service == "ec2":
        return "text/xml", f"<Response><Errors><Error>{parts}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    return "text/xml", f"<ErrorResponse><Error><Type>Sender</Type>{parts}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"


def answer(population, request, request_id):
    """Content type and body of an answer."""
    handler = HANDLERS.get(f"{request.service}:{request.operation}")
    if handler is None:
        raise Refused(400, "InvalidAction", f"the simulator has no {request.service}:{request.operation}")
    result = handler(population, request)
    name = request.operation
    if request.service in JSON:
        return "application/x-amz-json-1.1", json.dumps(result) if result is not None else ""
    if request.service == "ec2":
        return "text/xml", f"<{name}Response><requestId>{request_id}</requestId>{result}</{name}Response>"
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return "text/xml", f"<{name}Response><{name}Result>{result}</{name}Result>{metadata}</{name}Response>"


def page(things, size, token):
    """A page, and the token of the next one."""
    start = int(token or 0)
    end = start + int(size)
    return things[start:end], str(end) if end < len(things) else None


def tags_as_xml(tags, one, key, value):
    return "".join(f"<{one}><{key}>{name}</{key}><{value}>{text}</{value}></{one}>" for name, text in tags.items())


def assume_role(_, request):
    arn = request.input["RoleArn"]
    account, role = arn.split(":")[4], arn.rpartition("/")[2]
    name = request.input["RoleSessionName"]
    return (
        f"<Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>"
        "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>AROA:{name}</AssumedRoleId><Arn>arn:aws:sts::{account}:assumed-role/{role}/{name}</Arn></AssumedRoleUser>"
    )


def get_caller_identity(_, request):
    return f"<Arn>arn:aws:iam::{request.account}:user/ops</Arn><UserId>AIDA</UserId><Account>{request.account}</Account>"


def list_accounts(population, request):
    ids, token = page(population.ids, PAGE_OF_ORGANIZATIONS, request.input.get("NextToken"))
    organization = f"arn:aws:organizations::{MANAGEMENT}:account/o-abcdefghij"
    accounts = [
        {"Id": one, "Arn": f"{organization}/{one}", "Name": f"a{one}", "Email": f"a{one}@example.com", "Status": "ACTIVE", "State": "ACTIVE"}
        for one in ids
    ]
    return {"Accounts": accounts, **({"NextToken": token} if token else {})}


def list_queues(population, request):
    size = request.input.get("MaxResults", 1000)
    arns, token = page(population.queues(request.account, request.region), size, request.input.get("NextToken"))
    return {"QueueUrls": [url(arn) for arn in arns], **({"NextToken": token} if token else {})}


def list_queue_tags(population, request):
    name = request.input["QueueUrl"].rpartition("/")[2]
    tags = population.tags.get(f"arn:aws:sqs:{request.region}:{request.account}:{name}")
    if tags is None:
        raise Refused(400, "QueueDoesNotExist", "The specified queue does not exist.")
    return {"Tags": tags} if tags else {}


def get_resources(population, request):
    kinds = {one.split(":")[0] for one in request.input.get("ResourceTypeFilters", ("sqs", "iam"))}
    here = (arns for region, arns in population.of_tagging_api(request.account) if region == request.region)
    arns = [arn for arns in here for arn in arns if arn.split(":")[2] in kinds and population.tags[arn]]
    size = request.input.get("ResourcesPerPage", PAGE_OF_TAGGING_API)
    arns, token = page(arns, size, request.input.get("PaginationToken"))
    listed = [{"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in population.tags[arn].items()]} for arn in arns]
    return {"ResourceTagMappingList": listed, "PaginationToken": token or ""}


def tag_resources(population, request):
    arns = request.input["ResourceARNList"]
    if len(arns) > MOST_ARNS:
        raise Refused(400, "InvalidParameterException", f"more than {MOST_ARNS} ARNs")
    failed = {}
    for arn in arns:
        # What is global is written through us-east-1.
        _, _, _, region, account, _ = arn.split(":", 5)
        if arn not in population.tags or account != request.account or (region or "us-east-1") != request.region:
            failed[arn] = {"StatusCode": 400, "ErrorCode": "InvalidParameterException", "ErrorMessage": "no such resource here"}
        else:
            population.tags[arn].update(request.input["Tags"])
    return {"FailedResourcesMap": failed}


def described(population, request, arns, kind):
    arns, token = page(arns, request.input.get("MaxResults", 1000), request.input.get("NextToken"))
    items = (
        f"<{kind}>{arn.rpartition('/')[2]}</{kind}><tagSet>{tags_as_xml(population.tags[arn], 'item', 'key', 'value')}</tagSet>" for arn in arns
    )
    return items, f"<nextToken>{token}</nextToken>" if token else ""


def describe_instances(population, request):
    arns = population.instances(request.account, request.region)
    items, token = described(population, request, arns, "instanceId")
    sets = "".join(f"<item><instancesSet><item>{item}</item></instancesSet></item>" for item in items)
    return f"<reservationSet>{sets}</reservationSet>{token}"


def describe_volumes(population, request):
    arns = population.volumes(request.account, request.region)
    items, token = described(population, request, arns, "volumeId")
    return f"<volumeSet>{''.join(f'<item>{item}</item>' for item in items)}</volumeSet>{token}"


def arns_of_ec2(request, ids):
    kinds = {"i": "instance", "vol": "volume"}
    return [f"arn:aws:ec2:{request.region}:{request.account}:{kinds.get(one.split('-')[0])}/{one}" for one in ids]


def describe_tags(population, request):
    given = request.input
    names = {name.split(".")[1]: value for name, value in given.items() if re.fullmatch(r"Filter\.\d+\.Name", name)}
    values = {name: [] for name in names.values()}
    for name, value in given.items():
        if match := re.fullmatch(r"Filter\.(\d+)\.Value\.\d+", name):
            values[names[match[1]]].append(value)
    size = int(given.get("MaxResults", MOST_TAGS))
    if any(len(some) > MOST_VALUES for some in values.values()) or not 5 <= size <= MOST_TAGS or set(values) - {"resource-id", "key"}:
        raise Refused(400, "InvalidParameterValue", "too many values, a page size out of range, or a filter that the simulator has not")
    ids, keys = values["resource-id"], values.get("key")
    tags = [
        (one, key, text)
        for one, arn in zip(ids, arns_of_ec2(request, ids), strict=True)
        for key, text in population.tags.get(arn, {}).items()
        if keys is None or key in keys
    ]
    tags, token = page(tags, size, given.get("NextToken"))
    items = (
        f"<item><resourceId>{one}</resourceId><resourceType>{'volume' if one.startswith('vol') else 'instance'}</resourceType>"
        f"<key>{key}</key><value>{text}</value></item>"
        for one, key, text in tags
    )
    return f"<tagSet>{''.join(items)}</tagSet>" + (f"<nextToken>{token}</nextToken>" if token else "")


def create_tags(population, request):
    given = request.input
    arns = arns_of_ec2(request, [value for name, value in given.items() if name.startswith("ResourceId.")])
    # One that does not exist fails the call.
    if any(arn not in population.tags for arn in arns):
        raise Refused(400, "InvalidID", "an ID does not exist")
    for arn in arns:
        population.tags[arn][given["Tag.1.Key"]] = given["Tag.1.Value"]
    return "<return>true</return>"


def get_account_authorization_details(population, request):
    kinds = [value for name, value in request.input.items() if name.startswith("Filter.member.")]
    arns = population.roles(request.account) if "Role" in kinds else []
    arns, token = page(arns, request.input.get("MaxItems", 100), request.input.get("Marker"))
    roles = (
        f"<member><Path>/</Path><RoleName>{arn.rpartition('/')[2]}</RoleName><RoleId>AROA{arn.rpartition('-')[2]}</RoleId><Arn>{arn}</Arn>"
        f"<Tags>{tags_as_xml(population.tags[arn], 'member', 'Key', 'Value')}</Tags></member>"
        for arn in arns
    )
    return f"<RoleDetailList>{''.join(roles)}</RoleDetailList>{marker(token)}"


def list_policies(population, request):
    arns, token = page(population.policies(request.account), request.input.get("MaxItems", 100), request.input.get("Marker"))
    return f"<Policies>{''.join(f'<member>{policy_as_xml(arn)}</member>' for arn in arns)}</Policies>{marker(token)}"


def get_policy(population, request):
    arn = request.input["PolicyArn"]
    tags = population.tags.get(arn)
    if tags is None:
        raise Refused(404, "NoSuchEntity", f"Policy {arn} does not exist")
    return f"<Policy>{policy_as_xml(arn)}<Tags>{tags_as_xml(tags, 'member', 'Key', 'Value')}</Tags></Policy>"


def policy_as_xml(arn):
    name = arn.rpartition("/")[2]
    return f"<PolicyName>{name}</PolicyName><PolicyId>{policy_id(arn)}</PolicyId><Arn>{arn}</Arn><Path>/</Path>"


def list_role_tags(population, request):
    tags = population.tags.get(f"arn:aws:iam::{request.account}:role/{request.input['RoleName']}")
    if tags is None:
        raise Refused(404, "NoSuchEntity", "The role cannot be found.")
    return f"<Tags>{tags_as_xml(tags, 'member', 'Key', 'Value')}</Tags>{marker(None)}"


def marker(token):
    return f"<IsTruncated>true</IsTruncated><Marker>{token}</Marker>" if token else "<IsTruncated>false</IsTruncated>"


HANDLERS = {
    "sts:AssumeRole": assume_role,
    "sts:GetCallerIdentity": get_caller_identity,
    "organizations:ListAccounts": list_accounts,
    "sqs:ListQueues": list_queues,
    "sqs:ListQueueTags": list_queue_tags,
    "tagging:GetResources": get_resources,
    "tagging:TagResources": tag_resources,
    "ec2:DescribeInstances": describe_instances,
    "ec2:DescribeVolumes": describe_volumes,
    "ec2:DescribeTags": describe_tags,
    "ec2:CreateTags": create_tags,
    "iam:GetAccountAuthorizationDetails": get_account_authorization_details,
    "iam:ListPolicies": list_policies,
    "iam:ListRoleTags": list_role_tags,
    "iam:GetPolicy": get_policy,
}
