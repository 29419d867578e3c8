"""Buckets, tagged by a call of their own."""

from lab import client, maker, pairs


@maker("s3", prefix="lab-bucket-")
def bucket(name, tags):
    client("s3").create_bucket(Bucket=name)
    if tags:
        client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs(tags)})
    return name
