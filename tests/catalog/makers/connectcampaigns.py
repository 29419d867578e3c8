"""Campaigns of the API's first version."""

from lab import client, maker


campaigns = client("connectcampaigns")


@maker("connect-campaign")
def campaign(name, tags):
    made = campaigns.create_campaign(
        name=name, connectInstanceId="11111111-2222-3333-4444-555555555555", dialerConfig={"progressiveDialerConfig": {"bandwidthAllocation": 1}},
        outboundCallConfig={"connectContactFlowId": "11111111-2222-3333-4444-666666666666"})
    if tags:
        campaigns.tag_resource(arn=made["arn"], tags=tags)  # moto does not list those of the creation
    return made["id"]
