"""Applications in SQL, as the first version of the service makes them."""

from lab import ACCOUNT, REGION, amend, client, given, maker, pairs


@maker("kinesis-analytics", prefix="lab-sql-")
def application(name, tags):
    client("kinesisanalytics").create_application(**given(tags, ApplicationName=name, ApplicationCode="SELECT 1", Tags=pairs(tags)))
    arn = f"arn:aws:kinesisanalytics:{REGION}:{ACCOUNT}:application/{name}"
    # moto answers as the second version does.
    amend(response={"applicationSummary": {"applicationName": name, "applicationARN": arn, "applicationStatus": "READY"}})
    return arn
