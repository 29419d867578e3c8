"""Parameters."""

from lab import client, maker, pairs


@maker("ssm-parameter", prefix="/lab/")
def parameter(name, tags):
    client("ssm").put_parameter(Name=name, Value="x", Type="String", Tags=pairs(tags))
    return name
