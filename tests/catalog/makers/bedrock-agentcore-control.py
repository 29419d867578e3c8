"""AgentCore's runtimes, gateways and memories."""

from lab import base, client, given, maker, shared

agentcore = client("bedrock-agentcore-control")

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:1"


def make_runtime(name, tags):
    return agentcore.create_agent_runtime(**given(
        tags, agentRuntimeName=name.replace("-", "_"), roleArn=base().role, networkConfiguration={"networkMode": "PUBLIC"},
        agentRuntimeArtifact={"containerConfiguration": {"containerUri": IMAGE}}, tags=tags))["agentRuntimeId"]


@shared
def shared_runtime():
    return make_runtime("base", {})


@maker("bedrock-agentcore-runtime")
def runtime(name, tags):
    return make_runtime(name, tags)


@maker("bedrock-agentcore-runtime-endpoint")
def endpoint(name, tags):
    answer = agentcore.create_agent_runtime_endpoint(**given(tags, agentRuntimeId=shared_runtime(), name=name.replace("-", "_"), tags=tags))
    return answer["agentRuntimeEndpointArn"]


@maker("bedrock-agentcore-gateway")
def gateway(name, tags):
    return agentcore.create_gateway(**given(tags, name=name, roleArn=base().role, protocolType="MCP", authorizerType="AWS_IAM",
                                            tags=tags))["gatewayId"]


@maker("bedrock-agentcore-memory")
def memory(name, tags):
    return agentcore.create_memory(**given(tags, name=name.replace("-", "_"), eventExpiryDuration=7, tags=tags))["memory"]["id"]
