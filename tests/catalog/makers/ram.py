"""Shares."""

from lab import client, maker, pairs


@maker("resource-share-self")
def share(name, tags):
    made = client("ram").create_resource_share(name=name, tags=pairs(tags, "key", "value"))
    return made["resourceShare"]["resourceShareArn"]
