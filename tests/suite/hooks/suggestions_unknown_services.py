"""Refuses what moto lacks: services, and calls that it is asked again. Its own answer to both is a server error, which the program sends again
with growing pauses."""

import pkgutil

import moto

KNOWN = {module.name for module in pkgutil.iter_modules(moto.__path__)}
seen = set()


def before(entry, environ):
    call = (entry["service"], entry["method"], entry["path"], entry["query"], entry["body"])
    is_new = call not in seen
    seen.add(call)
    # STS and the creation of the lab's own resources are asked as often as they need.
    if entry["service"] == "sts" or (is_new and entry["service"].replace("-", "") in KNOWN):
        return None
    return 400, "application/json", '{"__type": "UnknownOperationException", "message": "not in moto"}'
