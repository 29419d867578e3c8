"""AWS Config's advanced queries, which moto lacks: the SQL is executed over configuration items of what moto really has.

An account-region has items only where its recorder records, and only of the types that it records. They are made of the answers of the
services' own calls, with the IDs that AWS Config gives them: an ID, a name, a URL or an ARN. An aggregator has the items of its
accounts and regions. `play` lets tests stop the items in time (AWS Config lags).

As strict as AWS: only SELECT, WHERE, GROUP BY and ORDER BY with the documented operators, known properties, at most 4,096 characters, 25
results a page unless asked otherwise and 100 at most, and no page token but those of the same query.

Sources: https://docs.aws.amazon.com/config/latest/developerguide/query-components.html,
https://docs.aws.amazon.com/config/latest/APIReference/API_SelectResourceConfig.html,
https://docs.aws.amazon.com/config/latest/APIReference/API_SelectAggregateResourceConfig.html,
https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html and
https://github.com/awslabs/aws-config-resource-schema (the properties).
"""

import base64
import hashlib
import json
import os
import re
import sqlite3

from moto_strict import after_import

PROPERTIES = (
    "accountId arn availabilityZone awsRegion configurationItemCaptureTime configurationItemStatus configurationStateId "
    "relationships resourceCreationTime resourceId resourceName resourceType tags version"
).split()
IAM = ("AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User")
MAX_LENGTH, MAX_PAGE, DEFAULT_PAGE = 4096, 100, 25
HOME = "us-east-1"
# Tests stop time here: the items of an account-region as they were, and further ones.
frozen, more = {}, []


def by_key(tags, key="Key", value="Value"):
    return {tag[key]: tag[value] for tag in tags or []}


def client_of(account):
    import boto3

    endpoint = "http://127.0.0.1:" + os.environ["MOTO_PORT"]

    def client(service, region, keys):
        return boto3.client(service, region_name=region, endpoint_url=endpoint, **keys)

    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    if account != "123456789012":
        role = f"arn:aws:iam::{account}:role/AWSServiceRoleForConfig"
        given = client("sts", HOME, keys).assume_role(RoleArn=role, RoleSessionName="config")["Credentials"]
        keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
    return lambda service, region: client(service, region, keys)


def pages(client, operation, items):
    found = []
    for page in client.get_paginator(operation).paginate():
        found.extend(page[items])
    return found


def regional_items(client, account, region):
    """Type, ID, name, ARN and tags of the resources that a region's recorder can have."""

    def here(service):
        return client(service, region)

    ec2, prefix = here("ec2"), f"arn:aws:ec2:{region}:{account}:"
    for volume in pages(ec2, "describe_volumes", "Volumes"):
        yield "AWS::EC2::Volume", volume["VolumeId"], None, f"{prefix}volume/{volume['VolumeId']}", by_key(volume.get("Tags"))
    for reservation in pages(ec2, "describe_instances", "Reservations"):
        for one in reservation["Instances"]:
            if one["State"]["Name"] != "terminated":
                yield "AWS::EC2::Instance", one["InstanceId"], None, f"{prefix}instance/{one['InstanceId']}", by_key(one.get("Tags"))
    for group in pages(ec2, "describe_security_groups", "SecurityGroups"):
        identifier = group["GroupId"]
        yield "AWS::EC2::SecurityGroup", identifier, group["GroupName"], f"{prefix}security-group/{identifier}", by_key(group.get("Tags"))
    sqs = here("sqs")
    for url in pages(sqs, "list_queues", "QueueUrls") if sqs.list_queues().get("QueueUrls") else []:
        name = url.rsplit("/", 1)[-1]
        tags = sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
        yield "AWS::SQS::Queue", url, name, f"arn:aws:sqs:{region}:{account}:{name}", tags
    sns = here("sns")
    for topic in pages(sns, "list_topics", "Topics"):
        arn = topic["TopicArn"]
        yield "AWS::SNS::Topic", arn, arn.rsplit(":", 1)[-1], arn, by_key(sns.list_tags_for_resource(ResourceArn=arn)["Tags"])
    dynamodb = here("dynamodb")
    for name in pages(dynamodb, "list_tables", "TableNames"):
        arn = f"arn:aws:dynamodb:{region}:{account}:table/{name}"
        yield "AWS::DynamoDB::Table", name, name, arn, by_key(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"])
    for secret in pages(here("secretsmanager"), "list_secrets", "SecretList"):
        yield "AWS::SecretsManager::Secret", secret["ARN"], secret["Name"], secret["ARN"], by_key(secret.get("Tags"))
    ecr = here("ecr")
    for one in pages(ecr, "describe_repositories", "repositories"):
        tags = by_key(ecr.list_tags_for_resource(resourceArn=one["repositoryArn"])["tags"])
        yield "AWS::ECR::Repository", one["repositoryName"], one["repositoryName"], one["repositoryArn"], tags
    kms = here("kms")
    for key in pages(kms, "list_keys", "Keys"):
        tags = by_key(kms.list_resource_tags(KeyId=key["KeyId"])["Tags"], "TagKey", "TagValue")
        yield "AWS::KMS::Key", key["KeyId"], key["KeyId"], key["KeyArn"], tags
    for group in pages(here("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups"):
        arn = group["AutoScalingGroupARN"]
        yield "AWS::AutoScaling::AutoScalingGroup", arn, group["AutoScalingGroupName"], arn, by_key(group.get("Tags"))
    for alarm in pages(here("cloudwatch"), "describe_alarms", "MetricAlarms"):
        arn = alarm["AlarmArn"]
        tags = by_key(here("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"])
        yield "AWS::CloudWatch::Alarm", arn, alarm["AlarmName"], arn, tags
    states = here("stepfunctions")
    for machine in pages(states, "list_state_machines", "stateMachines"):
        arn = machine["stateMachineArn"]
        tags = by_key(states.list_tags_for_resource(resourceArn=arn)["tags"], "key", "value")
        yield "AWS::StepFunctions::StateMachine", arn, machine["name"], arn, tags
    for bucket in here("s3").list_buckets()["Buckets"]:
        s3, name = here("s3"), bucket["Name"]
        if (s3.get_bucket_location(Bucket=name)["LocationConstraint"] or HOME) == region:
            try:
                tags = by_key(s3.get_bucket_tagging(Bucket=name)["TagSet"])
            except s3.exceptions.ClientError:
                tags = {}
            yield "AWS::S3::Bucket", name, name, f"arn:aws:s3:::{name}", tags


def global_items(client):
    iam = client("iam", HOME)
    for role in pages(iam, "list_roles", "Roles"):
        tags = by_key(iam.list_role_tags(RoleName=role["RoleName"])["Tags"])
        yield "AWS::IAM::Role", role["RoleId"], role["RoleName"], role["Arn"], tags
    for user in pages(iam, "list_users", "Users"):
        tags = by_key(iam.list_user_tags(UserName=user["UserName"])["Tags"])
        yield "AWS::IAM::User", user["UserId"], user["UserName"], user["Arn"], tags
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        tags = by_key(iam.list_policy_tags(PolicyArn=policy["Arn"])["Tags"])
        yield "AWS::IAM::Policy", policy["PolicyId"], policy["PolicyName"], policy["Arn"], tags


def is_recorded(group, name):
    strategy = (group.recording_strategy or {}).get("useOnly")
    if strategy == "EXCLUSION_BY_RESOURCE_TYPES":
        return name not in group.exclusion_by_resource_types["resourceTypes"]
    if group.all_supported:
        return group.include_global_resource_types or name not in IAM
    return name in (group.resource_types or [])


def item(account, region, found):
    name, identifier, title, arn, tags = found
    return {
        "accountId": account,
        "awsRegion": region,
        "resourceType": name,
        "resourceId": identifier,
        "resourceName": title,
        "arn": arn,
        "tags": [{"tag": f"{key}={value}", "key": key, "value": value} for key, value in tags.items()],
        "configurationItemStatus": "OK",
    }


def items_of(account, region):
    from moto.config.models import config_backends

    place = (account, region)
    if place in frozen:
        return frozen[place]
    recorders = [one for one in config_backends[account][region].recorders.values() if one.status.recording]
    if not recorders:
        return []
    group, client = recorders[0].recording_group, client_of(account)
    found = [item(account, region, one) for one in regional_items(client, account, region)]
    if any(is_recorded(group, name) for name in IAM):
        found += [item(account, "global", one) for one in global_items(client)]
    return [one for one in found if is_recorded(group, one["resourceType"])]


def play(path, query):
    """What tests change. `freeze?ACCOUNT:REGION` stops time in an account-region, `thaw` lets it go on; `add?JSON` adds an item."""
    if path == "freeze":
        account, region = query.split(":")
        frozen[account, region] = items_of(account, region)
    if path == "thaw":
        frozen.clear()
    if path == "add":
        more.append(json.loads(query))
    return {}


def executed(items, expression):
    """The rows of a query, as AWS Config answers them; or why it refuses it."""
    if not 1 <= len(expression) <= MAX_LENGTH:
        raise ValueError(f"the expression has {len(expression)} characters, and {MAX_LENGTH} at most")
    plain = re.sub(r"'[^']*'", "''", expression)
    clause = re.fullmatch(r"\s*SELECT\s+(.+?)\s+WHERE\s+(.+)", plain, re.I | re.S)
    if clause is None or re.search(r"\b(FROM|JOIN|UNION|LIMIT|OFFSET|HAVING|WITH|CASE|SELECT)\b|[;\"`\[(]\s*SELECT|--", plain[6:], re.I):
        raise ValueError("the syntax is SELECT property WHERE condition")
    selected = [name.strip() for name in clause[1].split(",")]
    words = set(re.findall(r"[A-Za-z_][\w.]*", plain)) - set(selected)
    known = {"SELECT", "WHERE", "IN", "AND", "OR", "NOT", "BETWEEN", "ORDER", "GROUP", "BY", "ASC", "DESC"}
    unknown = [word for word in [*selected, *words] if word not in PROPERTIES and word.upper() not in known]
    if unknown:
        raise ValueError(f"Invalid property: {', '.join(sorted(unknown))}")
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE items ({', '.join(PROPERTIES)})")
    values = [[json.dumps(one.get(name)) if name == "tags" else one.get(name) for name in PROPERTIES] for one in items]
    database.executemany(f"INSERT INTO items VALUES ({', '.join('?' * len(PROPERTIES))})", values)
    where = re.search(r"\bWHERE\b", expression, re.I)
    try:
        rows = database.execute(f"{expression[:where.start()]} FROM items {expression[where.start():]}").fetchall()
    except sqlite3.Error as error:
        raise ValueError(str(error)) from error
    results = []
    for row in rows:
        row = {name: value for name, value in zip(selected, row) if value is not None}
        if "tags" in row:
            row["tags"] = json.loads(row["tags"])
        results.append(json.dumps(row))
    return selected, results


answers = {}


def page(results, expression, limit, token):
    """A page, and the token of the next one. A query's answer does not change while its pages are read."""
    offset = 0
    digest = hashlib.sha256(expression.encode()).hexdigest()[:16]
    if token is not None:
        kept = answers.get(token)
        if kept is None or kept[0] != digest:
            raise KeyError(token)
        _, results, offset = kept
    rest = offset + limit
    if rest >= len(results):
        return results[offset:], None
    following = base64.b64encode(f"{digest}:{rest}:{len(answers)}".encode()).decode()
    answers[following] = (digest, results, rest)
    return results[offset:rest], following


@after_import("moto.config.responses")
def answer_queries(responses):
    from moto.core.exceptions import JsonRESTError

    def refused(code, message):
        return JsonRESTError(code, message)

    def select(self, items):
        expression, token = self._get_param("Expression"), self._get_param("NextToken")
        limit = self._get_param("Limit") or self._get_param("MaxResults") or DEFAULT_PAGE
        if not 0 <= limit <= MAX_PAGE:
            raise refused("InvalidLimitException", f"The limit {limit} is outside the allowable range.")
        try:
            selected, results = executed([] if token else items(), expression)
            found, following = page(results, expression, limit, token)
        except KeyError:
            raise refused("InvalidNextTokenException", "The nextToken provided is invalid") from None
        except ValueError as error:
            raise refused("InvalidExpressionException", str(error)) from None
        answer = {"Results": found, "QueryInfo": {"SelectFields": [{"Name": name} for name in selected]}}
        return json.dumps(answer | ({"NextToken": following} if following else {}))

    def select_resource_config(self):
        place = (self.current_account, self.region)
        here = lambda one: one["accountId"] == place[0] and one["awsRegion"] in (place[1], "global")  # noqa: E731
        return select(self, lambda: items_of(*place) + [one for one in more if here(one)])

    def select_aggregate_resource_config(self):
        aggregator = self.config_backend.config_aggregators.get(self._get_param("ConfigurationAggregatorName"))
        if aggregator is None:
            message = "The configuration aggregator does not exist. Check the configuration aggregator name and try again."
            raise refused("NoSuchConfigurationAggregatorException", message)
        places = [
            (account, region)
            for source in aggregator.account_aggregation_sources or []
            for account in source.account_ids
            for region in source.aws_regions or [HOME, "eu-west-1", "eu-central-1"]
        ]
        return select(self, lambda: [one for place in places for one in items_of(*place)] + more)

    responses.ConfigResponse.select_resource_config = select_resource_config
    responses.ConfigResponse.select_aggregate_resource_config = select_aggregate_resource_config
