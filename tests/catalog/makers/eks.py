"""Clusters."""

from lab import base, client, maker


@maker("eks")
def cluster(name, tags):
    client("eks").create_cluster(name=name, roleArn=base().role, resourcesVpcConfig={"subnetIds": base().subnets}, tags=tags)
    return name
