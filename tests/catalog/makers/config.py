"""Rules."""

from lab import base, client, given, maker, pairs, serial, shared


@shared
def recorder():
    client("config").put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": base().role})


@maker("config-rule")
def rule(name, tags):
    recorder()
    source = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}
    client("config").put_config_rule(**given(tags, ConfigRule={"ConfigRuleName": name, "Source": source}, Tags=pairs(tags)))
    return name


@maker("config-recorder", without={case: "an account has one in a region" for case in ("bare", "owned", "unrecorded", "machine")})
def customer_recorder(name, tags):
    client("config").put_configuration_recorder(**given(tags, ConfigurationRecorder={"name": "default", "roleARN": base().role}, Tags=pairs(tags)))
    return "default"


@maker("config-aggregation-authorization")
def aggregation_authorization(name, tags):
    made = client("config").put_aggregation_authorization(
        **given(tags, AuthorizedAccountId=f"{serial():012}", AuthorizedAwsRegion="us-east-1", Tags=pairs(tags)))
    return made["AggregationAuthorization"]["AggregationAuthorizationArn"]


@maker("config-configuration-aggregator")
def aggregator(name, tags):
    sources = [{"AccountIds": ["123456789012"], "AllAwsRegions": True}]
    client("config").put_configuration_aggregator(
        **given(tags, ConfigurationAggregatorName=name, AccountAggregationSources=sources, Tags=pairs(tags)))
    return name


@maker("config-organization-conformance-pack")
def organization_conformance_pack(name, tags):
    client("config").put_organization_conformance_pack(**given(
        tags, OrganizationConformancePackName=name, DeliveryS3Bucket=f"awsconfigconforms-{name}", TemplateS3Uri="s3://packs/pack.yml", Tags=pairs(tags)))
    return name
