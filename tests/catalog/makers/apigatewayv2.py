"""HTTP APIs, their stages and routes."""

from lab import base, client, given, maker, serial, shared

gateway = client("apigatewayv2")


@maker("apigwv2")
def api(name, tags):
    return gateway.create_api(**given(tags, Name=name, ProtocolType="HTTP", Tags=tags))["ApiId"]


@shared
def base_api():
    return gateway.create_api(Name="base", ProtocolType="HTTP")["ApiId"]


@maker("apigwv2-stage")
def stage(name, tags):
    gateway.create_stage(**given(tags, ApiId=base_api(), StageName=name, Tags=tags))
    return f"{base_api()}/{name}"


@maker("apigwv2-route")
def route(name, tags):
    return gateway.create_route(ApiId=base_api(), RouteKey=f"GET /{name}-{serial()}")["RouteId"]


@maker("apigwv2-vpclink")
def vpc_link(name, tags):
    return gateway.create_vpc_link(**given(tags, Name=name, SubnetIds=base().subnets, Tags=tags))["VpcLinkId"]
