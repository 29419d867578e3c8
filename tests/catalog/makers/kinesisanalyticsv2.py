"""Applications."""

from lab import base, client, given, maker, pairs


@maker("kinesis-analyticsv2")
def application(name, tags):
    made = client("kinesisanalyticsv2").create_application(**given(
        tags, ApplicationName=name, RuntimeEnvironment="FLINK-1_20", ServiceExecutionRole=base().role, Tags=pairs(tags)))
    return made["ApplicationDetail"]["ApplicationARN"]
