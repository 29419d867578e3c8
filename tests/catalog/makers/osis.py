"""Pipelines."""

from lab import client, given, maker, pairs

PIPELINE = """
version: "2"
log-pipeline:
  source: {http: {path: /logs}}
  sink: [{s3: {aws: {sts_role_arn: 'arn:aws:iam::123456789012:role/base', region: us-east-1}, bucket: base-bucket}}]
"""


@maker("opensearch-ingestion")
def pipeline(name, tags):
    client("osis").create_pipeline(**given(
        tags, PipelineName=name, MinUnits=1, MaxUnits=1, PipelineConfigurationBody=PIPELINE, Tags=pairs(tags)))
    return name
