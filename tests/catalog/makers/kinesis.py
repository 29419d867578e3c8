"""Streams."""

from lab import client, maker


@maker("kinesis")
def stream(name, tags):
    client("kinesis").create_stream(StreamName=name, ShardCount=1)
    if tags:  # moto drops CreateStream's own Tags
        client("kinesis").add_tags_to_stream(StreamName=name, Tags=tags)
    return name
