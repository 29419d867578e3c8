"""State machines."""

from lab import base, client, maker, pairs

MACHINE = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'


@maker("step-machine")
def machine(name, tags):
    made = client("stepfunctions").create_state_machine(name=name, definition=MACHINE, roleArn=base().role, tags=pairs(tags, "key", "value"))
    return made["stateMachineArn"]


@maker("sfn-activity")
def activity(name, tags):
    return client("stepfunctions").create_activity(name=name, tags=pairs(tags, "key", "value"))["activityArn"]
