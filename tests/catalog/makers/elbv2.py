"""Load balancers and target groups."""

from lab import base, client, given, maker, pairs


@maker("app-elb")
def balancer(name, tags):
    made = client("elbv2").create_load_balancer(**given(tags, Name=name, Subnets=base().subnets, Tags=pairs(tags)))
    return made["LoadBalancers"][0]["LoadBalancerArn"]


@maker("app-elb-target-group")
def target_group(name, tags):
    made = client("elbv2").create_target_group(**given(tags, Name=name, Protocol="HTTP", Port=80, VpcId=base().vpc, Tags=pairs(tags)))
    return made["TargetGroups"][0]["TargetGroupArn"]
