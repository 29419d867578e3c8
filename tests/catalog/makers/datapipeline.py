"""Pipelines."""

from lab import client, given, maker, pairs


@maker("datapipeline")
def pipeline(name, tags):
    made = client("datapipeline").create_pipeline(**given(tags, name=name, uniqueId=name, tags=pairs(tags, "key", "value")))
    return made["pipelineId"]
