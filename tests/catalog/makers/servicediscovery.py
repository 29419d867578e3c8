"""Namespaces and their services."""

from lab import client, given, maker, pairs, shared


@maker("servicediscovery-namespace")
def namespace(name, tags):
    client("servicediscovery").create_http_namespace(**given(tags, Name=name, Tags=pairs(tags)))
    return name


@shared
def home():
    client("servicediscovery").create_http_namespace(Name="home")
    found = client("servicediscovery").list_namespaces()["Namespaces"]
    return next(one["Id"] for one in found if one["Name"] == "home")


@maker("servicediscovery-service")
def service(name, tags):
    made = client("servicediscovery").create_service(**given(tags, Name=name, NamespaceId=home(), Tags=pairs(tags)))
    return made["Service"]["Id"]
