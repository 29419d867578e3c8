"""REST APIs, their stages, and what is in front of them."""

from lab import ACCOUNT, REGION, amend, client, given, maker, shared

gateway = client("apigateway")


@maker("rest-api")
def rest_api(name, tags):
    return gateway.create_rest_api(**given(tags, name=name, tags=tags))["id"]


@shared
def base_api():
    """An API with a deployment: both ids."""
    api = gateway.create_rest_api(name="base")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    return api, root, gateway.create_deployment(restApiId=api)["id"]


@maker("rest-stage")
def stage(name, tags):
    api, _, deployment = base_api()
    gateway.create_stage(**given(tags, restApiId=api, stageName=name, deploymentId=deployment, tags=tags))
    amend(request={"restApiId": api})  # the model's name for it is restapi_id
    return f"{api}/{name}"


@maker("rest-resource")
def resource(name, tags):
    api, root, _ = base_api()
    return gateway.create_resource(restApiId=api, parentId=root, pathPart=name)["id"]


@maker("apigw-domain-name")
def domain_name(name, tags):
    gateway.create_domain_name(**given(tags, domainName=f"{name}.example.com", tags=tags))
    return f"{name}.example.com"


@maker("rest-vpclink")
def vpc_link(name, tags):
    balancer = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/base/1"
    return gateway.create_vpc_link(**given(tags, name=name, targetArns=[balancer], tags=tags))["id"]


@maker("rest-api-key")
def api_key(name, tags):
    return gateway.create_api_key(**given(tags, name=name, tags=tags))["id"]


@maker("rest-usage-plan")
def usage_plan(name, tags):
    return gateway.create_usage_plan(**given(tags, name=name, tags=tags))["id"]
