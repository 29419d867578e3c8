"""Databases: instances, clusters, their snapshots, groups, proxies and notices."""

from lab import base, client, maker, pairs, shared, unrecorded

rds = client("rds")
ADMIN = {"MasterUsername": "admin", "MasterUserPassword": "secret-word"}
SMALL = {"DBInstanceClass": "db.t3.micro", "Engine": "mysql", "AllocatedStorage": 5}


@shared
def database():
    return rds.create_db_instance(DBInstanceIdentifier="base", **SMALL, **ADMIN)["DBInstance"]["DBInstanceIdentifier"]


@maker("rds")
def instance(name, tags):
    rds.create_db_instance(DBInstanceIdentifier=name, **SMALL, **ADMIN, Tags=pairs(tags))
    return name


@maker("rds-cluster")
def cluster(name, tags):
    rds.create_db_cluster(DBClusterIdentifier=name, Engine="aurora-mysql", **ADMIN, Tags=pairs(tags))
    return name


@maker("rds-snapshot")
def snapshot(name, tags):
    rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=database(), Tags=pairs(tags))
    return name


@shared
def database_cluster():
    made = rds.create_db_cluster(DBClusterIdentifier="base", Engine="aurora-mysql", **ADMIN)
    return made["DBCluster"]["DBClusterIdentifier"]


@maker("rds-cluster-snapshot")
def cluster_snapshot(name, tags):
    rds.create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier=name, DBClusterIdentifier=database_cluster(), Tags=pairs(tags))
    return name


@maker("rds-cluster-param-group")
def cluster_parameter_group(name, tags):
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-mysql8.0", Description=name, Tags=pairs(tags))
    return name


@maker("rds-param-group")
def parameter_group(name, tags):
    rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="mysql8.0", Description=name, Tags=pairs(tags))
    return name


@maker("rds-option-group")
def option_group(name, tags):
    rds.create_option_group(
        OptionGroupName=name, EngineName="mysql", MajorEngineVersion="8.0", OptionGroupDescription=name, Tags=pairs(tags))
    return name


@maker("rds-subnet-group")
def subnet_group(name, tags):
    rds.create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=base().subnets, Tags=pairs(tags))
    return name


@maker("rds-subscription")
def subscription(name, tags):
    rds.create_event_subscription(SubscriptionName=name, SnsTopicArn=base().topic, Tags=pairs(tags))
    return name


@maker("rds-proxy")
def proxy(name, tags):
    rds.create_db_proxy(
        DBProxyName=name, EngineFamily="MYSQL", Auth=[], RoleArn=base().role, VpcSubnetIds=base().subnets, Tags=pairs(tags))
    return name


@maker("rds-db-shard-group")
def shard_group(name, tags):
    with_shards = f"{name}-cluster"
    rds.create_db_cluster(DBClusterIdentifier=with_shards, Engine="aurora-postgresql", **ADMIN)
    made = rds.create_db_shard_group(DBShardGroupIdentifier=name, DBClusterIdentifier=with_shards, MaxACU=16, Tags=pairs(tags))
    return made["DBShardGroupResourceId"]


@maker("rds-global-cluster", without=dict.fromkeys(("fresh", "owned", "unrecorded", "machine"), "the server keeps no tags of it"))
def global_cluster(name, tags):
    rds.create_global_cluster(GlobalClusterIdentifier=name, Engine="aurora-mysql")
    return name


@maker("rds-blue-green-deployment")
def blue_green_deployment(name, tags):
    source = f"{name}-blue"
    with unrecorded():
        made = rds.create_db_instance(DBInstanceIdentifier=source, **SMALL, **ADMIN)["DBInstance"]
    made = rds.create_blue_green_deployment(BlueGreenDeploymentName=name, Source=made["DBInstanceArn"], Tags=pairs(tags))
    return made["BlueGreenDeployment"]["BlueGreenDeploymentIdentifier"]
