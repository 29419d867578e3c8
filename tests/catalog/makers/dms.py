"""Replication instances, their endpoints, tasks and subnet groups."""

from lab import base, client, maker, pairs, shared

dms = client("dms")


@shared
def replicator():
    made = dms.create_replication_instance(ReplicationInstanceIdentifier="base", ReplicationInstanceClass="dms.t3.micro")
    return made["ReplicationInstance"]["ReplicationInstanceArn"]


@shared
def ends():
    return [
        dms.create_endpoint(EndpointIdentifier=f"base-{kind}", EndpointType=kind, EngineName="mysql")["Endpoint"]["EndpointArn"]
        for kind in ("source", "target")
    ]


@maker("dms-instance")
def instance(name, tags):
    dms.create_replication_instance(
        ReplicationInstanceIdentifier=name, ReplicationInstanceClass="dms.t3.micro", Tags=pairs(tags))
    return name


@maker("dms-endpoint")
def endpoint(name, tags):
    made = dms.create_endpoint(EndpointIdentifier=name, EndpointType="source", EngineName="mysql", Tags=pairs(tags))
    return made["Endpoint"]["EndpointArn"]


@maker("dms-replication-task")
def task(name, tags):
    source, target = ends()
    made = dms.create_replication_task(
        ReplicationTaskIdentifier=name, SourceEndpointArn=source, TargetEndpointArn=target, ReplicationInstanceArn=replicator(),
        MigrationType="full-load", TableMappings="{}", Tags=pairs(tags))
    return made["ReplicationTask"]["ReplicationTaskArn"]


@maker("dms-subnet-group", without=dict.fromkeys(("fresh", "owned", "unrecorded", "machine"), "the server keeps no tags of it"))
def subnet_group(name, tags):
    dms.create_replication_subnet_group(
        ReplicationSubnetGroupIdentifier=name, ReplicationSubnetGroupDescription=name, SubnetIds=base().subnets)
    return name
