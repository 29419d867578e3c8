"""Corrections to moto 5.2.5 that the catalog's tests need. They run inside its server (`before` is moto_launcher.py's hook).

Each repair says what AWS does. UpdateStack with an empty `Tags` removes all tags, which moto takes for none given. DescribeDhcpOptions knows the filter owner-id, and all
of an account's are its own. Athena's ListTagsForResource returns an empty list for a resource without tags. DescribeCapacityProviders
without names gives all, with their tags. CodeDeploy has BatchGetDeploymentGroups. Elastic Beanstalk's applications have tags.
ECS's tasks don't stop because they are looked at. Lex lists the aliases of the bot that is asked for, not those of all, and their ARNs have
no `$` and can be asked for tags. The Tagging API lists a SageMaker model card once, not its versions; model packages have tags. CloudWatch tags alarms, dashboards and
Contributor Insights rules (its TagResource's documentation), dashboards also when they are put. Route 53 Resolver reads and writes the tags of query
log configurations, not only of endpoints and rules. The ARN of an identity of SES is `…:identity/NAME`. The Tagging API says of a Storage Lens
configuration that it can't take its tags off, instead of that it did. WorkSpaces tags images too, has one value for a key, and takes tags off.
API Gateway tags all of its taggable resources, not stages alone. The page size of SES's pools is a number. Direct Connect's TagResource takes ARNs.
What CloudHSM's TagResource writes, DescribeClusters shows. The root of ListStorageLensConfigurations' answer has no plural.
"""

import collections
import copy
import urllib.parse

from moto.apigateway import urls as gateway_urls
from moto.apigateway.responses import APIGatewayResponse
from moto.athena.models import AthenaBackend
from moto.cloudformation.models import cloudformation_backends
from moto.cloudhsmv2.models import CloudHSMV2Backend
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.codedeploy import responses as codedeploy
from moto.core.responses import ActionResult
from moto.core.serialize import BaseXMLSerializer
from moto.directconnect.models import DirectConnectBackend
from moto.ec2.models.dhcp_options import DHCPOptionsSet
from moto.ecs.models import EC2ContainerServiceBackend
from moto.elasticbeanstalk.models import EBBackend
from moto.lexv2models import urls as lex_urls
from moto.lexv2models.models import FakeBotAlias, LexModelsV2Backend
from moto.moto_api import state_manager
from moto.route53resolver.models import Route53ResolverBackend
from moto.s3.models import S3Backend
from moto.sagemaker.models import SageMakerModelBackend
from moto.ses import models as ses
from moto.sesv2.models import SESV2Backend
from moto.ssm.models import SimpleSystemManagerBackend
from moto.workspaces.models import WorkSpacesBackend

_dhcp_filter_value = DHCPOptionsSet.get_filter_value
DHCPOptionsSet.get_filter_value = lambda self, name, method=None: (
    "123456789012" if name == "owner-id" else _dhcp_filter_value(self, name, method)
)
AthenaBackend.list_tags_for_resource = lambda self, resource_arn: self.tagger.list_tags_for_resource(resource_arn)
_ssm_id = SimpleSystemManagerBackend._validate_resource_type_and_id
SimpleSystemManagerBackend._validate_resource_type_and_id = lambda self, resource_type, resource_id: (
    resource_id if resource_type == "PatchBaseline" and resource_id in self.baselines else _ssm_id(self, resource_type, resource_id)
)

_describe_providers = EC2ContainerServiceBackend.describe_capacity_providers
EC2ContainerServiceBackend.describe_capacity_providers = lambda self, names: (
    (list(self.capacity_providers.values()), []) if names is None else _describe_providers(self, names)
)

state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})

_find_environment = EBBackend._find_environment_by_arn


def find_by_arn(self, arn):
    for application in self.applications.values():
        if application.arn == arn:
            vars(application).setdefault("tags", {})
            return application
    return _find_environment(self, arn)


EBBackend._find_environment_by_arn = find_by_arn


def batch_get_deployment_groups(self):
    application, names = self._get_param("applicationName"), self._get_param("deploymentGroupNames")
    groups = [self.codedeploy_backend.get_deployment_group(application_name=application, deployment_group_name=name) for name in names]
    return ActionResult({"deploymentGroupsInfo": [codedeploy._deployment_group_info(group) for group in groups]})


codedeploy.CodeDeployResponse.batch_get_deployment_groups = batch_get_deployment_groups

_list_bot_aliases = LexModelsV2Backend.list_bot_aliases
LexModelsV2Backend.list_bot_aliases = lambda self, bot_id, max_results: (
    [found for found in _list_bot_aliases(self, bot_id, max_results)[0] if self.bot_aliases[found["botAliasId"]].bot_id == bot_id], bot_id
)
FakeBotAlias._generate_arn = lambda self: f"arn:aws:lex:{self.region_name}:{self.account_id}:bot-alias/{self.bot_id}/{self.id}"
lex_urls.url_paths["{0}/tags/(?P<arn_prefix>[^/]+)/(?P<bot_id>[^/]+)/(?P<alias_id>[^/]+)$"] = lex_urls.LexModelsV2Response.dispatch


class CardVersions(list):
    """A model card's versions, which share its ARN and tags."""

    arn = property(lambda self: self[0].arn)
    tags = property(lambda self: self[0].tags)


def init_with_cards(self, region_name, account_id, init=SageMakerModelBackend.__init__):
    init(self, region_name, account_id)
    self.model_cards = collections.defaultdict(CardVersions)


SageMakerModelBackend.__init__ = init_with_cards

_sagemaker_tagged = SageMakerModelBackend.iter_tagged_resources


def sagemaker_tagged(self):
    """With each model card once instead of the list of its versions, over which GetResources of all services would fail."""
    seen = copy.copy(self)
    seen.model_cards = {name: versions[-1] for name, versions in self.model_cards.items()}
    return _sagemaker_tagged(seen)


SageMakerModelBackend.iter_tagged_resources = sagemaker_tagged


def tag_cloudwatch(self, arn, tags):
    self.tagger.tag_resource(arn, self.tagger.convert_dict_to_tags_input(tags))


CloudWatchBackend.tag_resource = tag_cloudwatch
_put_dashboard = CloudWatchResponse.put_dashboard


def put_dashboard(self):
    answer = _put_dashboard(self)
    name, tags = self._get_param("DashboardName"), self._get_param("Tags", [])
    self.cloudwatch_backend.tagger.tag_resource(self.cloudwatch_backend.dashboards[name].arn, tags)
    return answer


CloudWatchResponse.put_dashboard = put_dashboard

_resolver_has = Route53ResolverBackend._matched_arn
Route53ResolverBackend._matched_arn = lambda self, arn: (
    None if arn in [config.arn for config in self.resolver_query_log_configs.values()] else _resolver_has(self, arn)
)

_ses_arn = ses.get_arn
ses.get_arn = lambda backend, service, resource: _ses_arn(backend, service, resource.replace("email-identity/", "identity/", 1))

_s3_untag = S3Backend.untag_resource


def untag_s3(self, arn, tag_keys):
    if ":storage-lens/" in arn:
        raise NotImplementedError
    _s3_untag(self, arn, tag_keys)


S3Backend.untag_resource = untag_s3


def untag_workspaces(self, arn, tag_keys, more=()):
    resource = {**self.workspaces, **self.workspace_directories, **self.workspace_images}[arn.split("/")[-1]]
    resource.tags = [tag for tag in resource.tags or [] if tag["Key"] not in tag_keys] + list(more)


def tag_workspaces(self, resource_id, tags):
    untag_workspaces(self, resource_id, [tag["Key"] for tag in tags], tags)


WorkSpacesBackend.untag_resource, WorkSpacesBackend.create_tags = untag_workspaces, tag_workspaces

gateway_urls.url_paths["{0}/tags/(?P<arn>[^/]+)/(?P<kind>[^/]+)/(?P<id>[^/]+)$"] = APIGatewayResponse.dispatch
_gateway_tag, _gateway_untag = APIGatewayResponse.tag_resource, APIGatewayResponse.untag_resource


def of_gateway(self):
    """What the request's ARN names, unless it is a stage."""
    kind, ident = urllib.parse.unquote(self.path).split("/")[-2:]
    api = self.backend
    known = {
        "restapis": api.apis, "apikeys": api.keys, "usageplans": api.usage_plans, "vpclinks": api.vpc_links, "domainnames": api.domain_names,
    }
    return known[kind][ident] if kind in known else None


def tag_gateway(self):
    found = of_gateway(self)
    if found is None:
        return _gateway_tag(self)
    found.tags = {**(found.tags or {}), **self._get_param("tags")}
    return "{}"


def untag_gateway(self):
    found = of_gateway(self)
    if found is None:
        return _gateway_untag(self)
    found.tags = {key: value for key, value in found.tags.items() if key not in self.querystring["tagKeys"]}
    return "{}"


APIGatewayResponse.tag_resource, APIGatewayResponse.untag_resource = tag_gateway, untag_gateway

_ses_pools = SESV2Backend.list_dedicated_ip_pools
SESV2Backend.list_dedicated_ip_pools = lambda self, next_token, page_size: (
    _ses_pools(self, next_token=next_token, page_size=int(page_size) if page_size else None)
)

_connect_tag, _connect_untag = DirectConnectBackend.tag_resource, DirectConnectBackend.untag_resource
DirectConnectBackend.tag_resource = lambda self, arn, tags: _connect_tag(self, arn.split("/", 1)[1], tags)
DirectConnectBackend.untag_resource = lambda self, arn, tag_keys: _connect_untag(self, arn.split("/", 1)[1], tag_keys)


def untag_hsm(self, resource_id, tag_key_list, more=()):
    cluster = self.clusters[resource_id]
    cluster.tag_list = [tag for tag in cluster.tag_list if tag["Key"] not in tag_key_list] + list(more)
    return {}


def tag_hsm(self, resource_id, tag_list):
    return untag_hsm(self, resource_id, [tag["Key"] for tag in tag_list], tag_list)


CloudHSMV2Backend.tag_resource, CloudHSMV2Backend.untag_resource = tag_hsm, untag_hsm

_sagemaker_found = SageMakerModelBackend._get_resource_from_arn
SageMakerModelBackend._get_resource_from_arn = lambda self, arn: (
    self.model_packages[arn] if ":model-package/" in arn else _sagemaker_found(self, arn)
)


_xml = BaseXMLSerializer._serialized_result_to_response


def storage_lens_root(self, resp, *more):
    made = _xml(self, resp, *more)
    if self.operation_model.name == "ListStorageLensConfigurations":
        made["body"] = made["body"].replace("ListStorageLensConfigurationsResponse", "ListStorageLensConfigurationResult")
    return made


BaseXMLSerializer._serialized_result_to_response = storage_lens_root


def before(entry, environ):
    """Nothing is answered here: only states that moto would not reach are set."""
    if entry["action"] == "UpdateStack":
        form = urllib.parse.parse_qs(entry["body"], keep_blank_values=True)
        if form.get("Tags") == [""]:
            cloudformation_backends["123456789012"][entry["region"]].get_stack(form["StackName"][0]).tags = {}
