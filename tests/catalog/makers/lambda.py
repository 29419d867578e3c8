"""Functions."""

from lab import base, client, maker


@maker("lambda")
def function(name, tags):
    client("lambda").create_function(FunctionName=name, Role=base().role, Runtime="python3.13", Handler="main.handler",
                                     Code={"ZipFile": base().code}, Tags=tags)
    return name
