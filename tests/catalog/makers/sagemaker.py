"""Domains, models, endpoints, and jobs of all kinds."""

from lab import base, client, maker, pairs, shared

sagemaker = client("sagemaker")

BUCKET = "s3://base-bucket/out"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:1"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
INPUT = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": BUCKET}}}
ENDPOINT_INPUT = {"EndpointInput": {"EndpointName": "base", "LocalPath": "/opt/in"}}
GROUND_TRUTH = {"GroundTruthS3Input": {"S3Uri": BUCKET}}
PROBLEM = {"TargetAttributeName": "y", "ProblemType": "Regression", "CompletionCriteria": {"MaxCandidates": 1}}
OUTPUT = {"MonitoringOutputs": [{"S3Output": {"S3Uri": BUCKET, "LocalPath": "/opt/out"}}]}


@shared
def model():
    sagemaker.create_model(ModelName="base", ExecutionRoleArn=base().role, PrimaryContainer={"Image": IMAGE})
    return "base"


@shared
def endpoint_config():
    variant = {"VariantName": "all", "ModelName": model(), "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="base", ProductionVariants=[variant])
    return "base"


@shared
def experiment():
    sagemaker.create_experiment(ExperimentName="base")
    return "base"


def made(call, answer, tags, **parameters):
    """The ARN in the answer of a call. Tags are always given, if none: without, moto can't list them."""
    return getattr(sagemaker, call)(**parameters, Tags=pairs(tags))[answer]


def made_then_tagged(call, answer, tags, **parameters):
    """As `made`; moto drops the tags that some types are made with."""
    arn = getattr(sagemaker, call)(**parameters)[answer]
    if tags:
        sagemaker.add_tags(ResourceArn=arn, Tags=pairs(tags))
    return arn


@maker("sagemaker-auto-ml-job")
def auto_ml_job(name, tags):
    channel = {"ChannelType": "training", "ContentType": "text/csv", **INPUT}
    return made("create_auto_ml_job_v2", "AutoMLJobArn", tags, AutoMLJobName=name, AutoMLJobInputDataConfig=[channel], RoleArn=base().role,
                OutputDataConfig={"S3OutputPath": BUCKET}, AutoMLProblemTypeConfig={"TabularJobConfig": PROBLEM})


@maker("sagemaker-cluster")
def cluster(name, tags):
    group = {"InstanceGroupName": "all", "InstanceCount": 1, "InstanceType": "ml.m5.large", "ExecutionRole": base().role,
             "LifeCycleConfig": {"SourceS3Uri": "s3://sagemaker-base", "OnCreate": "run.sh"}, "ThreadsPerCore": 1}
    return made("create_cluster", "ClusterArn", tags, ClusterName=name, InstanceGroups=[group])


@maker("sagemaker-compilation-job")
def compilation_job(name, tags):
    return made("create_compilation_job", "CompilationJobArn", tags, CompilationJobName=name, RoleArn=base().role,
                InputConfig={"S3Uri": BUCKET, "DataInputConfig": "{}", "Framework": "TENSORFLOW"},
                OutputConfig={"S3OutputLocation": BUCKET, "TargetDevice": "ml_m5"}, StoppingCondition={"MaxRuntimeInSeconds": 60})


def job_definition(kind, name, tags, application, inputs):
    """A definition of a monitoring job: all four kinds look alike."""
    parameters = {
        "JobDefinitionName": name, "RoleArn": base().role, "JobResources": {"ClusterConfig": CLUSTER},
        f"{kind}AppSpecification": {"ImageUri": IMAGE, **application}, f"{kind}JobInput": ENDPOINT_INPUT | inputs, f"{kind}JobOutputConfig": OUTPUT,
    }
    call = "create_" + "".join("_" + letter.lower() if letter.isupper() else letter for letter in kind).strip("_") + "_job_definition"
    return made(call, "JobDefinitionArn", tags, **parameters)


@maker("sagemaker-data-quality-job-definition")
def data_quality(name, tags):
    return job_definition("DataQuality", name, tags, {}, {})


@maker("sagemaker-model-bias-job-definition")
def model_bias(name, tags):
    return job_definition("ModelBias", name, tags, {"ConfigUri": BUCKET}, GROUND_TRUTH)


@maker("sagemaker-model-explainability-job-definition")
def model_explainability(name, tags):
    return job_definition("ModelExplainability", name, tags, {"ConfigUri": BUCKET}, {})


@maker("sagemaker-model-quality-job-definition")
def model_quality(name, tags):
    return job_definition("ModelQuality", name, tags, {"ProblemType": "Regression"}, GROUND_TRUTH)


@maker("sagemaker-domain")
def domain(name, tags):
    arn = made("create_domain", "DomainArn", tags, DomainName=name, AuthMode="IAM", DefaultUserSettings={"ExecutionRole": base().role},
               VpcId=base().vpc, SubnetIds=base().subnets)
    return arn.split("/")[-1]


@maker("sagemaker-endpoint")
def endpoint(name, tags):
    return made("create_endpoint", "EndpointArn", tags, EndpointName=name, EndpointConfigName=endpoint_config())


@maker("sagemaker-endpoint-config")
def lab_endpoint_config(name, tags):
    variant = {"VariantName": "all", "ModelName": model(), "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return made("create_endpoint_config", "EndpointConfigArn", tags, EndpointConfigName=name, ProductionVariants=[variant])


@maker("sagemaker-experiment")
def lab_experiment(name, tags):
    return made_then_tagged("create_experiment", "ExperimentArn", tags, ExperimentName=name)


@maker("sagemaker-hyperparameter-tuning-job")
def tuning_job(name, tags):
    limits = {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    return made("create_hyper_parameter_tuning_job", "HyperParameterTuningJobArn", tags, HyperParameterTuningJobName=name,
                HyperParameterTuningJobConfig={"Strategy": "Random", "ResourceLimits": limits})


@maker("sagemaker-job")
def training_job(name, tags):
    return made("create_training_job", "TrainingJobArn", tags, TrainingJobName=name, RoleArn=base().role,
                AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"}, OutputDataConfig={"S3OutputPath": BUCKET},
                ResourceConfig=CLUSTER, StoppingCondition={"MaxRuntimeInSeconds": 60})


@maker("sagemaker-model")
def lab_model(name, tags):
    return made("create_model", "ModelArn", tags, ModelName=name, ExecutionRoleArn=base().role, PrimaryContainer={"Image": IMAGE})


@maker("sagemaker-model-card")
def model_card(name, tags):
    return made("create_model_card", "ModelCardArn", tags, ModelCardName=name, Content="{}", ModelCardStatus="Draft")


@maker("sagemaker-model-package")
def model_package(name, tags):
    return made("create_model_package", "ModelPackageArn", tags, ModelPackageName=name, ModelPackageDescription=name)


@maker("sagemaker-model-package-group")
def model_package_group(name, tags):
    return made("create_model_package_group", "ModelPackageGroupArn", tags, ModelPackageGroupName=name, ModelPackageGroupDescription=name)


@maker("sagemaker-notebook")
def notebook(name, tags):
    return made("create_notebook_instance", "NotebookInstanceArn", tags, NotebookInstanceName=name, InstanceType="ml.t3.medium",
                RoleArn=base().role)


@maker("sagemaker-pipeline")
def pipeline(name, tags):
    return made("create_pipeline", "PipelineArn", tags, PipelineName=name, PipelineDefinition='{"Steps": []}', RoleArn=base().role,
                ClientRequestToken=name.ljust(32, "0"))


@maker("sagemaker-processing-job")
def processing_job(name, tags):
    return made("create_processing_job", "ProcessingJobArn", tags, ProcessingJobName=name, RoleArn=base().role,
                ProcessingResources={"ClusterConfig": CLUSTER}, AppSpecification={"ImageUri": IMAGE})


@maker("sagemaker-transform-job")
def transform_job(name, tags):
    return made("create_transform_job", "TransformJobArn", tags, TransformJobName=name, ModelName=model(), TransformInput=INPUT,
                TransformOutput={"S3OutputPath": BUCKET}, TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1})


@maker("sagemaker-trial")
def trial(name, tags):
    return made_then_tagged("create_trial", "TrialArn", tags, TrialName=name, ExperimentName=experiment())


@maker("sagemaker-trial-component")
def trial_component(name, tags):
    return made_then_tagged("create_trial_component", "TrialComponentArn", tags, TrialComponentName=name)
