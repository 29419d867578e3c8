"""Rules."""

from lab import client, given, maker, pairs


@maker("event-rule")
def rule(name, tags):
    return client("events").put_rule(Name=name, ScheduleExpression="rate(1 hour)", Tags=pairs(tags))["RuleArn"]


# moto finds what to tag by its name alone, rules first.
@maker("event-bus", prefix="lab-bus-")
def bus(name, tags):
    client("events").create_event_bus(**given(tags, Name=name, Tags=pairs(tags)))
    return name
