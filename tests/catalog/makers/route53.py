"""Hosted zones, their records, and health checks."""

from lab import client, maker, pairs, shared

route53 = client("route53")


def tagged(kind, ident, tags):
    if tags:
        route53.change_tags_for_resource(ResourceType=kind, ResourceId=ident, AddTags=pairs(tags))


@maker("hostedzone")
def zone(name, tags):
    made = route53.create_hosted_zone(Name=f"{name}.example.com", CallerReference=name)["HostedZone"]["Id"]
    tagged("hostedzone", made.split("/")[-1], tags)
    return made


@maker("healthcheck")
def health_check(name, tags):
    config = {"Type": "HTTP", "FullyQualifiedDomainName": "example.com", "Port": 80, "RequestInterval": 30, "FailureThreshold": 3}
    made = route53.create_health_check(CallerReference=name, HealthCheckConfig=config)["HealthCheck"]["Id"]
    tagged("healthcheck", made, tags)
    return made
