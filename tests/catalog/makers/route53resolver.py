"""Resolver endpoints, rules, and configurations of query logs."""

from lab import base, client, given, maker, pairs

resolver = client("route53resolver")


def addresses():
    return [{"SubnetId": subnet} for subnet in base().subnets]


@maker("resolver-endpoint")
def endpoint(name, tags):
    made = resolver.create_resolver_endpoint(**given(tags, CreatorRequestId=name, Name=name, SecurityGroupIds=[base().security_group],
                                                     Direction="OUTBOUND", IpAddresses=addresses(), Tags=pairs(tags)))
    return made["ResolverEndpoint"]["Id"]


@maker("resolver-rule")
def rule(name, tags):
    made = resolver.create_resolver_rule(**given(tags, CreatorRequestId=name, Name=name, RuleType="SYSTEM", DomainName=f"{name}.example.com",
                                                 Tags=pairs(tags)))
    return made["ResolverRule"]["Id"]



@maker("resolver-logs")
def query_log(name, tags):
    made = resolver.create_resolver_query_log_config(**given(tags, CreatorRequestId=name, Name=name, Tags=pairs(tags),
                                                             DestinationArn=f"arn:aws:s3:::{base().bucket}"))
    return made["ResolverQueryLogConfig"]["Id"]
