"""Trails."""

from lab import base, client, maker, pairs


@maker("cloudtrail", prefix="lab-trail-")
def trail(name, tags):
    return client("cloudtrail").create_trail(Name=name, S3BucketName=base().bucket, TagsList=pairs(tags))["TrailARN"]
