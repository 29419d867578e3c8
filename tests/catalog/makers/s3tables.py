"""Table buckets."""

from lab import client, given, maker


@maker("s3-table-bucket")
def table_bucket(name, tags):
    return client("s3tables").create_table_bucket(**given(tags, name=name, tags=tags))["arn"]
