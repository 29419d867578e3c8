"""Lists the errors that botocore's models name for the tagging calls of the resource maps: what `src/aws/codes.rs` was made from.

    python tests/oracle/conflicts.py resource-maps [WORD…]

One line for each code and HTTP status, with the calls that can answer it; with words only the codes that hold one of them, or have
status 409. Read it again when botocore is updated, and decide for each new code whether waiting helps.
"""

import collections
import sys
from pathlib import Path
from typing import Any, Iterator

import check_maps

CONFLICT = 409


def writing(resource: dict) -> Iterator[tuple[str | None, str]]:
    """The service, where it is another one, and the call of each way to write or remove a tag."""
    write = resource.get("write")
    while isinstance(write, dict):
        calls = [write.get("call"), write.get("remove", {}).get("call")]
        yield from ((write.get("service"), call) for call in calls if call)
        write = write.get("otherwise")


def errors(folder: Path) -> dict[tuple[str, int | None], set[str]]:
    """The calls by code and status."""
    checkers = {checker.map["service"]: checker for checker in check_maps.checkers_of(folder)}
    found: dict[tuple[str, int | None], set[str]] = collections.defaultdict(set)
    for name, checker in checkers.items():
        for service, call in {way for resource in checker.map["resources"] for way in writing(resource)}:
            operation: Any = checkers[service or name].operation("write", call)
            for shape in operation.error_shapes if operation is not None else []:
                facts = shape.metadata.get("error", {})
                found[facts.get("code") or shape.name, facts.get("httpStatusCode")].add(f"{service or name}:{operation.name}")
    return found


def main() -> None:
    folder, *words = sys.argv[1:]
    for (code, status), calls in sorted(errors(Path(folder)).items(), key=str):
        if not words or status == CONFLICT or any(word.lower() in code.lower() for word in words):
            print(code, status or "-", *sorted(calls))


if __name__ == "__main__":
    main()
