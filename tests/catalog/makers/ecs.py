"""Clusters, services, tasks and what they run on."""

import json

from lab import ACCOUNT, REGION, base, client, maker, pairs, shared

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


@shared
def instance_document():
    return json.dumps({"instanceId": base().instance, "region": REGION, "accountId": ACCOUNT})


@maker("ecs-container-instance", without=dict.fromkeys(("fresh", "owned", "unrecorded", "machine"), "moto's container instances take no tags"))
def container_instance(name, tags):
    made = ecs.register_container_instance(cluster=cluster_of_services(), instanceIdentityDocument=instance_document())
    return made["containerInstance"]["containerInstanceArn"]


@shared
def cluster_of_tasks():
    """moto runs tasks only where there are instances."""
    cluster_of_services()
    ecs.create_cluster(clusterName="base-tasks")
    ecs.register_container_instance(cluster="base-tasks", instanceIdentityDocument=instance_document())
    return "base-tasks"


@maker("ecs-task")
def task(name, tags):
    made = ecs.run_task(cluster=cluster_of_tasks(), taskDefinition="base", tags=pairs(tags, "key", "value"))
    return made["tasks"][0]["taskArn"]


@maker("ecs-task-definition")
def task_definition(name, tags):
    made = ecs.register_task_definition(family=name, containerDefinitions=[{"name": "a", "image": "b", "memory": 1}],
                                        tags=pairs(tags, "key", "value"))
    return made["taskDefinition"]["taskDefinitionArn"]


@maker("ecs-capacity-provider")
def capacity_provider(name, tags):
    group = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:0:autoScalingGroupName/{name}"
    ecs.create_capacity_provider(name=name, autoScalingGroupProvider={"autoScalingGroupArn": group}, tags=pairs(tags, "key", "value"))
    return name
