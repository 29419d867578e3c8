"""Applications, deployment groups and deployments."""

from lab import base, client, given, maker, pairs, shared

codedeploy = client("codedeploy")


@maker("codedeploy-app")
def application(name, tags):
    codedeploy.create_application(**given(tags, applicationName=name, computePlatform="Server", tags=pairs(tags)))
    return name


@shared
def base_application():
    codedeploy.create_application(applicationName="base", computePlatform="Server")
    return "base"


@maker("codedeploy-group")
def group(name, tags):
    made = codedeploy.create_deployment_group(**given(
        tags, applicationName=base_application(), deploymentGroupName=name, serviceRoleArn=base().role, tags=pairs(tags)))
    return made["deploymentGroupId"]


@shared
def base_group():
    codedeploy.create_deployment_group(applicationName=base_application(), deploymentGroupName="base", serviceRoleArn=base().role)
    return "base"


@maker("codedeploy-deployment")
def deployment(name, tags):
    revision = {"revisionType": "GitHub", "gitHubLocation": {"repository": "a/b", "commitId": "c"}}
    return codedeploy.create_deployment(applicationName=base_application(), deploymentGroupName=base_group(), revision=revision)["deploymentId"]
