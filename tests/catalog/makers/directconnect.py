"""Lines to AWS."""

from lab import client, given, maker, pairs

direct = client("directconnect")


@maker("directconnect")
def connection(name, tags):
    return direct.create_connection(**given(tags, location="EqDC2", bandwidth="1Gbps", connectionName=name,
                                            tags=pairs(tags, "key", "value")))["connectionId"]


@maker("directconnect-lag")
def lag(name, tags):
    return direct.create_lag(**given(tags, numberOfConnections=1, location="EqDC2", connectionsBandwidth="1Gbps", lagName=name,
                                     tags=pairs(tags, "key", "value")))["lagId"]
