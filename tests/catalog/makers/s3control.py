"""Access points and what measures an account's storage."""

from lab import ACCOUNT, base, client, given, maker, pairs

control = client("s3control")


@maker("s3-access-point")
def access_point(name, tags):
    control.create_access_point(**given(tags, AccountId=ACCOUNT, Name=name, Bucket=base().bucket, Tags=pairs(tags)))
    return name


@maker("s3-storage-lens")
def storage_lens(name, tags):
    configuration = {"Id": name, "AccountLevel": {"BucketLevel": {}}, "IsEnabled": True}
    control.put_storage_lens_configuration(**given(
        tags, ConfigId=name, AccountId=ACCOUNT, StorageLensConfiguration=configuration, Tags=pairs(tags)))
    return name
