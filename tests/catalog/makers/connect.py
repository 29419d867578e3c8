"""Instances."""

from lab import client, given, maker


@maker("connect-instance")
def instance(name, tags):
    return client("connect").create_instance(**given(
        tags, InstanceAlias=name, IdentityManagementType="CONNECT_MANAGED", InboundCallsEnabled=True, OutboundCallsEnabled=True, Tags=tags))["Id"]
