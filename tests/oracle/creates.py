"""Accounts for every operation that creates something in a service with tags: `creates.py FOLDER`.

Each is an event of a resource map in FOLDER, or is listed with a reason in `unmapped.yml` beside this file. Prints a line for each operation that
is in neither, for each entry that is out of date, and ends with 1; or prints how many there are of each. A newer botocore may bring new
operations: give each a stanza (docs/resource-maps.md), or an entry.

An operation counts if its service has tags (a call that writes them, or one that takes them), and it is called Create…, or takes tags
under a name that does not say that it reads, changes or ends something (OTHER_VERBS).
"""

import collections
import re
import sys
from pathlib import Path
from typing import Any, Iterator

import yaml

from check_maps import LOADER, SESSION, checkers_of, model, rules

UNMAPPED = Path(__file__).with_name("unmapped.yml")
TAGGING = re.compile(r"(Tag|Untag)([A-Z]|$)|(Add|Put|Set|Create|CreateOrUpdate|Change)\w*Tag(s|ging|gingConfiguration|sForResource|sTo\w+)?$")
TAGS_PARAMETER = re.compile(r"(?i)(\w*tags|tagset|tagspecifications?|taglist|tagslist|tagging)")
# Parameters that are about tags but give none to what the call makes.
NO_TAGS = re.compile(r"(?i)filter|delete|remove|copytags|key")
OTHER_VERBS = {
    "Assume", "Delete", "Describe", "Get", "Invoke", "List", "Modify", "Promote", "Remove", "Search", "Send", "Terminate", "Untag", "Update",
}


def verb(operation: str) -> str:
    return re.match(r"[A-Z][a-z0-9]*", operation)[0]


def takes_tags(operation: Any) -> bool:
    """Whether a call can give tags."""
    names = operation.input_shape.members if operation.input_shape is not None else {}
    return any(TAGS_PARAMETER.fullmatch(name) and not NO_TAGS.search(name) for name in names)


def creating(service: Any) -> Iterator[str]:
    """The operations of a service that create something."""
    taking = {name for name in service.operation_names if takes_tags(service.operation_model(name))}
    if not taking and not any(TAGGING.match(name) for name in service.operation_names):
        return
    for name in service.operation_names:
        if TAGGING.match(name):
            continue
        if verb(name) == "Create" or (name in taking and verb(name) not in OTHER_VERBS):
            yield name


def mapped(folder: Path) -> set[tuple[str, str]]:
    """(eventSource, eventName) of all create events."""
    return {
        (event.get("service", checker.event_source()), event["event"])
        for checker in checkers_of(folder)
        for resource in checker.map["resources"]
        for event in resource["events"]
    }


def entries() -> tuple[dict[tuple[str, str], str], list[str]]:
    """(service, operation) -> reason of `unmapped.yml`, and what is wrong with the file itself."""
    file = yaml.load(UNMAPPED.read_text(), LOADER)
    found: dict[tuple[str, str], str] = {}
    problems = []
    for service, reasons in file["operations"].items():
        for reason, names in reasons.items():
            if reason not in file["reasons"]:
                problems.append(f"{service}: no such reason: {reason}")
            for name in names.split():
                if (service, name) in found:
                    problems.append(f"{service}:{name} is twice in {UNMAPPED.name}")
                found[service, name] = reason
    return found, problems


def main(folder: Path) -> int:
    events, (listed, problems) = mapped(folder), entries()
    counts: dict[str, int] = collections.Counter()
    left = dict(listed)
    for name in SESSION.get_available_services():
        service = model(name)
        source = rules.event_source(service)
        for operation in creating(service):
            reason = left.pop((name, operation), None)
            is_mapped = (source, operation) in events
            if is_mapped and reason:
                problems.append(f"{name}:{operation} is an event of a map: take it out of {UNMAPPED.name}")
            if not is_mapped and not reason:
                problems.append(f"{name}:{operation} creates something, but is no event of a map and not in {UNMAPPED.name}")
            counts[reason or "mapped"] += 1
    problems += [f"{service}:{name} in {UNMAPPED.name} is no create operation of the models" for service, name in left]
    summary = ", ".join(f"{number} {reason}" for reason, number in counts.most_common())
    print("\n".join(problems) if problems else f"{counts.total()} create operations: {summary}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
