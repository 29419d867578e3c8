"""Delivery streams."""

from lab import base, client, given, maker, pairs


@maker("firehose")
def delivery_stream(name, tags):
    client("firehose").create_delivery_stream(**given(
        tags, DeliveryStreamName=name, Tags=pairs(tags),
        ExtendedS3DestinationConfiguration={"RoleARN": base().role, "BucketARN": f"arn:aws:s3:::{base().bucket}"}))
    return name
