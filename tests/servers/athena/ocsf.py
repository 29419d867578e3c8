"""Security Lake's CloudTrail table, source version 2, filled from the same log files.

A record is mapped as AWS publishes it: columns for what the mapping names, and the map `unmapped`, with dotted names, for the rest.
The mapping has conditions without their terms; what is assumed of them is said where it is done.

Sources: https://github.com/ocsf/examples/tree/main/mappings/markdown/AWS/v1.1.0/CloudTrail (the mapping),
https://github.com/aws-samples/amazon-security-lake-ocsf-validation (the README's record has the names in `unmapped`),
https://docs.aws.amazon.com/security-lake/latest/userguide/cloudtrail-query-examples-sourceversion2.html (the table)
"""

import ipaddress
from datetime import datetime

USER = "user:struct<type:string,name:string,uid_alt:string,uid:string,account:struct<uid:string>,credential_uid:string>"
SESSION = "session:struct<created_time_dt:string,is_mfa:boolean,issuer:string>"
COLUMNS = [
    (
        "metadata",
        "struct<product:struct<version:string,name:string,vendor_name:string,feature:struct<name:string>>,event_code:string,"
        "uid:string,profiles:array<string>,version:string>",
    ),
    ("time", "bigint"),
    ("time_dt", "timestamp"),
    ("cloud", "struct<region:string,provider:string>"),
    (
        "api",
        "struct<response:struct<error:string,message:string,data:string>,operation:string,version:string,"
        "service:struct<name:string>,request:struct<data:string,uid:string>>",
    ),
    ("dst_endpoint", "struct<svc_name:string>"),
    ("actor", f"struct<{USER},{SESSION},invoked_by:string,idp:struct<name:string,uid:string>>"),
    ("http_request", "struct<user_agent:string>"),
    ("src_endpoint", "struct<uid:string,ip:string,domain:string>"),
    ("class_uid", "int"),
    ("class_name", "string"),
    ("severity_id", "int"),
    ("status", "string"),
    ("type_uid", "bigint"),
    ("unmapped", "map<string,string>"),
]
# Iceberg's partition keys are plain columns in the catalogue. Some tables have the account in `cloud` too.
ICEBERG = [
    (name, "struct<region:string,provider:string,account:struct<uid:string>>" if name == "cloud" else kind)
    for name, kind in COLUMNS
] + [("accountid", "string"), ("region", "string")]

SHAPES = {
    "security-lake": (COLUMNS, [("region", "string"), ("accountid", "string"), ("eventday", "string")], {}),
    "security-lake-iceberg": (ICEBERG, [], {"table_type": "ICEBERG"}),
}

# What has a column of its own, by path in a record: the rest is unmapped.
IDENTITY = "type userName principalId arn accountId accessKeyId invokedBy identityProvider".split()
MAPPED = {
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "requestID",
    "eventID",
    "eventType",
    "apiVersion",
    "eventCategory",
    "vpcEndpointId",
    "resources",
    *(f"userIdentity.{name}" for name in IDENTITY),
    *(
        f"userIdentity.sessionContext.{name}"
        for name in (
            "attributes.creationDate",
            "attributes.mfaAuthenticated",
            "sessionIssuer.arn",
            "webIdFederationData.federatedProvider",
        )
    ),
}
# The conditional lines of the mapping that name these fields: all are of callers of Identity Center.
OF_PEOPLE = {
    "userIdentity.credentialId",
    "userIdentity.onBehalfOf.userId",
    "userIdentity.onBehalfOf.identityStoreArn",
    "additionalEventData.UserName",
}


def pick(record, path):
    """A value by its dotted path."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def flat(value, path, as_text):
    """The values of a record by dotted path. A list is JSON."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from flat(below, f"{path}.{name}" if path else name, as_text)
    elif value is not None:
        yield path, as_text(value)


def is_ip(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def to_ocsf(record, as_text):
    """A record's row, by column."""
    caller = pick(record, "userIdentity.type")
    is_person = caller == "IdentityCenterUser"
    get = lambda path: pick(record, path)  # noqa: E731
    user = {name: get(f"userIdentity.{name}") for name in IDENTITY}
    if is_person:
        user["userName"] = get("additionalEventData.UserName")
        user["principalId"] = get("userIdentity.onBehalfOf.userId")
        user["accessKeyId"] = get("userIdentity.credentialId")
    time = datetime.fromisoformat(record["eventTime"].replace("Z", "+00:00"))
    source = get("sourceIPAddress")
    federated = get("userIdentity.sessionContext.webIdFederationData.federatedProvider")
    mapped = MAPPED | OF_PEOPLE if is_person else MAPPED
    unmapped = {path: value for path, value in flat(record, "", as_text) if path not in mapped}
    unmapped = {path: value for path, value in unmapped.items() if path.split(".")[0] not in MAPPED}
    mfa = get("userIdentity.sessionContext.attributes.mfaAuthenticated")
    account = get("recipientAccountId")
    return {
        "metadata": {
            "product": {
                "version": get("eventVersion"),
                "name": "CloudTrail",
                "vendor_name": "AWS",
                "feature": {"name": get("eventCategory")},
            },
            "event_code": get("eventType"),
            "uid": get("eventID"),
            "profiles": ["cloud", "datetime"],
            "version": "1.1.0",
        },
        "time": int(time.timestamp() * 1000),
        "time_dt": time.strftime("%Y-%m-%d %H:%M:%S"),
        "cloud": {"region": get("awsRegion"), "provider": "AWS", "account": {"uid": account}},
        "api": {
            "response": {
                "error": get("errorCode"),
                "message": get("errorMessage"),
                "data": as_text(get("responseElements")),
            },
            "operation": get("eventName"),
            "version": get("apiVersion"),
            "service": {"name": get("eventSource")},
            "request": {"data": as_text(get("requestParameters")), "uid": get("requestID")},
        },
        "dst_endpoint": None,
        "actor": {
            "user": {
                "type": caller,
                "name": user["userName"],
                "uid_alt": user["principalId"],
                "uid": user["arn"],
                "account": {"uid": user["accountId"]},
                "credential_uid": user["accessKeyId"],
            },
            "session": {
                "created_time_dt": get("userIdentity.sessionContext.attributes.creationDate"),
                "is_mfa": None if mfa is None else mfa == "true",
                "issuer": get("userIdentity.sessionContext.sessionIssuer.arn"),
            },
            "invoked_by": user["invokedBy"],
            "idp": {
                "name": federated if federated is not None else user["identityProvider"],
                "uid": get("userIdentity.onBehalfOf.identityStoreArn") if is_person else None,
            },
        },
        "http_request": {"user_agent": get("userAgent")},
        "src_endpoint": {
            "uid": get("vpcEndpointId"),
            "ip": source if is_ip(source) else None,
            "domain": source if source is not None and not is_ip(source) else None,
        },
        "class_uid": 6003,
        "class_name": "API Activity",
        "severity_id": 1,
        "status": "Failure" if get("errorCode") else "Success",
        "type_uid": 600301,
        "unmapped": unmapped,
        "accountid": account,
        "region": get("awsRegion"),
    }
