"""Between the wire's JSON, as resource maps speak it, and botocore's parameters and answers.

Maps name fields as they are on the wire and see XML as JSON without a schema; botocore names them by its models. What XML
leaves open (one child or many) is an array here, which the maps' `to_array` takes as well. Knows botocore's models only.
"""

import base64
import datetime
import functools
import re
from typing import Any

from record import request_name, wire_name

XML_PROTOCOLS = ("query", "ec2", "rest-xml")
LABEL = re.compile(r"\{([^{}]*)\}")


@functools.cache
def operations_by_path(service: Any) -> list[tuple[str, re.Pattern, list[str], Any]]:
    """(method, path with its labels as groups, their names, operation) of a REST service."""
    found = []
    for name in service.operation_names:
        operation = service.operation_model(name)
        pattern, labels = "", []
        for number, part in enumerate(LABEL.split(operation.http["requestUri"])):
            if number % 2:
                labels.append(part.rstrip("+"))
            pattern += (r"(.+)" if part.endswith("+") else r"([^/?&]+)") if number % 2 else re.escape(part)
        found.append((operation.http["method"], re.compile(pattern), labels, operation))
    # Those with the fewest labels first: a fixed path is meant before a label that would take it.
    return sorted(found, key=lambda entry: len(entry[2]))


def operation_of(service: Any, call: str) -> tuple[Any, dict[str, str]] | None:
    """The operation of `Operation` or `METHOD /path`, and what the path has in place of each label."""
    if " " not in call:
        return (service.operation_model(call), {}) if call in service.operation_names else None
    method, path = call.split(" ", 1)
    texts: list[str] = []
    # Placeholders can hold slashes and question marks.
    plain = re.sub(r"\{[^{}]*\}", lambda match: texts.append(match[0]) or f"\0{len(texts) - 1}\1", path)
    restored = lambda part: re.sub("\0(\\d+)\1", lambda match: texts[int(match[1])], part)
    for known_method, pattern, labels, operation in operations_by_path(service):
        match = pattern.fullmatch(plain) if known_method == method else None
        if match:
            return operation, dict(zip(labels, map(restored, match.groups())))
    return None


def body_shape(shape: Any, protocol: str) -> dict[str, Any]:
    """Wire name -> (member, its shape) of what a request's body holds; in JSON a payload's own members."""
    members = dict(shape.members) if shape is not None else {}
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload and protocol == "rest-json" and members[payload].type_name == "structure":
        return {request_name(name, member, protocol): (name, member) for name, member in members[payload].members.items()}
    body = {name: member for name, member in members.items() if member.serialization.get("location") is None}
    return {request_name(name, member, protocol): (name, member) for name, member in body.items()}


def other_members(shape: Any) -> dict[str, Any]:
    """`?name` of the query string, `^name` (in lower case) of headers -> (member, its shape)."""
    found = {}
    for name, member in shape.members.items() if shape is not None else ():
        location = member.serialization.get("location")
        if location == "querystring":
            found["?" + wire_name(name, member)] = (name, member)
        elif location == "header":
            found["^" + wire_name(name, member).lower()] = (name, member)
    return found


def parameters(operation: Any, protocol: str, labels: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """botocore's parameters of a request that a map of this protocol would send. Raises KeyError on what the operation doesn't take."""
    shape = operation.input_shape
    body, others, made, inner = body_shape(shape, protocol), other_members(shape), {}, {}
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "uri":
            made[name] = value_of(member, labels[wire_name(name, member)], protocol)
    payload = shape.serialization.get("payload") if shape is not None else None
    is_inner = payload and protocol == "rest-json" and shape.members[payload].type_name == "structure"
    for key, value in params.items():
        key = key.lower() if key.startswith("^") else key
        if key.startswith("^") and key not in others:
            continue  # a header that botocore sends of itself: glacier's version
        name, member = others[key] if key in others else body[key]
        (inner if is_inner and key in body else made)[name] = value_of(member, value, protocol)
    if inner:
        made[payload] = inner
    return made


def value_of(shape: Any, value: Any, protocol: str) -> Any:
    """A value of the wire as botocore takes it."""
    kind = shape.type_name
    if kind == "structure":
        by_name = {request_name(name, member, protocol): (name, member) for name, member in shape.members.items()}
        return {by_name[k][0]: value_of(by_name[k][1], v, protocol) for k, v in value.items()}
    if kind == "list":
        if isinstance(value, dict):
            (value,) = value.values()
        return [value_of(shape.member, each, protocol) for each in (value if isinstance(value, list) else [value])]
    if kind == "map":
        return {k: value_of(shape.value, v, protocol) for k, v in value.items()}
    if kind in ("integer", "long"):
        return int(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else value == "true"
    return str(value) if isinstance(value, (int, float)) else value


def answer(operation: Any, protocol: str, parsed: dict) -> Any:
    """The JSON that a map of this protocol sees of botocore's answer."""
    shape = operation.output_shape
    if shape is None:
        return None
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "structure":
        return wire_of(shape.members[payload], parsed.get(payload, {}), protocol)
    return wire_of(shape, parsed, protocol)


def wire_of(shape: Any, value: Any, protocol: str) -> Any:
    kind, is_xml = shape.type_name, protocol in XML_PROTOCOLS
    if kind == "structure":
        return {
            wire_name(name, member): wire_of(member, value[name], protocol)
            for name, member in shape.members.items()
            if name in value and member.serialization.get("location") not in ("header", "headers", "statusCode")
        }
    if kind == "list":
        items = [wire_of(shape.member, each, protocol) for each in value]
        if not is_xml or shape.serialization.get("flattened"):
            return items
        name = "item" if protocol == "ec2" else shape.member.serialization.get("name", "member")
        # An empty element is null.
        return None if not items else items if name in ("item", "member") else {name: items}
    if kind == "map":
        made = {k: wire_of(shape.value, v, protocol) for k, v in value.items()}
        return {"entry": [{"key": k, "value": v} for k, v in made.items()]} if is_xml else made
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if is_xml:
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
