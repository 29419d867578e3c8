//! The fixed session names of known software, as data: whole names, prefixes that no person's name has, and prefixes with a
//! generated remainder.
//!
//! The sources are the documentation and the source code of the software, and recorded events.

use super::shape;

/// A name, or all names of one form.
enum Form {
    /// This name, in any case.
    Exact(&'static str),
    /// All names with this prefix, in any case.
    Begins(&'static str),
    /// All names with this prefix, in any case, and a remainder that the function accepts.
    Then(&'static str, fn(&str) -> bool),
}

use Form::{Begins, Exact, Then};

/// The forms, with the software that generates them, for display.
const KNOWN: &[(Form, &str)] = &[
    // The session name of an instance profile's role is the instance ID.
    (Then("i-", is_instance_number), "an EC2 instance"),
    // Systems Manager's hybrid activations.
    (Then("mi-", is_instance_number), "a managed instance of Systems Manager"),
    // boto3 and the AWS CLI, for profiles with role_arn; followed by an epoch.
    (Begins("botocore-session-"), "botocore"),
    // Go: followed by nanoseconds; also the Terraform provider without session_name.
    (Begins("aws-go-sdk-"), "the AWS SDK for Go"),
    // aws-sdk-java-…, aws-sdk-js-…, aws-sdk-js-session-…, aws-sdk-php-…, aws-sdk-kotlin-…
    (Begins("aws-sdk-"), "an AWS SDK"),
    (Begins("aws-dotnet-sdk-session-"), "the AWS SDK for .NET"),
    // Rust: followed by milliseconds (aws-config's profile, sts and web_identity_token modules).
    (Then("assume-role-from-profile-", shape::is_long_number), "the AWS SDK for Rust"),
    (Then("assume-role-provider-", shape::is_long_number), "the AWS SDK for Rust"),
    (Then("web-identity-token-", shape::is_long_number), "the AWS SDK for Rust"),
    // JavaScript v2: TemporaryCredentials and WebIdentityCredentials.
    (Exact("temporary-credentials"), "the AWS SDK for JavaScript"),
    (Exact("web-identity"), "the AWS SDK for JavaScript"),
    // The names in AWS's own examples, which are often copied: AWSCLI-Session, AssumeRoleSession1.
    (Begins("AWSCLI-Session"), "a script"),
    (Then("AssumeRoleSession", is_digits_or_nothing), "a script"),
    (Then("session-", shape::is_generated), "a script"),
    (Then("session_", shape::is_generated), "a script"),
    // aws-actions/configure-aws-credentials uses GitHubActions; users append the run number.
    (Begins("GitHubActions"), "GitHub Actions"),
    (Begins("github-actions"), "GitHub Actions"),
    // GitLab's documentation: GitLabRunner-PROJECT-PIPELINE.
    (Begins("GitLabRunner"), "GitLab"),
    // CircleCI's documentation: CircleCI-WORKFLOW-JOB.
    (Begins("CircleCI-"), "CircleCI"),
    // The AWS Toolkit for Azure DevOps.
    (Exact("aws-vsts-tools"), "Azure DevOps"),
    // Buildkite's aws-assume-role-with-web-identity plugin: buildkite-job-UUID; agents with their own role.
    (Begins("buildkite-job-"), "Buildkite"),
    (Exact("buildkite-agent"), "Buildkite"),
    (Exact("bitbucket-session"), "Bitbucket Pipelines"),
    (Exact("build-session"), "Bitbucket Pipelines"),
    (Exact("jenkins"), "Jenkins"),
    (Then("AWSCodeBuild-", shape::is_generated), "CodeBuild"),
    (Exact("terraform"), "Terraform"),
    (Exact("terraform-session"), "Terraform"),
    (Exact("TerraformSession"), "Terraform"),
    (Then("terraform-", shape::is_generated), "Terraform"),
    // HCP Terraform's dynamic credentials: followed by the run ID.
    (Begins("terraform-run-"), "HCP Terraform"),
    (Exact("atlantis"), "Atlantis"),
    (Exact("spacelift"), "Spacelift"),
    (Exact("opentofu"), "OpenTofu"),
    (Exact("terragrunt"), "Terragrunt"),
    (Exact("pulumi"), "Pulumi"),
    (Exact("crossplane"), "Crossplane"),
    (Exact("argocd"), "Argo CD"),
    (Exact("spinnaker"), "Spinnaker"),
    (Exact("ansible"), "Ansible"),
    (Exact("packer"), "Packer"),
    // Cloud Custodian's default, and those of its tools.
    (Exact("CloudCustodian"), "Cloud Custodian"),
    (Exact("c7n-org"), "Cloud Custodian"),
    (Exact("c7n-trailcreator"), "Cloud Custodian"),
    // Vendors that read or manage accounts.
    (Exact("DatadogAWSIntegration"), "Datadog"),
    (Exact("DDAWSIntegration"), "Datadog"),
    (Exact("datadog"), "Datadog"),
    (Begins("NewRelic"), "New Relic"),
    (Exact("dynatrace"), "Dynatrace"),
    (Exact("SumoLogic"), "Sumo Logic"),
    (Exact("splunk"), "Splunk"),
    (Exact("redlock"), "Prisma Cloud"),
    (Exact("PrismaCloud"), "Prisma Cloud"),
    (Exact("Dome9"), "CloudGuard"),
    (Exact("lacework"), "Lacework"),
    (Exact("tenableio"), "Tenable"),
    (Exact("CloudHealth"), "CloudHealth"),
    (Exact("CloudCheckr"), "CloudCheckr"),
    (Exact("spotinst"), "Spot"),
    (Exact("snowflake"), "Snowflake"),
    (Exact("databricks"), "Databricks"),
    (Exact("fivetran"), "Fivetran"),
    // Prowler's default.
    (Begins("ProwlerAssessmentSession"), "Prowler"),
    (Exact("ScoutSuite"), "Scout Suite"),
    // A stack with a service role.
    (Exact("AWSCloudFormation"), "CloudFormation"),
    (Exact("elasticbeanstalk"), "Elastic Beanstalk"),
    (Exact("awseb-health"), "Elastic Beanstalk"),
    (Exact("aws-batch"), "AWS Batch"),
    // AWS Config: its custom rules, its recorders' describe calls and its deliveries.
    (Exact("configLambdaExecution"), "AWS Config"),
    (Exact("AutoScalingDescribeHandlerSession"), "AWS Config"),
    (Exact("ConfigResourceCompositionSession"), "AWS Config"),
    (Begins("AWSConfig-"), "AWS Config"),
    (Begins("CloudTrail_CloudWatchLogs"), "CloudTrail"),
    (Exact("BackplaneAssumeRoleSession"), "API Gateway"),
    (Exact("APPSYNC_ASSUME_ROLE"), "AppSync"),
    (Exact("PhotonSession"), "AppStream"),
    (Exact("AppStream2.0"), "AppStream"),
    (Then("AthenaExecutor-", shape::is_generated), "Athena"),
    (Exact("AWSFirehoseToS3"), "Firehose"),
    (Begins("AWSFirehose"), "Firehose"),
    // Enhanced Monitoring: followed by the DB instance's resource ID.
    (Begins("dbi-id-db-"), "RDS"),
    (Exact("RDSEnhancedMonitoring"), "RDS"),
    (Begins("vm_import_"), "VM Import"),
    (Begins("vm_export_"), "VM Import"),
    (Exact("GlueJobRunnerSession"), "Glue"),
    (Exact("GlueIntegrationSession"), "Glue"),
    (Exact("AWS-Crawler"), "Glue"),
    // Lake Formation's credentials for tables: AWSLF-00-AT-ACCOUNT-RANDOM.
    (Begins("AWSLF-"), "Lake Formation"),
    (Exact("CCSSession"), "EMR"),
    (Exact("EDPSession"), "Data Pipeline"),
    (Exact("dms-session-for-replication-engine"), "DMS"),
    (Begins("EmeSession"), "MediaConvert"),
    (Begins("QuickSight-RoleSession"), "QuickSight"),
    (Begins("BedrockAgentCore-"), "Bedrock"),
    (Exact("SageMaker"), "SageMaker"),
    (Exact("AmazonSageMaker"), "SageMaker"),
    (Exact("RedshiftIamRoleSession"), "Redshift"),
    (Exact("CognitoIdentityCredentials"), "Cognito"),
    (Exact("EKSGetTokenAuth"), "EKS"),
    (Exact("SLRManagement"), "an AWS service"),
    (Exact("ecs-service-scheduler"), "ECS"),
    (Exact("s3-replication"), "S3"),
    // Control Tower, with its role AWSControlTowerAdmin.
    (Exact("AssumeAdminRole"), "Control Tower"),
    (Begins("AWSBackup-"), "AWS Backup"),
    // Lambda's own calls with a function's role. The function's calls have the function's name.
    (Begins("awslambda_"), "Lambda"),
    // Systems Manager's runbooks.
    (Then("Automation-", shape::is_generated), "Systems Manager Automation"),
    // EKS Pod Identity: eks-CLUSTER-POD-UUID, cut to 64 characters before the UUID.
    (Then("eks-", shape::has_uuid), "an EKS pod"),
    // The default host name of Windows on EC2.
    (Begins("EC2AMAZ-"), "an EC2 instance"),
];

/// The software that uses a session name.
pub(super) fn maker_of(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(form, _)| form.fits(name)).map(|(_, maker)| *maker)
}

/// All software in the list.
#[cfg(test)]
pub(super) fn makers() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(_, maker)| *maker)
}

impl Form {
    fn fits(&self, name: &str) -> bool {
        match self {
            Exact(whole) => name.eq_ignore_ascii_case(whole),
            Begins(beginning) => after(name, beginning).is_some(),
            Then(beginning, goes_on) => after(name, beginning).is_some_and(goes_on),
        }
    }
}

fn after<'a>(name: &'a str, beginning: &str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(beginning.len())?;
    start.eq_ignore_ascii_case(beginning).then_some(rest)
}

/// The 8 or 17 hexadecimal digits of EC2 IDs.
fn is_instance_number(text: &str) -> bool {
    matches!(text.len(), 8 | 17) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_digits_or_nothing(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
