"""Domains."""

from lab import client, given, maker, pairs


@maker("elasticsearch")
def domain(name, tags):
    client("opensearch").create_domain(**given(tags, DomainName=name, TagList=pairs(tags)))
    return name
