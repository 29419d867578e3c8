"""Topics."""

from lab import client, maker, pairs


@maker("sns")
def topic(name, tags):
    return client("sns").create_topic(Name=name, Tags=pairs(tags))["TopicArn"]
