"""Checks a Terraform file, as far as that works without Terraform and its provider: it parses, every variable, local value, data
source and resource that it refers to is declared, and every variable is used. Prints the number of resources of each type as JSON.

Usage: python terraform.py FILE
"""

import collections
import json
import re
import sys

import hcl2

REFERENCE = re.compile(r"(?<![\w.-])(?:(var|local)\.(\w+)|(data\.)?(aws_\w+)\.(\w+))")


def code(text):
    """The text without comments and without what is in quotes, but with the expressions in it."""
    kept, modes, at = [], ["code"], 0
    while at < len(text):
        here, pair = text[at], text[at : at + 2]
        step = 1
        if modes[-1] == "string":
            if here == "\\" or pair == "$$":
                step = 2
            elif pair == "${":
                modes.append("code")
                kept.append(" ")
                step = 2
            elif here == '"':
                modes.pop()
        elif here == "#":
            step = text.index("\n", at) - at
        elif here == '"':
            modes.append("string")
        elif here == "}" and len(modes) > 1:
            modes.pop()
        else:
            if here == "{":
                modes.append("code")
            kept.append(here)
        at += step
    return "".join(kept)


def plain(name):
    return name.strip('"')


def blocks(document, kind):
    return [{plain(name): value for name, value in block.items()} for block in document.get(kind, [])]


def labelled(document, kind):
    for block in blocks(document, kind):
        for label, named in block.items():
            for name in named:
                yield label, plain(name)


def main(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    document = hcl2.loads(text)
    resources = list(labelled(document, "resource"))
    declared = {("var", name) for block in blocks(document, "variable") for name in block}
    declared |= {("local", name) for block in blocks(document, "locals") for name in block if not name.startswith("__")}
    declared |= {(f"data.{label}", name) for label, name in labelled(document, "data")}
    declared |= set(resources)
    used = set()
    for kind, name, data, label, of_label in REFERENCE.findall(code(text)):
        used.add((kind, name) if kind else (data + label, of_label))
    problems = [f"{kind}.{name} is not declared" for kind, name in sorted(used - declared)]
    problems += [f"variable {name} is not used" for kind, name in sorted(declared - used) if kind == "var"]
    doubled = [item for item, count in collections.Counter(resources).items() if count > 1]
    problems += [f"{label}.{name} is declared twice" for label, name in doubled]
    if problems:
        sys.exit("\n".join(problems))
    print(json.dumps(collections.Counter(label for label, _ in resources)))


main(sys.argv[1])
