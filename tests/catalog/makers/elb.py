"""Classic load balancers."""

from lab import base, client, given, maker, pairs


@maker("elb")
def load_balancer(name, tags):
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
    client("elb").create_load_balancer(**given(tags, LoadBalancerName=name, Listeners=[listener], Subnets=base().subnets, Tags=pairs(tags)))
    return name
