"""Templates of experiments."""

from lab import base, client, given, maker, shared


@maker("fis-template")
def template(name, tags):
    target = {"resourceType": "aws:ec2:instance", "resourceTags": {"a": "b"}, "selectionMode": "ALL"}
    action = {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "t"}}
    made = client("fis").create_experiment_template(**given(
        tags, clientToken=name, description=name, stopConditions=[{"source": "none"}], targets={"t": target}, actions={"a": action},
        roleArn=base().role, tags=tags))
    return made["experimentTemplate"]["id"]


@shared
def base_template():
    return template("base", {})


@maker("fis-experiment")
def experiment(name, tags):
    made = client("fis").start_experiment(**given(tags, clientToken=name, experimentTemplateId=base_template(), tags=tags))
    return made["experiment"]["id"]
