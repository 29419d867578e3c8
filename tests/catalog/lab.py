"""Makes resources of every type through the AWS API, each with the CloudTrail records that its calls would have left.

How to add a type: a function in `tests/catalog/makers/SERVICE.py` (SERVICE as the file in resource-maps/; the folder is listed, nothing
else names it), which makes one resource with boto3 and returns its id as the map's `id` gives it:

    @maker("alarm")
    def alarm(name, tags):
        client("cloudwatch").put_metric_alarm(**given(tags, AlarmName=name, …, Tags=pairs(tags)))
        return name

* It is called once for each case of CASES with a name (`lab-fresh`, `lab-bare`…) and the tags {name: value} to make it with, maybe none.
  `@maker("log-group", prefix="/lab/")` has other names. The resource must be live at the end and have exactly these tags; where the
  API takes none at creation, tag it with the service's own call afterwards (`if tags: …`).
* `client(service, region=None)` is boto3's, kept; every call that changes something and succeeds is recorded by the rule of
  `record.py`. Don't write records by hand. Where moto's answer is not what AWS's would be and a type's id hangs on it, say so with
  `amend(request=…, response=…)`: changes the last record, in CloudTrail's spelling.
* Tags: `pairs(tags)` → [{Key, Value}], `pairs(tags, "key", "value")`; EC2's `spec("vpc", tags)`. `given(tags, **parameters)` leaves out
  Tags, tags, TagSpecifications, TagList where there are none: some calls refuse an empty list.
* What it needs besides: `base().vpc`, `.subnets` (two), `.security_group`, `.image`, `.instance`, `.volume`, `.role` (ARN), `.bucket`,
  `.template` (launch template), `.code` (a zipped Lambda handler), `.key` (KMS key's ARN), `.topic`, `.queue` (ARNs). Made when first asked for,
  recorded never. More: decorate a function without arguments with `@shared`: it runs once, unrecorded. Single unrecorded calls:
  `with unrecorded(): …`. Numbers that don't repeat: `serial()`; constants: TRUST (a role's), POLICY, ACCOUNT, REGION.
* Cases that the server can't play: `@maker("eni", without={"bare": "why"})`. A type without a maker is one of
  which the server lacks a call: coverage.json names it, by `moto_gaps.py`, and the test wants a maker as soon as the server has them all.
* Where moto itself is wrong about AWS and a type suffers: `tests/catalog/moto_patches.py`.

Try it: `target/test-venv-*/bin/python tests/catalog/lab.py TYPE…` starts a server, makes all cases, prints the ids and the
records, and what the witness lists then.
"""

import contextlib
import functools
import importlib.util
import io
import itertools
import json
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator

import boto3
import botocore.config

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.modules.setdefault("lab", sys.modules[__name__])  # makers import it by this name, also when it is the program

import record  # noqa: E402

ACCOUNT, REGION = "123456789012", "us-east-1"
TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
})
POLICY = json.dumps({
    "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
})

# Each case's name ends the resource's; the tags it is made with.
CASES = {
    "fresh": {"team": "blue", "cost center": "a+b=c"},
    "bare": {},
    "owned": {"team": "red", "Owner": "other"},
    "unrecorded": {"team": "green"},
    "machine": {"team": "white"},
}
READ_VERBS = ("Describe", "Get", "List", "Head", "BatchGet", "Search", "Lookup", "Query", "Scan", "Select")
TAG_PARAMETERS = ("Tags", "tags", "TagSpecifications", "TagList")

# --- Recording ------------------------------------------------------------------------------------------------------

_records: list[dict] = []
_pauses = 0


_clients: dict[tuple, Any] = {}
_making = threading.Lock()


def client(service: str, region: str | None = None) -> Any:
    """boto3's client. Its successful writes are recorded. Creating one takes a lock: boto3's session is not thread-safe."""
    wanted = (service, region or REGION)
    with _making:
        if wanted not in _clients:
            _clients[wanted] = _new_client(*wanted)
    return _clients[wanted]


def _new_client(service: str, region: str) -> Any:
    config = botocore.config.Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, read_timeout=300)
    # The endpoint is explicit, so that timestream-write does not ask the server for another one.
    made = boto3.client(service, region_name=region, config=config, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
    made.meta.events.register("before-parameter-build", _note_request)
    made.meta.events.register("after-call", _note_answer)
    made.meta.events.register("before-send", _to_the_server)
    return made


def _to_the_server(request: Any, **_: Any) -> None:
    """s3control's rules put the account before the host; loopback has no such names."""
    request.url = request.url.replace(f"://{ACCOUNT}.", "://", 1)


def _note_request(params: dict, context: dict, **_: Any) -> None:
    context["lab-params"] = dict(params)


def _note_answer(http_response: Any, parsed: dict, model: Any, context: dict, **_: Any) -> None:
    if not _pauses and http_response.status_code < 300 and not model.name.startswith(READ_VERBS):
        _records.append(record.record(model, context.get("lab-params", {}), parsed))


@contextlib.contextmanager
def unrecorded() -> Iterator[None]:
    """Calls within leave no record."""
    global _pauses
    _pauses += 1
    try:
        yield
    finally:
        _pauses -= 1


def shared(make: Callable[[], Any]) -> Callable[[], Any]:
    """Runs once, when first called; leaves no record."""

    @functools.cache
    @functools.wraps(make)
    def once() -> Any:
        with unrecorded():
            return make()

    return once


def amend(request: dict | None = None, response: dict | None = None) -> None:
    """Changes fields of the last record where moto does not answer as AWS does."""
    last = _records[-1]
    for part, changes in (("request", request), ("response", response)):
        if changes is not None:
            last[part] = {**(last[part] or {}), **changes}


# --- What makers use ------------------------------------------------------------------------------------------------


def pairs(tags: dict, key: str = "Key", value: str = "Value") -> list[dict]:
    return [{key: k, value: v} for k, v in tags.items()]


def spec(resource_type: str, tags: dict) -> list[dict]:
    """EC2's TagSpecifications."""
    return [{"ResourceType": resource_type, "Tags": pairs(tags)}]


def given(tags: dict, /, **parameters: Any) -> dict:
    """The parameters, without those for tags where there are none."""
    return {k: v for k, v in parameters.items() if tags or k not in TAG_PARAMETERS}


_numbers = itertools.count(1)


def serial() -> int:
    """1, 2, 3…: for what must not repeat."""
    return next(_numbers)


class Base:
    """What resources need to be made; each made when first asked for, its creation recorded nowhere."""

    def __getattr__(self, name: str) -> Any:
        with unrecorded():
            made = getattr(_Base, name)(self)
        setattr(self, name, made)
        return made


class _Base:
    """How each attribute of Base is made."""

    def vpc(self) -> str:
        return client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def subnets(self) -> list[str]:
        return [
            client("ec2").create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
            for n, zone in ((200, "a"), (201, "b"))
        ]

    def security_group(self) -> str:
        return client("ec2").create_security_group(GroupName="base", Description="base", VpcId=self.vpc)["GroupId"]

    def image(self) -> str:
        return client("ec2").describe_images()["Images"][0]["ImageId"]

    def instance(self) -> str:
        made = client("ec2").run_instances(ImageId=self.image, MinCount=1, MaxCount=1, SubnetId=self.subnets[0])
        return made["Instances"][0]["InstanceId"]

    def volume(self) -> str:
        return client("ec2").create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeId"]

    def role(self) -> str:
        return client("iam").create_role(RoleName="base", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]

    def bucket(self) -> str:
        client("s3").create_bucket(Bucket="base-bucket")
        return "base-bucket"

    def template(self) -> str:
        data = {"ImageId": self.image, "InstanceType": "t3.micro"}
        made = client("ec2").create_launch_template(LaunchTemplateName="base", LaunchTemplateData=data)
        return made["LaunchTemplate"]["LaunchTemplateId"]

    def code(self) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("main.py", "def handler(event, context): pass")
        return packed.getvalue()

    def key(self) -> str:
        return client("kms").create_key(Description="base")["KeyMetadata"]["Arn"]

    def topic(self) -> str:
        return client("sns").create_topic(Name="base")["TopicArn"]

    def queue(self) -> str:
        client("sqs").create_queue(QueueName="base")
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:base"


@functools.cache
def base() -> Base:
    return Base()


# --- The registry ---------------------------------------------------------------------------------------------------

MAKERS: dict[str, SimpleNamespace] = {}


def maker(resource_type: str, prefix: str = "lab-", without: dict[str, str] | None = None) -> Callable:
    """Registers a maker of a type. `prefix` begins its resources' names; `without` are the cases that the server can't play, with why."""

    def register(make: Callable[[str, dict], str]) -> Callable[[str, dict], str]:
        assert resource_type not in MAKERS, f"{resource_type} has two makers"
        MAKERS[resource_type] = SimpleNamespace(make=make, prefix=prefix, without=without or {})
        return make

    return register


@functools.cache
def load() -> dict[str, SimpleNamespace]:
    """All makers of the folder, by type."""
    for file in sorted((HERE / "makers").glob("*.py")):
        module = importlib.util.spec_from_file_location("makers." + file.stem.replace("-", "_"), file)
        module.loader.exec_module(importlib.util.module_from_spec(module))
    return MAKERS


def create(types: list[str] | None = None, cases: dict[str, dict] = CASES) -> dict:
    """Makes a resource of each type (default: all) for each case: `made` is [{type, case, id, tags, records}], `failed` [{type, case, error}]."""
    made, failed = [], []
    for resource_type in types or load():
        chosen = load()[resource_type]
        for case, tags in cases.items():
            if case in chosen.without:
                continue
            _records.clear()
            entry = {"type": resource_type, "case": case}
            try:
                ident = chosen.make(chosen.prefix + case, dict(tags))
                made.append(entry | {"id": ident, "tags": tags, "records": list(_records)})
            except Exception as error:
                failed.append(entry | {"error": f"{type(error).__name__}: {error}"})
    return {"made": made, "failed": failed}


# --- Trying a maker -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A moto server of our own, as the tests start it; sets the environment for boto3."""
    launcher = HERE.parent / "suite/common/moto_launcher.py"
    command = [sys.executable, str(launcher), os.devnull, str(HERE / "moto_patches.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"; process.stdout.close()
        os.environ |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        try:
            yield endpoint
        finally:
            process.stdin.close()


def main(types: list[str]) -> int:
    with server():
        unknown = [name for name in types if name not in load()]
        if unknown:
            print(f"no maker for {unknown}", file=sys.stderr)
            return 2
        found = create(types)
        for entry in found["made"]:
            print(json.dumps(entry, indent=1, default=str))
        import boto3_reference as witness

        known = [name for name in types or load() if name in witness.Witness().types]
        for name, listed in witness.everything(known).items():
            print(name, "is listed as", json.dumps(listed, indent=1))
        for entry in found["failed"]:
            print(json.dumps(entry), file=sys.stderr)
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
