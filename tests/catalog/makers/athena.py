"""Work groups, data catalogs, reservations and saved queries."""

from lab import client, given, maker, pairs

athena = client("athena")


@maker("athena-work-group")
def work_group(name, tags):
    athena.create_work_group(**given(tags, Name=name, Tags=pairs(tags)))
    return name


@maker("athena-data-catalog")
def data_catalog(name, tags):
    athena.create_data_catalog(**given(tags, Name=name, Type="HIVE", Tags=pairs(tags)))
    return name


@maker("athena-capacity-reservation")
def reservation(name, tags):
    athena.create_capacity_reservation(Name=name, TargetDpus=24, Tags=pairs(tags))
    return name


@maker("athena-named-query")
def query(name, tags):
    return athena.create_named_query(Name=name, Database="default", QueryString="SELECT 1")["NamedQueryId"]
