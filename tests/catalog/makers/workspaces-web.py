"""Portals."""

from lab import base, client, given, maker, pairs


@maker("workspaces-web")
def portal(name, tags):
    return client("workspaces-web").create_portal(**given(tags, displayName=name, tags=pairs(tags)))["portalArn"]


web = client("workspaces-web")


@maker("workspaces-web-browser-settings")
def browser_settings(name, tags):
    return web.create_browser_settings(**given(tags, browserPolicy="{}", tags=pairs(tags)))["browserSettingsArn"]


@maker("workspaces-web-network-settings")
def network_settings(name, tags):
    return web.create_network_settings(**given(
        tags, vpcId=base().vpc, subnetIds=base().subnets, securityGroupIds=[base().security_group], tags=pairs(tags)))["networkSettingsArn"]


@maker("workspaces-web-user-settings")
def user_settings(name, tags):
    rights = {f"{what}Allowed": "Enabled" for what in ("copy", "paste", "download", "upload", "print")}
    return web.create_user_settings(**given(tags, **rights, tags=pairs(tags)))["userSettingsArn"]


@maker("workspaces-web-user-access-logging-settings", without={"fresh": "moto breaks on a sign in a tag's value"})
def user_access_logging_settings(name, tags):
    stream = f"arn:aws:kinesis:us-east-1:123456789012:stream/amazon-workspaces-web-{name}"
    return web.create_user_access_logging_settings(**given(tags, kinesisStreamArn=stream, tags=pairs(tags)))["userAccessLoggingSettingsArn"]
