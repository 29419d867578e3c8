"""Streams of tables."""

from lab import client, maker


@maker("dynamodb-stream")
def stream(name, tags):
    made = client("dynamodb").create_table(
        TableName=f"{name}-streamed", KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    return made["TableDescription"]["LatestStreamArn"]
