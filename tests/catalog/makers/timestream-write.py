"""Databases of time series and their tables."""

from lab import client, given, maker, pairs, shared

timestream = client("timestream-write")


@shared
def series():
    return timestream.create_database(DatabaseName="base")["Database"]["DatabaseName"]


@maker("timestream-database")
def database(name, tags):
    return timestream.create_database(**given(tags, DatabaseName=name, Tags=pairs(tags)))["Database"]["Arn"]


@maker("timestream-table")
def table(name, tags):
    made = timestream.create_table(**given(tags, DatabaseName=series(), TableName=name, Tags=pairs(tags)))
    return made["Table"]["Arn"]
