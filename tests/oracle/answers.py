"""What the answers of the resource maps' calls must have, by botocore's models: `answers.py FOLDER [--write FILE | --check FILE]`.

One line for each call whose answer is not known from its operation's name alone: `service | call | root | members | blank`.
`root` is the element that an answer in XML begins with (`-`: no body; one of several if there are more), one of `members` must be there, `blank` allows an empty body.
botocore drops the roots of S3's answers: those are AWS's documentation's. Shares no code with the program under test.
"""

import re
import sys
from pathlib import Path
from typing import Any, Iterator

import check_maps

# S3's roots are no names of shapes. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html, API_GetBucketTagging.html
S3_ROOTS = {"ListBuckets": "ListAllMyBucketsResult", "GetBucketTagging": "Tagging"}
# Documented with a body: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html
WRITES_WITH_BODY = {"ChangeTagsForResource"}
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
HEAD = (
    "# What proves an answer, where the operation's name does not say it: service | call | root | members | blank\n"
    "# Made by `python tests/oracle/answers.py resource-maps --write src/aws/protocol/answers.txt`; see src/aws/protocol/proof.rs.\n"
)


def calls(stanza: Any) -> Iterator[tuple[str | None, str]]:
    """Every call below a stanza, with the service that it names. What is below `otherwise` names its own; `remove` is its write's."""
    if isinstance(stanza, list):
        for part in stanza:
            yield from calls(part)
    if not isinstance(stanza, dict):
        return
    service = stanza.get("service") if "call" in stanza else None
    if isinstance(stanza.get("call"), str):
        yield service, stanza["call"]
    if "call" in stanza.get("remove", {}):
        yield service, stanza["remove"]["call"]
    for key, part in stanza.items():
        if key not in ("events", "deletes", "renames", "params", "remove"):
            yield from calls(part)


def writes(resource: dict) -> set[str]:
    return {call for _, call in calls(resource.get("write", {}))}


def tag_members(resource: dict) -> dict[str, str]:
    """The member of the answer that tags are read from, by call."""
    found, tags = {}, resource.get("tags")
    while isinstance(tags, dict) and "call" in tags:
        field = re.search(r"[A-Za-z]\w*(?!\w*\()", tags["items"].replace("to_array", ""))
        found[tags["call"]] = field[0] if field else ""
        tags = tags.get("otherwise")
    return found


def root_of(service: str, operation: Any) -> str:
    if service == "s3":
        return S3_ROOTS.get(operation.name, "-")
    shape = operation.output_shape
    if shape is None:
        return "-"
    payload = shape.serialization.get("payload")
    if payload:
        shape = shape.members[payload]
        return shape.serialization.get("name", shape.name)
    roots = [shape.serialization.get("name", shape.name), f"{operation.name}Result"]
    # The model of ListStorageLensConfigurations names its root in the singular, other servers by the operation: either is its answer.
    return roots[0] if len({re.sub("(Result|Response)$", "", root) for root in roots}) == 1 else " ".join(roots)


def line(checker: Any, call: str, is_write: bool, tags: str | None) -> str | None:
    operation = checker.operation("answers", call)
    name, is_xml = checker.map["service"], checker.protocol == "rest-xml"
    shape = operation.output_shape
    members = []
    if is_write and not is_xml and checker.protocol not in ("query", "ec2") and shape is not None:
        members = [member.serialization.get("name", name) for name, member in shape.members.items() if member.serialization.get("location") is None]
    elif tags and shape is not None and not shape.serialization.get("payload") and tags in shape.required_members:
        members = [tags]
    root = root_of(name, operation) if is_xml else "-"
    if not is_xml and not members:
        return None
    blank = is_write and root != "-" and operation.name not in WRITES_WITH_BODY
    path = PLACEHOLDER.sub("*", call)
    return " | ".join([name, path, root, " ".join(members) or "-", "blank" if blank else "-"])


def table(folder: Path) -> str:
    checkers = {checker.map["service"]: checker for checker in check_maps.checkers_of(folder)}
    lines = set()
    for name, checker in checkers.items():
        for resource in checker.map["resources"]:
            written, tags = writes(resource), tag_members(resource)
            for service, call in calls(resource):
                made = line(checkers[service or name], call, call in written, tags.get(call))
                lines.add(made)
    lines.discard(None)
    return HEAD + "".join(f"{line}\n" for line in sorted(lines))


def main() -> int:
    folder, *rest = sys.argv[1:]
    made = table(Path(folder))
    match rest:
        case ["--write", file]:
            Path(file).write_text(made)
        case ["--check", file]:
            if Path(file).read_text() != made:
                print(f"{file} is not what the maps and botocore's models give: write it again")
                return 1
            print(f"{made.count(' | -')} facts agree")
        case _:
            print(made, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
