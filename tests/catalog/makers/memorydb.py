"""Clusters in memory, their snapshots, subnet groups and users."""

from lab import base, client, maker, pairs, shared

memorydb = client("memorydb")


@shared
def store():
    made = memorydb.create_cluster(ClusterName="base", NodeType="db.t4g.small", ACLName="open-access")
    return made["Cluster"]["Name"]


@maker("memorydb")
def cluster(name, tags):
    memorydb.create_cluster(ClusterName=name, NodeType="db.t4g.small", ACLName="open-access", Tags=pairs(tags))
    return name


@maker("memorydb-snapshot")
def snapshot(name, tags):
    memorydb.create_snapshot(SnapshotName=name, ClusterName=store(), Tags=pairs(tags))
    return name


@maker("memorydb-subnet-group")
def subnet_group(name, tags):
    memorydb.create_subnet_group(SubnetGroupName=name, SubnetIds=base().subnets, Tags=pairs(tags))
    return name


@maker("memorydb-user")
def user(name, tags):
    memorydb.create_user(
        UserName=name, AuthenticationMode={"Type": "iam"}, AccessString="on ~* +@all", Tags=pairs(tags))
    return name
