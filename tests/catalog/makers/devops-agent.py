"""Agent spaces."""

from lab import client, given, maker


@maker("devops-agent-space")
def space(name, tags):
    return client("devops-agent").create_agent_space(**given(tags, name=name, tags=tags))["agentSpace"]["agentSpaceId"]
