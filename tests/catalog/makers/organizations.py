"""Accounts, policies and units of an organization."""

import json

from lab import client, maker, pairs, shared, unrecorded

org = client("organizations")
CONTENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}]})


@shared
def root():
    org.create_organization(FeatureSet="ALL")
    return org.list_roots()["Roots"][0]["Id"]


@maker("org-policy")
def policy(name, tags):
    root()
    made = org.create_policy(Name=name, Description=name, Type="SERVICE_CONTROL_POLICY", Content=CONTENT, Tags=pairs(tags))
    return made["Policy"]["PolicySummary"]["Id"]


@maker("org-unit")
def unit(name, tags):
    """One below another unit, as only a listing to any depth finds it."""
    with unrecorded():
        above = org.create_organizational_unit(ParentId=root(), Name=f"above-{name}")["OrganizationalUnit"]["Id"]
    return org.create_organizational_unit(ParentId=above, Name=name, Tags=pairs(tags))["OrganizationalUnit"]["Id"]
