"""Portals."""

from lab import client, given, maker, pairs


@maker("workspaces-web")
def portal(name, tags):
    return client("workspaces-web").create_portal(**given(tags, displayName=name, tags=pairs(tags)))["portalArn"]
