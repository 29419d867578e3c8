"""Permission sets of the instance that the server has."""

from lab import client, given, maker, pairs

sso = client("sso-admin")


@maker("sso-permission-set")
def permission_set(name, tags):
    instance = sso.list_instances()["Instances"][0]["InstanceArn"]
    made = sso.create_permission_set(**given(tags, Name=name, InstanceArn=instance, Tags=pairs(tags)))
    return made["PermissionSet"]["PermissionSetArn"]
