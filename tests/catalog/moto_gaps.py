"""What the server lacks for a type that has no maker: the first of its calls that moto doesn't have.

A type is made by one of its create events' calls, listed by its list calls, its parents' among them, and its tags are read, written and removed. Each call
is asked of moto itself, in this process: botocore serializes it with placeholders, moto's dispatcher chooses the service, the path's handler
and the handler's method, and where it would run the method it is stopped (`_ask`). So the answer is moto's own, and changes when moto gets
the call. Nothing is sent. Knows the maps and moto, not the program under test.
"""

import ast
import contextlib
import functools
import inspect
import json
import sys
import textwrap
import urllib.parse
from pathlib import Path
from typing import Any, Iterator

import botocore.serialize
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]

import check_maps  # noqa: E402
import moto_patches  # noqa: E402, F401  # the tests' server has them
import boto3_reference as witness  # noqa: E402
from lab import REGION  # noqa: E402
from wire import operation_of  # noqa: E402

# Shapes that contain themselves end here.
DEEPEST = 8


class Implemented(Exception):
    """Whether moto has a method for the call that it was about to run."""


def _ask(self: BaseResponse) -> Any:
    """In place of BaseResponse.call_action."""
    name = camelcase_to_underscores(self._get_action() or "")
    raise Implemented(name in method_names_from_class(type(self)) and not is_stub(getattr(type(self), name)))


def is_stub(method: Any) -> bool:
    """Whether a method does nothing but say that it is not implemented."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(method))).body
    return any(isinstance(line, ast.Raise) and "NotImplementedError" in ast.unparse(line) for line in definition.body)


@functools.cache
def server() -> DomainDispatcherApplication:
    BaseResponse.call_action = _ask
    return DomainDispatcherApplication(create_backend_app)


def placeholder(shape: Any, depth: int = 0) -> Any:
    """A value that can be serialized, with what is required and no more."""
    kind = shape.type_name
    if kind == "structure":
        return {name: placeholder(shape.members[name], depth + 1) for name in shape.required_members if depth < DEEPEST}
    if kind == "list":
        return [placeholder(shape.member, depth + 1)]
    return {"map": {}, "string": "x", "blob": b"x", "boolean": True, "timestamp": 0}.get(kind, 1)


def request_of(operation: Any) -> dict:
    """The WSGI environment of a call."""
    service = operation.service_model
    serializer = botocore.serialize.create_serializer(service.resolved_protocol, include_validation=False)
    params = placeholder(operation.input_shape) if operation.input_shape is not None else {}
    made = serializer.serialize_to_request(params, operation)
    path, _, query = made["url_path"].partition("?")
    asked = made["query_string"] if isinstance(made["query_string"], dict) else {}
    credential = f"AKIA/20260101/{REGION}/{service.signing_name}/aws4_request"
    headers = {**made["headers"], "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"}
    query = "&".join(part for part in (query, urllib.parse.urlencode(asked, doseq=True)) if part)
    return EnvironBuilder(path, "http://127.0.0.1:1", query_string=query, method=made["method"], headers=headers, data=made["body"]).get_environ()


@functools.cache
def has(operation: Any) -> bool:
    """Whether moto has a call."""
    statuses: list[str] = []
    environ = request_of(operation)
    try:
        app = server().get_application(environ)
        app.config["PROPAGATE_EXCEPTIONS"] = True
        list(app(environ, lambda status, headers, _info=None: statuses.append(status)))
    except Implemented as implemented:
        return implemented.args[0]
    except Exception:
        return False  # no such service: another one's handler can make nothing of it
    # S3's handlers are no methods of calls: they have answered.
    return not statuses[0].startswith("404")


class Types:
    """The calls of the maps' types."""

    def __init__(self) -> None:
        self.types = witness.Witness().types
        self.checkers = {checker.map["service"]: checker for checker in check_maps.checkers_of(witness.MAPS)}

    def made_by(self, name: str) -> list[Any]:
        """The operations of a type's create events."""
        each, resource = self.types[name]
        found = (check_maps.operations_of_event(self.checkers[each.service], event) for event in resource["events"])
        return [operation for operations in found for operation in operations]

    def listed_by(self, each: Any, listing: dict) -> Iterator[Any]:
        """The operations of a listing, what is above it first."""
        parent = listing.get("parent", {})
        if "type" in parent:
            above, resource = self.types[parent["type"]]
            yield from self.listed_by(above, resource["list"])
        elif parent:
            yield from self.listed_by(each, parent["list"])
        yield operation(each, listing["call"])
        if "describe" in listing:
            yield operation(each, listing["describe"]["call"])

    def lack(self, name: str) -> str | None:
        """The first that moto doesn't have of what a type needs; None: it has all."""
        each, resource = self.types[name]
        creates = self.made_by(name)
        if creates and not any(map(has, creates)):
            return lacking(creates[0])
        needed = [*self.listed_by(each, resource["list"])]
        parts = [resource[part] for part in ("tags", "write") if "call" in resource.get(part, {})]
        parts += [part["remove"] | {"service": part.get("service")} for part in parts if "call" in part.get("remove", {})]
        needed += [operation(each, part["call"], part.get("service")) for part in parts]
        return next((lacking(call) for call in needed if not has(call)), None)


def operation(each: Any, call: str, service: str | None = None) -> Any:
    return operation_of(check_maps.model(service or each.service), call)[0]


def lacking(call: Any) -> str:
    return f"{call.service_model.service_name}:{call.name}"


def everything(names: list[str]) -> dict[str, str | None]:
    """What moto lacks of each type."""
    types = Types()
    with contextlib.redirect_stdout(sys.stderr):  # moto prints about services that it doesn't know
        return {name: types.lack(name) for name in names}


if __name__ == "__main__":
    json.dump(everything(sys.argv[1:]), sys.stdout, indent=1)
