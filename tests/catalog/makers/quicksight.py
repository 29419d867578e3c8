"""Dashboards and data sources."""

from lab import ACCOUNT, client, given, maker, pairs

quicksight = client("quicksight")


@maker("quicksight-dashboard")
def dashboard(name, tags):
    return quicksight.create_dashboard(**given(tags, AwsAccountId=ACCOUNT, DashboardId=name, Name=name, Tags=pairs(tags)))["DashboardId"]


@maker("quicksight-datasource")
def datasource(name, tags):
    return quicksight.create_data_source(**given(tags, AwsAccountId=ACCOUNT, DataSourceId=name, Name=name, Type="ATHENA",
                                                 DataSourceParameters={"AthenaParameters": {"WorkGroup": "primary"}},
                                                 Tags=pairs(tags)))["DataSourceId"]
