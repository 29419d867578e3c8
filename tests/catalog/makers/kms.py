"""Keys."""

from lab import client, maker, pairs


@maker("kms-key")
def key(name, tags):
    return client("kms").create_key(Description=name, Tags=pairs(tags, "TagKey", "TagValue"))["KeyMetadata"]["KeyId"]
