"""Compute environments, queues, definitions of jobs, policies."""

from lab import base, client, given, maker, shared

batch = client("batch")


def environment(name, tags):
    made = batch.create_compute_environment(**given(
        tags, computeEnvironmentName=name, type="UNMANAGED", state="ENABLED", serviceRole=base().role, tags=tags))
    return made["computeEnvironmentArn"]


@shared
def base_environment():
    return environment("base", {})


@maker("batch-compute")
def compute(name, tags):
    environment(name, tags)
    return name


@maker("batch-queue")
def queue(name, tags):
    order = [{"order": 1, "computeEnvironment": base_environment()}]
    batch.create_job_queue(**given(tags, jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order, tags=tags))
    return name


@maker("batch-definition")
def definition(name, tags):
    container = {"image": "busybox", "vcpus": 1, "memory": 4}
    batch.register_job_definition(**given(tags, jobDefinitionName=name, type="container", containerProperties=container, tags=tags))
    return name


@maker("batch-scheduling-policy")
def scheduling_policy(name, tags):
    return batch.create_scheduling_policy(**given(tags, name=name, fairsharePolicy={}, tags=tags))["arn"]
