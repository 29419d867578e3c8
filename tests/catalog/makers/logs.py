"""Log groups."""

from lab import client, given, maker


@maker("log-group", prefix="/lab/")
def group(name, tags):
    client("logs").create_log_group(**given(tags, logGroupName=name, tags=tags))
    return name
