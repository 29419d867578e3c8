"""Clusters and their security configurations."""

from lab import base, client, maker, pairs

emr = client("emr")


@maker("emr")
def cluster(name, tags):
    made = emr.run_job_flow(
        Name=name, Instances={"KeepJobFlowAliveWhenNoSteps": True, "InstanceCount": 1, "MasterInstanceType": "m5.xlarge"},
        ServiceRole=base().role, JobFlowRole="base", ReleaseLabel="emr-7.0.0", Tags=pairs(tags))
    return made["JobFlowId"]


@maker("emr-security-configuration")
def security_configuration(name, tags):
    emr.create_security_configuration(Name=name, SecurityConfiguration="{}")
    return name
