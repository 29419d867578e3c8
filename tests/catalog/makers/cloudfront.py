"""Distributions."""

from lab import client, maker, pairs


def configuration(name):
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    origin = {"Id": "a", "DomainName": "example.com", "CustomOriginConfig": custom}
    behaviour = {"TargetOriginId": "a", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0,
                 "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}
    return {"CallerReference": name, "Comment": name, "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behaviour}


@maker("distribution")
def distribution(name, tags):
    made = client("cloudfront").create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": configuration(name), "Tags": {"Items": pairs(tags)}})
    return made["Distribution"]["Id"]


@maker("cloudfront-function")
def function(name, tags):
    client("cloudfront").create_function(
        Name=name, FunctionConfig={"Comment": name, "Runtime": "cloudfront-js-2.0"}, FunctionCode=b"function handler(event) {}",
        Tags={"Items": pairs(tags)})
    return name


@maker("cloudfront-key-value-store")
def key_value_store(name, tags):
    client("cloudfront").create_key_value_store(Name=name, Tags={"Items": pairs(tags)})
    return name
