"""Lists the calls that may create a resource of a known type without the maps saying so: `known_ids.py MAPS REASONS`.

A call is one of them when its name begins with a verb that creates, and its answer has a field that a known type is identified by,
which the request does not have: then the call itself may have made what the field names. Of a call without a type in the maps all
identifying fields of its service count; of every call those that other services make resources of EC2 by (`eniId`, `snapshotId`). Each of
these calls is an event of that type in the maps, or is listed in REASONS (tests/oracle/known-ids.yml) with the reason why it is not. Names
that every service has (`name`, `arn`, `id`) say nothing of the type; the calls that create types without a stanza are
another list's. Shares no code with the program under test.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Iterator

import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "catalog")]

import botocore.session  # noqa: E402
import record as rules  # noqa: E402
from check_maps import checkers_of  # noqa: E402

VERBS = set(
    """
    Accept Activate Add Allocate Apply Assign Associate Attach Build Claim Clone Configure Confirm Connect Copy Create Define Deploy Enable
    Establish Execute Failover Generate Import Initiate Install Invite Issue Join Launch Migrate Onboard Open Promote Provision Publish
    Purchase Put Rebuild Recover Register Renew Replace Replicate Request Reserve Restore Resume Run Send Set Setup Split Start Submit
    Subscribe Switchover Upload
    """.split()
)
GENERIC = {"name", "arn", "id", "identifier", "item", "items", "type", "key", "value"}
CONTAINERS = ("[]", "{}")
# Fields that identify what services make in EC2's name; others, such as vpcId, always name what was there.
MADE_FOR_OTHERS = {
    "instanceid": "ec2", "ec2instanceid": "ec2", "networkinterfaceid": "eni", "eniid": "eni", "snapshotid": "ebs-snapshot", "volumeid": "ebs",
    "imageid": "ami", "amiid": "ami", "vpcendpointid": "vpc-endpoint", "allocationid": "elastic-ip",
}
# Sources of records that differ from the model's, beyond record.EVENT_SOURCES.
SOURCES = {"application-autoscaling": "autoscaling.amazonaws.com"}


def leaves(ids: str, side: str) -> set[str]:
    """The last field names of the chains of an expression that begin at `side`, in lower case."""
    chains = re.findall(rf"{side}(?:\.\w+|\[\])+", ids) + re.findall(r"\]\)?(?:\.\w+|\[\])+", ids)
    fields = ([part for part in re.split(r"\W+", chain) if part] for chain in chains)
    return {names[-1].lower() for names in fields if names} - GENERIC - {side.lower()}


def fields(shape: Any, path: tuple = (), seen: tuple = ()) -> Iterator[tuple]:
    """The paths of the single values in a shape."""
    if shape is None or shape.name in seen:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from fields(member, (*path, rules.wire_name(name, member)), (*seen, shape.name))
    elif shape.type_name == "list":
        yield from fields(shape.member, (*path, "[]"), (*seen, shape.name))
    elif shape.type_name == "map":
        yield from fields(shape.value, (*path, "{}"), (*seen, shape.name))
    else:
        yield path


def last(path: tuple) -> str:
    names = [part for part in path if part not in CONTAINERS]
    return names[-1].lower() if names else ""


def singular(name: str) -> str:
    return name.removesuffix("s")


class Known:
    """What the maps know: identifying fields by service, and their create events."""

    def __init__(self, maps: Path) -> None:
        self.by_service: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.created: dict[tuple[str, str], set[str]] = defaultdict(set)
        for checker in checkers_of(maps):
            service = checker.map["service"]
            for resource in checker.map["resources"]:
                for event in resource["events"]:
                    source = event.get("service", checker.event_source())
                    self.created[source, event["event"]].add(resource["type"])
                    for leaf in leaves(event["ids"], "responseElements"):
                        self.by_service[service][singular(leaf)].add(resource["type"])

    def types(self, service: str, source: str, operation: str, field: str) -> set[str]:
        """The types that a field of the answer of a service's operation can identify, without those that it is known to create."""
        field, created = singular(field), self.created.get((source, operation), set())
        own = self.by_service[service].get(field, set()) if service in self.by_service and not created else set()
        made = {MADE_FOR_OTHERS[field]} if field in MADE_FOR_OTHERS else set()
        return set() if (own | made) & created else own | made


def candidates(known: Known) -> dict[str, dict[str, list[str]]]:
    """service:operation -> type -> the answer's fields that may identify a new resource of it."""
    session = botocore.session.Session()
    found: dict = defaultdict(lambda: defaultdict(list))
    for name in session.get_available_services():
        model = session.get_service_model(name)
        source = SOURCES.get(name, rules.event_source(model))
        for operation in (model.operation_model(each) for each in model.operation_names):
            verb = re.match(r"[A-Z][a-z]+", operation.name)
            if verb is None or verb[0] not in VERBS:
                continue
            given = {singular(last(path)) for path in fields(operation.input_shape)}
            for path in fields(operation.output_shape):
                if singular(last(path)) in given:
                    continue
                types = known.types(name, source, operation.name, last(path))
                if types:
                    found[f"{name}:{operation.name}"]["/".join(sorted(types))].append(".".join(path))
    return found


def main(arguments: list[str]) -> int:
    maps, file = map(Path, arguments)
    known = Known(maps)
    found = candidates(known)
    reasons: dict[str, str] = {}
    for reason, calls in yaml.safe_load(file.read_text()).items() if file.exists() else ():
        reasons |= {call: reason for call in calls}
    missing = sorted(set(found) - set(reasons))
    for call in missing:
        print(call, *(f"{kind} ({', '.join(paths[:3])})" for kind, paths in found[call].items()))
    stale = sorted(set(reasons) - set(found))
    for call in stale:
        print(f"{call} is in {file.name}, but is mapped or creates nothing of a known type: remove it")
    mapped = sum(len(types) for types in known.created.values())
    print(f"{len(found)} calls, {len(missing)} of them without a reason, {len(stale)} reasons without a call; {mapped} creations mapped")
    return 1 if missing or stale else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
