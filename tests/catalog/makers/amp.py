"""Prometheus: workspaces and groups of rules."""

from lab import client, given, maker, shared


def new_workspace(name, tags):
    return client("amp").create_workspace(**given(tags, alias=name, tags=tags))["workspaceId"]


@maker("amp-workspace")
def workspace(name, tags):
    return new_workspace(name, tags)


@shared
def shared_workspace():
    return new_workspace("base", {})


@maker("amp-rule-groups-namespace")
def rules(name, tags):
    made = client("amp").create_rule_groups_namespace(**given(tags, workspaceId=shared_workspace(), name=name, data=b"groups: []", tags=tags))
    return made["arn"]
