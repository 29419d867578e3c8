"""Applications and policies."""

from lab import client, given, maker

hub = client("resiliencehub")


@maker("resiliencehub-app")
def app(name, tags):
    return hub.create_app(**given(tags, name=name, tags=tags))["app"]["appArn"]


@maker("resiliencehub-resiliency-policy")
def policy(name, tags):
    limits = {kind: {"rpoInSecs": 3600, "rtoInSecs": 3600} for kind in ("Software", "Hardware", "AZ")}
    made = hub.create_resiliency_policy(**given(tags, policyName=name, tier="NonCritical", policy=limits, tags=tags))
    return made["policy"]["policyArn"]
