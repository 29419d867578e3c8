"""Writes tests/fixtures/names.json: what the records of create events hold of the names of resource types, by the API models.

For each type: the example of its first create event that has a model; what the record has besides (the fields that `id`, `names` and `arn`
of the listed resource read, where the request or the answer has them in an object that describes the resource: the top, and what the
answer wraps); its ARN as the list call gives it; its names; and for a name or ARN that the record cannot hold, the reason. Shares no
code with the program under test.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "catalog")]

import record as rules  # noqa: E402
from botocore.exceptions import UnknownServiceError  # noqa: E402
from check_maps import checkers_of, operations_of_event  # noqa: E402
from example import ACCOUNT, REGION, REPOSITORY, FIXTURES, is_shown, source_of, variants  # noqa: E402

OUTPUT = REPOSITORY / "tests/fixtures/names.json"
SIMPLE = re.compile(r"^[A-Za-z0-9_.]+$")


def last_field(text: Any) -> str | None:
    """The field that an expression on the item is, if it is one."""
    return text.rsplit(".")[-1].lower() if isinstance(text, str) and SIMPLE.match(text) and not text.startswith("arn:") else None


def objects(shape: Any, path: tuple = (), depth: int = 0) -> list[tuple[tuple, Any]]:
    """The structures of a request or an answer that can describe the resource: the top, and what it wraps."""
    if shape is None or shape.type_name != "structure" or depth > 4:
        return []
    found = [(path, shape)]
    inner = [(name, member) for name, member in shape.members.items() if member.type_name == "structure"]
    if len(inner) == 1:
        found += objects(inner[0][1], (*path, inner[0][0]), depth + 1)
    return found


def holders(value: Any, ident: str) -> list[dict]:
    """The objects of a record that have the ID."""
    if isinstance(value, list):
        return [found for each in value for found in holders(each, ident)]
    if not isinstance(value, dict):
        return []
    own = [value] if any(isinstance(each, str) and each.lower() == ident.lower() for each in value.values()) else []
    return own + [found for each in value.values() for found in holders(each, ident)]


def held(operation: Any, fields: set[str]) -> dict[str, list[tuple[str, list[str]]]]:
    """Which of these fields a record of the operation has: field -> (side, path) in CloudTrail's spelling."""
    service, name = operation.service_model.service_name, operation.name
    found: dict = {}
    for side, shape in (("responseElements", operation.output_shape), ("requestParameters", operation.input_shape)):
        if side == "responseElements" and (service, name) in rules.NULL_RESPONSE:
            continue
        inner = rules.outer(service, shape) if side == "responseElements" else None
        start = shape.members[inner] if inner else shape
        wrapper = [name + ("Request" if side == "requestParameters" else "Response")] if rules.is_wrapped(service, name) else []
        for path, structure in objects(start)[: 1 if side == "requestParameters" else 5]:
            for member_name, member in structure.members.items():
                spelled = rules.key(service, name, rules.wire_name(member_name, member))
                if service == "ec2":
                    spelled = rules.lower_first(rules.wire_name(member_name, member))
                    if side == "requestParameters" and wrapper:
                        spelled = rules.request_name(member_name, member, "ec2")
                if spelled.lower() in fields and member.type_name == "string" and rules.is_logged(member) and not member.metadata.get("sensitive"):
                    steps = [rules.lower_first(step) if service not in rules.KEEP_CASE else step for step in path]
                    found.setdefault(spelled.lower(), []).append((side, [*wrapper, *steps, spelled]))
    return found


def present(record: dict, side: str, path: list[str]) -> Any:
    """The value in the record; an empty object where there can be none."""
    at = record.get(side)
    for step in path:
        if at is not None and not isinstance(at, dict):
            return {}
        at = (at or {}).get(step)
    return at


def arn_of(resource: dict, values: dict[str, str], own: str) -> str | None:
    """The ARN as listed, from the map's template or form."""
    arn = resource.get("arn")
    arn = arn.get("template") if isinstance(arn, dict) else arn
    text = arn if isinstance(arn, str) and arn.startswith("arn:") else next(iter(resource.get("arn_forms", [])), None)
    kind = (resource.get("tags") or {}).get("rgta") if isinstance(resource.get("tags"), dict) else None
    if text is None and arn and kind:
        service, _, of_kind = kind.partition(":")
        text = f"arn:{{partition}}:{service}:{{region}}:{{account}}:{of_kind}{'/' if of_kind else ''}{own}"
    if text is None:
        return None
    parts = {"partition": "aws", "region": REGION, "account": ACCOUNT, "path": "", "*": f"{hash_of(own):08x}"}
    missing = []

    def part(match: re.Match) -> str:
        name = match[1].removeprefix("@.")
        if name in parts:
            return parts[name]
        if name.lower() not in values and SIMPLE.match(name) and name != "id":
            missing.append(name)
        return values.get(name.lower(), own)

    made = re.sub(r"\{([^{}]*(?:\{[^{}]*\})?[^{}]*)\}", part, text)
    return None if missing else made


def hash_of(text: str) -> int:
    value = 0
    for character in text:
        value = (value * 31 + ord(character)) % 2**31
    return value


def scenario(checker: Any, resource: dict) -> dict:
    """What is written of a type."""
    kind = resource["type"]
    file = FIXTURES / f"{kind}.json"
    cases = json.loads(file.read_text()) if file.exists() else []
    id_field = last_field(resource.get("id"))
    arn_field = last_field(resource.get("arn"))
    name_fields = {field for field in map(last_field, resource.get("names", [])) if field}
    fields = {field for field in (id_field, arn_field, *name_fields) if field}
    for event in resource["events"]:
        shown = [case for case in cases if is_shown(case, source_of(checker, event), event, kind, "upsert" if event.get("upsert") else "create")]
        try:
            operations = operations_of_event(checker, event)
        except UnknownServiceError:
            operations = []
        if not shown or not operations:
            continue
        record = json.loads(json.dumps(shown[0]["record"]))
        own = [ident for of, ident, does in shown[0]["expect"] if of == kind and does in ("create", "upsert")]
        if len(own) != 1:
            continue
        swap = listed_arn(resource, own[0], cases)
        if swap:
            record = json.loads(json.dumps(record).replace(json.dumps(own[0]), json.dumps(swap)))
        made = of_record(resource, record, swap or own[0], (id_field, arn_field, name_fields), held(operations[0], fields))
        return {"case": shown[0]["name"], "swap": [own[0], swap] if swap else None, **made}
    return {"skipped": "no create event of one resource has a model"}


def listed_arn(resource: dict, ident: str, cases: list) -> str | None:
    """The ARN of the resource that a delete event calls PARENT/NAME, where the built example has an ARN of no form of the type."""
    form = next(iter(resource.get("arn_forms", [])), None)
    if not form or not ident.startswith("arn:"):
        return None
    fields = [name for name in re.findall(r"\{([^{}]*)\}", form) if name not in ("partition", "region", "account", "path", "*")]
    used = [ident for case in cases for of, ident, does in case["expect"] if of == resource["type"] and does == "delete"]
    parts = next((each.split("/") for each in used if "/" in each and not each.startswith("arn:")), [])
    literal = re.sub(r"\{[^{}]*\}", "", form.split("{account}:")[-1].split("{")[0])
    if len(parts) != len(fields) or f":{literal}" in ident:
        return None
    return arn_of(resource, {name.lower(): value for name, value in zip(fields, parts)}, parts[-1])


def of_record(resource: dict, record: dict, ident: str, fields: tuple, has: dict) -> dict:
    id_field, arn_field, name_fields = fields
    kind = resource["type"]
    # The field of the ID in the record says which of the listed fields it is.
    of_id = {key.lower() for holder in holders(record.get("responseElements"), ident) + holders(record.get("requestParameters"), ident)
             for key, value in holder.items() if isinstance(value, str) and value.lower() == ident.lower()}
    values: dict[str, str] = {}
    for field in {id_field, *name_fields} - {None}:
        known = next((value for holder in holders(record.get("responseElements"), ident) for key, value in holder.items()
                      if key.lower() == field and isinstance(value, str)), None)
        values[field] = ident if field in of_id else known or f"{kind}-{field}-value"
    if id_field and not (of_id & ({id_field, arn_field} | name_fields)) and not ident.startswith("arn:") and id_field != arn_field:
        values[id_field] = ident
    for field, places in has.items():
        known = [value for side, path in places if isinstance(value := present(record, side, path), str)]
        if known and field != arn_field and field not in of_id:
            values[field] = known[0]
    values[""] = next((values[field] for field in (id_field, *sorted(name_fields)) if field and field != arn_field), ident)
    known = [value for side, path in has.get(arn_field, []) if isinstance(value := present(record, side, path), str)]
    tops = [record.get(side) or {} for side in ("responseElements", "requestParameters")]
    inside = {key.lower(): value for top in reversed(tops) for key, value in top.items() if isinstance(value, str)}
    if "/" in ident and isinstance(resource.get("id"), dict):
        inside |= dict(zip(["parent", "stagename"], ident.split("/")))
    arn = ident if ident.startswith("arn:") else known[0] if known else arn_of(resource, inside | values, values[""])
    adds = []
    for field, places in has.items():
        value = arn if field == arn_field else values.get(field)
        adds += [[side, path, value] for side, path in places if value and present(record, side, path) is None]
    text = json.dumps([record, adds])
    names, lacks = [], {}
    for field in sorted(name_fields):
        if json.dumps(values[field]) in text:
            names.append(values[field])
        else:
            lacks[field] = "no member of the request or the answer has it"
    # An ARN that is neither in the record nor follows from what does.
    if not arn and resource.get("arn"):
        lacks["arn"] = "the record does not have what it is made of"
    elif arn and json.dumps(arn) not in text and any(values[field] in arn and values[field] not in text for field in {id_field, *lacks} - {None}):
        arn, lacks["arn"] = None, "no member of the request or the answer has it, nor what it is made of"
    return {"adds": adds, "id": ident, "arn": arn, "names": names, "lacks": lacks}


def main() -> int:
    checkers = checkers_of(REPOSITORY / "resource-maps")
    made = {}
    for checker in checkers:
        for resource in checker.map["resources"]:
            made[resource["type"]] = scenario(checker, resource)
    line = lambda value: json.dumps(value, ensure_ascii=False)
    OUTPUT.write_text("{\n" + ",\n".join(f" {line(kind)}: {line(value)}" for kind, value in sorted(made.items())) + "\n}\n")
    print(f"{len(made)} types, {sum('case' in value for value in made.values())} with an example")
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
