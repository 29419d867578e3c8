"""Bots and their aliases."""

from lab import base, client, maker, shared

lex = client("lexv2-models")


def make_bot(name, tags):
    made = lex.create_bot(botName=name, roleArn=base().role, dataPrivacy={"childDirected": False}, idleSessionTTLInSeconds=60, botTags=tags)
    return made["botId"]


@shared
def shared_bot():
    return make_bot("base", {})


@maker("lexv2-bot")
def bot(name, tags):
    return make_bot(name, tags)


@maker("lexv2-bot-alias")
def alias(name, tags):
    return lex.create_bot_alias(botAliasName=name, botId=shared_bot(), tags=tags)["botAliasId"]
