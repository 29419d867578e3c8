"""Log groups and destinations."""

from lab import base, client, given, maker


@maker("log-group", prefix="/lab/")
def group(name, tags):
    client("logs").create_log_group(**given(tags, logGroupName=name, tags=tags))
    return name


@maker("destination")
def destination(name, tags):
    client("logs").put_destination(**given(tags, destinationName=name, targetArn=base().queue, roleArn=base().role, tags=tags))
    return name


@maker("delivery-destination")
def delivery_destination(name, tags):
    client("logs").put_delivery_destination(**given(
        tags, name=name, outputFormat="json", tags=tags,
        deliveryDestinationConfiguration={"destinationResourceArn": f"arn:aws:s3:::{base().bucket}"}))
    return name
