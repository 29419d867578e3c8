"""Instances, what they are made of, and networks."""

from lab import REGION, amend, base, client, given, maker, serial, spec, unrecorded

ec2 = client("ec2")


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
