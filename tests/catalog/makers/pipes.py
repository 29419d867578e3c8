"""Pipes."""

from lab import base, client, given, maker


@maker("eventbridge-pipes")
def pipe(name, tags):
    client("pipes").create_pipe(**given(tags, Name=name, RoleArn=base().role, Source=base().queue, Target=base().topic, Tags=tags))
    return name
