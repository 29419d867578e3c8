"""A proxy that plays a hostile AWS, by a seeded script. A template of tests/suite/common/fork_server.py.

Request: {"upstream": port of the server behind it, "log": file to which each fault is appended as a line of JSON, "seed": number,
"rate": faults a request, from 0 to 1, "kinds": names of KINDS to choose from, "actions": a regular expression that an action must
match to meet a fault, "most": faults at most}. Answer, once the socket listens: {"port"}.

What a request meets depends on the seed, its action and how many requests of that action came before it: not on the order in which
connections are served.

* `swallowed-…` answers without passing the request on.
* `applied-…` passes it on, and loses or damages the answer.
* `always-…` holds for all further requests of the action too.
* `partly-…` passes a batch of writes on for some of its resources only.
* `pages-…` adds a page token to the answer: the same one for ever, ever new ones, or one after an empty page.
"""

import email.utils
import http.client
import itertools
import json
import random
import re
import socketserver
import sys
import threading
import time
import urllib.parse

# What stands in for an answer with status 200.
BODIES = {
    "empty": b"",
    "object": b"{}",
    "null": b"null",
    "text": b"busy",
    "html": b"<html><body>busy</body></html>",
    "error-xml": b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>",
    "error-json": b'{"__type":"InternalFailure","message":"We encountered an internal error."}',
    "message": b'{"message":"busy"}',
    "foreign": b"<Foreign/>",
}
STATUSES = {
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
    "slow-down": (503, "SlowDown", "Please reduce your request rate."),
    "failed-500": (500, "InternalFailure", "We encountered an internal error."),
    "failed-503": (503, "ServiceUnavailable", "Service is unable to handle request."),
    "denied": (403, "AccessDenied", "not authorized"),
    "expired": (400, "ExpiredTokenException", "The security token included in the request is expired"),
    "skewed": (403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
}
PAGES = ("same", "new", "empty")
KINDS = (
    [f"swallowed-{name}" for name in (*BODIES, "204", "closed", *STATUSES)]
    + [f"applied-{name}" for name in (*BODIES, "204", "closed", "truncated", "garbled", "failed-500", "slow")]
    + ["always-denied", "always-failed-500"]
    + [f"partly-{name}" for name in ("refused", "throttled", "lost")]
    + [f"pages-{name}" for name in PAGES]
)
SLOW = 0.2
# A clock of AWS that is ahead of ours, in seconds.
SKEW = 20 * 60
# Begins every page token of ours. The server behind never sees one.
TOKEN = "played-"
# What APIs call the token of the next page, in answers.
TOKENS = ("NextToken", "nextToken", "NextMarker", "PaginationToken", "ContinuationToken", "NextContinuationToken")


class Script:
    """Which request meets which fault."""

    def __init__(self, request):
        self.seed, self.rate, self.most = request["seed"], request["rate"], request.get("most", 1 << 30)
        self.kinds = request.get("kinds") or KINDS
        self.actions = re.compile(request.get("actions") or "")
        self.log, self.lock, self.counts, self.faults, self.lasting = request["log"], threading.Lock(), {}, 0, {}

    def fault(self, action):
        """The kind of fault that this request meets, or None."""
        with self.lock:
            number = self.counts[action] = self.counts.get(action, 0) + 1
            if action in self.lasting:
                return self.lasting[action]
            chance = random.Random(f"{self.seed}:{action}:{number}")
            if chance.random() >= self.rate or not self.actions.search(action) or self.faults >= self.most:
                return None
            self.faults += 1
            kind = chance.choice(self.kinds)
            if kind.startswith("always-") or kind in ("pages-same", "pages-new"):
                self.lasting[action] = kind
            with open(self.log, "a", encoding="utf-8") as file:
                print(json.dumps({"action": action, "number": number, "kind": kind}), file=file)
            return kind


def action_of(method, path, headers, body):
    target = headers.get("x-amz-target")
    if target:
        return target.rsplit(".", 1)[-1]
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        action = urllib.parse.parse_qs(body.decode("utf-8", "replace")).get("Action")
        if action:
            return action[0]
    return f"{method} {path}"


def without_our_tokens(path, headers, body):
    """The request as the server behind may see it, for an API that knows our tokens from our answers only."""
    if TOKEN.encode() not in body and TOKEN not in path:
        return path, body
    path, _, query = path.partition("?")
    query = "&".join(part for part in query.split("&") if not part.partition("=")[2].startswith(TOKEN))
    path = f"{path}?{query}" if query else path
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return path, re.sub(rb"&\w+=" + TOKEN.encode() + rb"\w+", b"", body)
    try:
        fields = json.loads(body)
    except ValueError:
        return path, body
    return path, json.dumps({name: value for name, value in fields.items() if not str(value).startswith(TOKEN)}).encode()


def with_token(content, token, is_empty):
    """An answer with a token for a next page; `is_empty`: that lists nothing itself."""
    try:
        fields = json.loads(content)
    except ValueError:
        return xml_with_token(content, token, is_empty)
    if not isinstance(fields, dict):
        return content
    if is_empty:
        fields = {name: [] if isinstance(value, list) else value for name, value in fields.items()}
    return json.dumps(fields | dict.fromkeys(TOKENS, token)).encode()


def xml_with_token(content, token, is_empty):
    if is_empty:
        content = re.sub(rb"<(member|item|Bucket|Queue)>.*</\1>", b"", content, flags=re.DOTALL)
    tokens = b"".join(f"<{name}>{token}</{name}>".encode() for name in TOKENS)
    more = b"<IsTruncated>true</IsTruncated><Marker>" + token.encode() + b"</Marker>"
    content = content.replace(b"<IsTruncated>false</IsTruncated>", more)
    # In query's protocol the result is below the root, in EC2's and S3's it is the root.
    last = re.search(rb"</\w+Result>", content) or re.search(rb"</[\w:]+>\s*$", content)
    return content[: last.start()] + tokens + content[last.start() :] if last else content


def halves(headers, body):
    """A batch of writes: the request for some of its resources, and the other ones. None: it is no batch."""
    if headers.get("x-amz-target", "").endswith("TagResources"):
        fields = json.loads(body)
        arns = fields["ResourceARNList"]
        kept, rest = arns[::2], arns[1::2]
        return (json.dumps(fields | {"ResourceARNList": kept}).encode(), rest) if rest else None
    fields = urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    ids = [name for name, _ in fields if re.fullmatch(r"ResourceId\.\d+", name)]
    rest = set(ids[1::2])
    return (urllib.parse.urlencode([pair for pair in fields if pair[0] not in rest]).encode(), rest) if rest else None


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self):
        while self.one_request():
            pass

    def one_request(self):
        line = self.rfile.readline()
        if not line.strip():
            return False
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = http.client.parse_headers(self.rfile)
        body = self.rfile.read(int(headers.get("content-length") or 0))
        path, body = without_our_tokens(path, headers, body)
        kind = self.server.script.fault(action_of(method, path, headers, body))
        when, _, what = (kind or "").partition("-")
        if when in ("swallowed", "always"):
            return self.play(what)
        if when == "partly":
            return self.partly(what, method, path, headers, body)
        status, answered, content = self.forward(method, path, headers, body)
        if kind is None or what == "slow":
            time.sleep(SLOW if kind else 0)
            return self.answer(status, answered, content, method)
        if when == "pages":
            paged = with_token(content, self.server.token(what), what == "empty") if status == 200 else content
            return self.answer(status, answered, paged, method)
        if what == "truncated":
            self.head(status, answered, max(len(content), 2))
            self.wfile.write(content[: len(content) // 2])
            return False
        if what == "garbled":
            return self.answer(status, answered, content[::-1] or b"\0", method)
        return self.play(what)

    def partly(self, what, method, path, headers, body):
        """Passes a batch on for every other resource. AWS names the other ones, or its answer is lost."""
        batch = halves(headers, body)
        status, answered, content = self.forward(method, path, headers, batch[0] if batch else body)
        if not batch or status != 200:
            return self.answer(status, answered, content, method)
        if what == "lost" or not headers.get("x-amz-target"):
            return self.play("failed-500")
        code, status_of_one = ("ThrottlingException", 400) if what == "throttled" else ("InternalServiceException", 500)
        failure = {"StatusCode": status_of_one, "ErrorCode": code, "ErrorMessage": "played"}
        fields = json.loads(content)
        fields["FailedResourcesMap"] = fields.get("FailedResourcesMap", {}) | dict.fromkeys(batch[1], failure)
        return self.answer(status, answered, json.dumps(fields).encode(), method)

    def play(self, what):
        """An answer of our own; False ends the connection."""
        if what == "closed":
            return False
        if what == "204":
            return self.answer(204, {}, b"")
        if what in STATUSES:
            status, code, message = STATUSES[what]
            body = json.dumps({"__type": code, "message": message}).encode()
            date = {"Date": email.utils.formatdate(time.time() + SKEW, usegmt=True)} if what == "skewed" else {}
            return self.answer(status, date | {"content-type": "application/json", "x-amzn-errortype": code}, body)
        return self.answer(200, {"content-type": "application/json"}, BODIES[what])

    def forward(self, method, path, headers, body):
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream)
        # With the upstream's own host: some ids (URLs of queues) hold it, and are the same with and without the proxy.
        upstream.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            if name.lower() not in ("connection", "content-length", "host"):
                upstream.putheader(name, value)
        upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders(body)
        response = upstream.getresponse()
        content = response.read()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in ("connection", "content-length", "transfer-encoding")}
        upstream.close()
        return response.status, kept, content

    def head(self, status, headers, length):
        lines = [f"HTTP/1.1 {status} Played", *(f"{name}: {value}" for name, value in headers.items()), f"Content-Length: {length}"]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def answer(self, status, headers, content, method="GET"):
        self.head(status, headers, len(content))
        self.wfile.write(b"" if method == "HEAD" else content)
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    tokens = itertools.count()

    def token(self, what):
        return f"{TOKEN}same" if what == "same" else f"{TOKEN}{next(self.tokens)}"

    def handle_error(self, *_):
        """A client that goes away is no failure of ours."""


def serve(request, caller):
    server = Server(("127.0.0.1", 0), Handler)
    server.script, server.upstream = Script(request), request["upstream"]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    caller.answer({"port": server.server_address[1]})
    caller.wait()


class Terminal:
    """The caller of the program: `proxy.py '{"upstream": …}'`."""

    def answer(self, document):
        print(document["port"], flush=True)

    def wait(self):
        sys.stdin.buffer.read()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]), Terminal())
