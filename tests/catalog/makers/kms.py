"""Keys and their aliases."""

from lab import ACCOUNT, REGION, base, client, maker, pairs


@maker("kms-key")
def key(name, tags):
    return client("kms").create_key(Description=name, Tags=pairs(tags, "TagKey", "TagValue"))["KeyMetadata"]["KeyId"]


@maker("kms", prefix="alias/lab-")
def alias(name, tags):
    client("kms").create_alias(AliasName=name, TargetKeyId=base().key)
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"
