"""What moto lacks and trailcreator calls: CloudTrail LookupEvents, S3 Select over CloudTrail objects, account ListRegions.

A hook for moto_launcher.py (`before`). Answers are computed from what is there: Event history from the log files in the
folder that TRAIL_SERVICES_HISTORY names, S3 Select from the object that moto stores. Wire formats as AWS documents them:

* LookupEvents: newest first, 50 a page at most, 90 days, one lookup attribute, 2 requests a second for each region.
  https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
* SelectObjectContent: an event stream of Records, Stats and End messages with CRCs; records are cut without regard to
  their borders. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html

Environment: TRAIL_SERVICES_HISTORY (folder), TRAIL_SERVICES_SELECT=off (the account has no S3 Select: MethodNotAllowed,
as accounts answer that did not use it before July 2024), TRAIL_SERVICES_REGIONS (comma-separated, for ListRegions),
TRAIL_SERVICES_RATE=off (no LookupEvents rate limit), TRAIL_SERVICES_DENIED (comma-separated operations, or regions of
LookupEvents, that are refused), TRAIL_SERVICES_HOLD (a file with a number: LookupEvents answers so often and then waits
until the file is gone), TRAIL_SERVICES_THROTTLE (so many first LookupEvents are throttled).
"""

import base64
import calendar
import datetime
import glob
import gzip
import json
import os
import re
import struct
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
import zlib

import sqlglot
from sqlglot import expressions as exp

PAGE = 50
REQUESTS_PER_SECOND = 2
HISTORY = datetime.timedelta(days=90)
# Small, so that records are split over messages; AWS sends up to 1 MiB.
SELECT_CHUNK = 997
# What S3 Select calls a field that a record does not have. AWS documents that COALESCE passes over null and MISSING
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-conditional.html); what IS NULL says of
# MISSING it does not: here false, so that an expression that relies on it fails.
MISSING = object()

_lock = threading.Lock()
_requests = {}
_seen = {}


def before(entry, environ):
    """moto_launcher's hook: None where moto is to answer."""
    denied = os.environ.get("TRAIL_SERVICES_DENIED", "").split(",")
    if entry["action"] in denied or entry["action"] == "LookupEvents" and entry["region"] in denied:
        return aws_error(400, "AccessDeniedException", f"User is not authorized to perform: {entry['action']}")
    if entry["action"] == "LookupEvents":
        number = hold()
        if number <= int(os.environ.get("TRAIL_SERVICES_THROTTLE", "0")):
            return aws_error(400, "ThrottlingException", "Rate exceeded")
        return lookup_events(entry)
    if entry["path"] == "/list-regions":
        return list_regions(json.loads(entry["body"] or "{}"))
    if entry["method"] == "POST" and "select-type=2" in entry["query"]:
        return select(entry)
    return None


# LookupEvents ------------------------------------------------------------------------------------------------------


def hold():
    """Waits as TRAIL_SERVICES_HOLD says; gives the request's number."""
    path = os.environ.get("TRAIL_SERVICES_HOLD")
    with _lock:
        _seen["LookupEvents"] = number = _seen.get("LookupEvents", 0) + 1
    while path and number > held_at(path):
        time.sleep(0.02)
    return number


def held_at(path):
    """How many requests are answered; without the file all."""
    try:
        with open(path, encoding="utf-8") as file:
            return int(file.read() or 0)
    except FileNotFoundError:
        return float("inf")


def lookup_events(entry):
    """One page of Event history."""
    if throttled(entry["region"]):
        return aws_error(400, "ThrottlingException", "Rate exceeded")
    request = json.loads(entry["body"] or "{}")
    unknown = set(request) - {"LookupAttributes", "StartTime", "EndTime", "EventCategory", "MaxResults", "NextToken"}
    attributes = request.get("LookupAttributes", [])
    size = request.get("MaxResults", PAGE)
    if unknown or len(attributes) > 1:
        return aws_error(400, "InvalidLookupAttributesException", f"unknown {unknown}, {len(attributes)} attributes")
    if not 1 <= size <= PAGE:
        return aws_error(400, "InvalidMaxResultsException", f"{size} a page")
    start, end = request.get("StartTime", 0), request.get("EndTime", 2**40)
    if start > end:
        return aws_error(400, "InvalidTimeRangeException", "StartTime is after EndTime")
    events = [record for record in history(entry["region"]) if start <= epoch(record) <= end]
    for attribute in attributes:
        events = [record for record in events if has_attribute(record, attribute)]
    question = json.dumps([entry["region"], attributes, start, end])
    offset = 0
    if "NextToken" in request:
        token = json.loads(base64.b64decode(request["NextToken"]))
        if token["question"] != question:
            return aws_error(400, "InvalidNextTokenException", "the token is of another request")
        offset = token["offset"]
    page = {"Events": [as_event(record) for record in events[offset : offset + size]]}
    if offset + size < len(events):
        token = json.dumps({"question": question, "offset": offset + size})
        page["NextToken"] = base64.b64encode(token.encode()).decode()
    return 200, "application/x-amz-json-1.1", json.dumps(page)


def throttled(region):
    """Whether this request is the third within a second in its region."""
    if os.environ.get("TRAIL_SERVICES_RATE") == "off":
        return False
    now = time.monotonic()
    with _lock:
        recent = [moment for moment in _requests.get(region, []) if now - moment < 1]
        refused = len(recent) >= REQUESTS_PER_SECOND
        _requests[region] = recent if refused else recent + [now]
    return refused


def history(region):
    """The region's management events of the last 90 days, newest first."""
    oldest = datetime.datetime.now(datetime.timezone.utc) - HISTORY
    records = []
    for path in sorted(glob.glob(os.path.join(os.environ["TRAIL_SERVICES_HISTORY"], "**", "*.json*"), recursive=True)):
        with open(path, "rb") as file:
            records += json.loads(plain(file.read()))["Records"]
    records = [
        record
        for record in records
        if record.get("awsRegion") == region
        and epoch(record) >= oldest.timestamp()
        and (record.get("eventCategory") or "Management") == "Management"
    ]
    return sorted(records, key=lambda record: (record["eventTime"], record.get("eventID", "")), reverse=True)


def epoch(record):
    return calendar.timegm(time.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ"))


def resources_of(record):
    """CloudTrail's own idea of the resources: here every string of the request and the answer."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            for below in value.values():
                walk(below)
        elif isinstance(value, list):
            for below in value:
                walk(below)
        elif isinstance(value, str):
            found.append(value)

    walk(record.get("requestParameters"))
    walk(record.get("responseElements"))
    return found


def user_of(record):
    identity = record.get("userIdentity") or {}
    return identity.get("userName") or (identity.get("arn") or "").rsplit("/", 1)[-1] or None


def has_attribute(record, attribute):
    value, key = attribute["AttributeValue"], attribute["AttributeKey"]
    if key == "ResourceName":
        return value in resources_of(record)
    actual = {
        "EventName": record.get("eventName"),
        "EventSource": record.get("eventSource"),
        "EventId": record.get("eventID"),
        "ReadOnly": str(bool(record.get("readOnly"))).lower(),
        "Username": user_of(record),
        "AccessKeyId": (record.get("userIdentity") or {}).get("accessKeyId"),
    }
    return actual.get(key) == value


def as_event(record):
    event = {
        "EventId": record.get("eventID"),
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "EventTime": epoch(record),
        "ReadOnly": str(bool(record.get("readOnly"))).lower(),
        "Username": user_of(record),
        "Resources": [{"ResourceName": name} for name in resources_of(record)[:5]],
        "CloudTrailEvent": json.dumps(record),
    }
    return {key: value for key, value in event.items() if value is not None}


def list_regions(request):
    """One page of ListRegions: the given regions are enabled, one more is not."""
    names = os.environ.get("TRAIL_SERVICES_REGIONS", "us-east-1,eu-west-1").split(",")
    regions = [{"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"} for name in names]
    regions.append({"RegionName": "me-south-1", "RegionOptStatus": "DISABLED"})
    wanted = request.get("RegionOptStatusContains")
    regions = [region for region in regions if not wanted or region["RegionOptStatus"] in wanted]
    offset = int(request.get("NextToken", "0"))
    size = min(request.get("MaxResults", 2), 2)
    page = {"Regions": regions[offset : offset + size]}
    if offset + size < len(regions):
        page["NextToken"] = str(offset + size)
    return 200, "application/json", json.dumps(page)


# S3 Select ---------------------------------------------------------------------------------------------------------


def select(entry):
    """Runs the expression on the object and frames the answer."""
    if os.environ.get("TRAIL_SERVICES_SELECT") == "off":
        return s3_error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    request = ElementTree.fromstring(entry["body"])
    text = {element.tag.rsplit("}", 1)[-1]: (element.text or "") for element in request.iter()}
    if text.get("ExpressionType") != "SQL" or text.get("Type") != "DOCUMENT":
        return s3_error(400, "InvalidRequestParameter", "this server knows SQL over JSON documents")
    body = stored_object(urllib.parse.unquote(entry["path"]))
    if body is None:
        return s3_error(404, "NoSuchKey", "The specified key does not exist.")
    try:
        document = plain(body) if text.get("CompressionType") == "GZIP" else body
        rows = run(text["Expression"], json.loads(document))
    except (sqlglot.errors.SqlglotError, NotImplementedError) as error:
        return s3_error(400, "ParseSelectFailure", str(error))
    except (OSError, EOFError, zlib.error, ValueError) as error:
        return s3_error(400, "InvalidDataSource", str(error))
    delimiter = text.get("RecordDelimiter") or "\n"
    payload = "".join(json.dumps(row, ensure_ascii=False) + delimiter for row in rows).encode()
    return 200, "application/octet-stream", stream(payload, len(body), len(document))


def stored_object(path):
    """The object's bytes as moto holds them; path-style addresses."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    bucket, _, key = path.lstrip("/").partition("/")
    for partition in s3_backends[DEFAULT_ACCOUNT_ID].values():
        if bucket in partition.buckets:
            found = partition.get_object(bucket, key)
            return found.value if found else None
    return None


def run(expression, document):
    """SELECT * or columns FROM s3object[*].Records[*] alias WHERE condition, over the records."""
    prepared = expression
    for spelling in ("s3object[*].Records[*]", "S3Object[*].Records[*]", 's3object[*]."Records"[*]'):
        prepared = prepared.replace(spelling, "records")
    tree = sqlglot.parse_one(prepared, read="trino")
    if tree.find(exp.Table).name != "records":
        raise NotImplementedError("only s3object[*].Records[*] is known here")
    alias = tree.find(exp.Table).alias
    condition = tree.args.get("where")
    for record in document.get("Records", []):
        if condition is None or truth(condition.this, record, alias):
            yield project(tree, record, alias)


def project(tree, record, alias):
    if tree.is_star:
        return record
    row = {}
    for column in tree.expressions:
        value = evaluate(column.unalias(), record, alias)
        if value is not MISSING:
            row[column.alias_or_name] = value
    return row


def evaluate(node, record, alias):
    """A column's path, a literal or COALESCE. What is not in the record is MISSING."""
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else float(node.this)
    if isinstance(node, exp.Coalesce):
        values = (evaluate(item, record, alias) for item in [node.this, *node.expressions])
        return next((value for value in values if value is not None and value is not MISSING), None)
    if isinstance(node, (exp.Column, exp.Dot)):
        value = record
        path = [part.name for part in node.parts]
        for part in path[1:] if path[0] == alias else path:
            value = value.get(part, MISSING) if isinstance(value, dict) else MISSING
        return value
    raise NotImplementedError(f"{node.sql()} is not known here")


def truth(node, record, alias):
    if isinstance(node, exp.Paren):
        return truth(node.this, record, alias)
    if isinstance(node, exp.And):
        return truth(node.left, record, alias) and truth(node.right, record, alias)
    if isinstance(node, exp.Or):
        return truth(node.left, record, alias) or truth(node.right, record, alias)
    if isinstance(node, exp.Not):
        return not truth(node.this, record, alias)
    if isinstance(node, exp.Is):
        return evaluate(node.this, record, alias) is None
    if isinstance(node, exp.In):
        return evaluate(node.this, record, alias) in [evaluate(item, record, alias) for item in node.expressions]
    if isinstance(node, exp.EQ):
        return evaluate(node.left, record, alias) == evaluate(node.right, record, alias)
    if isinstance(node, exp.Like):
        pattern = evaluate(node.expression, record, alias)
        value = evaluate(node.this, record, alias)
        matched = "".join({"%": ".*", "_": "."}.get(character) or re.escape(character) for character in pattern)
        return isinstance(value, str) and re.fullmatch(matched, value, re.DOTALL) is not None
    raise NotImplementedError(f"{node.sql()} is not known here")


def stream(payload, scanned, processed):
    """The event stream: records in small pieces, statistics, end."""
    headers = {":message-type": "event", ":content-type": "application/octet-stream"}
    messages = [
        message({**headers, ":event-type": "Records"}, payload[at : at + SELECT_CHUNK])
        for at in range(0, len(payload), SELECT_CHUNK)
    ]
    stats = (
        f"<Stats><BytesScanned>{scanned}</BytesScanned><BytesProcessed>{processed}</BytesProcessed>"
        f"<BytesReturned>{len(payload)}</BytesReturned></Stats>"
    )
    messages.append(message({**headers, ":event-type": "Cont"}, b""))
    messages.append(message({":message-type": "event", ":event-type": "Stats", ":content-type": "text/xml"}, stats.encode()))
    messages.append(message({":message-type": "event", ":event-type": "End"}, b""))
    return b"".join(messages)


def message(headers, payload):
    """A message of the event stream encoding: prelude, CRC, headers, payload, CRC."""
    encoded = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 12 + len(encoded) + len(payload) + 4, len(encoded))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + encoded + payload
    return body + struct.pack(">I", zlib.crc32(body))


# Shared ------------------------------------------------------------------------------------------------------------


def plain(body):
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def aws_error(status, code, text):
    return status, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": text})


def s3_error(status, code, text):
    return status, "application/xml", f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{text}</Message></Error>"
