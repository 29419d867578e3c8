"""Clusters, groups of them, their snapshots, subnet groups and users."""

from lab import base, client, maker, pairs, shared

elasticache = client("elasticache")
SMALL = {"Engine": "redis", "CacheNodeType": "cache.t3.micro", "NumCacheNodes": 1}


@shared
def kept():
    return elasticache.create_cache_cluster(CacheClusterId="base", **SMALL)["CacheCluster"]["CacheClusterId"]


@maker("cache-cluster")
def cluster(name, tags):
    elasticache.create_cache_cluster(CacheClusterId=name, **SMALL, Tags=pairs(tags))
    return name


@maker("elasticache-group")
def group(name, tags):
    elasticache.create_replication_group(
        ReplicationGroupId=name, ReplicationGroupDescription=name, Engine="redis", CacheNodeType="cache.t3.micro", Tags=pairs(tags))
    return name


@maker("cache-snapshot")
def snapshot(name, tags):
    elasticache.create_snapshot(SnapshotName=name, CacheClusterId=kept(), Tags=pairs(tags))
    return name


@maker("cache-subnet-group")
def subnet_group(name, tags):
    elasticache.create_cache_subnet_group(
        CacheSubnetGroupName=name, CacheSubnetGroupDescription=name, SubnetIds=base().subnets, Tags=pairs(tags))
    return name


@maker("elasticache-user")
def user(name, tags):
    elasticache.create_user(
        UserId=name, UserName=name, Engine="redis", AccessString="on ~* +@all", NoPasswordRequired=True, Tags=pairs(tags))
    return name
