"""Domains."""

from lab import client, given, maker, pairs


@maker("swf-domain")
def domain(name, tags):
    client("swf").register_domain(**given(
        tags, name=name, workflowExecutionRetentionPeriodInDays="1", tags=pairs(tags, "key", "value")))
    return name
