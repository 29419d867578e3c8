"""DynamoDB's accelerators."""

from lab import base, client, given, maker, pairs


@maker("dax")
def accelerator(name, tags):
    client("dax").create_cluster(**given(
        tags, ClusterName=name, NodeType="dax.t3.small", ReplicationFactor=1, IamRoleArn=base().role, Tags=pairs(tags)))
    return name
