"""What botocore's API models say an answer, an input or a CloudTrail record looks like, as types a path can be checked on.

A type is one of: Struct (named fields), List, Map, SCALAR, ANY, and Either: what XML makes of a repeated child, an object
when it is alone and an array otherwise, which only `to_array` makes usable. Knows botocore's shapes and the wire
protocols; knows nothing of resource maps or JMESPath. How CloudTrail spells things is tests/catalog/record.py's.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "catalog"))

import record as rules  # noqa: E402
from record import request_name as parameter_name, wire_name  # noqa: E402

SCALAR = "scalar"
ANY = "any"
XML_PROTOCOLS = ("query", "ec2", "rest-xml")


@dataclass
class Struct:
    """Named fields, made when first asked for: shapes can contain themselves."""

    name: str
    fields: dict[str, Callable[[], Any]]

    def get(self, key: str) -> Any:
        """The field's type, or None."""
        return self.fields[key]() if key in self.fields else None

    def names(self) -> list[str]:
        return sorted(self.fields)


@dataclass
class List:
    element: Any


@dataclass
class Map:
    value: Any


@dataclass
class Either:
    """One or many of these."""

    element: Any


def answer(shape: Any, protocol: str) -> Any:
    """The type of an answer (or a part of it) once it has become JSON."""
    if shape is None:
        return Struct("nothing", {})
    if shape.type_name == "structure":
        payload = shape.serialization.get("payload")
        if payload and shape.members[payload].type_name == "structure":
            # It is the whole body: JSON has no field for it, and XML's root element is dropped.
            return answer(shape.members[payload], protocol)
        members = {
            wire_name(name, member): (lambda member=member: answer(member, protocol))
            for name, member in shape.members.items()
            if member.serialization.get("location") not in ("header", "headers", "statusCode")
        }
        return Struct(shape.name, members)
    if shape.type_name == "list":
        element = answer(shape.member, protocol)
        if protocol not in XML_PROTOCOLS:
            return List(element)
        if shape.serialization.get("flattened"):
            return Either(element)
        name = "item" if protocol == "ec2" else shape.member.serialization.get("name", "member")
        return List(element) if name in ("item", "member") else Struct(shape.name, {name: lambda: Either(element)})
    if shape.type_name == "map":
        return Map(answer(shape.value, protocol))
    return SCALAR


def recorded(service: str, operation: str, shape: Any) -> Any:
    """The type of a request or an answer (or a part) as CloudTrail records it, but for EC2's."""
    if shape is None:
        return Struct("nothing", {})
    if shape.type_name == "structure":
        fields: dict[str, Callable[[], Any]] = {}
        for name, member in shape.members.items():
            if rules.is_logged(member):
                for spelled in rules.spellings(service, operation, wire_name(name, member)):
                    fields[spelled] = lambda member=member: recorded(service, operation, member)
        return Struct(shape.name, fields)
    if shape.type_name == "list":
        return List(recorded(service, operation, shape.member))
    if shape.type_name == "map":
        return Map(recorded(service, operation, shape.value))
    return SCALAR


def ec2_direct(shape: Any) -> Any:
    """The same for EC2's calls that are logged directly."""
    if shape is None:
        return Struct("nothing", {})
    if shape.type_name == "structure":
        fields = {
            rules.lower_first(wire_name(name, member)): lambda member=member: ec2_direct(member)
            for name, member in shape.members.items()
        }
        return Struct(shape.name, fields)
    if shape.type_name == "list":
        return Struct(shape.name, {"items": lambda: List(ec2_direct(shape.member))})
    return SCALAR


def ec2_direct_request(operation: str, shape: Any) -> Struct:
    """The type of requestParameters of EC2's calls that are logged directly."""
    asked = Struct("request", {})
    for name, member in shape.members.items() if shape is not None else ():
        entry = rules.EC2_REQUEST_LISTS.get((operation, name), (None, None))[1]
        items = lambda entry=entry: Struct("set", {"items": lambda: List(Struct("entry", {entry: lambda: SCALAR}))})
        make = items if entry else lambda member=member: ec2_direct(member)
        asked.fields[rules.ec2_direct_name(operation, name, member)] = make
    return asked


def ec2_wrapped(shape: Any, name_of: Callable[[str, Any], str], is_request: bool) -> Any:
    """The same for what is in <Operation>Request or <Operation>Response."""
    if shape is None:
        return Struct("nothing", {})
    if shape.type_name == "structure":
        fields = {
            name_of(name, member): lambda member=member: ec2_wrapped(member, name_of, is_request)
            for name, member in shape.members.items()
        }
        return Struct(shape.name, fields)
    if shape.type_name == "list":
        entry = Either(ec2_wrapped(shape.member, name_of, is_request))
        return entry if is_request else Struct(shape.name, {"item": lambda: entry})
    return SCALAR


def record(service: str, operation: Any) -> Struct:
    """The type of a CloudTrail record of a call of a service (botocore's name)."""
    name, given, answered = operation.name, operation.input_shape, operation.output_shape
    if service == "ec2":
        asked, response = ec2_direct_request(name, given), ec2_direct(answered)
        # Which calls are wrapped is known of some only: paths may read both.
        asked.fields[f"{name}Request"] = lambda: ec2_wrapped(given, parameter_name_of_ec2, True)
        response.fields[f"{name}Response"] = lambda: ec2_wrapped(answered, wire_name, False)
        response.fields["_return"] = lambda: SCALAR
    else:
        inner = rules.outer(service, answered)
        asked = recorded(service, name, given)
        response = recorded(service, name, answered.members[inner] if inner else answered)
    if (service, name) in rules.NULL_RESPONSE:
        response = Struct("nothing: the call's responseElements are null", {})
    own = {"requestParameters": lambda: asked, "responseElements": lambda: response}
    return Struct("record", own | {name: lambda: SCALAR for name in ("awsRegion", "recipientAccountId", "eventTime", "eventName")})


def parameter_name_of_ec2(name: str, member: Any) -> str:
    return parameter_name(name, member, "ec2")
