"""Clusters."""

from lab import client, maker, pairs


@maker("cache-cluster")
def cluster(name, tags):
    client("elasticache").create_cache_cluster(CacheClusterId=name, Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1,
                                               Tags=pairs(tags))
    return name
