"""Collections; each needs a policy of encryption."""

import json

from lab import client, given, maker, pairs, shared

aoss = client("opensearchserverless")


@shared
def encrypted():
    policy = {"Rules": [{"ResourceType": "collection", "Resource": ["collection/lab-*"]}], "AWSOwnedKey": True}
    aoss.create_security_policy(name="base", type="encryption", policy=json.dumps(policy))


@maker("opensearch-serverless")
def collection(name, tags):
    encrypted()
    made = aoss.create_collection(**given(tags, name=name, type="SEARCH", tags=pairs(tags, "key", "value")))
    return made["createCollectionDetail"]["id"]
