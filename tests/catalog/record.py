"""The rule that turns a real request and its answer, as boto3 knows them, into the CloudTrail record of the call.

* `eventSource` is the signing name and `.amazonaws.com` (EVENT_SOURCES: exceptions); `eventName` the operation (Lambda's end in a date).
* A field is named as on the wire, its first letter in lower case and no other: `dBInstanceIdentifier`, `aRN`. KEEP_CASE lists the
  services that keep the first letter, SPELLED single fields that are spelled in their own way.
* Query services' answers stand as the model has them, but UNWRAPPED lists those that leave out the answer's one outer element.
* EC2's older calls (EC2_DIRECT) write a list as `xSet: {items: [...]}`; all others stand inside `<Operation>Request`, in the
  request's own spelling, and `<Operation>Response`, where a list is `{item: …}`: an object when it has one entry, an array otherwise.
* A REST payload is recorded under its own name (`mesh`, `distribution`), although it is the whole body on the wire.
* S3's bucket is `bucketName`; `x-amz-…` headers are not logged; sensitive values are hidden; calls of NULL_RESPONSE and those
  without an answer have `responseElements: null`.

The rule is from what recorded events show (the facts' sources: AWS's sample records, public collections of trails); what no record
has shown follows the service's protocol. Every table is data that `tests/oracle/shapes.py` reads too, so maps are checked by
the same rule. Knows botocore's models only: neither resource maps nor the program under test.
"""

import base64
import datetime
from typing import Any

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
XMLNS = "http://ec2.amazonaws.com/doc/2016-11-15/"

# botocore's service -> eventSource's first part, where that is not the signing name.
EVENT_SOURCES = {"mq": "amazonmq"}

# Services (botocore's names): CloudTrail keeps the first letter of their fields as it is.
KEEP_CASE = {"s3", "mwaa", "synthetics", "connect", "databrew", "route53profiles", "resource-explorer-2", "devops-guru",
             "route53-recovery-control-config"}

# (service, operation or None for all, the field's name on the wire) -> CloudTrail's spelling.
SPELLED = {
    ("secretsmanager", "CreateSecret", "ARN"): "arn",
    ("secretsmanager", "PutSecretValue", "ARN"): "arn",
    ("secretsmanager", "ReplicateSecretToRegions", "ARN"): "arn",
    ("s3", None, "Bucket"): "bucketName",
    ("s3", None, "Key"): "key",
}

# (service, the field's name on the wire) -> what records of former years call it.
FORMER = {("eks", "name"): "clusterName"}

# Query services that leave out the one structure around an answer: CreateDBInstance's is the instance itself.
UNWRAPPED = {"rds", "docdb", "neptune", "redshift", "elasticache"}

# Calls without responseElements in their record, although they have a response.
NULL_RESPONSE = {("s3", "CreateBucket")}

# EC2's calls that are logged directly; all others are inside <Operation>Request and <Operation>Response.
EC2_DIRECT = set("""
AllocateAddress AssociateAddress AssociateDhcpOptions AssociateRouteTable AttachInternetGateway AttachNetworkInterface AttachVolume
AttachVpnGateway AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CopyImage CopySnapshot CreateCustomerGateway
CreateDhcpOptions CreateImage CreateInternetGateway CreateKeyPair CreateNetworkAcl CreateNetworkAclEntry CreateNetworkInterface
CreatePlacementGroup CreateReservedInstancesListing CreateRoute CreateRouteTable CreateSecurityGroup CreateSnapshot
CreateSpotDatafeedSubscription CreateSubnet CreateTags CreateVolume CreateVpc CreateVpcPeeringConnection CreateVpnConnection CreateVpnGateway
DeleteCustomerGateway DeleteDhcpOptions DeleteInternetGateway DeleteKeyPair DeleteNetworkAcl DeleteNetworkInterface
DeletePlacementGroup DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSnapshot DeleteSubnet DeleteTags DeleteVolume DeleteVpc
DeleteVpcPeeringConnection DeleteVpnConnection DeleteVpnGateway DeregisterImage DetachInternetGateway DetachVolume ImportKeyPair
ModifyInstanceAttribute PurchaseReservedInstancesOffering RegisterImage ReleaseAddress RequestSpotInstances RunInstances StartInstances
StopInstances TerminateInstances
""".split())

# Lists in the requests of EC2_DIRECT that have their own names: (operation, member) -> (CloudTrail's name, each entry's field or None).
EC2_REQUEST_LISTS = {
    ("TerminateInstances", "InstanceIds"): ("instancesSet", "instanceId"),
    ("StartInstances", "InstanceIds"): ("instancesSet", "instanceId"),
    ("StopInstances", "InstanceIds"): ("instancesSet", "instanceId"),
    ("CreateTags", "Resources"): ("resourcesSet", "resourceId"),
    ("DeleteTags", "Resources"): ("resourcesSet", "resourceId"),
    ("RunInstances", "NetworkInterfaces"): ("networkInterfaceSet", None),
    ("RunInstances", "BlockDeviceMappings"): ("blockDeviceMapping", None),
    ("RegisterImage", "BlockDeviceMappings"): ("blockDeviceMapping", None),
}
# Fields of RunInstances' request that stand in its instancesSet.
EC2_RUN_SET = ("ImageId", "MinCount", "MaxCount", "KeyName")

# Lambda's API had versions in its operations' names: operation -> eventName.
EVENT_NAMES = {
    ("lambda", name): name + date
    for date, names in {
        "20150331": "CreateFunction DeleteFunction CreateEventSourceMapping DeleteEventSourceMapping CreateAlias DeleteAlias PublishVersion",
        "20150331v2": "UpdateFunctionCode UpdateFunctionConfiguration AddPermission RemovePermission",
        "20170331v2": "TagResource UntagResource",
        "20181031": "PublishLayerVersion DeleteLayerVersion",
    }.items()
    for name in names.split()
}


def event_source(service: Any) -> str:
    """The eventSource of a service's model."""
    return EVENT_SOURCES.get(service.service_name, service.signing_name) + ".amazonaws.com"


def event_name(service: Any, operation: str) -> str:
    """The eventName of a service's operation."""
    return EVENT_NAMES.get((service.service_name, operation), operation)


def wire_name(name: str, member: Any) -> str:
    """What a member is called on the wire of an answer."""
    return member.serialization.get("name", name)


def request_name(name: str, member: Any, protocol: str) -> str:
    """What an input member is called on the wire."""
    if protocol == "ec2":
        if "queryName" in member.serialization:
            return member.serialization["queryName"]
        name = wire_name(name, member)
        return name[:1].upper() + name[1:]
    return wire_name(name, member)


def lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def key(service: str, operation: str, name: str) -> str:
    """CloudTrail's spelling of a field that the wire calls `name`."""
    for spelled in ((service, operation, name), (service, None, name)):
        if spelled in SPELLED:
            return SPELLED[spelled]
    return name if service in KEEP_CASE else lower_first(name)


def spellings(service: str, operation: str, name: str) -> set[str]:
    """What a path may call the field: where a service has its own way, the usual one too, for records differ; and its former name."""
    former = {FORMER[service, name]} if (service, name) in FORMER else set()
    return {key(service, operation, name), lower_first(name)} | former


def outer(service: str, shape: Any) -> str | None:
    """The answer's one structure that the record leaves out."""
    if service not in UNWRAPPED or shape is None:
        return None
    names = list(shape.members)
    return names[0] if len(names) == 1 and shape.members[names[0]].type_name == "structure" else None


def is_logged(member: Any) -> bool:
    """Whether a member of a request or an answer is logged at all: headers like x-amz-… are not."""
    where = member.serialization.get("location")
    return where != "statusCode" and not (
        where in ("header", "headers") and member.serialization.get("name", "").lower().startswith("x-amz")
    )


def is_wrapped(service: str, operation: str) -> bool:
    """Whether the call is one of EC2's that are logged inside <Operation>Request and <Operation>Response."""
    return service == "ec2" and operation not in EC2_DIRECT


def record(operation: Any, params: dict, answer: dict) -> dict:
    """`source`, `event`, `request` and `response` of the CloudTrail record of a call: `operation` is botocore's model of it, `params` and
    `answer` are as boto3 takes and gives them."""
    service = operation.service_model
    return {
        "source": event_source(service),
        "event": event_name(service, operation.name),
        "request": request_parameters(operation, params),
        "response": response_elements(operation, answer),
    }


def request_parameters(operation: Any, params: dict) -> dict | None:
    """`requestParameters` of a call."""
    service, name, shape = operation.service_model.service_name, operation.name, operation.input_shape
    if shape is None or not params:
        return None
    if service == "ec2":
        if is_wrapped(service, name):
            return {f"{name}Request": ec2_request(shape, params)}
        return ec2_direct_request(name, shape, params)
    made = structure(service, name, shape, params)
    if service == "s3" and "bucketName" in made:
        made["Host"] = f"{made['bucketName']}.s3.amazonaws.com"
    return made


def response_elements(operation: Any, answer: dict) -> dict | None:
    """`responseElements` of a call."""
    service, name, shape = operation.service_model.service_name, operation.name, operation.output_shape
    answer = {k: v for k, v in answer.items() if k != "ResponseMetadata"}
    if service == "ec2":
        return ec2_response(name, shape, answer)
    if shape is None or not answer or (service, name) in NULL_RESPONSE:
        return None
    inner = outer(service, shape)
    if inner:
        return structure(service, name, shape.members[inner], answer.get(inner, {}))
    return structure(service, name, shape, answer)


def structure(service: str, operation: str, shape: Any, values: dict) -> dict:
    members = shape.members
    return {
        key(service, operation, wire_name(name, members[name])): converted(service, operation, members[name], value)
        for name, value in values.items()
        if name in members and is_logged(members[name])
    }


def converted(service: str, operation: str, shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return structure(service, operation, shape, value)
    if shape.type_name == "list":
        return [converted(service, operation, shape.member, each) for each in value]
    if shape.type_name == "map":
        return {name: converted(service, operation, shape.value, each) for name, each in value.items()}
    return scalar(shape, value)


def scalar(shape: Any, value: Any) -> Any:
    """A single value; what the model calls sensitive is hidden."""
    if shape.metadata.get("sensitive"):
        return HIDDEN
    if isinstance(value, datetime.datetime):
        return value.strftime("%b %d, %Y %I:%M:%S %p")
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


# EC2 ---------------------------------------------------------------------------------------------------------------


def ec2_direct_name(operation: str, member_name: str, member: Any) -> str:
    """What a request's member is called in a call that is logged directly."""
    if (operation, member_name) in EC2_REQUEST_LISTS:
        return EC2_REQUEST_LISTS[operation, member_name][0]
    name = lower_first(wire_name(member_name, member))
    return name + "Set" if member.type_name == "list" and not name.endswith("Set") else name


def ec2_direct_request(operation: str, shape: Any, params: dict) -> dict:
    made = {}
    for name, value in params.items():
        member = shape.members[name]
        if operation == "RunInstances" and name in EC2_RUN_SET:
            made.setdefault("instancesSet", {"items": [{}]})["items"][0][lower_first(name)] = value
            continue
        entry = EC2_REQUEST_LISTS.get((operation, name), (None, None))[1]
        if entry:
            value = [{entry: each} for each in value]
            made[ec2_direct_name(operation, name, member)] = {"items": value}
        else:
            made[ec2_direct_name(operation, name, member)] = ec2_direct(member, value)
    return made


def ec2_direct(shape: Any, value: Any) -> Any:
    """A part of a request or an answer of a call that is logged directly."""
    if shape.name == "TagSpecification":
        tags = [{lower_first(k): v for k, v in tag.items()} for tag in value.get("Tags", [])]
        return {"resourceType": value["ResourceType"], "tags": tags}
    if shape.type_name == "structure":
        return {lower_first(wire_name(k, shape.members[k])): ec2_direct(shape.members[k], v) for k, v in value.items()}
    if shape.type_name == "list":
        return {"items": [ec2_direct(shape.member, each) for each in value]} if value else {}
    return scalar(shape, value)


def ec2_request(shape: Any, value: Any) -> Any:
    """A part of what is in <Operation>Request: the query's own names; entries of lists are numbered by a field `tag`."""
    if shape.type_name == "structure":
        return {request_name(k, shape.members[k], "ec2"): ec2_request(shape.members[k], v) for k, v in value.items()}
    if shape.type_name == "list":
        entries = [ec2_request(shape.member, each) for each in value]
        numbered = [
            each | {"tag": number} if isinstance(each, dict) else {"content": each, "tag": number}
            for number, each in enumerate(entries, 1)
        ]
        return numbered[0] if len(numbered) == 1 else numbered
    return scalar(shape, value)


def ec2_response(operation: str, shape: Any, answer: dict) -> dict:
    if is_wrapped("ec2", operation):
        inner = ec2_wrapped(shape, answer) if shape is not None else {}
        return {f"{operation}Response": {"xmlns": XMLNS, **inner}}
    return {"_return": True} if shape is None else ec2_direct(shape, answer)


def ec2_wrapped(shape: Any, value: Any) -> Any:
    """A part of what is in <Operation>Response."""
    if shape.type_name == "structure":
        return {wire_name(k, shape.members[k]): ec2_wrapped(shape.members[k], v) for k, v in value.items()}
    if shape.type_name == "list":
        entries = [ec2_wrapped(shape.member, each) for each in value]
        return "" if not entries else {"item": entries[0] if len(entries) == 1 else entries}
    return scalar(shape, value)
