"""A proxy that plays a hostile AWS, by a seeded script. A template of tests/suite/common/fork_server.py.

Request: {"upstream": port of the server behind it, "log": file to which each fault is appended as a line of JSON, "seed": number,
"rate": faults a request, from 0 to 1, "kinds": names of KINDS to choose from, "actions": a regular expression that an action must
match to meet a fault, "most": faults at most}. Answer, once the socket listens: {"port"}.

What a request meets depends on the seed, its action and how many requests of that action came before it: not on the order in which
connections are served. Faults named `swallowed-…` answer without passing the request on; `applied-…` pass it on and lose or damage
the answer.
"""

import http.client
import json
import pathlib
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
}
KINDS = (
    [f"swallowed-{name}" for name in (*BODIES, "204", "closed", *STATUSES)]
    + [f"applied-{name}" for name in (*BODIES, "204", "closed", "truncated", "garbled", "failed-500", "slow")]
)
SLOW = 0.2


class Script:
    """Which request meets which fault."""

    def __init__(self, request):
        self.seed, self.rate, self.most = request["seed"], request["rate"], request.get("most", 1 << 30)
        self.kinds = request.get("kinds") or KINDS
        self.actions = re.compile(request.get("actions") or "")
        self.log, self.lock, self.counts, self.faults = request["log"], threading.Lock(), {}, 0

    def fault(self, action):
        """The kind of fault that this request meets, or None."""
        with self.lock:
            number = self.counts[action] = self.counts.get(action, 0) + 1
            chance = random.Random(f"{self.seed}:{action}:{number}")
            if chance.random() >= self.rate or not self.actions.search(action) or self.faults >= self.most:
                return None
            self.faults += 1
            kind = chance.choice(self.kinds)
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
        kind = self.server.script.fault(action_of(method, path, headers, body))
        when, _, what = (kind or "").partition("-")
        if when == "swallowed":
            return self.play(what)
        status, answered, content = self.forward(method, path, headers, body)
        if kind is None or what == "slow":
            time.sleep(SLOW if kind else 0)
            return self.answer(status, answered, content, method)
        if what == "truncated":
            self.head(status, answered, max(len(content), 2))
            self.wfile.write(content[: len(content) // 2])
            return False
        if what == "garbled":
            return self.answer(status, answered, content[::-1] or b"\0", method)
        return self.play(what)

    def play(self, what):
        """An answer of our own; False ends the connection."""
        if what == "closed":
            return False
        if what == "204":
            return self.answer(204, {}, b"")
        if what in STATUSES:
            status, code, message = STATUSES[what]
            body = json.dumps({"__type": code, "message": message}).encode()
            return self.answer(status, {"content-type": "application/json", "x-amzn-errortype": code}, body)
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
