"""Pools of users."""

from lab import client, maker


@maker("user-pool")
def pool(name, tags):
    made = client("cognito-idp").create_user_pool(**{"PoolName": name, **({"UserPoolTags": tags} if tags else {})})
    return made["UserPool"]["Id"]
