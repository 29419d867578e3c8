"""Parameters, documents, maintenance windows and patch baselines."""

import json

from lab import client, given, maker, pairs

ssm = client("ssm")
CONTENT = {"schemaVersion": "2.2", "description": "lab", "mainSteps": [{"action": "aws:runShellScript", "name": "one", "inputs": {"runCommand": ["true"]}}]}


@maker("ssm-parameter", prefix="/lab/")
def parameter(name, tags):
    ssm.put_parameter(Name=name, Value="x", Type="String", Tags=pairs(tags))
    return name


@maker("ssm-document")
def document(name, tags):
    ssm.create_document(**given(tags, Name=name, Content=json.dumps(CONTENT), DocumentType="Command", Tags=pairs(tags)))
    return name


@maker("ssm-maintenance-window")
def window(name, tags):
    made = ssm.create_maintenance_window(
        **given(tags, Name=name, Schedule="rate(1 day)", Duration=2, Cutoff=1, AllowUnassociatedTargets=True, Tags=pairs(tags))
    )
    return made["WindowId"]


@maker("ssm-patch-baseline")
def baseline(name, tags):
    return ssm.create_patch_baseline(**given(tags, Name=name, OperatingSystem="AMAZON_LINUX_2", Tags=pairs(tags)))["BaselineId"]
