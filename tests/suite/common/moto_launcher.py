"""moto's server for one test, on a port that the kernel chooses. A template of fork_server.py.

Request: {"requests": the file to which each request is appended as a line of JSON (see `log_entry`), "hook": null or a file
of Python that may define

    def before(entry, environ):   # return None to let moto answer, or (status, content type, text or bytes) to answer instead,
                                  # and a further (name, value) for each further header

to play faults that moto doesn't know: throttling, refusals, a resource that vanishes before a write reaches it}. Answer,
once the socket listens: {"port"}.

It is also a program, for docs/demo.sh and tests/catalog/lab.py: argv are the two files, the port is the one line on stdout, and
the server ends when stdin closes.
"""

import importlib
import io
import json
import os
import pathlib
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "servers"))
import moto_strict  # noqa: F401  before moto: it watches what is imported

import read_once  # noqa: F401
import moto_quick  # noqa: F401
import moto.backends
from moto.backends import get_backend
from moto.core.base_backend import AccountSpecificBackend
from moto.core.utils import get_service_model
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

# Services that many tests use. moto imports others when a test first uses them. None has state yet: a hook may still change what
# its backend begins with.
for _service in ("ec2", "iam", "organizations", "resourcegroupstaggingapi", "s3", "sns", "sqs", "sts"):
    get_backend(_service)
    importlib.import_module(f"moto.{_service}.urls")
    get_service_model(_service)

# The regions of every service, for all servers: none reads botocore's folders again.
AccountSpecificBackend.get_session().get_available_regions("sqs")

# moto reads its own folder for each request.
_modules = list(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: _modules


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
    # `?tagging`, `?location`: S3 names its operations by a parameter without a value.
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


def serve(request, caller):
    # Each server makes identifiers of its own.
    mock_random.seed()
    log = open(request["requests"], "a", encoding="utf-8")
    scope = {}
    if request["hook"]:
        with open(request["hook"], encoding="utf-8") as hook:
            exec(compile(hook.read(), request["hook"], "exec"), scope)
    app = Recorder(DomainDispatcherApplication(create_backend_app), log, scope.get("before"))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    os.environ["MOTO_PORT"] = str(server.port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    caller.answer({"port": server.port})
    caller.wait()


class Terminal:
    """The caller of the program."""

    def answer(self, document):
        print(document["port"], flush=True)
        # Nothing reads on: moto prints about services that it doesn't know, and a broken pipe would leave its caller unanswered.
        sys.stdout = sys.stderr

    def wait(self):
        sys.stdin.buffer.read()


if __name__ == "__main__":
    serve({"requests": sys.argv[1], "hook": sys.argv[2] if len(sys.argv) > 2 else None}, Terminal())
    # Worker threads may be in the middle of anything; there is nothing to save.
    os._exit(0)
