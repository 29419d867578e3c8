"""Checks resource maps (docs/resource-maps.md) against botocore's API models: `check_maps.py FOLDER`.

Prints a line for each thing that is wrong and ends with 1, or says how many types it checked. Shares no code with the
program under test. What it can't know: whether AWS behaves as its models say.
"""

import functools
import re
import sys
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import yaml

from paths import Wrong, result_type
from shapes import ANY, SCALAR, Either, List, Map, Struct, answer, parameter_name, record, rules
from wire import operation_of

SESSION = botocore.session.get_session()
# EC2's CreateTags and the Tagging API need nothing of the map; a stack's update is the program's own.
WITHOUT_CALL = ("ec2", "stack-update")
# Calls with a token that all the same answer at once: a key has no more tags than a page, ListTags' token is reserved.
ONE_PAGE = {("ListResourceTags", "NextMarker"), ("ListTags", "NextToken")}
# Files that are no service's.
OTHERS = ("omitted.yml", "parents.yml", "sessions.yml")
# How a parameter is marked that does not go into the body.
PREFIXES = {None: "", "querystring": "?", "header": "^"}
# A region of each partition, for endpoints that follow the region.
SOME_REGION = {
    "aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-iso": "us-iso-east-1", "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1", "aws-iso-f": "us-isof-south-1", "aws-eusc": "eusc-de-east-1",
}
# Headers that every SDK sends, although no model has them.
SENT_BY_SDKS = {("glacier", "^x-amz-glacier-version")}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# The domains of partitions with regions outside amazonaws.com.
SUFFIX = {"aws-cn": "amazonaws.com.cn"}
KEYS = {"Key", "key", "TagKey", "tagKey"}
# Services that log under a source that their own names don't begin with.
SAME_SOURCE = {
    "elasticloadbalancing": ("elb", "elbv2"), "rds": ("docdb", "neptune"), "es": ("opensearch",), "monitoring": ("cloudwatch",), "states": ("stepfunctions",),
    "elasticfilesystem": ("efs",), "elasticmapreduce": ("emr",), "airflow": ("mwaa",), "aoss": ("opensearchserverless",),
    "mobiletargeting": ("pinpoint",), "tagging": ("resourcegroupstaggingapi",), "servicecatalog": ("servicecatalog-appregistry",),
}
PLACEHOLDER = re.compile(r"^\{[^{}]*\}$")


@functools.cache
def model(service: str) -> Any:
    return SESSION.get_service_model(service)


@functools.cache
def client(service: str, region: str) -> Any:
    return SESSION.create_client(service, region_name=region, aws_access_key_id="-", aws_secret_access_key="-")


def endpoint_of(service: str, region: str) -> tuple[str, str, str]:
    """Where calls go, the region to sign for, and the partition: by the service's rules, which its client only asks for each call."""
    made = client(service, region)
    signing_region = made._request_signer.region_name
    try:
        found = made._ruleset_resolver._provider.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False)
    except botocore.exceptions.EndpointProviderError:
        return made.meta.endpoint_url, signing_region, made.meta.partition  # rules that need a call's parameters
    schemes = (found.properties or {}).get("authSchemes", [])
    return found.url, next((scheme["signingRegion"] for scheme in schemes if "signingRegion" in scheme), region), made.meta.partition


@functools.cache
def present_in(service: str) -> list[str]:
    """The partitions of public regions that have a service."""
    return [partition for partition in ("aws", "aws-cn", "aws-us-gov") if SESSION.get_available_regions(service, partition)]


class Checker:
    """One service's file."""

    def __init__(self, file: Path) -> None:
        self.file = file.name
        self.path_of_file = file
        self.problems: list[str] = []
        self.text = file.read_text()
        self.map = yaml.load(self.text, LOADER)
        self.service = model(self.map["service"])
        self.protocol = self.map["protocol"]
        self.where = ""

    def wrong(self, place: str, message: str) -> None:
        self.problems.append(f"{self.file}: {self.where}{place}: {message}")

    def path(self, place: str, expression: str, subject: Any) -> Any:
        try:
            return result_type(expression, subject)
        except Wrong as error:
            self.wrong(place, f"{expression}: {error}")
        except Exception as error:  # jmespath's own
            self.wrong(place, f"{expression}: {error}")
        return ANY

    def check(self, types: dict[str, tuple["Checker", dict]]) -> None:
        self.metadata()
        self.reasons()
        for resource in self.map["resources"]:
            self.where = f"{resource['type']}: "
            for event in resource["events"]:
                self.event(event, event.get("doubts"))
            for event in resource.get("deletes", []):
                self.event(event, resource.get("doubts"))
            for event in resource.get("renames", []):
                for name in ("from", "to"):
                    self.event(event | {"ids": event[name]}, event.get("doubts"))
            if "list" not in resource:
                continue
            item = self.listing(resource, types)
            self.identity(resource, item)
            if "tags" in resource:
                self.tags(resource["tags"], item)
            self.write(resource.get("write"), item)

    def reasons(self) -> None:
        """A type that can't be tagged says why, in a comment of its stanza or of the file's head."""
        stanzas = re.split(r"^  - type: *", self.text, flags=re.MULTILINE)[1:]
        for resource, stanza in zip(self.map["resources"], stanzas, strict=True):
            if "write" not in resource and "# No write: " not in stanza:
                self.where = f"{resource['type']}: "
                self.wrong("write", "missing: a comment `# No write: …` in the stanza must say why")

    def metadata(self) -> None:
        facts = self.service.metadata
        prefix = facts["endpointPrefix"]
        signing = facts.get("signingName", prefix)
        protocols = facts.get("protocols", [facts["protocol"]])
        endpoint = self.map.get("endpoint", self.map["service"])
        sdk_id = self.map.get("sdk_id", self.map["service"].replace("-", " "))
        # A call's own parameter may stand in the host's name.
        endpoint = re.sub(r"^\{\^[^}]*\}\.", "", endpoint)
        expected = {"endpoint": prefix, "signing": signing, "sdk_id": facts["serviceId"].lower()}
        found = {"endpoint": endpoint, "signing": self.map.get("signing", endpoint), "sdk_id": sdk_id.lower()}
        if self.protocol == "json":
            expected |= {"target": facts["targetPrefix"], "json": facts["jsonVersion"]}
            found |= {"target": self.map.get("target"), "json": self.map.get("json")}
        if self.protocol in ("query", "ec2"):
            expected["version"], found["version"] = facts["apiVersion"], self.map.get("version")
        usual = rules.event_source(self.service)
        expected["event_source"], found["event_source"] = usual, self.event_source()
        if self.protocol not in protocols:
            self.wrong("protocol", f"{self.protocol} is none of {protocols}")
        for key, value in expected.items():
            if found[key] != value:
                self.wrong(key, f"{found[key]!r} should be {value!r}")
        self.endpoints(prefix)

    def endpoints(self, prefix: str) -> None:
        fixed = self.map.get("endpoints", {})
        required = self.service.endpoint_discovery_required and self.service.endpoint_discovery_operation.name
        for partition in {"aws", *present_in(self.map["service"])}:
            if fixed.get(partition, {}).get("discovery", False) != required:
                self.wrong(f"endpoints.{partition}.discovery", f"should be {required}")
        for partition, endpoint in fixed.items():
            region = endpoint.get("region", SOME_REGION[partition])
            actual = endpoint_of(self.map["service"], region)
            if not same_host(self.service, endpoint["url"].replace("{region}", region), actual[0]) or actual[1:] != (region, partition):
                self.wrong(f"endpoints.{partition}", f"{endpoint} should be {actual}")
        for partition in {"aws", *present_in(self.map["service"])} - set(fixed):
            region = SOME_REGION[partition]
            usual = endpoint_of(self.map["service"], region)[0]
            if usual != f"https://{prefix}.{region}.{SUFFIX.get(partition, 'amazonaws.com')}":
                self.wrong(f"endpoints.{partition}", f"missing: in {region} it is {usual}")

    def event_source(self) -> str:
        """The eventSource of the file's events."""
        return self.map.get("event_source", self.map.get("signing", self.map.get("endpoint", self.map["service"])) + ".amazonaws.com")

    def event(self, event: dict, doubts: str | None) -> None:
        """An event must be an operation, its ids in what CloudTrail logs of it; or the map says why that is not known (`doubts`: the
        event's own, or for a delete the type's)."""
        place = f"event {event['event']}"
        operations = operations_of_event(self, event)
        if not operations:
            if not doubts:
                self.wrong(place, f"no such operation of {event.get('service', self.event_source())}; if it is one all the same: `doubts`")
            return
        # Two services can share a source and a name (the versions of one API): the path has to suit one of them.
        problems = []
        for operation in operations:
            try:
                result_type(event["ids"], record(operation.service_model.service_name, operation))
                return
            except Exception as error:
                problems.append(str(error))
        if not doubts:
            self.wrong(place, f"{event['ids']}: {problems[0]}")

    def operation(self, place: str, call: str) -> Any:
        """The model of `Operation`, or of the one that `METHOD /path` belongs to."""
        found = operation_of(self.service, call)
        if found is None:
            return self.wrong(place, f"no operation {call}" if " " not in call else f"no operation has {call}")
        return found[0]

    def request(self, place: str, call: str, params: dict, extra: list[str] = ()) -> Any:
        """Checks a call and its input; gives the answer's type. `extra` are parameters that paging adds."""
        operation = self.operation(place, call)
        if operation is None:
            return ANY
        shape = operation.input_shape
        members = shape.members if shape is not None else {}
        known, labels = {}, 0
        for name, member in members.items():
            location = member.serialization.get("location")
            labels += location == "uri"
            if location in PREFIXES:
                key = parameter_name(name, member, self.protocol)
                known[PREFIXES[location] + key] = (name, member)
        if self.protocol == "rest-xml":
            params = self.unwrapped(params, shape)
        for key in [*params, *extra]:
            if (self.map["service"], key) in SENT_BY_SDKS:
                continue
            if key not in known:
                self.wrong(place, f"{operation.name} takes no {key!r}, only {sorted(known)}")
            elif key in params:
                self.value(f"{place}.{key}", params[key], known[key][1])
        given = {known[key][0] for key in params if key in known}
        missing = [
            name for name in (shape.required_members if shape is not None else [])
            if name not in given and members[name].serialization.get("location") != "uri"
        ]
        if missing:
            self.wrong(place, f"{operation.name} needs {missing}")
        return answer(operation.output_shape, self.protocol)

    @staticmethod
    def unwrapped(params: dict, shape: Any) -> dict:
        """The input without the element that is the root of its document, where that is no parameter itself."""
        root = shape.serialization.get("name") if shape is not None and "payload" not in shape.serialization else None
        inner = params.get(root, {})
        return {key: value for key, value in params.items() if key != root} | inner

    def value(self, place: str, value: Any, shape: Any) -> None:
        """Checks a parameter's value, placeholders standing for anything."""
        if isinstance(value, str) and PLACEHOLDER.match(value):
            return
        kind = shape.type_name
        if kind == "list":
            self.list_value(place, value, shape)
        elif kind == "map":
            if not isinstance(value, dict):
                self.wrong(place, "an object is needed")
        elif kind == "structure":
            if not isinstance(value, dict):
                return self.wrong(place, "an object is needed")
            known = {parameter_name(name, member, self.protocol): member for name, member in shape.members.items()}
            for key, part in value.items():
                if key in known:
                    self.value(f"{place}.{key}", part, known[key])
                else:
                    self.wrong(place, f"{shape.name} has no {key!r}, only {sorted(known)}")
        else:
            self.scalar(place, value, shape)

    def list_value(self, place: str, value: Any, shape: Any) -> None:
        in_query = place.rsplit(".", 1)[-1].startswith("?")
        if in_query and not isinstance(value, list):
            return self.value(place, value, shape.member)
        if not in_query and self.protocol in ("query", "rest-xml") and not shape.serialization.get("flattened"):
            name = shape.member.serialization.get("name", "member")
            if not isinstance(value, dict) or set(value) != {name}:
                return self.wrong(place, f"a list is written {{{name}: [...]}} here")
            value = value[name]
        if isinstance(value, str) and PLACEHOLDER.match(value):
            return
        if not isinstance(value, list):
            return self.wrong(place, "a list is needed")
        for part in value:
            self.value(place, part, shape.member)

    def scalar(self, place: str, value: Any, shape: Any) -> None:
        wanted = {"integer": int, "long": int, "boolean": bool}.get(shape.type_name, str)
        if type(value) is not wanted:
            return self.wrong(place, f"{value!r} should be of type {shape.type_name}")
        if getattr(shape, "enum", None) and value not in shape.enum:
            self.wrong(place, f"{value!r} is none of {shape.enum}")
        limits = shape.metadata
        if wanted is int and not limits.get("min", value) <= value <= limits.get("max", value):
            self.wrong(place, f"{value} is not within {limits['min']} and {limits['max']}")

    def listing(self, resource: dict, types: dict[str, tuple["Checker", dict]]) -> Any:
        """Checks how a type is listed; gives the item's type."""
        listing = resource["list"]
        page = listing.get("page")
        scopes = [scope.get("params", {}) for scope in listing.get("scopes", [{}])]
        for params in scopes:
            answered = self.request("list", listing["call"], listing.get("params", {}) | params, page[:1] if page else [])
        items = self.list_of("list.items", listing["items"], answered)
        if page and self.path("list.page", page[1], answered) not in (SCALAR, ANY):
            self.wrong("list.page", f"{page[1]} is no token")
        if not page:
            self.unpaged("list.page", listing["call"], answered)
        if "describe" in listing:
            describe = listing["describe"]
            answered = self.request("describe", describe["call"], describe["params"])
            items = self.list_of("describe.items", describe["items"], answered)
        if "where" in listing:
            self.path("list.where", listing["where"], items)
        if "parent" in listing:
            self.parent(listing["parent"], types)
        return items

    def parent(self, parent: dict, types: dict[str, tuple["Checker", dict]]) -> None:
        """Checks what is sent of a parent: a type's item, or one that is listed in place."""
        if "list" in parent:
            above = self.listing(parent, types)
        else:
            checker, resource = types[parent["type"]]
            above = checker.listing(resource, types)
        values = parent["value"] if isinstance(parent["value"], dict) else {"": parent["value"]}
        for value in values.values():
            if not value.startswith("{"):
                self.path("list.parent", value, above)

    def unpaged(self, place: str, call: str, answered: Any) -> None:
        """A call with a token in its response must follow it."""
        names = answered.names() if isinstance(answered, Struct) else []
        tokens = [name for name in names if re.search("token|marker", name, re.IGNORECASE)]
        if tokens and (call, *tokens) not in ONE_PAGE:
            self.wrong(place, f"missing: the answer of {call} has {tokens}")

    def list_of(self, place: str, expression: str, subject: Any) -> Any:
        found = self.path(place, expression, subject)
        if isinstance(found, (List, Either)):
            return found.element
        if found is not ANY:
            self.wrong(place, f"{expression} is no list")
        return ANY

    def identity(self, resource: dict, item: Any) -> None:
        for key in ("id", "region"):
            if isinstance(resource.get(key), str) and self.path(key, resource[key], item) not in (SCALAR, ANY):
                self.wrong(key, f"{resource[key]} is no single value")
        for place in ("arn", "id", "names", "made_with"):
            given = resource.get(place, [])
            for value in given if isinstance(given, list) else [given]:
                self.identifier(place, value, item)
        for rule in resource.get("parents", []):
            found = self.path("parents", rule["id"], item)
            if (found.element if isinstance(found, (List, Either)) else found) not in (SCALAR, ANY):
                self.wrong("parents", f"{rule['id']} is neither a value nor a list of them")

    def identifier(self, place: str, value: Any, item: Any) -> None:
        """JMESPath on the item, or a template."""
        text = value["template"] if isinstance(value, dict) else value
        templated = isinstance(value, dict) or (place == "arn" and text.startswith("arn:"))
        for expression in placeholders(text) if templated else [text]:
            if expression not in ("partition", "region", "account", "id") and not expression.startswith("parent"):
                self.path(place, expression, item)

    def tags(self, tags: dict, item: Any) -> None:
        if "path" in tags:
            self.tag_list("tags.path", self.path("tags.path", tags["path"], item))
        elif "call" not in tags:
            self.wrong("tags", "nothing proves that a tag is absent: `path` or `call` must")
        if "call" not in tags:
            return
        page = tags.get("page")
        answered = self.request("tags", tags["call"], tags.get("params", {}), page[:1] if page else [])
        if page and self.path("tags.page", page[1], answered) not in (SCALAR, ANY):
            self.wrong("tags.page", f"{page[1]} is no token")
        if not page:
            self.unpaged("tags.page", tags["call"], answered)
        found = self.path("tags.items", tags["items"], answered)
        if "otherwise" in tags:
            self.other_reading(tags["otherwise"])
        if "batch" not in tags:
            return self.tag_list("tags.items", found)
        entry = found.element if isinstance(found, List) else ANY
        for key in ("key", "tags"):
            self.path("tags.items", key, entry)
        self.tag_list("tags.items", self.path("tags.items", "tags", entry))

    def tag_list(self, place: str, kind: Any) -> None:
        if isinstance(kind, Map) or kind is ANY:
            return
        element = kind.element if isinstance(kind, List) else None
        if not isinstance(element, Struct) or not KEYS & set(element.names()):
            self.wrong(place, f"these are no tags: {kind}")

    def write(self, write: Any, item: Any) -> None:
        if write is None or write in WITHOUT_CALL:
            return
        if write == "rgta":
            write = {"method": "rgta"}
        if "when" in write:
            self.path("write.when", write["when"], item)
        if "call" not in write:
            own = [name for name in self.service.operation_names if re.match("(Add)?Tag", name)]
            if write["method"] not in WITHOUT_CALL and own:
                self.wrong("write", "the service's own call is missing: RGTA does not take every resource")
            return
        self.calls_that_write("write", write)
        if "otherwise" in write:
            self.calls_that_write("write.otherwise", write["otherwise"])

    def calls_that_write(self, place: str, write: dict) -> None:
        checker = self.of_service(write)
        checker.request(place, write["call"], write.get("params", {}))
        if "remove" in write:
            checker.request(f"{place}.remove", write["remove"]["call"], write["remove"].get("params", {}))
        elif "{tags}" not in str(write["params"]):
            self.wrong(f"{place}.remove", "missing: the call does not replace all tags")

    def other_reading(self, tags: dict) -> None:
        checker = self.of_service(tags)
        answered = checker.request("tags.otherwise", tags["call"], tags.get("params", {}))
        self.tag_list("tags.otherwise.items", checker.path("tags.otherwise.items", tags["items"], answered))

    def of_service(self, stanza: dict) -> "Checker":
        """The checker of the service that a stanza calls; what is wrong is said here."""
        if stanza.get("service", self.map["service"]) == self.map["service"]:
            return self
        other = Checker(self.path_of_file.with_name(f"{stanza['service']}.yml"))
        other.file, other.where, other.problems = self.file, self.where, self.problems
        return other


def same_host(service: Any, url: str, usual: str) -> bool:
    """Whether a map's endpoint is the model's, or one below it that operations have (`api.`, `cp.`)."""
    endpoints = (service.operation_model(name).endpoint or {} for name in service.operation_names)
    prefixes = {endpoint.get("hostPrefix", "") for endpoint in endpoints} - {""}
    return url == usual or any(url == usual.replace("https://", f"https://{prefix}") for prefix in prefixes)


@functools.cache
def sharers(source: str) -> list[str]:
    """The services with events of this eventSource. Only services with a name or endpoint that could give it are examined."""
    first = source.split(".")[0]
    hints = {first, *(service for service, named in rules.EVENT_SOURCES.items() if named == first), *SAME_SOURCE.get(first, ())}
    known = [name for name in SESSION.get_available_services() if name in hints or name.startswith(first)]
    return [name for name in known if rules.event_source(model(name)) == source]


def operations_of_event(checker: Checker, event: dict) -> list[Any]:
    """The operations that an event can stand for: of the map's service, or of those that log under its event source."""
    source, name = event.get("service", checker.event_source()), event["event"]
    own = [checker.map["service"]] if source == checker.event_source() else []
    services = dict.fromkeys([*own, *sharers(source)])
    return [model(service).operation_model(name) for service in services if name in model(service).operation_names]


def checkers_of(folder: Path) -> list[Checker]:
    return [Checker(file) for file in sorted(folder.glob("*.yml")) if file.name not in OTHERS]


def placeholders(template: str) -> list[str]:
    """What is between braces; the maps' ARNs have none within quotes."""
    return re.findall(r"\{([^{}]*)\}", template)


def main(folder: Path) -> int:
    checkers = checkers_of(folder)
    types = {resource["type"]: (checker, resource) for checker in checkers for resource in checker.map["resources"]}
    for checker in checkers:
        checker.check(types)
    problems = list(dict.fromkeys(problem for checker in checkers for problem in checker.problems))
    print("\n".join(problems) if problems else f"{len(types)} types agree with botocore {botocore.__version__}")
    return 1 if problems or not types else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
