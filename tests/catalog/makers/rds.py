"""Instances, clusters and snapshots of databases."""

from lab import client, maker, pairs, shared

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
