"""Customization jobs and the models that come of them."""

from lab import base, client, given, maker, pairs

bedrock = client("bedrock")


def customize(job, model, tags, **of_model):
    data = {"trainingDataConfig": {"s3Uri": f"s3://{base().bucket}/in"}, "outputDataConfig": {"s3Uri": f"s3://{base().bucket}/out"}}
    answer = bedrock.create_model_customization_job(jobName=job, customModelName=model, roleArn=base().role, hyperParameters={},
                                                    baseModelIdentifier="amazon.titan-text-lite-v1", **data, **of_model, **tags)
    return answer["jobArn"]


@maker("bedrock-customization-job")
def job(name, tags):
    return customize(name, f"{name}-model", {"jobTags": pairs(tags, "key", "value")} if tags else {})


@maker("bedrock-custom-model")
def model(name, tags):
    customize(f"{name}-job", name, {"customModelTags": pairs(tags, "key", "value")} if tags else {})
    return bedrock.get_custom_model(modelIdentifier=name)["modelArn"]
