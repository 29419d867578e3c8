"""File systems and their backups."""

from lab import base, client, given, maker, pairs, shared


def new_file_system(tags):
    return client("fsx").create_file_system(**given(
        tags, FileSystemType="LUSTRE", StorageCapacity=1200, SubnetIds=[base().subnets[0]], Tags=pairs(tags)))["FileSystem"]["FileSystemId"]


@maker("fsx")
def file_system(name, tags):
    return new_file_system(tags)


@shared
def shared_file_system():
    return new_file_system({})


@maker("fsx-backup")
def backup(name, tags):
    made = client("fsx").create_backup(**given(tags, FileSystemId=shared_file_system(), Tags=pairs(tags)))
    return made["Backup"]["BackupId"]
