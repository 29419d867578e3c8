"""Places of a data lake."""

from lab import base, client, maker


@maker("datalake-location")
def place(name, tags):
    arn = f"arn:aws:s3:::{base().bucket}/{name}"
    client("lakeformation").register_resource(ResourceArn=arn, RoleArn=base().role)
    return arn
