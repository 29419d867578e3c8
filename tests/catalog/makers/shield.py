"""Protections, each of an address of its own."""

from lab import ACCOUNT, REGION, client, given, maker, pairs, shared, unrecorded

shield = client("shield")


@shared
def subscription():
    shield.create_subscription()


@maker("shield-protection")
def protection(name, tags):
    subscription()
    with unrecorded():
        address = client("ec2").allocate_address(Domain="vpc")["AllocationId"]
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:eip-allocation/{address}"
    return shield.create_protection(**given(tags, Name=name, ResourceArn=arn, Tags=pairs(tags)))["ProtectionId"]
