"""Directories."""

from lab import client, maker, pairs


@maker("cloud-directory")
def directory(name, tags):
    schema = "arn:aws:clouddirectory:us-east-1:123456789012:schema/published/a/1"
    made = client("clouddirectory").create_directory(Name=name, SchemaArn=schema)["DirectoryArn"]
    if tags:
        client("clouddirectory").tag_resource(ResourceArn=made, Tags=pairs(tags))
    return made
