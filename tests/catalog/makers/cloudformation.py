"""Stacks and stack sets."""

from lab import client, maker, pairs

TEMPLATE = '{"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}'


@maker("cfn")
def stack(name, tags):
    client("cloudformation").create_stack(StackName=name, TemplateBody=TEMPLATE, Tags=pairs(tags))
    return name


@maker("cfn-stackset")
def stack_set(name, tags):
    client("cloudformation").create_stack_set(StackSetName=name, TemplateBody=TEMPLATE, Tags=pairs(tags))
    return name
