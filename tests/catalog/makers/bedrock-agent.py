"""Agents and knowledge bases."""

from lab import base, client, given, maker

agents = client("bedrock-agent")


@maker("bedrock-agent")
def agent(name, tags):
    return agents.create_agent(**given(tags, agentName=name, agentResourceRoleArn=base().role, tags=tags))["agent"]["agentId"]


@maker("bedrock-knowledge-base")
def knowledge_base(name, tags):
    embedding = {"embeddingModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v1"}
    index = {"vectorField": "v", "textField": "t", "metadataField": "m"}
    store = {"collectionArn": "arn:aws:aoss:us-east-1:123456789012:collection/base", "vectorIndexName": "base", "fieldMapping": index}
    answer = agents.create_knowledge_base(**given(
        tags, name=name, roleArn=base().role, tags=tags,
        knowledgeBaseConfiguration={"type": "VECTOR", "vectorKnowledgeBaseConfiguration": embedding},
        storageConfiguration={"type": "OPENSEARCH_SERVERLESS", "opensearchServerlessConfiguration": store}))
    return answer["knowledgeBase"]["knowledgeBaseId"]
