"""Aurora DSQL: clusters and their streams."""

from lab import base, client, given, maker, shared

dsql = client("dsql")


@shared
def distributed():
    return dsql.create_cluster()["identifier"]


@maker("dsql-cluster")
def cluster(name, tags):
    return dsql.create_cluster(**given(tags, tags=tags))["identifier"]


@maker("dsql-stream")
def stream(name, tags):
    target = {"kinesis": {"streamArn": f"arn:aws:kinesis:us-east-1:123456789012:stream/{name}", "roleArn": base().role}}
    made = dsql.create_stream(**given(
        tags, clusterIdentifier=distributed(), targetDefinition=target, ordering="UNORDERED", format="JSON", tags=tags))
    return made["streamIdentifier"]
