"""DataBrew: data sets, jobs, recipes and sets of rules."""

from lab import base, client, given, maker, shared

databrew = client("databrew")
STEPS = [{"Action": {"Operation": "UPPER_CASE", "Parameters": {"sourceColumn": "a"}}}]


@shared
def prepared():
    databrew.create_dataset(Name="base", Input={"S3InputDefinition": {"Bucket": base().bucket}})
    return "base"


@maker("databrew-dataset")
def dataset(name, tags):
    databrew.create_dataset(**given(tags, Name=name, Input={"S3InputDefinition": {"Bucket": base().bucket}}, Tags=tags))
    return name


@maker("databrew-job")
def job(name, tags):
    databrew.create_profile_job(**given(
        tags, Name=name, DatasetName=prepared(), OutputLocation={"Bucket": base().bucket}, RoleArn=base().role, Tags=tags))
    return name


@maker("databrew-recipe")
def recipe(name, tags):
    databrew.create_recipe(**given(tags, Name=name, Steps=STEPS, Tags=tags))
    return name


@maker("databrew-ruleset")
def ruleset(name, tags):
    rules = [{"Name": "filled", "CheckExpression": ":col IS NOT NULL", "SubstitutionMap": {":col": "`a`"}}]
    target = f"arn:aws:databrew:us-east-1:123456789012:dataset/{prepared()}"
    databrew.create_ruleset(**given(tags, Name=name, TargetArn=target, Rules=rules, Tags=tags))
    return name
