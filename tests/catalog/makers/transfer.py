"""Servers and their users."""

from lab import base, client, given, maker, pairs, shared


def new_server(tags):
    return client("transfer").create_server(**given(tags, Protocols=["SFTP"], Tags=pairs(tags)))["ServerId"]


@maker("transfer-server")
def server(name, tags):
    return new_server(tags)


@shared
def shared_server():
    return new_server({})


@maker("transfer-user")
def user(name, tags):
    client("transfer").create_user(**given(tags, ServerId=shared_server(), UserName=name, Role=base().role, Tags=pairs(tags)))
    return name
