"""Shares."""

from lab import client, maker, pairs


@maker("resource-share-self", without={"owned": "the server keeps no tags of shares"})
def share(name, tags):
    made = client("ram").create_resource_share(name=name, tags=pairs(tags, "key", "value"))
    return made["resourceShare"]["resourceShareArn"]
