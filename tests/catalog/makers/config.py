"""Rules."""

from lab import base, client, given, maker, pairs, shared


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
