"""File systems."""

from lab import client, maker, pairs, shared


@maker("efs")
def file_system(name, tags):
    return client("efs").create_file_system(CreationToken=name, Tags=pairs(tags))["FileSystemId"]


@shared
def shared_file_system():
    return client("efs").create_file_system(CreationToken="shared")["FileSystemId"]


@maker("efs-access-point")
def access_point(name, tags):
    made = client("efs").create_access_point(ClientToken=name, FileSystemId=shared_file_system(), Tags=pairs(tags))
    return made["AccessPointId"]
