"""Repositories."""

from lab import client, maker, pairs


@maker("ecr")
def repository(name, tags):
    client("ecr").create_repository(repositoryName=name, tags=pairs(tags))
    return name
