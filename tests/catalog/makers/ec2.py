"""Instances, what they are made of, and networks."""

from lab import REGION, amend, base, client, given, maker, pairs, serial, shared, spec, unrecorded

ec2 = client("ec2")


def tagged(made, tags):
    """Tags what moto makes without the tags of its TagSpecifications."""
    if tags:
        with unrecorded():
            ec2.create_tags(Resources=[made], Tags=pairs(tags))
    return made


@maker("ec2")
def instance(name, tags):
    made = ec2.run_instances(**given(tags, ImageId=base().image, MinCount=1, MaxCount=1, SubnetId=base().subnets[0],
                                     TagSpecifications=spec("instance", tags)))["Instances"][0]["InstanceId"]
    # Volumes are not attached yet when EC2 answers, and interfaces have their own makers.
    amend(response={"instancesSet": {"items": [{"instanceId": made, "blockDeviceMapping": {}, "networkInterfaceSet": {}}]}})
    return made


@maker("ebs")
def volume(name, tags):
    return ec2.create_volume(**given(tags, AvailabilityZone=REGION + "a", Size=1, TagSpecifications=spec("volume", tags)))["VolumeId"]


@maker("ebs-snapshot")
def snapshot(name, tags):
    return ec2.create_snapshot(**given(tags, VolumeId=base().volume, TagSpecifications=spec("snapshot", tags)))["SnapshotId"]


@maker("ami")
def image(name, tags):
    return ec2.create_image(**given(tags, InstanceId=base().instance, Name=name, TagSpecifications=spec("image", tags)))["ImageId"]


@maker("eni")
def interface(name, tags):
    made = ec2.create_network_interface(**given(tags, SubnetId=base().subnets[0], TagSpecifications=spec("network-interface", tags)))
    return made["NetworkInterface"]["NetworkInterfaceId"]


@maker("security-group")
def group(name, tags):
    return ec2.create_security_group(**given(tags, GroupName=name, Description=name, VpcId=base().vpc,
                                             TagSpecifications=spec("security-group", tags)))["GroupId"]


@maker("vpc")
def vpc(name, tags):
    return ec2.create_vpc(**given(tags, CidrBlock="10.1.0.0/16", TagSpecifications=spec("vpc", tags)))["Vpc"]["VpcId"]


@maker("subnet")
def subnet(name, tags):
    made = ec2.create_subnet(**given(tags, VpcId=base().vpc, CidrBlock=f"10.0.{serial()}.0/24", TagSpecifications=spec("subnet", tags)))
    return made["Subnet"]["SubnetId"]


@maker("internet-gateway")
def internet_gateway(name, tags):
    made = ec2.create_internet_gateway(**given(tags, TagSpecifications=spec("internet-gateway", tags)))
    return made["InternetGateway"]["InternetGatewayId"]


@maker("nat-gateway")
def nat_gateway(name, tags):
    with unrecorded():
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(**given(tags, SubnetId=base().subnets[0], AllocationId=address, TagSpecifications=spec("natgateway", tags)))
    return made["NatGateway"]["NatGatewayId"]


@maker("route-table")
def route_table(name, tags):
    return ec2.create_route_table(**given(tags, VpcId=base().vpc, TagSpecifications=spec("route-table", tags)))["RouteTable"]["RouteTableId"]


@maker("elastic-ip")
def address(name, tags):
    return ec2.allocate_address(**given(tags, Domain="vpc", TagSpecifications=spec("elastic-ip", tags)))["AllocationId"]


@maker("launch-template-version")
def template(name, tags):
    made = ec2.create_launch_template(**given(tags, LaunchTemplateName=name, LaunchTemplateData={"InstanceType": "t3.micro"},
                                              TagSpecifications=spec("launch-template", tags)))
    return made["LaunchTemplate"]["LaunchTemplateId"]


@maker("key-pair")
def key_pair(name, tags):
    return ec2.create_key_pair(**given(tags, KeyName=name, TagSpecifications=spec("key-pair", tags)))["KeyPairId"]


@maker("ec2-host")
def host(name, tags):
    return ec2.allocate_hosts(**given(tags, AvailabilityZone=REGION + "a", InstanceType="m5.large", Quantity=1,
                                      TagSpecifications=spec("dedicated-host", tags)))["HostIds"][0]


@maker("ec2-fleet")
def fleet(name, tags):
    specification = {"LaunchTemplateId": base().template, "Version": "$Latest"}
    return ec2.create_fleet(**given(tags, Type="maintain", LaunchTemplateConfigs=[{"LaunchTemplateSpecification": specification}],
                                    TargetCapacitySpecification={"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"},
                                    TagSpecifications=spec("fleet", tags)))["FleetId"]


@maker("ec2-spot-fleet-request")
def spot_fleet(name, tags):
    config = {"IamFleetRole": base().role, "TargetCapacity": 1, "SpotPrice": "0.1", "AllocationStrategy": "lowestPrice",
              "LaunchSpecifications": [{"ImageId": base().image, "InstanceType": "t3.micro", "SubnetId": base().subnets[0]}]}
    config |= {"TagSpecifications": spec("spot-fleet-request", tags)} if tags else {}
    return ec2.request_spot_fleet(SpotFleetRequestConfig=config)["SpotFleetRequestId"]


@maker("ec2-spot-instance-request")
def spot_request(name, tags):
    made = ec2.request_spot_instances(**given(tags, SpotPrice="0.1", InstanceCount=1, LaunchSpecification={"ImageId": base().image},
                                              TagSpecifications=spec("spot-instances-request", tags)))
    return made["SpotInstanceRequests"][0]["SpotInstanceRequestId"]


@maker("flow-log")
def flow_log(name, tags):
    with unrecorded():
        vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_flow_logs(**given(tags, ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3",
                                        LogDestination=f"arn:aws:s3:::{base().bucket}", TagSpecifications=spec("vpc-flow-log", tags)))
    return made["FlowLogIds"][0]


@maker("network-acl")
def network_acl(name, tags):
    made = ec2.create_network_acl(**given(tags, VpcId=base().vpc, TagSpecifications=spec("network-acl", tags)))
    return made["NetworkAcl"]["NetworkAclId"]


@maker("dhcp-options")
def dhcp_options(name, tags):
    made = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["example.com"]}])
    return tagged(made["DhcpOptions"]["DhcpOptionsId"], tags)


@maker("security-group-rule")
def security_group_rule(name, tags):
    made = ec2.authorize_security_group_ingress(**given(
        tags, GroupId=base().security_group, TagSpecifications=spec("security-group-rule", tags),
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": serial(), "ToPort": 9999, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]))
    return made["SecurityGroupRules"][0]["SecurityGroupRuleId"]


@maker("subnet-cidr-reservation")
def cidr_reservation(name, tags):
    made = ec2.create_subnet_cidr_reservation(SubnetId=base().subnets[1], Cidr=f"10.0.201.{serial() % 60 * 4}/30", ReservationType="prefix")
    return tagged(made["SubnetCidrReservation"]["SubnetCidrReservationId"], tags)


@maker("egress-only-internet-gateway")
def egress_only_gateway(name, tags):
    made = ec2.create_egress_only_internet_gateway(**given(tags, VpcId=base().vpc,
                                                           TagSpecifications=spec("egress-only-internet-gateway", tags)))
    return made["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]


@maker("carrier-gateway")
def carrier_gateway(name, tags):
    made = ec2.create_carrier_gateway(**given(tags, VpcId=base().vpc, TagSpecifications=spec("carrier-gateway", tags)))
    return made["CarrierGateway"]["CarrierGatewayId"]


@maker("prefix-list")
def prefix_list(name, tags):
    made = ec2.create_managed_prefix_list(**given(tags, PrefixListName=name, MaxEntries=5, AddressFamily="IPv4",
                                                  TagSpecifications=spec("prefix-list", tags)))
    return made["PrefixList"]["PrefixListId"]


@maker("peering-connection")
def peering(name, tags):
    with unrecorded():
        peer = ec2.create_vpc(CidrBlock=f"10.{serial() % 200 + 20}.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_peering_connection(**given(tags, VpcId=base().vpc, PeerVpcId=peer,
                                                     TagSpecifications=spec("vpc-peering-connection", tags)))
    return made["VpcPeeringConnection"]["VpcPeeringConnectionId"]


@maker("vpc-endpoint")
def endpoint(name, tags):
    made = ec2.create_vpc_endpoint(**given(tags, VpcId=base().vpc, ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway",
                                           TagSpecifications=spec("vpc-endpoint", tags)))
    return made["VpcEndpoint"]["VpcEndpointId"]


@shared
def network_balancer():
    made = client("elbv2").create_load_balancer(Name="base-network", Type="network", Subnets=base().subnets)
    return made["LoadBalancers"][0]["LoadBalancerArn"]


@maker("vpc-endpoint-service-configuration")
def endpoint_service(name, tags):
    made = ec2.create_vpc_endpoint_service_configuration(**given(tags, NetworkLoadBalancerArns=[network_balancer()],
                                                                 TagSpecifications=spec("vpc-endpoint-service", tags)))
    return made["ServiceConfiguration"]["ServiceId"]


@maker("customer-gateway")
def customer_gateway(name, tags):
    made = ec2.create_customer_gateway(**given(tags, Type="ipsec.1", PublicIp=f"192.0.2.{serial() % 250}", BgpAsn=65000 + serial() % 500,
                                               TagSpecifications=spec("customer-gateway", tags)))
    return made["CustomerGateway"]["CustomerGatewayId"]


@maker("vpn-gateway")
def vpn_gateway(name, tags):
    made = ec2.create_vpn_gateway(**given(tags, Type="ipsec.1", TagSpecifications=spec("vpn-gateway", tags)))
    return made["VpnGateway"]["VpnGatewayId"]


@maker("vpn-connection")
def vpn_connection(name, tags):
    with unrecorded():
        customer = ec2.create_customer_gateway(Type="ipsec.1", PublicIp=f"198.51.100.{serial() % 250}", BgpAsn=65001)
        gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    made = ec2.create_vpn_connection(**given(tags, Type="ipsec.1", CustomerGatewayId=customer["CustomerGateway"]["CustomerGatewayId"],
                                             VpnGatewayId=gateway, TagSpecifications=spec("vpn-connection", tags)))
    return made["VpnConnection"]["VpnConnectionId"]


@shared
def transit():
    return ec2.create_transit_gateway(Description="base")["TransitGateway"]["TransitGatewayId"]


@maker("transit-gateway")
def transit_gateway(name, tags):
    made = ec2.create_transit_gateway(**given(tags, Description=name, TagSpecifications=spec("transit-gateway", tags)))
    return made["TransitGateway"]["TransitGatewayId"]


@maker("transit-gateway-route-table")
def transit_route_table(name, tags):
    made = ec2.create_transit_gateway_route_table(**given(tags, TransitGatewayId=transit(),
                                                          TagSpecifications=spec("transit-gateway-route-table", tags)))
    return made["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]


@maker("transit-attachment")
def transit_attachment(name, tags):
    with unrecorded():
        vpc = ec2.create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.3.0.0/24")["Subnet"]["SubnetId"]
    made = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=transit(), VpcId=vpc, SubnetIds=[subnet])
    return tagged(made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"], tags)


@maker("mirror-filter")
def mirror_filter(name, tags):
    made = ec2.create_traffic_mirror_filter(**given(tags, Description=name, TagSpecifications=spec("traffic-mirror-filter", tags)))
    return made["TrafficMirrorFilter"]["TrafficMirrorFilterId"]


@maker("mirror-target")
def mirror_target(name, tags):
    with unrecorded():
        interface = ec2.create_network_interface(SubnetId=base().subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    made = ec2.create_traffic_mirror_target(**given(tags, NetworkInterfaceId=interface, TagSpecifications=spec("traffic-mirror-target", tags)))
    return made["TrafficMirrorTarget"]["TrafficMirrorTargetId"]


@maker("mirror-session")
def mirror_session(name, tags):
    with unrecorded():
        interface = ec2.create_network_interface(SubnetId=base().subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
        target = ec2.create_traffic_mirror_target(NetworkInterfaceId=interface)["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
        chosen = ec2.create_traffic_mirror_filter(Description="base")["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
        source = ec2.create_network_interface(SubnetId=base().subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    made = ec2.create_traffic_mirror_session(**given(
        tags, NetworkInterfaceId=source, TrafficMirrorTargetId=target, TrafficMirrorFilterId=chosen, SessionNumber=1,
        TagSpecifications=spec("traffic-mirror-session", tags)))
    return made["TrafficMirrorSession"]["TrafficMirrorSessionId"]
