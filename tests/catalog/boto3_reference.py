"""What boto3 says is on the server: for each type of the resource maps its ids, ARNs and tags.

Makes the map's calls through botocore's own serializer, endpoints, parser and paginators and searches the map's paths on the
answers by python's jmespath. So it shares the maps with the program under test, and not a line of code: HTTP, signing, protocols,
XML, paging, parents, describing in batches and reading tags are checked by it. Only us-east-1 is asked.
"""

import concurrent.futures
import functools
import json
import re
import sys
from pathlib import Path
from typing import Any, Iterator

import botocore.exceptions
import botocore.parsers
import jmespath
import jmespath.functions
import yaml
from botocore import xform_name

import wire
from lab import ACCOUNT, REGION, client, unrecorded

MAPS = Path(__file__).resolve().parent.parent.parent / "resource-maps"
# Files that are no service's.
OTHERS = ("omitted.yml", "parents.yml", "sessions.yml")
PARTITION = "aws"
THREADS = 4
# The tag that probes whether the server accepts tags.
PROBE = "lab-probe"
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{((?:[^{}'\"`]|'[^']*'|\"[^\"]*\"|`[^`]*`)*)\}")
KEYS, VALUES = ("Key", "key", "TagKey", "tagKey"), ("Value", "value", "TagValue", "tagValue")


class Unsupported(Exception):
    """The server doesn't know a call."""


class Functions(jmespath.functions.Functions):
    """cloud-custodian's split(separator, text), and lower(text)."""

    @jmespath.functions.signature({"types": ["string"]}, {"types": ["string", "null"]})
    def _func_split(self, separator: str, text: str | None) -> list | None:
        return None if text is None else text.split(separator)

    @jmespath.functions.signature({"types": ["string", "null"]})
    def _func_lower(self, text: str | None) -> str | None:
        return None if text is None else text.lower()


OPTIONS = jmespath.Options(custom_functions=Functions())


@functools.cache
def compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def search(expression: str, subject: Any) -> Any:
    return compiled(expression).search(subject, OPTIONS)


# --- Placeholders ---------------------------------------------------------------------------------------------------


def looked_up(name: str, context: dict, item: Any) -> Any:
    if name in context:
        return context[name]
    segments = name.split(".")
    depth = next((n for n, segment in enumerate(segments) if segment != "parent"), len(segments))
    if depth and len(context.get("parents", ())) >= depth:
        # {parent.parent.name}: of what was sent of the parent's own parent, the part called so.
        value = context["parents"][depth - 1]
        return value if depth == len(segments) else value[segments[depth]]
    return search(name, item)


def filled(template: Any, context: dict, item: Any = None) -> Any:
    """A template's value; a text that is one placeholder alone takes the type of what it stands for."""
    if isinstance(template, dict):
        return {filled(k, context, item): filled(v, context, item) for k, v in template.items()}
    if isinstance(template, list):
        return [filled(each, context, item) for each in template]
    if not isinstance(template, str):
        return template
    whole = PLACEHOLDER.fullmatch(template)
    if whole and whole[1] is not None:
        return looked_up(whole[1].rstrip("+"), context, item)
    part = lambda match: match[0][0] if match[1] is None else str(looked_up(match[1].rstrip("+"), context, item))
    return PLACEHOLDER.sub(part, template)


def text_of(stanza: Any, context: dict, item: Any) -> Any:
    """JMESPath on the item, or a template: `{template: …}`, or a text that starts like an ARN."""
    if isinstance(stanza, dict):
        return filled(stanza["template"], context, item)
    if stanza.startswith("arn:"):
        return filled(stanza, context, item)
    found = search(stanza, item)
    return str(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else found


# --- Calls ----------------------------------------------------------------------------------------------------------


class Map:
    """A service's file."""

    def __init__(self, file: Path) -> None:
        self.data = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.service = self.data["service"]

    def region(self, resource: dict) -> str:
        """Where the type is listed."""
        fixed = self.data.get("endpoints", {}).get(PARTITION, {}).get("region")
        return fixed or REGION

    def pages(self, stanza: dict, region: str, context: dict, item: Any = None, more: dict | None = None) -> Iterator[Any]:
        """The answers of a call, page by page."""
        made = client(self.service, region)
        found = wire.operation_of(made.meta.service_model, stanza["call"])
        if found is None:
            raise ValueError(f"botocore has no {stanza['call']}")
        (operation, labels), protocol = found, self.data["protocol"]
        params = filled({**stanza.get("params", {}), **(more or {})}, context, item)
        lacking = [key for key, value in params.items() if value is None]
        if lacking:
            raise Unsupported(f"{operation.name}: the server's items lack what {lacking[0]} takes")
        given = wire.parameters(operation, protocol, filled(labels, context, item), params)
        name = xform_name(operation.name)
        try:
            if made.can_paginate(name) and stanza.get("page"):
                for page in made.get_paginator(name).paginate(**given):
                    yield wire.answer(operation, protocol, page)
                return
            while True:
                page = wire.answer(operation, protocol, getattr(made, name)(**given))
                yield page
                token = search(stanza["page"][1], page) if stanza.get("page") else None
                if not token:
                    return
                given |= wire.parameters(operation, protocol, filled(labels, context, item), {stanza["page"][0]: token})
        except botocore.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code = error.response["Error"].get("Code", "")
            if status >= 500 or code in ("404", "UnknownOperation", "UnknownOperationException", "InvalidAction", "NotImplemented"):
                raise Unsupported(f"{operation.name}: {status}") from error
            raise
        except botocore.parsers.ResponseParserError as error:
            raise Unsupported(f"{operation.name}: no answer of the protocol") from error


class Witness:
    """The maps of a folder."""

    def __init__(self, folder: Path = MAPS) -> None:
        maps = [Map(file) for file in sorted(folder.glob("*.yml")) if file.name not in OTHERS]
        self.maps = {each.service: each for each in maps}
        self.types = {resource["type"]: (each, resource) for each in maps for resource in each.data["resources"]}

    def listable(self) -> list[str]:
        return [name for name, (_, resource) in self.types.items() if "list" in resource]

    # Listing

    def items(self, name: str) -> Iterator[tuple[Any, tuple]]:
        """A type's items, each with what of its parents was sent, the nearest first."""
        each, resource = self.types[name]
        yield from self.listed(each, resource["list"], each.region(resource))

    def listed(self, each: Map, listing: dict, region: str) -> Iterator[tuple[Any, tuple]]:
        for parents in self.parents(each, listing.get("parent"), region):
            waiting = [parents]
            while waiting:
                above = waiting.pop(0)
                for item in self.below(each, listing, region, above):
                    yield item, above
                    below = parent_value(listing["recurse"], item) if "recurse" in listing else None
                    waiting += [(below, *above)] if below is not None else []

    def parents(self, each: Map, parent: dict | None, region: str) -> Iterator[tuple]:
        if parent is None:
            yield ()
            return
        listed = self.items(parent["type"]) if "type" in parent else self.listed(each, parent["list"], region)
        for item, above in listed:
            value = parent_value(parent["value"], item)
            if value is not None:
                yield value, *above

    def below(self, each: Map, listing: dict, region: str, parents: tuple) -> Iterator[Any]:
        """The items below one parent, described, and only those that count."""
        context = context_of(region) | {"parents": parents}
        items = []
        for scope in listing.get("scopes", [{}]):
            if scope.get("region", region) != region:
                continue
            try:
                for page in each.pages(listing, region, context, None, scope.get("params")):
                    items += search(listing["items"], page) or []
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] not in listing.get("absent", []):
                    raise
        if "describe" in listing:
            items = list(self.described(each, listing["describe"], region, context, items))
        for item in items:
            if "where" not in listing or search(listing["where"], item) is True:
                yield item

    def described(self, each: Map, describe: dict, region: str, context: dict, items: list) -> Iterator[Any]:
        size = describe.get("batch", 1)
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            item = batch[0] if size == 1 else None
            for page in each.pages(describe, region, context | {"items": batch}, item):
                found = search(describe["items"], page)
                yield from found if isinstance(found, list) else [] if found is None else [found]

    # Identity and tags

    def testimony(self, name: str) -> dict:
        """`resources`: [id, ARN, tags] of each live one; tags are null where `unsupported` says why the server has none."""
        each, resource = self.types[name]
        found = self.identified(name)
        outcome = {}
        try:
            tags = self.tags(each, resource, each.region(resource), found)
        except Unsupported as error:
            tags, outcome = [None] * len(found), {"unsupported": str(error)}
        resources = [[context["id"], context["arn"], read] for (context, _), read in zip(found, tags)]
        return outcome | {"resources": sorted(resources, key=repr)}

    def identified(self, name: str) -> list[tuple[dict, Any]]:
        """Each live resource's context, with its id and ARN, and its item."""
        each, resource = self.types[name]
        region = each.region(resource)
        found = []
        for item, parents in self.items(name):
            own = search(resource["region"], item) if "region" in resource else None
            context = context_of(own or region) | {"parents": parents}
            context["id"] = text_of(resource["id"], context, item)
            context["arn"] = text_of(resource["arn"], context, item) if "arn" in resource else None
            if "write" in resource and not context["arn"]:
                raise Unsupported(f"{resource['list']['call']}: the server's items lack the ARN")
            found.append((context, item))
        return found

    def tags(self, each: Map, resource: dict, region: str, found: list[tuple[dict, Any]]) -> list[dict | None]:
        stanza = resource.get("tags", {})
        if "path" in stanza:
            return [as_tags(search(stanza["path"], item)) for _, item in found]
        if "call" not in stanza:
            return self.by_tagging_api(stanza, region, [context for context, _ in found])
        if stanza.get("batch", 1) > 1:
            return self.batched(each, stanza, region, [context for context, _ in found])
        return [self.of_one(each, stanza, context, item) for context, item in found]

    def by_tagging_api(self, stanza: dict, region: str, contexts: list[dict]) -> list[dict | None]:
        """From GetResources, where no other call has the tags."""
        if "rgta" not in stanza:
            return [None] * len(contexts)
        pages = client("resourcegroupstaggingapi", region).get_paginator("get_resources").paginate(ResourceTypeFilters=[stanza["rgta"]])
        found = {entry["ResourceARN"]: as_tags(entry["Tags"]) for page in pages for entry in page["ResourceTagMappingList"]}
        return [found.get(context["arn"], {}) for context in contexts]

    def of_one(self, each: Map, stanza: dict, context: dict, item: Any) -> dict:
        found: dict = {}
        try:
            for page in each.pages(stanza, context["region"], context, item):
                found |= as_tags(search(stanza["items"], page))
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in stanza.get("absent", []):
                raise
        return found

    def batched(self, each: Map, stanza: dict, region: str, contexts: list[dict]) -> list[dict]:
        wanted = "id" if "{ids}" in json.dumps(stanza["params"]) else "arn"
        found: dict = {}
        for start in range(0, len(contexts), stanza["batch"]):
            keys = [context[wanted] for context in contexts[start : start + stanza["batch"]]]
            for page in each.pages(stanza, region, context_of(region) | {wanted + "s": keys}):
                for entry in search(stanza["items"], page) or []:
                    found[entry["key"]] = as_tags(entry["tags"])
        return [found.get(context[wanted], {}) for context in contexts]


def context_of(region: str) -> dict:
    return {"account": ACCOUNT, "region": region, "partition": PARTITION}


def parent_value(stanza: Any, item: Any) -> Any:
    if not isinstance(stanza, dict):
        return search(stanza, item)
    values = {name: search(expression, item) for name, expression in stanza.items()}
    return values if all(value is not None for value in values.values()) else None


def as_tags(found: Any) -> dict[str, str]:
    if isinstance(found, dict):
        return {k: "" if v is None else v for k, v in found.items()}
    first = lambda entry, names: next((entry[name] for name in names if name in entry), None)
    return {first(entry, KEYS): first(entry, VALUES) or "" for entry in found or []}


def testimony(witness: Witness, name: str) -> dict:
    """`{resources}` of a type (with `unsupported` where tags can't be read), `{unsupported}` alone where it can't be listed, or
    `{failed}`."""
    for is_last in (False, True):
        try:
            outcome = witness.testimony(name)
        except Unsupported as error:
            outcome = {"unsupported": str(error)}
        except Exception as error:  # a map that botocore does not take, or a refusal: the test names the type
            outcome = {"failed": f"{type(error).__name__}: {error}"}
        # moto stumbles over the first two calls of a service when they come at once.
        if is_last or "resources" in outcome and "unsupported" not in outcome:
            return outcome
    raise AssertionError("the last round returns")


def everything(types: list[str] | None = None, threads: int = THREADS) -> dict[str, dict]:
    """The testimony of each type (default: all that can be listed)."""
    witness = Witness()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        names = types if types is not None else witness.listable()
        return dict(zip(names, pool.map(functools.partial(testimony, witness), names)))


def refusal(name: str, ident: str) -> str | None:
    """Why the server does not take a tag on a resource by the map's own call, or what it does with it; None: it takes and shows it."""
    witness = Witness()
    each, resource = witness.types[name]
    context, item = next((context, item) for context, item in witness.identified(name) if context["id"] == ident)
    (before,) = witness.tags(each, resource, context["region"], [(context, item)])
    write = resource["write"] if isinstance(resource["write"], dict) else {"method": resource["write"]}
    call = write.get("call", {"ec2": "CreateTags", "stack-update": "UpdateStack"}.get(write["method"]))
    if call is None:
        return "TagResources alone can tag it"
    params = write.get("params", {"ResourceId": ["{id}"], "Tag": [{"Key": "{key}", "Value": "{value}"}]})
    pairs = [{"Key": k, "Value": v} for k, v in {**before, PROBE: "1"}.items()]
    writer = witness.maps[write.get("service", each.service)]
    try:
        with unrecorded():
            list(writer.pages({"call": call, "params": params}, context["region"], context | {"key": PROBE, "value": "1", "tags": pairs}, item))
    except Unsupported as error:
        return str(error)
    except botocore.exceptions.ClientError as error:
        return f"{call}: {error.response['Error']['Code']}"
    outcome = {ident: tags for ident, _, tags in witness.testimony(name)["resources"]}
    return None if PROBE in outcome[ident] else f"{call} is taken, and the tag is not shown"


if __name__ == "__main__":
    json.dump(everything(sys.argv[1:] or None), sys.stdout, indent=1, default=str)
