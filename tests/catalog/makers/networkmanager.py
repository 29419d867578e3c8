"""Global networks and what is in them."""

from lab import client, given, maker, pairs, shared

manager = client("networkmanager")


@shared
def network():
    return manager.create_global_network(Description="base")["GlobalNetwork"]["GlobalNetworkId"]


@shared
def site():
    return manager.create_site(GlobalNetworkId=network())["Site"]["SiteId"]


@maker("networkmanager-global")
def global_network(name, tags):
    return manager.create_global_network(**given(tags, Description=name, Tags=pairs(tags)))["GlobalNetwork"]["GlobalNetworkId"]


@maker("networkmanager-core")
def core_network(name, tags):
    made = manager.create_core_network(**given(tags, GlobalNetworkId=network(), Description=name, Tags=pairs(tags)))
    return made["CoreNetwork"]["CoreNetworkId"]


@maker("networkmanager-site")
def lab_site(name, tags):
    return manager.create_site(**given(tags, GlobalNetworkId=network(), Description=name, Tags=pairs(tags)))["Site"]["SiteId"]


@maker("networkmanager-link")
def link(name, tags):
    made = manager.create_link(**given(tags, GlobalNetworkId=network(), SiteId=site(), Description=name,
                                       Bandwidth={"UploadSpeed": 10, "DownloadSpeed": 20}, Tags=pairs(tags)))
    return made["Link"]["LinkId"]


@maker("networkmanager-device")
def device(name, tags):
    return manager.create_device(**given(tags, GlobalNetworkId=network(), Description=name, Tags=pairs(tags)))["Device"]["DeviceId"]
