"""Policies."""

import json

from lab import client, given, maker, pairs


@maker("iot-policy")
def policy(name, tags):
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})
    client("iot").create_policy(**given(tags, policyName=name, policyDocument=document, tags=pairs(tags)))
    return name
