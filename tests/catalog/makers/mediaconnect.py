"""Flows of video."""

from lab import client, maker

mediaconnect = client("mediaconnect")


@maker("mediaconnect-flow", without={"bare": "moto knows the tags of a flow only once it has had one"})
def flow(name, tags):
    source = {"Name": "source", "Protocol": "zixi-push", "WhitelistCidr": "10.0.0.0/16"}
    arn = mediaconnect.create_flow(Name=name, Source=source)["Flow"]["FlowArn"]
    if tags:
        mediaconnect.tag_resource(ResourceArn=arn, Tags=tags)
    return arn
