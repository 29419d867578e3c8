"""Checks a JMESPath expression on a type: every field it reads must be there. Gives the type of its result.

Knows JMESPath and `shapes`' types only.
"""

from typing import Any

import jmespath.parser

from shapes import ANY, SCALAR, Either, List, Map, Struct


class Wrong(Exception):
    """What is wrong with a path."""


def result_type(expression: str, subject: Any) -> Any:
    """The type of `expression` on `subject`; raises Wrong."""
    return walk(jmespath.parser.Parser().parse(expression).parsed, subject)


def walk(node: dict, subject: Any) -> Any:
    return NODES[node["type"]](node, subject)


def field_of(node: dict, subject: Any) -> Any:
    key = node["value"]
    if subject is ANY:
        return ANY
    if isinstance(subject, Map):
        return subject.value
    if isinstance(subject, Struct):
        found = subject.get(key)
        if found is None:
            raise Wrong(f"{subject.name} has no {key!r}, only {', '.join(subject.names())}")
        return found
    kind = "an object or an array: use to_array()" if isinstance(subject, Either) else "a list or a single value"
    raise Wrong(f"{key!r} is looked for in {kind}")


def element_of(subject: Any) -> Any:
    if isinstance(subject, List):
        return subject.element
    if subject is ANY:
        return ANY
    raise Wrong("a list is needed here" + (": use to_array()" if isinstance(subject, Either) else ""))


def sequence(node: dict, subject: Any) -> Any:
    for child in node["children"]:
        subject = walk(child, subject)
    return subject


def projection(node: dict, subject: Any) -> Any:
    left, right = node["children"]
    return List(walk(right, element_of(walk(left, subject))))


def flatten(node: dict, subject: Any) -> Any:
    outer = element_of(walk(node["children"][0], subject))
    return List(outer.element if isinstance(outer, List) else outer)


def filter_projection(node: dict, subject: Any) -> Any:
    left, right, condition = node["children"]
    element = element_of(walk(left, subject))
    walk(condition, element)
    return List(walk(right, element))


def alternatives(node: dict, subject: Any) -> Any:
    kinds = [walk(child, subject) for child in node["children"]]
    return next((kind for kind in kinds if kind is not ANY), ANY)


def both(node: dict, subject: Any) -> Any:
    return [walk(child, subject) for child in node["children"]][-1]


def yes_or_no(node: dict, subject: Any) -> Any:
    for child in node["children"]:
        walk(child, subject)
    return SCALAR


def function(node: dict, subject: Any) -> Any:
    name, kinds = node["value"], [walk(child, subject) for child in node["children"]]
    if name == "to_array":
        kind = kinds[0]
        return kind if isinstance(kind, List) else List(kind.element if isinstance(kind, Either) else kind)
    if name == "not_null":
        return kinds[0]
    return List(SCALAR) if name == "split" else SCALAR


def literal(node: dict, subject: Any) -> Any:
    return List(ANY) if isinstance(node["value"], list) else SCALAR


def pairs(node: dict, subject: Any) -> Any:
    made = {pair["value"]: walk(pair["children"][0], subject) for pair in node["children"]}
    return Struct("object", {key: (lambda kind=kind: kind) for key, kind in made.items()})


def several(node: dict, subject: Any) -> Any:
    kinds = [walk(child, subject) for child in node["children"]]
    return List(kinds[0] if all(kind is SCALAR for kind in kinds) else ANY)


NODES = {
    "field": field_of,
    "subexpression": sequence,
    "pipe": sequence,
    "index_expression": sequence,
    "index": lambda node, subject: element_of(subject),
    "slice": lambda node, subject: subject,
    "projection": projection,
    "flatten": flatten,
    "filter_projection": filter_projection,
    "or_expression": alternatives,
    "and_expression": both,
    "not_expression": yes_or_no,
    "comparator": yes_or_no,
    "function_expression": function,
    "literal": literal,
    "multi_select_dict": pairs,
    "multi_select_list": several,
    "current": lambda node, subject: subject,
    "identity": lambda node, subject: subject,
}
