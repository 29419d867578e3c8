"""Load balancers, their listeners and rules, and target groups."""

from lab import base, client, given, maker, pairs, serial, shared

FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]


@maker("app-elb")
def balancer(name, tags):
    made = client("elbv2").create_load_balancer(**given(tags, Name=name, Subnets=base().subnets, Tags=pairs(tags)))
    return made["LoadBalancers"][0]["LoadBalancerArn"]


@maker("app-elb-target-group")
def target_group(name, tags):
    made = client("elbv2").create_target_group(**given(tags, Name=name, Protocol="HTTP", Port=80, VpcId=base().vpc, Tags=pairs(tags)))
    return made["TargetGroups"][0]["TargetGroupArn"]


@shared
def balancer_shared():
    made = client("elbv2").create_load_balancer(Name="base-listened", Subnets=base().subnets)
    return made["LoadBalancers"][0]["LoadBalancerArn"]


@shared
def listened():
    made = client("elbv2").create_listener(LoadBalancerArn=balancer_shared(), Protocol="HTTP", Port=1, DefaultActions=FIXED)
    return made["Listeners"][0]["ListenerArn"]


@maker("app-elb-listener")
def listener(name, tags):
    made = client("elbv2").create_listener(**given(tags, LoadBalancerArn=balancer_shared(), Protocol="HTTP", Port=1000 + serial(),
                                                   DefaultActions=FIXED, Tags=pairs(tags)))
    return made["Listeners"][0]["ListenerArn"]


@maker("app-elb-listener-rule")
def rule(name, tags):
    made = client("elbv2").create_rule(**given(tags, ListenerArn=listened(), Priority=serial(), Actions=FIXED, Tags=pairs(tags),
                                               Conditions=[{"Field": "path-pattern", "Values": [f"/{name}"]}]))
    return made["Rules"][0]["RuleArn"]
