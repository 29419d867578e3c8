"""Clusters and what runs in them."""

from lab import base, client, given, maker, shared


@maker("eks")
def cluster(name, tags):
    client("eks").create_cluster(name=name, roleArn=base().role, resourcesVpcConfig={"subnetIds": base().subnets}, tags=tags)
    return name


@shared
def cluster_of_nodes():
    client("eks").create_cluster(name="base", roleArn=base().role, resourcesVpcConfig={"subnetIds": base().subnets})
    return "base"


@maker("eks-nodegroup")
def nodegroup(name, tags):
    made = client("eks").create_nodegroup(**given(tags, clusterName=cluster_of_nodes(), nodegroupName=name, subnets=base().subnets,
                                                  nodeRole=base().role, tags=tags))
    return made["nodegroup"]["nodegroupArn"]


@maker("eks-fargate-profile")
def fargate_profile(name, tags):
    made = client("eks").create_fargate_profile(**given(
        tags, clusterName=cluster_of_nodes(), fargateProfileName=name, podExecutionRoleArn=base().role,
        selectors=[{"namespace": "default"}], tags=tags))
    return made["fargateProfile"]["fargateProfileArn"]
