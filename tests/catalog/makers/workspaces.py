"""Workspaces, the directories they are in, and images of them."""

from lab import base, client, given, maker, pairs, shared, unrecorded

workspaces = client("workspaces")


def registered(name, tags):
    settings = {"VpcId": base().vpc, "SubnetIds": list(base().subnets)}
    with unrecorded():
        made = client("ds").create_microsoft_ad(Name=f"{name}.workspaces.example.com", Password="Secret-Word-12", VpcSettings=settings,
                                                Edition="Standard")
    workspaces.register_workspace_directory(**given(tags, DirectoryId=made["DirectoryId"], EnableSelfService=False, Tags=pairs(tags)))
    return made["DirectoryId"]


@shared
def base_directory():
    return registered("base", {})


def started(name, tags):
    wanted = given(tags, DirectoryId=base_directory(), UserName=name, BundleId="wsb-0123456789", Tags=pairs(tags))
    return workspaces.create_workspaces(Workspaces=[wanted])["PendingRequests"][0]["WorkspaceId"]


@shared
def base_workspace():
    return started("base", {})


@maker("workspaces-directory")
def directory(name, tags):
    return registered(name, tags)


@maker("workspaces")
def workspace(name, tags):
    return started(name, tags)


@maker("workspaces-image")
def image(name, tags):
    made = workspaces.create_workspace_image(**given(tags, Name=name, Description=name, WorkspaceId=base_workspace(), Tags=pairs(tags)))
    return made["ImageId"]
