"""Tables."""

from lab import client, given, maker, pairs


@maker("dynamodb-table")
def table(name, tags):
    client("dynamodb").create_table(**given(
        tags, TableName=name, KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], Tags=pairs(tags)))
    return name
