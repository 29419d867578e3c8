"""Instances and clusters of InfluxDB."""

from lab import base, client, given, maker

influx = client("timestream-influxdb")


def common(name, tags):
    return given(
        tags, name=name, password="secret-word", dbInstanceType="db.influx.medium", allocatedStorage=20, tags=tags,
        vpcSubnetIds=base().subnets, vpcSecurityGroupIds=[base().security_group])


@maker("timestream-influxdb")
def instance(name, tags):
    return influx.create_db_instance(**common(name, tags))["arn"]


@maker("timestream-influxdb-cluster")
def cluster(name, tags):
    return influx.create_db_cluster(**common(name, tags))["dbClusterId"]


@maker("timestream-influxdb-db-parameter-group")
def parameter_group(name, tags):
    return influx.create_db_parameter_group(**given(tags, name=name, parameters={"InfluxDBv2": {"fluxLogEnabled": True}}, tags=tags))["id"]
