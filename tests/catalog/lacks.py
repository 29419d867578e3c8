"""Which calls of a resource type the server doesn't have: moto's own dispatcher is asked, in process, nothing is executed.

A request of the call is made by botocore, with placeholders for what it requires, and goes through moto's choice of a service, of a
path's handler and of the handler's method; where the method would be called its absence is told instead.
"""

import functools
import io
import re
import sys
import threading
from pathlib import Path
from typing import Any, Iterator

import boto3
import botocore.config
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]

import check_maps  # noqa: E402
import witness  # noqa: E402
from lab import REGION  # noqa: E402
from wire import operation_of  # noqa: E402


class Sent(Exception):
    """A request that botocore would send now."""


def placeholder(shape: Any, depth: int = 0) -> Any:
    """A value that botocore's validation lets pass."""
    kind = shape.type_name
    if kind == "structure":
        return {name: placeholder(shape.members[name], depth + 1) for name in shape.required_members} if depth < 8 else {}
    if kind == "list":
        return [placeholder(shape.member, depth + 1)] * max(1, shape.metadata.get("min", 0))
    if kind == "map":
        return {}
    if kind == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else "x" * max(1, shape.metadata.get("min", 1))
    return {"blob": b"x", "boolean": True, "timestamp": 0}.get(kind, max(1, shape.metadata.get("min", 1)))


@functools.cache
def client(service: str) -> Any:
    config = botocore.config.Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, parameter_validation=False)
    made = boto3.client(
        service, region_name=REGION, config=config, endpoint_url="http://127.0.0.1:1", aws_access_key_id="a", aws_secret_access_key="b")

    def stop(request: Any, **_: Any) -> None:
        raise Sent(request)

    made.meta.events.register("before-send", stop)
    return made


def request_of(operation: Any) -> Any:
    shape = operation.input_shape
    params = placeholder(shape) if shape is not None else {}
    try:
        client(operation.service_model.service_name)._make_api_call(operation.name, params)
    except Sent as sent:
        return sent.args[0]
    raise AssertionError("botocore sends what it is asked to")


class Found(Exception):
    """The method that would be called: None, or its name."""


def told(self: BaseResponse) -> Any:
    action = camelcase_to_underscores(self._get_action())
    raise Found(action if action in method_names_from_class(type(self)) else None)


BaseResponse.call_action = told
APP = DomainDispatcherApplication(create_backend_app)


@functools.cache
def lack(operation: Any) -> str | None:
    """Why the server has no such call, None if it has."""
    service, name = operation.service_model.service_name, operation.name
    request = request_of(operation)
    body = request.body or b""
    body = body.read() if hasattr(body, "read") else body.encode() if isinstance(body, str) else body
    headers = {key: value.decode() if isinstance(value, bytes) else value for key, value in request.headers.items()}
    environ = EnvironBuilder(
        re.sub(r"https?://[^/]+", "", request.url), "http://127.0.0.1:1", method=request.method, headers=headers, data=body
    ).get_environ()
    try:
        app = APP.get_application(environ)
    except Exception as error:
        return f"no service {service}"
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = True
    status = []
    try:
        list(app(environ, lambda code, _headers, _info=None: status.append(code)))
    except Found as found:
        return None if found.args[0] else f"no {name}"
    except Exception as error:
        return f"? {name}: {type(error).__name__} {error}"
    return f"no path for {name}: {status[0]}" if status[0].startswith("404") else f"?? {name} {status} {app.service}"


def calls(each: Any, listing: dict, types: Any) -> Iterator[tuple[Any, str]]:
    """All calls that a listing takes, its parents' first."""
    parent = listing.get("parent")
    if parent and "type" in parent:
        above, resource = types[parent["type"]]
        yield from calls(above, resource["list"], types)
    elif parent:
        yield from calls(each, parent["list"], types)
    yield each, listing["call"]
    if "describe" in listing:
        yield each, listing["describe"]["call"]


def of_call(each: Any, call: str) -> str | None:
    found = operation_of(check_maps.model(each.service), call)
    return lack(found[0])


def main() -> None:
    import json
    known = witness.Witness()
    checkers = {checker.map["service"]: checker for checker in check_maps.checkers_of(witness.MAPS)}
    wanted = sys.argv[1:] or [t for t, r in json.loads((HERE / "coverage.json").read_text())["tagged"]["types"].items() if r == "no maker"]
    for name in wanted:
        each, resource = known.types[name]
        creates = {}
        for event in resource["events"]:
            for operation in check_maps.operations_of_event(checkers[each.service], event):
                creates[f"{operation.service_model.service_name}:{operation.name}"] = lack(operation)
        lists = {call: of_call(at, call) for at, call in calls(each, resource["list"], known.types)}
        tags = {}
        if "call" in resource.get("tags", {}):
            tags = {resource["tags"]["call"]: of_call(each, resource["tags"]["call"])}
        write = resource["write"]
        w = {}
        if isinstance(write, dict) and "call" in write:
            w = {write["call"]: of_call(each, write["call"])}
        else:
            w = {str(write): None}
        ok = lambda d: "+" if all(v is None for v in d.values()) else "-"
        some = "+" if any(v is None for v in creates.values()) else "-"
        print(f"{some}{ok(lists)}{ok(tags)}{ok(w)} {each.service:20} {name:40} create={creates} list={lists} tags={tags} write={w}")


if __name__ == "__main__":
    main()
