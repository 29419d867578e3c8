"""Functions, what calls them and what they are built of."""

from lab import base, client, given, maker, serial, shared


@maker("lambda")
def function(name, tags):
    client("lambda").create_function(FunctionName=name, Role=base().role, Runtime="python3.13", Handler="main.handler",
                                     Code={"ZipFile": base().code}, Tags=tags)
    return name


@shared
def function_of_mappings():
    function("base", {})
    return "base"


@maker("lambda-event-source-mapping")
def mapping(name, tags):
    queue = client("sqs").create_queue(QueueName=f"{name}-{serial()}")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made = client("lambda").create_event_source_mapping(**given(tags, FunctionName=function_of_mappings(), EventSourceArn=arn, Tags=tags))
    return made["UUID"]


@maker("lambda-layer")
def layer(name, tags):
    client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": base().code})
    return name
