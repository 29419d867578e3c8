"""Log groups and destinations."""

from lab import base, client, given, maker, shared, unrecorded


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


@shared
def delivery_bucket():
    return client("logs").put_delivery_destination(
        name="base", deliveryDestinationConfiguration={"destinationResourceArn": f"arn:aws:s3:::{base().bucket}"})["deliveryDestination"]["arn"]


def source_of_logs(name, tags):
    arn = f"arn:aws:bedrock:us-east-1:123456789012:knowledge-base/{name}"
    client("logs").put_delivery_source(**given(tags, name=name, resourceArn=arn, logType="APPLICATION_LOGS", tags=tags))
    return name


@maker("log-delivery-source")
def delivery_source(name, tags):
    return source_of_logs(name, tags)


@maker("log-delivery")
def delivery(name, tags):
    with unrecorded():
        source = source_of_logs(f"{name}-source", {})
    made = client("logs").create_delivery(**given(tags, deliverySourceName=source, deliveryDestinationArn=delivery_bucket(), tags=tags))
    return made["delivery"]["id"]
