"""GraphQL and event APIs."""

from lab import client, given, maker, shared

appsync = client("appsync")


@maker("graphql-api")
def graphql_api(name, tags):
    return appsync.create_graphql_api(**given(tags, name=name, authenticationType="API_KEY", tags=tags))["graphqlApi"]["apiId"]


@maker("appsync-event-api")
def event_api(name, tags):
    modes = [{"authType": "API_KEY"}]
    config = {"authProviders": modes, "connectionAuthModes": modes, "defaultPublishAuthModes": modes, "defaultSubscribeAuthModes": modes}
    return appsync.create_api(**given(tags, name=name, eventConfig=config, tags=tags))["api"]["apiId"]


@shared
def shared_event_api():
    return event_api("base", {})


@maker("appsync-channel-namespace")
def channel_namespace(name, tags):
    made = appsync.create_channel_namespace(**given(tags, apiId=shared_event_api(), name=name, tags=tags))
    return made["channelNamespace"]["channelNamespaceArn"]
