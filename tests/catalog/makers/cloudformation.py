"""Stacks."""

from lab import client, maker, pairs

TEMPLATE = '{"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}'


@maker("cfn")
def stack(name, tags):
    client("cloudformation").create_stack(StackName=name, TemplateBody=TEMPLATE, Tags=pairs(tags))
    return name
