"""Clusters."""

from lab import base, client, given, maker


@maker("kafka")
def cluster(name, tags):
    nodes = {"ClientSubnets": list(base().subnets), "InstanceType": "kafka.m5.large"}
    made = client("kafka").create_cluster(**given(
        tags, ClusterName=name, KafkaVersion="3.8.x", NumberOfBrokerNodes=2, BrokerNodeGroupInfo=nodes, Tags=tags))
    return made["ClusterArn"]
