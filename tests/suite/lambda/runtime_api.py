"""Plays Lambda's Runtime API, and runs `bootstrap` against it: prints how it ended, and what it answered, as JSON.

Arguments: the program, and the invocations as JSON, a list of {"event": …, "seconds": until the deadline}. As strict as the OpenAPI
specification of the Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): only its paths and methods; an answer for
each request, once, before the next one; before the deadline. After the last invocation, `next` fails, which ends the program.
"""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "/2018-06-01/runtime/"
program, invocations = sys.argv[1], json.loads(sys.argv[2])
answers, faults = [], []
current = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path != VERSION + "invocation/next":
            return self.refuse(404, f"GET {self.path}")
        if current:
            return self.refuse(403, "the last invocation has no answer")
        if not invocations:
            return self.send(410, {})
        invocation = invocations.pop(0)
        deadline = time.time() + invocation.get("seconds", 900)
        current.update(id=str(uuid.uuid4()), deadline=deadline)
        self.send(200, invocation["event"], {
            "Lambda-Runtime-Aws-Request-Id": current["id"],
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        })

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kinds = {VERSION + "init/error": "init/error"}
        if current:
            kinds |= {f"{VERSION}invocation/{current['id']}/{kind}": kind for kind in ("response", "error")}
        kind = kinds.get(self.path)
        if kind is None:
            return self.refuse(403, f"POST {self.path}")
        if current and time.time() > current["deadline"]:
            return self.refuse(403, "the answer is late")
        answer = {"kind": kind, "body": json.loads(body)}
        if kind != "response":
            answer["type"] = self.headers["Lambda-Runtime-Function-Error-Type"]
            if set(answer["body"]) != {"errorType", "errorMessage"}:
                return self.refuse(400, "not an error")
        answers.append(answer)
        current.clear()
        self.send(202, {"status": "OK"})

    def refuse(self, status, fault):
        faults.append(fault)
        self.send(status, {"errorMessage": fault, "errorType": "InvalidRequest"})

    def send(self, status, body, headers=None):
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = {**os.environ, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}"}
ended = subprocess.run([program], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
print(json.dumps({
    "code": ended.returncode, "stdout": ended.stdout, "stderr": ended.stderr, "answers": answers, "faults": faults,
    "left": len(invocations),
}))
