"""Services, their networks, and what joins them."""

from lab import ACCOUNT, REGION, base, client, given, maker, serial, shared

lattice = client("vpc-lattice")


@shared
def service():
    return lattice.create_service(name="base-service")["id"]


@shared
def network():
    return lattice.create_service_network(name="base-network")["id"]


@shared
def target_group():
    return lattice.create_target_group(name="base-group", type="IP", config={"port": 80, "protocol": "HTTP", "vpcIdentifier": base().vpc})["id"]


def forward():
    return {"forward": {"targetGroups": [{"targetGroupIdentifier": target_group(), "weight": 1}]}}


@shared
def listener():
    return lattice.create_listener(serviceIdentifier=service(), name="base-listener", protocol="HTTP", port=1, defaultAction=forward())["id"]


@maker("vpc-lattice-service")
def lab_service(name, tags):
    return lattice.create_service(**given(tags, name=name, tags=tags))["id"]


@maker("vpc-lattice-service-network")
def service_network(name, tags):
    return lattice.create_service_network(**given(tags, name=name, tags=tags))["id"]


@maker("vpc-lattice-target-group")
def lab_target_group(name, tags):
    config = {"port": 80, "protocol": "HTTP", "vpcIdentifier": base().vpc}
    return lattice.create_target_group(**given(tags, name=name, type="IP", config=config, tags=tags))["id"]


@maker("vpc-lattice-listener")
def lab_listener(name, tags):
    return lattice.create_listener(**given(tags, serviceIdentifier=service(), name=name, protocol="HTTP", port=1000 + serial(),
                                           defaultAction=forward(), tags=tags))["id"]


@maker("vpc-lattice-service-network-association")
def vpc_association(name, tags):
    return lattice.create_service_network_vpc_association(**given(tags, serviceNetworkIdentifier=network(), vpcIdentifier=base().vpc,
                                                                  tags=tags))["id"]


@maker("vpc-lattice-service-network-service-association")
def service_association(name, tags):
    return lattice.create_service_network_service_association(**given(tags, serviceNetworkIdentifier=network(), serviceIdentifier=service(),
                                                                      tags=tags))["id"]


@maker("vpc-lattice-service-network-resource-association")
def resource_association(name, tags):
    configuration = f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}:resourceconfiguration/rcfg-{serial():017}"
    return lattice.create_service_network_resource_association(**given(tags, serviceNetworkIdentifier=network(),
                                                                       resourceConfigurationIdentifier=configuration, tags=tags))["id"]
