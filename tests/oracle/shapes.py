"""What botocore's API models say an answer, an input or a CloudTrail record looks like, as types a path can be checked on.

A type is one of: Struct (named fields), List, Map, SCALAR, ANY, and Either: what XML makes of a repeated child, an object
when it stands alone and an array otherwise, which only `to_array` makes usable. Knows botocore's shapes and the wire
protocols; knows nothing of resource maps or JMESPath.
"""

from dataclasses import dataclass, field
from typing import Any, Callable

SCALAR = "scalar"
ANY = "any"
XML_PROTOCOLS = ("query", "ec2", "rest-xml")


@dataclass
class Struct:
    """Named fields, made when first asked for: shapes can contain themselves."""

    name: str
    fields: dict[str, Callable[[], Any]]
    ignore_case: bool = False
    also: list["Struct"] = field(default_factory=list)

    def get(self, key: str) -> Any:
        """The field's type, or None."""
        for name, make in self.fields.items():
            if name == key or (self.ignore_case and name.lower() == key.lower()):
                return make()
        return next((found for other in self.also if (found := other.get(key)) is not None), None)

    def names(self) -> list[str]:
        return sorted({*self.fields, *(name for other in self.also for name in other.names())})


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


def wire_name(member_name: str, shape: Any) -> str:
    return shape.serialization.get("name", member_name)


def answer(shape: Any, protocol: str) -> Any:
    """The type of an answer (or a part of it) once it has become JSON."""
    if shape is None:
        return Struct("nothing", {})
    if shape.type_name == "structure":
        members = {
            wire_name(name, member): (lambda member=member: answer_member(member, protocol))
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


def answer_member(member: Any, protocol: str) -> Any:
    return answer(member, protocol)


def parameter_name(member_name: str, member: Any, protocol: str) -> str:
    """What an input member is called on the wire."""
    if protocol == "ec2":
        if "queryName" in member.serialization:
            return member.serialization["queryName"]
        name = wire_name(member_name, member)
        return name[:1].upper() + name[1:]
    return wire_name(member_name, member)


# CloudTrail's own names where they differ from the API's: (service, operation, field) -> the type.
CLOUDTRAIL_REQUESTS = {
    ("s3", None, "bucketName"): lambda shape: SCALAR,
    ("ec2", "TerminateInstances", "instancesSet"): lambda shape: List2({"instanceId": lambda: SCALAR}),
    ("ec2", "RunInstances", "networkInterfaceSet"): lambda shape: recorded(shape.members["NetworkInterfaces"], "ec2"),
}


def List2(fields: dict[str, Callable[[], Any]]) -> Struct:
    """A list as CloudTrail writes EC2's."""
    entry = Struct("entry", fields, ignore_case=True)
    return Struct("set", {"items": lambda: List(entry), "item": lambda: Either(entry)})


def recorded(shape: Any, protocol: str) -> Any:
    """The type of a request or an answer as CloudTrail records it: names by model or wire, whatever their case."""
    if shape is None:
        return Struct("nothing", {})
    if shape.type_name == "structure":
        fields: dict[str, Callable[[], Any]] = {}
        for name, member in shape.members.items():
            make = lambda member=member: recorded(member, protocol)
            for spelled in {name, wire_name(name, member), parameter_name(name, member, protocol)}:
                fields[spelled] = make
        return Struct(shape.name, fields, ignore_case=True)
    if shape.type_name == "list":
        element = recorded(shape.member, protocol)
        if protocol == "ec2":
            return Struct(shape.name, {"items": lambda: List(element), "item": lambda: Either(element)})
        return List(element)
    if shape.type_name == "map":
        return Map(recorded(shape.value, protocol))
    return SCALAR


def record(service: Any, operation: Any, protocol: str) -> Struct:
    """The type of a CloudTrail record of a call."""
    name = operation.name
    asked = recorded(operation.input_shape, protocol)
    for (of_service, of_operation, key), make in CLOUDTRAIL_REQUESTS.items():
        if of_service == service.service_name and of_operation in (None, name):
            asked.fields[key] = lambda make=make: make(operation.input_shape)
    answered = recorded(operation.output_shape, protocol)
    if protocol == "query" and operation.output_shape is not None:
        # RDS and ElastiCache are logged without their answer's outer element (dBInstance).
        members = operation.output_shape.members.values()
        answered.also = [recorded(member, protocol) for member in members if member.type_name == "structure"]
    if protocol == "ec2":
        asked.fields[f"{name}Request"] = lambda: recorded(operation.input_shape, protocol)
        answered.fields[f"{name}Response"] = lambda: recorded(operation.output_shape, protocol)
    return Struct("record", {"requestParameters": lambda: asked, "responseElements": lambda: answered})
