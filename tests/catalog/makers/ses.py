"""Configuration sets as the first version of the service makes them."""

from lab import ACCOUNT, REGION, client, maker, pairs, unrecorded


@maker("ses-configuration-set", prefix="lab-first-")
def configuration_set(name, tags):
    client("ses").create_configuration_set(ConfigurationSet={"Name": name})
    if tags:
        with unrecorded():
            arn = f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{name}"
            client("sesv2").tag_resource(ResourceArn=arn, Tags=pairs(tags))
    return name
