"""Users, roles, policies and instance profiles."""

from lab import POLICY, TRUST, client, maker, pairs

iam = client("iam")


@maker("iam-user")
def user(name, tags):
    return iam.create_user(UserName=name, Tags=pairs(tags))["User"]["UserName"]


@maker("iam-role")
def role(name, tags):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=pairs(tags))["Role"]["RoleName"]


@maker("iam-policy")
def policy(name, tags):
    return iam.create_policy(PolicyName=name, PolicyDocument=POLICY, Tags=pairs(tags))["Policy"]["PolicyId"]


@maker("iam-profile")
def profile(name, tags):
    iam.create_instance_profile(InstanceProfileName=name, Tags=pairs(tags))
    return name
