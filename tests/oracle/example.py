"""Builds example records of resource types from the API models: `example.py TYPE…`, or `--missing` for types that have none.

For each create event, upsert, delete and rename of a type that its file in tests/fixtures/events does not show yet: the request with its
required members and those that `ids` reads, the answer with those that `ids` reads, turned into a CloudTrail record by the
rule of tests/catalog/record.py. The ids that are expected are the values put into the fields that `ids` ends in: `ids` itself is
not run for them, so a path that misses the field is found. (What other types' paths find in the same record is added by running
those.) Cases from here are named `… (built)` and have the origin `model`; running it again makes them anew and keeps all others.

What it can't build is said on stderr and must be written by hand. Shares no code with the program under test.
"""

import datetime
import functools
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

import jmespath.parser
from jmespath.exceptions import JMESPathError
from botocore.exceptions import UnknownServiceError

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "catalog")]

import record as rules  # noqa: E402
from check_maps import Checker, checkers_of, operations_of_event  # noqa: E402
from boto3_reference import search  # noqa: E402

REPOSITORY = HERE.parent.parent
FIXTURES = REPOSITORY / "tests/fixtures/events"
BUILT = " (built)"
ACCOUNT, REGION = "111122223333", "eu-west-1"
MOMENT = datetime.datetime(2024, 3, 5, 8, 0, 0)
LISTS = ("items", "item")
ENVELOPE = {"requestParameters", "responseElements"}
# Fields of every record here, and custodian's names for them.
STATED = {"awsRegion": REGION, "region": REGION, "recipientAccountId": ACCOUNT, "accountId": ACCOUNT}


class Unbuildable(Exception):
    """What an expression does that can't be turned around."""


# --- What an expression reads -----------------------------------------------------------------------------------------

Chain = tuple[str, ...]


@dataclass
class Join:
    """A text made of several fields: an ARN. Each part is its alternatives, fields or texts."""

    separator: str
    parts: list[list[Chain | str]]


@dataclass
class Reading:
    """Fields that an expression reads, with what must stand in them."""

    results: list[tuple[Chain, Any]] = field(default_factory=list)  # in the order of the alternatives: field, what is done to its value
    wanted: dict[Chain, Any] = field(default_factory=dict)  # fields that conditions need, with the value (None: any)
    absent: set[Chain] = field(default_factory=set)  # fields that must not be there
    together: bool = False  # whether all results count, not the first


def chains(node: dict, prefix: Chain = ()) -> list[tuple[Chain, Any]]:
    """The fields in which an expression can end, and the function done to each value, in order of preference."""
    kind, children = node["type"], node.get("children", [])
    if kind == "field":
        return [((*prefix, node["value"]), None)]
    if kind in ("subexpression", "pipe", "index_expression", "projection", "flatten", "filter_projection"):
        found = [(prefix, None)]
        for child in children[:2] if kind == "filter_projection" else children:
            found = [(chain, after or before) for start, before in found for chain, after in chains(child, start)]
        return found
    if kind in ("identity", "current", "index", "slice"):
        return [(prefix, None)]
    if kind == "or_expression":
        return [found for child in children for found in chains(child, prefix)]
    if kind == "and_expression":
        return chains(children[-1], prefix)
    if kind in ("multi_select_list", "multi_select_dict"):
        return [found for child in children for found in chains(child, prefix)]
    if kind == "function_expression" and node["value"] in ("to_array", "not_null", "to_string"):
        return [found for child in children for found in chains(child, prefix)]
    if kind == "function_expression" and node["value"] == "lower":
        return [(chain, ("lower",)) for chain, _ in chains(children[0], prefix)]
    if kind == "function_expression" and node["value"] == "split":
        separator = children[0].get("value")
        return [(chain, ("split", separator)) for chain, _ in chains(children[1], prefix)]
    if kind == "function_expression" and node["value"] == "join" and children[1]["type"] == "multi_select_list":
        return [(("join",), Join(children[0]["value"], [part_of(child, prefix) for child in children[1]["children"]]))]
    if kind == "literal":
        return []
    raise Unbuildable(f"{kind} {node.get('value', '')}")


def part_of(node: dict, prefix: Chain) -> list[Chain | str]:
    """The alternatives of a part of a joined text: fields, and a text in case that there are none."""
    ends = [child for child in walk(node) if child["type"] == "literal"]
    return [chain for chain, _ in chains(node, prefix)] + [str(end["value"]) for end in ends]


def reading(expression: str) -> Reading:
    """What an ids path reads."""
    tree = jmespath.parser.Parser().parse(expression).parsed
    found = Reading(together=tree["type"] == "multi_select_list")
    for chain, after in chains(tree):
        if isinstance(after, Join):
            found.results.append((chain, after))
            found.wanted |= {part: None for parts in after.parts for part in parts if part[0] in ENVELOPE}
        elif chain and chain[0] in ENVELOPE:
            found.results.append((chain, (*after, last_indexes(tree)) if after and after[0] == "split" else after))
    for node in conditions(tree):
        condition(node, found)
    return found


def last_indexes(node: Any) -> int:
    """Which part of a split text is taken: the expression's only index."""
    return next((each["value"] for each in walk(node) if each["type"] == "index"), -1)


def walk(node: dict) -> Iterator[dict]:
    yield node
    for child in node.get("children", []):
        yield from walk(child)


def conditions(tree: dict) -> Iterator[dict]:
    """What is before && and within filters."""
    for node in walk(tree):
        if node["type"] == "and_expression":
            yield node["children"][0]
        if node["type"] == "filter_projection":
            prefix = chains(node["children"][0])[0][0]
            yield {"type": "within", "prefix": prefix, "children": [node["children"][2]]}


def condition(node: dict, found: Reading, prefix: Chain = ()) -> None:
    """Notes what a condition needs."""
    kind, children = node["type"], node.get("children", [])
    if kind == "within":
        condition(children[0], found, node["prefix"])
    elif kind == "and_expression":
        for child in children:
            condition(child, found, prefix)
    elif kind == "or_expression":
        condition(children[0], found, prefix)
    elif kind == "comparator":
        value = next((child["value"] for child in children if child["type"] == "literal"), None)
        for child in children:
            for chain, _ in chains(child, prefix) if child["type"] != "literal" else []:
                if node["value"] == "eq":
                    (found.absent.add(chain) if value is None else found.wanted.__setitem__(chain, value))
                elif node["value"] == "ne" and value is None:
                    found.wanted.setdefault(chain, None)
    elif kind == "not_expression":
        if children[0]["type"] in ("field", "subexpression"):
            found.absent.update(chain for chain, _ in chains(children[0], prefix))
    elif kind == "function_expression" and node["value"] in ("starts_with", "contains", "ends_with"):
        first, second = children
        literal, other = (first, second) if first["type"] == "literal" else (second, first)
        value = literal["value"][0] if isinstance(literal["value"], list) else literal["value"]
        for chain, _ in chains(other, prefix):
            found.wanted[chain] = value
    elif kind in ("field", "subexpression", "index_expression", "projection"):
        for chain, _ in chains(node, prefix):
            found.wanted.setdefault(chain, None)


# --- Values ---------------------------------------------------------------------------------------------------------


@dataclass
class Maker:
    """Makes botocore's values of a request or an answer, and keeps what it put into which field."""

    service: Any
    resource_type: str
    operation: str
    needed: set[Chain]
    values: dict[Chain, Any]
    absent: set[Chain]
    put: dict[Chain, list] = field(default_factory=dict)
    is_direct: bool = False  # EC2's calls that are logged directly
    is_request: bool = False

    def structure(self, shape: Any, at: Chain, required: bool) -> dict:
        """A structure with its members that are needed; `at` is its path in the record."""
        made = {}
        for name, member in shape.members.items():
            place = self.place(name, member, at)
            if any(chain in self.absent for chain in place):
                continue
            inner = [chain for chain in place if self.leads(chain)]
            if inner or (required and name in shape.required_members):
                made[name] = self.value(member, inner[0] if inner else place[0], name, required)
        return made

    def place(self, name: str, member: Any, at: Chain) -> list[Chain]:
        """The path of a member in the record."""
        service = self.service.service_name
        wire = rules.wire_name(name, member)
        if service != "ec2":
            names = [rules.key(service, self.operation, wire)]
        elif not self.is_direct:
            names = [rules.request_name(name, member, "ec2") if self.is_request else wire]
        else:
            names = [rules.ec2_direct_name(self.operation, name, member) if self.is_request else rules.lower_first(wire)]
        return [(*at, each) for each in names]

    def leads(self, chain: Chain) -> bool:
        return any(each[: len(chain)] == chain for each in self.needed)

    def value(self, shape: Any, at: Chain, name: str, required: bool) -> Any:
        if shape.type_name == "structure":
            return self.structure(shape, at, required)
        if shape.type_name == "list":
            inner = next(((*at, each) for each in LISTS if self.leads((*at, each))), at)
            return [self.value(shape.member, inner, name, required)]
        if shape.type_name == "map":
            return {"key": self.value(shape.value, at, name, required)}
        made = self.values.get(at)
        if made is None:
            made = self.scalar(shape, name)
        hidden = shape.metadata.get("sensitive")
        self.put.setdefault(at, []).append(rules.HIDDEN if hidden else made)
        return made

    def scalar(self, shape: Any, name: str) -> Any:
        """A value that looks like what the field's name says."""
        kind, low = shape.type_name, name.lower()
        if kind == "boolean":
            return True
        if kind in ("integer", "long", "double", "float", "bigdecimal"):
            return int(shape.metadata.get("min", 1))
        if kind == "timestamp":
            return MOMENT
        if kind == "blob":
            return b"example"
        if getattr(shape, "enum", None):
            return shape.enum[0]
        # The value contains the field's own name: a path that reads another field finds another value.
        stem = re.sub(r"(arns?|ids?|identifiers?|names?|urls?)$", "", name, flags=re.IGNORECASE)
        what = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", stem).lower().strip("-_") or self.resource_type
        if low.endswith(("arn", "arns")):
            return f"arn:aws:{self.service.signing_name}:{REGION}:{ACCOUNT}:{what}/example"
        if low.endswith(("url", "urls")):
            return f"https://{self.service.signing_name}.{REGION}.amazonaws.com/{ACCOUNT}/{what}"
        if low.endswith(("id", "ids", "identifier")):
            return ACCOUNT if low.endswith("accountid") else f"{what}-0a1b2c3d4e5f"
        return f"example-{what}"


def variants(chain: Chain, operation: str, service: str, side: str) -> Chain | None:
    """A chain below `side` of the record; EC2's wrapper taken off, None where the rule writes the other form."""
    if chain[0] != side:
        return None
    wrapper = operation + ("Request" if side == "requestParameters" else "Response")
    wrapped = service == "ec2" and rules.is_wrapped(service, operation)
    if len(chain) > 1 and chain[1] == wrapper:
        return chain[2:] if wrapped else None
    return None if wrapped else chain[1:]


def side_of(operation: Any, shape: Any, side: str, read: Reading, resource_type: str) -> tuple[dict, dict[Chain, list]]:
    """botocore's values of a request or an answer, and what was put where."""
    service, name = operation.service_model.service_name, operation.name
    below = lambda chain: variants(chain, name, service, side)
    needed = {below(chain) for chain, after in read.results if not isinstance(after, Join)} | {below(chain) for chain in read.wanted}
    values = {below(chain): value for chain, value in read.wanted.items() if value is not None}
    absent = {below(chain) for chain in read.absent}
    is_request = side == "requestParameters"
    maker = Maker(operation.service_model, resource_type, name, needed - {None}, values, absent, is_request=is_request,
                  is_direct=service == "ec2" and not rules.is_wrapped(service, name))
    if shape is None or (not is_request and (service, name) in rules.NULL_RESPONSE):
        return {}, {}
    inner = None if is_request else rules.outer(service, shape)
    if inner:
        made = maker.structure(shape.members[inner], (), False)
        return ({inner: made} if made else {}), maker.put
    return maker.structure(shape, (), is_request), maker.put


# --- Cases ----------------------------------------------------------------------------------------------------------


def built(checker: Checker, resource_type: str, event: dict, action: str, others: list) -> dict:
    """A case for an event of a type."""
    operations = operations_of_event(checker, event)
    if not operations:
        raise Unbuildable("no API operation has this name")
    read, renamed = reading(event["ids"]), reading(event["to"]) if "to" in event else Reading()
    both = Reading(read.results + renamed.results, read.wanted | renamed.wanted, read.absent | renamed.absent)
    # Versions of an API can share the event: the path suits one of them.
    for operation in operations:
        params, asked = side_of(operation, operation.input_shape, "requestParameters", both, resource_type)
        answer, response = side_of(operation, operation.output_shape, "responseElements", both, resource_type)
        own = expected(read, operation, asked, response)
        if "to" in event:
            own = {f"{old} -> {new}" for old in own for new in expected(renamed, operation, asked, response)}
        if own:
            break
    else:
        raise Unbuildable("no field that `ids` ends in is in the model's record")
    record = enveloped(rules.record(operation, params, answer))
    ids = {(resource_type, ident, action) for ident in own}
    for kind, other, does in others:
        if kind != resource_type:
            ids |= {(kind, ident, does) for ident in found_by(other, record)}
    return {"name": event["event"] + BUILT, "origin": "model", "record": record, "expect": sorted(map(list, ids))}


def expected(read: Reading, operation: Any, asked: dict, response: dict) -> set[str]:
    """The values put into the fields that ids ends in: of the first alternative, or of all that count together."""
    service, name = operation.service_model.service_name, operation.name
    found: set[str] = set()

    def values(chain: Chain) -> list:
        if chain[0] not in ENVELOPE:
            return [STATED[chain[0]]] if chain[0] in STATED else []
        below = variants(chain, name, service, chain[0])
        put = asked if chain[0] == "requestParameters" else response
        return [value for value in put.get(below, []) if value != rules.HIDDEN] if below is not None else []

    def first(part: list[Chain | str]) -> str | None:
        texts = ([part] if isinstance(part, str) else values(part) for part in part)
        return next((str(each[0]) for each in texts if each), None)

    for chain, after in read.results:
        if isinstance(after, Join):
            texts = [first(part) for part in after.parts]
            found |= {after.separator.join(texts)} if None not in texts else set()
        else:
            found |= {transformed(value, after) for value in values(chain)}
        if found and not read.together:
            break
    return found


def transformed(value: Any, after: Any) -> str:
    if after == ("lower",):
        return str(value).lower()
    return str(value) if after is None else str(value).split(after[1])[after[2]]


def found_by(event: dict, record: dict) -> set[str]:
    """The ids that an event's path finds, with the new name where it renames; one that fails on the record finds none."""
    try:
        ids = flat(search(event["ids"], record))
        return {f"{old} -> {new}" for old in ids for new in flat(search(event["to"], record))} if "to" in event else ids
    except JMESPathError:
        return set()


def flat(found: Any) -> set[str]:
    """The ids in what a path found: a text or number, or lists of them."""
    if isinstance(found, list):
        return {ident for each in found for ident in flat(each)}
    is_id = isinstance(found, (str, int, float)) and not isinstance(found, bool) and found not in ("", rules.HIDDEN)
    return {str(found)} if is_id else set()


def enveloped(made: dict) -> dict:
    return {
        "eventVersion": "1.09",
        "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLEANNMILLER1", "arn": f"arn:aws:iam::{ACCOUNT}:user/ann.miller",
                         "accountId": ACCOUNT, "userName": "ann.miller"},
        "eventTime": "2024-03-05T08:00:00Z", "eventSource": made["source"], "eventName": made["event"], "awsRegion": REGION,
        "requestParameters": made["request"], "responseElements": made["response"],
        "eventID": "00000000-0000-4000-8000-000000000000", "eventType": "AwsApiCall", "recipientAccountId": ACCOUNT,
    }


def plain_name(event_name: str) -> str:
    """An event's name as maps write it: without Lambda's dates."""
    return re.sub(r"20\d{6}(v\d+)?$", "", event_name)


def actions(resource: dict) -> Iterator[tuple[dict, str]]:
    """A type's events with what each does."""
    for event in resource["events"]:
        yield event, "upsert" if event.get("upsert") else "create"
    for event in resource.get("deletes", []):
        yield event, "delete"
    for event in resource.get("renames", []):
        yield event | {"ids": event["from"]}, "rename"


def source_of(checker: Checker, event: dict) -> str:
    return event.get("service", checker.event_source())


def is_shown(case: dict, source: str, event: dict, resource_type: str, action: str) -> bool:
    record = case["record"]
    does = any(kind == resource_type and each == action for kind, _, each in case["expect"])
    return does and record["eventSource"] == source and plain_name(record["eventName"]) == event["event"]


@functools.cache
def events_of(types: "Types") -> dict[tuple[str, str], list[tuple[str, dict, str]]]:
    """(eventSource, eventName) -> (type, event, action) of all types."""
    found: dict = {}
    for kind, (checker, resource) in types.items():
        for event, does in actions(resource):
            found.setdefault((source_of(checker, event), event["event"]), []).append((kind, event, does))
    return found


def sharing(source: str, name: str, types: "Types") -> list[tuple[str, dict, str]]:
    """What all types read of an event."""
    return events_of(types).get((source, plain_name(name)), [])


def shared(case: dict, resource_type: str, types: "Types") -> None:
    """Brings a kept case's expectations of other types up to date: its own stay as they were written."""
    record = case["record"]
    if "errorCode" in record or "errorMessage" in record:
        return
    ids = {tuple(entry) for entry in case["expect"] if entry[0] == resource_type}
    for kind, event, does in sharing(record["eventSource"], record["eventName"], types):
        if kind != resource_type:
            ids |= {(kind, ident, does) for ident in found_by(event, record)}
    case["expect"] = sorted(map(list, ids))


class Types(dict):
    """Type -> its file's checker and its stanza."""

    __hash__ = object.__hash__


def build(resource_type: str, types: "Types") -> list[str]:
    """Writes a type's file; gives what could not be built."""
    checker, resource = types[resource_type]
    file = FIXTURES / f"{resource_type}.json"
    cases = json.loads(file.read_text()) if file.exists() else []
    cases = [{"name": case["name"], "origin": "model", **case} for case in cases if not case["name"].endswith(BUILT)]
    for case in cases:
        shared(case, resource_type, types)
    by_hand, problems = list(cases), []
    for event, action in actions(resource):
        source = source_of(checker, event)
        shown = [case for case in by_hand if is_shown(case, source, event, resource_type, action)]
        if shown:
            by_hand.remove(shown[0])  # an event that is twice in the map needs two cases
            continue
        try:
            cases.append(built(checker, resource_type, event, action, sharing(source, event["event"], types)))
        except (Unbuildable, UnknownServiceError) as error:
            problems.append(f"{resource_type}: {event['event']}: {error}: write the case by hand ({event['ids']})")
    if cases:
        file.write_text(text_of(cases))
    return problems


def text_of(cases: list[dict]) -> str:
    """A file's text: a record is one line, so that what it shows is read at a glance."""
    line = lambda value: json.dumps(value, ensure_ascii=False)
    blocks = [" {" + ",\n  ".join(f"{line(key)}: {line(value)}" for key, value in case.items()) + "}" for case in cases]
    return "[\n" + ",\n".join(blocks) + "\n]\n"


def main(arguments: list[str]) -> int:
    types = Types(
        (resource["type"], (checker, resource))
        for checker in checkers_of(REPOSITORY / "resource-maps")
        for resource in checker.map["resources"]
    )
    missing = [name for name in types if not (FIXTURES / f"{name}.json").exists()]
    wanted = missing if arguments == ["--missing"] else list(types) if arguments == ["--all"] else arguments
    unknown = [name for name in wanted if name not in types]
    if unknown or not arguments:
        print(f"no such type: {unknown}" if unknown else __doc__, file=sys.stderr)
        return 2
    problems = [problem for name in wanted for problem in build(name, types)]
    print("\n".join(problems), file=sys.stderr)
    print(f"{len(wanted)} types, {len(problems)} events not built")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
