"""Pipelines."""

from lab import TRUST, base, client, given, maker, pairs, shared


@shared
def role():
    """moto looks who may assume the role."""
    trust = TRUST.replace("lambda.", "codepipeline.")
    return client("iam").create_role(RoleName="base-pipeline", AssumeRolePolicyDocument=trust)["Role"]["Arn"]


@maker("codepipeline")
def pipeline(name, tags):
    def stage(category, provider, outputs, inputs):
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        action = {"name": category, "actionTypeId": kind, "configuration": {"S3Bucket": "b", "S3ObjectKey": "k", "ProjectName": "p"}}
        return {"name": category, "actions": [action | {"outputArtifacts": outputs, "inputArtifacts": inputs}]}

    artifact = [{"name": "source"}]
    stages = [stage("Source", "S3", artifact, []), stage("Build", "CodeBuild", [], artifact)]
    client("codepipeline").create_pipeline(**given(tags, pipeline={
        "name": name, "roleArn": role(), "artifactStore": {"type": "S3", "location": base().bucket}, "stages": stages, "version": 1,
    }, tags=pairs(tags, "key", "value")))
    return name
