"""Rules."""

from lab import client, maker, pairs


@maker("event-rule")
def rule(name, tags):
    return client("events").put_rule(Name=name, ScheduleExpression="rate(1 hour)", Tags=pairs(tags))["RuleArn"]
