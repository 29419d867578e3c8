"""Collaborations, memberships and configured tables."""

from lab import client, given, maker

cleanrooms = client("cleanrooms")


def collaborate(name, tags):
    return cleanrooms.create_collaboration(**given(
        tags, name=name, description=name, members=[], creatorMemberAbilities=["CAN_QUERY"], creatorDisplayName="lab", queryLogStatus="DISABLED",
        tags=tags))["collaboration"]["id"]


@maker("cleanrooms-collaboration")
def collaboration(name, tags):
    return collaborate(name, tags)


@maker("cleanrooms-membership")
def membership(name, tags):
    made = cleanrooms.create_membership(**given(tags, collaborationIdentifier=collaborate(name, {}), queryLogStatus="DISABLED", tags=tags))
    return made["membership"]["id"]


@maker("cleanrooms-configured-table")
def configured_table(name, tags):
    table = {"glue": {"tableName": "table", "databaseName": "base"}}
    return cleanrooms.create_configured_table(**given(tags, name=name, tableReference=table, allowedColumns=["id"],
                                                      analysisMethod="DIRECT_QUERY", tags=tags))["configuredTable"]["id"]
