"""Pools of identities."""

from lab import client, maker


@maker("identity-pool")
def pool(name, tags):
    made = client("cognito-identity").create_identity_pool(**{
        "IdentityPoolName": name, "AllowUnauthenticatedIdentities": False, **({"IdentityPoolTags": tags} if tags else {})})
    return made["IdentityPoolId"]
