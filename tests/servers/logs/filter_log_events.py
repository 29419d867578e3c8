"""CloudWatch Logs' FilterLogEvents and DescribeLogGroups of one log group, as strict as AWS: moto knows no filter patterns on JSON.

A hook for moto_launcher.py (`before`), alone or behind another one in the same file. The log group has the records of all log
files in a folder, whatever their region, as the group of a trail of all regions has.

* filterPattern: at most 1,024 characters; the JSON form `{ $.a.b = "x*" || ($.c != 1 && $.d IS TRUE) }`, parsed and executed.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
* Pages of at most 10,000 events and 1 MB; endTime is inclusive; a token is good for its own request only; pages can be empty and
  have a token. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
* 5 requests a second, then ThrottlingException.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html

Environment: TRAIL_LOGS_GROUP (its name), TRAIL_LOGS_FOLDER (log files) or TRAIL_LOGS_EVENTS (so many generated records of one
hour each day, one in 70 creates a bucket), TRAIL_LOGS_RATE=off, TRAIL_LOGS_DELAY (seconds from a call to its log event),
TRAIL_LOGS_SCAN (events that a request searches at most: later pages, and empty ones), TRAIL_LOGS_THROTTLE (so many first
requests are throttled), TRAIL_LOGS_RETENTION (days), TRAIL_LOGS_DENIED (operations that are refused).
"""

import calendar
import glob
import gzip
import json
import os
import re
import threading
import time

_logs_lock = threading.Lock()
_logs_requests = []
_logs_seen = {"count": 0}
_logs_events = {}
_before_logs = globals().get("before")

PAGE_EVENTS = 10_000
PAGE_BYTES = 1024 * 1024
# What CloudWatch Logs counts for an event beside its message.
EVENT_OVERHEAD = 26
PER_SECOND = 5


def before(entry, environ):
    if entry["action"] in ("FilterLogEvents", "DescribeLogGroups"):
        return logs_answer(entry)
    return _before_logs(entry, environ) if _before_logs else None


def logs_error(code, message):
    return 400, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})


def logs_answer(entry):
    if entry["action"] in os.environ.get("TRAIL_LOGS_DENIED", "").split(","):
        return logs_error("AccessDeniedException", f"User is not authorized to perform: logs:{entry['action']}")
    if logs_throttled():
        return logs_error("ThrottlingException", "Rate exceeded")
    request = json.loads(entry["body"] or "{}")
    try:
        answer = describe(request) if entry["action"] == "DescribeLogGroups" else filter_events(request)
    except ValueError as error:
        return logs_error("InvalidParameterException", str(error))
    except KeyError:
        return logs_error("ResourceNotFoundException", "The specified log group does not exist.")
    return 200, "application/x-amz-json-1.1", json.dumps(answer)


def logs_throttled():
    now = time.monotonic()
    with _logs_lock:
        _logs_seen["count"] += 1
        if _logs_seen["count"] <= int(os.environ.get("TRAIL_LOGS_THROTTLE", "0")):
            return True
        if os.environ.get("TRAIL_LOGS_RATE") == "off":
            return False
        _logs_requests[:] = [moment for moment in _logs_requests if now - moment < 1]
        if len(_logs_requests) >= PER_SECOND:
            return True
        _logs_requests.append(now)
    return False


def only(request, known):
    unknown = set(request) - set(known)
    if unknown:
        raise ValueError(f"unknown parameters: {unknown}")


def describe(request):
    only(request, ["logGroupNamePrefix", "limit", "nextToken"])
    if not 1 <= request.get("limit", 50) <= 50:
        raise ValueError("limit")
    group = os.environ["TRAIL_LOGS_GROUP"]
    if not group.startswith(request.get("logGroupNamePrefix", "")):
        return {"logGroups": []}
    first = min((event["timestamp"] for event in events()), default=0)
    described = {"logGroupName": group, "creationTime": first, "storedBytes": 1}
    if "TRAIL_LOGS_RETENTION" in os.environ:
        described["retentionInDays"] = int(os.environ["TRAIL_LOGS_RETENTION"])
    # Names that begin with the group's come after it, on a page of their own.
    if "nextToken" not in request:
        return {"logGroups": [{"logGroupName": group + "-", "creationTime": 1}], "nextToken": "2"}
    return {"logGroups": [described]}


def filter_events(request):
    only(request, ["logGroupName", "startTime", "endTime", "filterPattern", "limit", "nextToken"])
    if request["logGroupName"] != os.environ["TRAIL_LOGS_GROUP"]:
        raise KeyError(request["logGroupName"])
    start, end = request.get("startTime", 0), request.get("endTime", 2**53)
    limit, text = request.get("limit", PAGE_EVENTS), request.get("filterPattern", "")
    if start > end or not 1 <= limit <= PAGE_EVENTS or len(text) > 1024:
        raise ValueError("startTime, limit or filterPattern")
    matches = Pattern(text).matches if text else lambda record: True
    question = json.dumps([start, end, text, limit])
    offset = 0
    if "nextToken" in request:
        offset, asked = request["nextToken"].split("/", 1)
        offset = int(offset)
        if asked != question:
            raise ValueError("the token is of another request")
    found = [event for event in events() if start <= event["timestamp"] <= end]
    page, size, searched = [], 0, 0
    most = int(os.environ.get("TRAIL_LOGS_SCAN", "0")) or len(found) + 1
    for event in found[offset:]:
        if searched == most or len(page) == limit:
            break
        if matches(event["record"]):
            more = len(event["message"]) + EVENT_OVERHEAD
            if page and size + more > PAGE_BYTES:
                break
            size += more
            page.append({key: event[key] for key in ("logStreamName", "timestamp", "message", "ingestionTime", "eventId")})
        searched += 1
    answer = {"events": page, "searchedLogStreams": []}
    if offset + searched < len(found):
        answer["nextToken"] = f"{offset + searched}/{question}"
    return answer


# Events -------------------------------------------------------------------------------------------------------------


def events():
    """All log events, by time stamp. Read again when a file comes or goes."""
    key, read = source()
    with _logs_lock:
        if _logs_events.get("key") != key:
            _logs_events["events"] = sorted((log_event(text) for text in read()), key=lambda event: event["timestamp"])
            _logs_events["key"] = key
        return _logs_events["events"]


def source():
    if "TRAIL_LOGS_EVENTS" in os.environ:
        count = int(os.environ["TRAIL_LOGS_EVENTS"])
        return count, lambda: generated(count)
    folder = os.environ["TRAIL_LOGS_FOLDER"]
    paths = sorted(glob.glob(os.path.join(folder, "**", "*.json*"), recursive=True))
    return paths, lambda: records_of(paths)


def records_of(paths):
    for path in paths:
        with open(path, "rb") as file:
            stored = file.read()
        document = gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else stored
        for record in json.loads(document)["Records"]:
            yield json.dumps(record, ensure_ascii=False)


def generated(count):
    """Records of 40 days until today, as large as CloudTrail's are."""
    days, now = 40, int(time.time())
    for number in range(count):
        moment = now - 86400 * days + number * 86400 * days // count
        is_bucket = number % 70 == 0
        yield json.dumps({
            "eventVersion": "1.11", "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)),
            "eventSource": "s3.amazonaws.com" if is_bucket else "ec2.amazonaws.com",
            "eventName": "CreateBucket" if is_bucket else "DescribeInstances",
            "userIdentity": {"type": "IAMUser", "userName": "ann", "arn": "arn:aws:iam::123456789012:user/ann", "accountId": "123456789012"},
            "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.7", "userAgent": "x" * 500, "errorCode": None,
            "requestParameters": {"bucketName": f"bucket-{number}"} if is_bucket else None, "responseElements": None,
            "eventID": f"event-{number}", "readOnly": not is_bucket, "recipientAccountId": "123456789012",
        })


def log_event(text):
    record = json.loads(text)
    moment = calendar.timegm(time.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ")) * 1000
    moment += int(os.environ.get("TRAIL_LOGS_DELAY", "0")) * 1000
    stream = f"{record.get('recipientAccountId') or '0'}_CloudTrail_{record.get('awsRegion')}"
    return {
        "logStreamName": stream, "timestamp": moment, "ingestionTime": moment + 1, "message": text, "record": record,
        "eventId": str(abs(hash(text))),
    }


# Patterns -----------------------------------------------------------------------------------------------------------

TOKENS = re.compile(r'\s*(\|\||&&|\(|\)|\{|\}|!=|=|"[^"]*"|\$\.[A-Za-z0-9_.\[\]]+|[A-Za-z0-9_*.\-]+)')


class Pattern:
    """`{ expression }`: comparisons, IS and NOT EXISTS, `&&` before `||`, parentheses."""

    def __init__(self, text):
        self.tokens, at = [], 0
        text = text.strip()
        while at < len(text):
            found = TOKENS.match(text, at)
            if not found:
                raise ValueError(f"Invalid filter pattern at {at}: {text[at:at + 20]}")
            self.tokens.append(found.group(1))
            at = found.end()
        self.at = 0
        self.take("{")
        self.expression = self.either()
        self.take("}")
        if self.at != len(self.tokens):
            raise ValueError("Invalid filter pattern: text after }")

    def matches(self, record):
        return self.expression(record)

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected=None):
        token = self.peek()
        if token is None or expected and token != expected:
            raise ValueError(f"Invalid filter pattern: {token} in place of {expected}")
        self.at += 1
        return token

    def either(self):
        parts = [self.both()]
        while self.peek() == "||":
            self.take()
            parts.append(self.both())
        return lambda record: any(part(record) for part in parts)

    def both(self):
        parts = [self.term()]
        while self.peek() == "&&":
            self.take()
            parts.append(self.term())
        return lambda record: all(part(record) for part in parts)

    def term(self):
        if self.peek() == "(":
            self.take()
            inside = self.either()
            self.take(")")
            return inside
        selector = self.take()
        if not selector.startswith("$."):
            raise ValueError(f"Invalid filter pattern: {selector} is no selector")
        path, operator = selector[2:].split("."), self.take()
        if operator == "IS":
            value = {"TRUE": True, "FALSE": False, "NULL": None}[self.take()]
            return lambda record: path_of(record, path) is value
        if operator == "NOT":
            self.take("EXISTS")
            return lambda record: path_of(record, path) is MISSING_VALUE
        if operator not in ("=", "!="):
            raise ValueError(f"Invalid filter pattern: operator {operator}")
        wanted = self.take().strip('"')
        form = re.compile(".*".join(re.escape(part) for part in wanted.split("*")), re.S)

        def compare(record):
            value = path_of(record, path)
            if isinstance(value, (dict, list)) or value in (MISSING_VALUE, None):
                return False
            return bool(form.fullmatch(str(value))) == (operator == "=")

        return compare


MISSING_VALUE = "\0missing"


def path_of(record, path):
    for key in path:
        if not isinstance(record, dict) or key not in record:
            return MISSING_VALUE
        record = record[key]
    return record
