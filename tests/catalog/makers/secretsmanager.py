"""Secrets."""

from lab import client, given, maker, pairs


@maker("secrets-manager")
def secret(name, tags):
    client("secretsmanager").create_secret(**given(tags, Name=name, SecretString="x", Tags=pairs(tags)))
    return name
