"""A small S3 server for measuring load-s3 at scale: a trail of any size, held in no memory and on no disk.

    python3 tests/servers/s3/server.py PORT ACCOUNTS REGIONS DAYS [OBJECTS_A_DAY]

Speaks what load-s3 uses: HeadBucket, ListObjectsV2 (prefix, delimiter, start-after, continuation token, 1,000 keys) and GET,
in path style and without looking at signatures. Every object is a gzip of two records, and one of them creates a bucket. Two
more requests: GET /requests answers with the counts so far and begins anew; POST /hour adds an object to today's folder of
each account's first region. Days end today (UTC).
"""

import bisect
import collections
import datetime
import functools
import gzip
import http.server
import json
import sys
import threading
import urllib.parse
from xml.sax.saxutils import escape

PAGE = 1000
REGIONS = (
    "us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1 "
    "ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2"
).split()

KEYS = []
COUNTS = collections.Counter()
LOCK = threading.Lock()


def key(account, region, day, number):
    name = f"{account}_CloudTrail_{region}_{day:%Y%m%d}T{number:04}Z_x.json.gz"
    return f"AWSLogs/{account}/CloudTrail/{region}/{day:%Y/%m/%d}/{name}"


@functools.lru_cache(maxsize=1000)
def body(name):
    account, _, region, moment, _ = name.rsplit("/", 1)[-1].split("_")
    made = {
        "eventVersion": "1.08", "eventTime": f"{moment[:4]}-{moment[4:6]}-{moment[6:8]}T12:00:00Z", "awsRegion": region,
        "eventSource": "s3.amazonaws.com", "eventName": "CreateBucket", "eventID": name[-80:],
        "requestParameters": {"bucketName": f"b-{account}-{region}-{moment.lower()}"}, "recipientAccountId": account,
        "userIdentity": {"type": "IAMUser", "userName": "alice", "arn": f"arn:aws:iam::{account}:user/alice"},
    }
    listed = {**made, "eventName": "ListBuckets", "eventID": name[-79:]}
    return gzip.compress(json.dumps({"Records": [made, listed]}).encode(), 1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, content, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def count(self, operation):
        with LOCK:
            COUNTS[operation] += 1

    def do_HEAD(self):
        self.count("HEAD")
        self.answer(b"", x_amz_bucket_region="us-east-1")

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        if self.path == "/hour":
            with LOCK:
                add_hour()
            return self.answer(b"")
        self.count("SELECT")
        error = "<Error><Code>MethodNotAllowed</Code><Message>not allowed against this resource</Message></Error>"
        return self.answer(error.encode(), status=405)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/requests":
            with LOCK:
                counts = json.dumps(COUNTS)
                COUNTS.clear()
            return self.answer(counts.encode())
        _, _, name = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        if name:
            self.count("GET")
            return self.answer(body(name), ETag=f'"{hash(name) & 0xFFFFFFFF:x}"')
        self.count("LIST")
        query = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
        return self.answer(listing(query).encode(), Content_Type="application/xml")


def listing(query):
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    limit = min(int(query.get("max-keys", PAGE)), PAGE)
    at = bisect.bisect_left(KEYS, prefix)
    after = query.get("continuation-token") or query.get("start-after")
    if after:
        at = max(at, bisect.bisect_right(KEYS, after))
    contents, folders, last = [], [], ""
    while at < len(KEYS) and KEYS[at].startswith(prefix) and len(contents) + len(folders) < limit:
        end = KEYS[at].find(delimiter, len(prefix)) if delimiter else -1
        if end >= 0:
            last = KEYS[at][: end + 1] + "\x7f"
            folders.append(KEYS[at][: end + 1])
            at = bisect.bisect_left(KEYS, last)
        else:
            last = KEYS[at]
            contents.append(last)
            at += 1
    truncated = at < len(KEYS) and KEYS[at].startswith(prefix)
    rows = "".join(
        f"<Contents><Key>{escape(name)}</Key><Size>400</Size><ETag>&quot;{hash(name) & 0xFFFFFFFF:x}&quot;</ETag></Contents>"
        for name in contents
    )
    rows += "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
    token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if truncated else ""
    return f"<ListBucketResult><IsTruncated>{str(truncated).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"


ACCOUNTS = []


def add_hour():
    today = datetime.datetime.now(datetime.timezone.utc).date()
    number = 1000 + len(KEYS) % 8000
    for account in ACCOUNTS:
        bisect.insort(KEYS, key(account, REGIONS[0], today, number))


def main():
    port, accounts, regions, days = map(int, sys.argv[1:5])
    a_day = int(sys.argv[5]) if len(sys.argv) > 5 else 5
    today = datetime.datetime.now(datetime.timezone.utc).date()
    ACCOUNTS.extend(f"{100000000000 + number:012}" for number in range(accounts))
    for account in ACCOUNTS:
        for region in REGIONS[:regions]:
            for back in range(days):
                day = today - datetime.timedelta(days=back)
                KEYS.extend(key(account, region, day, number) for number in range(a_day))
    KEYS.sort()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(server.server_port, len(KEYS), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
