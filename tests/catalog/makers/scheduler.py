"""Groups of schedules."""

from lab import client, given, maker, pairs


@maker("scheduler-schedule-group")
def group(name, tags):
    client("scheduler").create_schedule_group(**given(tags, Name=name, Tags=pairs(tags)))
    return name
