"""Locations and tasks."""

from lab import base, client, given, maker, pairs, serial, shared


def new_location(tags):
    return client("datasync").create_location_s3(**given(
        tags, S3BucketArn=f"arn:aws:s3:::{base().bucket}", Subdirectory=f"/{serial()}", S3Config={"BucketAccessRoleArn": base().role},
        Tags=pairs(tags)))["LocationArn"]


@maker("datasync-location")
def location(name, tags):
    return new_location(tags)


@shared
def ends():
    return new_location({}), new_location({})


@maker("datasync-task")
def task(name, tags):
    made = client("datasync").create_task(**given(
        tags, Name=name, SourceLocationArn=ends()[0], DestinationLocationArn=ends()[1], Tags=pairs(tags)))
    return made["TaskArn"]
