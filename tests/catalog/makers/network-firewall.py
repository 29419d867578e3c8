"""Network firewalls."""

from lab import ACCOUNT, REGION, base, client, given, maker, pairs

POLICY = f"arn:aws:network-firewall:{REGION}:{ACCOUNT}:firewall-policy/base"


@maker("firewall")
def firewall(name, tags):
    client("network-firewall").create_firewall(**given(tags, FirewallName=name, FirewallPolicyArn=POLICY, VpcId=base().vpc,
                                                       SubnetMappings=[{"SubnetId": base().subnets[0]}], Tags=pairs(tags)))
    return name
