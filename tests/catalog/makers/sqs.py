"""Queues."""

from lab import ACCOUNT, REGION, amend, client, maker


@maker("sqs")
def queue(name, tags):
    made = client("sqs").create_queue(QueueName=name, tags=tags)["QueueUrl"]
    amend(response={"queueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"})  # moto's URL is the endpoint's
    return made
