"""Glue: databases, tables, jobs and what runs them."""

from lab import base, client, given, maker, shared

glue = client("glue")
COMMAND = {"Name": "glueetl", "ScriptLocation": "s3://base-bucket/job.py"}
CONNECTION = {"ConnectionType": "JDBC", "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:mysql://base/base"}}


@shared
def catalogued():
    glue.create_database(DatabaseInput={"Name": "base"})
    glue.create_table(DatabaseName="base", TableInput={"Name": "base"})
    return "base"


@maker("glue-connection")
def connection(name, tags):
    glue.create_connection(**given(tags, ConnectionInput={"Name": name, **CONNECTION}, Tags=tags))
    return name


@maker("glue-crawler")
def crawler(name, tags):
    glue.create_crawler(**given(
        tags, Name=name, Role=base().role, DatabaseName=catalogued(), Targets={"S3Targets": [{"Path": "s3://base-bucket"}]},
        Tags=tags))
    return name


@maker("glue-database")
def database(name, tags):
    glue.create_database(**given(tags, DatabaseInput={"Name": name}, Tags=tags))
    return name


@maker("glue-table")
def table(name, tags):
    glue.create_table(DatabaseName=catalogued(), TableInput={"Name": name})
    return name


@maker("glue-dev-endpoint")
def dev_endpoint(name, tags):
    glue.create_dev_endpoint(**given(tags, EndpointName=name, RoleArn=base().role, Tags=tags))
    return name


@maker("glue-job")
def job(name, tags):
    glue.create_job(**given(tags, Name=name, Role=base().role, Command=COMMAND, Tags=tags))
    return name


@maker("glue-ml-transform")
def transform(name, tags):
    tables = [{"DatabaseName": catalogued(), "TableName": "base"}]
    made = glue.create_ml_transform(**given(
        tags, Name=name, InputRecordTables=tables, Parameters={"TransformType": "FIND_MATCHES"}, Role=base().role, Tags=tags))
    return made["TransformId"]


@maker("glue-trigger")
def trigger(name, tags):
    glue.create_trigger(**given(tags, Name=name, Type="ON_DEMAND", Actions=[{"JobName": "base"}], Tags=tags))
    return name


@maker("glue-workflow")
def workflow(name, tags):
    glue.create_workflow(**given(tags, Name=name, Tags=tags))
    return name


@maker("glue-security-configuration")
def security_configuration(name, tags):
    glue.create_security_configuration(Name=name, EncryptionConfiguration={"S3Encryption": [{"S3EncryptionMode": "DISABLED"}]})
    return name


@maker("glue-session")
def session(name, tags):
    glue.create_session(**given(tags, Id=name, Role=base().role, Command={"Name": "glueetl", "PythonVersion": "3"}, Tags=tags))
    return name


@maker("glue-registry")
def registry(name, tags):
    arn = glue.create_registry(RegistryName=name)["RegistryArn"]
    if tags:
        glue.tag_resource(ResourceArn=arn, TagsToAdd=tags)
    return name


@maker("glue-schema")
def schema(name, tags):
    made = glue.create_schema(**given(
        tags, SchemaName=name, DataFormat="JSON", Compatibility="NONE", SchemaDefinition='{"type": "object"}', Tags=tags))
    return made["SchemaArn"]
