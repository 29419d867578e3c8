"""Applications."""

from lab import client, given, maker


@maker("emr-serverless-app")
def application(name, tags):
    made = client("emr-serverless").create_application(**given(
        tags, name=name, releaseLabel="emr-7.0.0", type="SPARK", clientToken=name, tags=tags))
    return made["applicationId"]
