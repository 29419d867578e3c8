"""Clusters and services."""

from lab import client, maker, pairs, shared

ecs = client("ecs")


@shared
def cluster_of_services():
    ecs.register_task_definition(family="base", containerDefinitions=[{"name": "a", "image": "b", "memory": 1}])
    return ecs.create_cluster(clusterName="base")["cluster"]["clusterName"]


@maker("ecs")
def cluster(name, tags):
    return ecs.create_cluster(clusterName=name, tags=pairs(tags, "key", "value"))["cluster"]["clusterArn"]


@maker("ecs-service")
def service(name, tags):
    made = ecs.create_service(cluster=cluster_of_services(), serviceName=name, taskDefinition="base", desiredCount=0,
                              tags=pairs(tags, "key", "value"))
    return made["service"]["serviceArn"]
