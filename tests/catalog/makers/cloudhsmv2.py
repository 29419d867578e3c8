"""Clusters."""

from lab import base, client, given, maker, pairs


@maker("cloudhsm-cluster")
def cluster(name, tags):
    made = client("cloudhsmv2").create_cluster(**given(tags, HsmType="hsm2m.medium", SubnetIds=base().subnets, TagList=pairs(tags)))
    return made["Cluster"]["ClusterId"]
