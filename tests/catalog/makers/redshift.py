"""Warehouses, their snapshots and subnet groups."""

from lab import base, client, maker, pairs, shared

redshift = client("redshift")
SMALL = {"NodeType": "ra3.large", "ClusterType": "single-node", "MasterUsername": "admin", "MasterUserPassword": "Secret-word-1"}


@shared
def warehouse():
    return redshift.create_cluster(ClusterIdentifier="base", **SMALL)["Cluster"]["ClusterIdentifier"]


@maker("redshift")
def cluster(name, tags):
    redshift.create_cluster(ClusterIdentifier=name, **SMALL, Tags=pairs(tags))
    return name


@maker("redshift-snapshot")
def snapshot(name, tags):
    redshift.create_cluster_snapshot(SnapshotIdentifier=name, ClusterIdentifier=warehouse(), Tags=pairs(tags))
    return name


@maker("redshift-subnet-group")
def subnet_group(name, tags):
    redshift.create_cluster_subnet_group(
        ClusterSubnetGroupName=name, Description=name, SubnetIds=base().subnets, Tags=pairs(tags))
    return name


@maker("redshift-cluster-parameter-group")
def parameter_group(name, tags):
    redshift.create_cluster_parameter_group(ParameterGroupName=name, ParameterGroupFamily="redshift-1.0", Description=name, Tags=pairs(tags))
    return name


@maker("redshift-snapshot-copy-grant")
def snapshot_copy_grant(name, tags):
    redshift.create_snapshot_copy_grant(SnapshotCopyGrantName=name, KmsKeyId=base().key, Tags=pairs(tags))
    return name
