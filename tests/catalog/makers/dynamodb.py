"""Tables and their backups."""

from lab import client, given, maker, pairs, shared


@maker("dynamodb-table")
def table(name, tags):
    client("dynamodb").create_table(**given(
        tags, TableName=name, KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], Tags=pairs(tags)))
    return name


@shared
def backed_up():
    return table("base", {})


@maker("dynamodb-backup")
def backup(name, tags):
    made = client("dynamodb").create_backup(TableName=backed_up(), BackupName=name)
    return made["BackupDetails"]["BackupArn"]
