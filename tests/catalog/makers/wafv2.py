"""Web ACLs and what their rules are made of; web ACLs and address sets also of CloudFront's scope."""

from lab import client, given, maker, pairs

waf = client("wafv2")
VISIBLE = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "lab"}


def scope(name):
    """Both scopes are tried."""
    return "CLOUDFRONT" if name.endswith(("bare", "machine")) else "REGIONAL"


@maker("wafv2")
def acl(name, tags):
    made = waf.create_web_acl(
        **given(tags, Name=name, Scope=scope(name), DefaultAction={"Allow": {}}, VisibilityConfig=VISIBLE, Tags=pairs(tags))
    )
    return made["Summary"]["Id"]


@maker("wafv2-ipset")
def addresses(name, tags):
    made = waf.create_ip_set(
        **given(tags, Name=name, Scope=scope(name), IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"], Tags=pairs(tags))
    )
    return made["Summary"]["Id"]


@maker("wafv2-regex-pattern-set")
def patterns(name, tags):
    made = waf.create_regex_pattern_set(
        **given(tags, Name=name, Scope="REGIONAL", RegularExpressionList=[{"RegexString": "^a"}], Tags=pairs(tags))
    )
    return made["Summary"]["Id"]


@maker("wafv2-rule-group")
def rules(name, tags):
    made = waf.create_rule_group(
        **given(tags, Name=name, Scope="REGIONAL", Capacity=5, VisibilityConfig=VISIBLE, Tags=pairs(tags))
    )
    return made["Summary"]["Id"]
