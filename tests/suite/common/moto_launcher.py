"""Runs moto's server for one test: on a port that the kernel chooses, until stdin closes.

The test holds the other end of stdin, so the server ends with the test however the test ends: no orphans. The port
goes to stdout as one line once the socket listens; that line is the readiness signal.

argv: the file to which each request is appended as a line of JSON (see `log_entry`), then optionally a file of Python
that may define

    def before(entry, environ):   # return None to let moto answer, or (status, content type, text or bytes) to answer instead,
                                  # and a further (name, value) for each further header

to play faults that moto doesn't know: throttling, refusals, a resource that vanishes before a write reaches it.
"""

import io
import json
import os
import pathlib
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "servers"))
import moto_strict  # noqa: F401  before moto: it watches what is imported

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


def body_of(environ):
    """The request's body, put back for moto to read."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    if length:
        environ["wsgi.input"] = io.BytesIO(body)
    return body


def action_of(environ, body):
    """The operation: X-Amz-Target's or the form's where the protocol has one, else method, path and sub-resource."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.rsplit(".", 1)[-1]
    query = environ.get("QUERY_STRING", "")
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        query = body.decode("utf-8", "replace")
    action = urllib.parse.parse_qs(query).get("Action")
    if action:
        return action[0]
    # `?tagging`, `?location`: S3 tells its operations by a parameter without a value.
    sub_resources = [part for part in environ.get("QUERY_STRING", "").split("&") if part.rstrip("=") == part and part]
    flags = "?" + "&".join(part for part in sub_resources if "=" not in part)
    return environ["REQUEST_METHOD"] + " " + environ["PATH_INFO"] + (flags if flags != "?" else "")


def log_entry(environ):
    """What is kept of a request: enough to count calls and to see what was written and who wrote it."""
    body = body_of(environ)
    credential = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
    signed = len(credential) == 5
    return {
        "service": credential[3] if signed else None,
        "region": credential[2] if signed else None,
        "access_key": credential[0] if signed else None,
        "action": action_of(environ, body),
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ.get("QUERY_STRING", ""),
        "user_agent": environ.get("HTTP_USER_AGENT", ""),
        "body": body[:100_000].decode("utf-8", "replace"),
    }


class Recorder:
    """moto, with its requests written down before it sees them."""

    def __init__(self, moto, log, before):
        self.moto, self.log, self.before, self.lock = moto, log, before, threading.Lock()

    def __call__(self, environ, start_response):
        entry = log_entry(environ)
        with self.lock:
            self.log.write(json.dumps(entry) + "\n")
            self.log.flush()
        answer = self.before(entry, environ) if self.before else None
        if answer is None:
            return self.moto(environ, start_response)
        status, content_type, content, *headers = answer
        content = content if isinstance(content, bytes) else content.encode()
        start_response(f"{status} Played", [("Content-Type", content_type), ("x-amzn-RequestId", "played"), *headers])
        return [content]


class QuietHandler(MotoRequestHandler):
    """Leaves stderr to real failures."""

    def log(self, *_):
        pass


def main():
    log = open(sys.argv[1], "a", encoding="utf-8")
    scope = {}
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as hook:
            exec(compile(hook.read(), sys.argv[2], "exec"), scope)
    app = Recorder(DomainDispatcherApplication(create_backend_app), log, scope.get("before"))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    os.environ["MOTO_PORT"] = str(server.port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.port, flush=True)
    # Nobody reads on: moto prints about services that it doesn't know, and a broken pipe would leave its caller unanswered.
    sys.stdout = sys.stderr
    sys.stdin.buffer.read()
    # Worker threads may be in the middle of anything; there is nothing to save.
    os._exit(0)


if __name__ == "__main__":
    main()
