"""Brokers and their configurations."""

from lab import client, given, maker


@maker("message-broker")
def broker(name, tags):
    made = client("mq").create_broker(**given(
        tags, BrokerName=name, DeploymentMode="SINGLE_INSTANCE", EngineType="ACTIVEMQ", EngineVersion="5.18", HostInstanceType="mq.t3.micro",
        AutoMinorVersionUpgrade=True, PubliclyAccessible=False, Users=[{"Username": "admin", "Password": "secret-word-12"}], Tags=tags))
    return made["BrokerId"]


@maker("message-config")
def configuration(name, tags):
    made = client("mq").create_configuration(**given(tags, Name=name, EngineType="ACTIVEMQ", EngineVersion="5.18", Tags=tags))
    return made["Id"]
