"""File systems."""

from lab import client, maker, pairs


@maker("efs")
def file_system(name, tags):
    return client("efs").create_file_system(CreationToken=name, Tags=pairs(tags))["FileSystemId"]
