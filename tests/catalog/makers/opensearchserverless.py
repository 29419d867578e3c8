"""Collections; each needs a policy of encryption."""

import json

from lab import base, client, maker, pairs

aoss = client("opensearchserverless")


@maker("opensearch-serverless")
def collection(name, tags):
    policy = {"Rules": [{"ResourceType": "collection", "Resource": [f"collection/{name}"]}], "AWSOwnedKey": False, "KmsARN": base().key}
    aoss.create_security_policy(name=name, type="encryption", policy=json.dumps(policy))
    made = aoss.create_collection(name=name, type="SEARCH", tags=pairs(tags, "key", "value"))
    return made["createCollectionDetail"]["id"]
