"""Directories."""

from lab import base, client, given, maker, pairs


@maker("directory")
def directory(name, tags):
    settings = {"VpcId": base().vpc, "SubnetIds": list(base().subnets)}
    made = client("ds").create_microsoft_ad(**given(
        tags, Name=f"{name}.example.com", Password="Secret-Word-12", VpcSettings=settings, Edition="Standard", Tags=pairs(tags)))
    return made["DirectoryId"]
