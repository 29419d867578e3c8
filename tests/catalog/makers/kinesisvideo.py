"""Streams of video."""

from lab import client, given, maker


@maker("kinesis-video")
def stream(name, tags):
    client("kinesisvideo").create_stream(**given(tags, StreamName=name, Tags=tags))
    return name
