"""Canaries."""

from lab import base, client, given, maker


@maker("cloudwatch-synthetics")
def canary(name, tags):
    made = client("synthetics").create_canary(**given(
        tags, Name=name, Code={"Handler": "a.handler", "ZipFile": base().code}, ArtifactS3Location=f"s3://{base().bucket}/", Tags=tags,
        ExecutionRoleArn=base().role, Schedule={"Expression": "rate(1 hour)"}, RuntimeVersion="syn-nodejs-puppeteer-9.1"))
    return made["Canary"]["Id"]
