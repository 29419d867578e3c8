"""Runs a test's Python code, with boto3 imported and the models of common services read. A template of fork_server.py.

Request: {"code": TEXT, "prelude": BOOL}. With the prelude, the code has `client(service, region=None, key='testing')`,
`pages(service, operation, items, region=None, **params)`, `boto3`, `botocore`, `json`, `sys` and `functools`, and what it
leaves in `result` is printed as JSON. Answer: {"printed": TEXT, "failed": TEXT or null}.
"""

import functools
import json
import os
import sys
import tempfile
import threading
import traceback

# No configuration of the person who runs the tests, and no way to any real AWS.
os.environ.update(AWS_CONFIG_FILE="/nonexistent", AWS_SHARED_CREDENTIALS_FILE="/nonexistent", AWS_EC2_METADATA_DISABLED="true")

import boto3
import botocore.config
import read_once  # noqa: F401

# Services that many tests use. botocore reads the models of others when a test first uses them.
PRELOADED = ["ec2", "iam", "organizations", "resourcegroupstaggingapi", "s3", "sns", "sqs", "sts"]


@functools.cache
def client(service, region=None, key="testing"):
    """One client for each service, region and access key."""
    return boto3.client(service, region_name=region, aws_access_key_id=key, aws_secret_access_key="testing",
                        config=botocore.config.Config(retries={"total_max_attempts": 1}))


def pages(service, operation, items, region=None, **params):
    """The items of all pages of a listing."""
    for page in client(service, region).get_paginator(operation).paginate(**params):
        yield from page[items]


def run(code, prelude):
    """Runs code as a program of its own, to the end of its threads."""
    scope = {"__name__": "__main__"}
    if prelude:
        scope |= {"client": client, "pages": pages, "boto3": boto3, "botocore": botocore, "json": json, "sys": sys,
                  "functools": functools, "result": None}
    exec(compile(code, "<test>", "exec"), scope)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    if prelude:
        json.dump(scope["result"], sys.stdout, default=str)


def serve(request, caller):
    failed = None
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        # Also for programs that the code starts.
        os.dup2(printed.fileno(), 1)
        os.dup2(said.fileno(), 2)
        try:
            run(request["code"], request["prelude"])
        except SystemExit as end:
            failed = f"exit {end.code}" if end.code else None
        except BaseException:
            failed = traceback.format_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        printed.seek(0)
        said.seek(0)
        answer = {"printed": printed.read().decode(), "failed": failed and said.read().decode("utf-8", "replace") + failed}
    caller.answer(answer)


# What remains of these clients are the models and the modules that clients use, and the session: region, endpoint and credentials
# are read for each client, when it is created.
boto3.setup_default_session()
for _service in PRELOADED:
    boto3.client(_service, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
