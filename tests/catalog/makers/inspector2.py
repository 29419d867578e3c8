"""Filters of findings."""

from lab import client, given, maker


@maker("inspector2-filter")
def finding_filter(name, tags):
    criteria = {"severity": [{"comparison": "EQUALS", "value": "LOW"}]}
    return client("inspector2").create_filter(**given(tags, name=name, action="NONE", filterCriteria=criteria, tags=tags))["arn"]
