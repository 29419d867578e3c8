//! Recognizes the sessions of AWS services by what is known beside the name: the role and the service that called.

use crate::creator::identity::{Session, service_of};

/// The path of the roles that AWS's consoles create for a service. Only that service can assume them.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
const SERVICE_ROLE_PATH: &str = ":role/service-role/";

/// What AWS services put before their names.
const PREFIXES: [&str; 2] = ["amazon", "aws"];

/// What AWS services put after their names.
const SUFFIXES: [&str; 3] = ["session", "service", "role"];

/// Names of AWS services, in lower case without separators, in order: prefixes of endpoints and of service principals. Those that are
/// names of persons (Macie, Polly, Ram…) are left out.
///
/// Sources: botocore's `endpointPrefix` and `signingName`; the service principals in the IAM documentation.
const SERVICES: &str = "accessanalyzer acm acmpca airflow amplify apigateway appconfig appfabric appflow applicationautoscaling \
    applicationinsights appmesh apprunner appstream appsync aps artifact athena auditmanager autoscaling backup batch \
    bedrock bedrockagentcore billingconductor braket budgets chatbot chime cleanrooms cloud9 cloudformation cloudfront \
    cloudhsm cloudsearch cloudtrail cloudwatch cloudwatchevents cloudwatchlogs codeartifact codebuild codecommit \
    codeconnections codedeploy codeguru codepipeline codestar cognito cognitoidp cognitosync comprehend computeoptimizer \
    config connect controltower databrew dataexchange datapipeline datasync datazone dax deadline detective devicefarm \
    devopsguru directconnect dlm dms docdb drs ds dynamodb ebs ec2 ec2fleet ec2scheduled ecr ecs ecstasks edgelambda efs \
    eks elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing elasticmapreduce elastictranscoder elb emr \
    emrcontainers emrserverless entityresolution eventbridge events evidently firehose fis fms forecast frauddetector fsx \
    gamelift globalaccelerator glue grafana greengrass groundstation guardduty healthlake iam imagebuilder inspector \
    inspector2 iot iotanalytics iotevents iotfleetwise iotsitewise iottwinmaker ivs kafka kafkaconnect kendra kinesis \
    kinesisanalytics kinesisvideo kms lakeformation lambda launchwizard licensemanager lightsail logs lookoutequipment \
    macie2 managedblockchain mediaconnect mediaconvert medialive mediapackage mediastore mediatailor memorydb mgn \
    migrationhub monitoring mq mwaa neptune networkfirewall networkmanager omics opensearch opensearchserverless opsworks \
    organizations osis outposts personalize pinpoint pipes proton qbusiness quicksight rds redshift redshiftserverless \
    rekognition replication resiliencehub resourceexplorer resourcegroups rolesanywhere route53 rum s3 s3batch \
    s3batchoperations s3replication sagemaker scheduler secretsmanager securityhub securitylake serverlessrepo \
    servicecatalog servicediscovery ses shield signer sns spot spotfleet sqs ssm ssmincidents sso stacksets states \
    stepfunctions storagegateway sts swf synthetics systemsmanager textract timestream transcribe transfer translate \
    trustedadvisor vmie vmimport vpcflowlogs vpclattice waf wafv2 wellarchitected workdocs workmail workspaces xray";

/// Whether an AWS service named the session after itself: it says so (`aws-batch`, `AmazonEKS`), or its role does
/// (`CloudTrailRoleForCloudWatchLogs`), or it made the call. Also any name, if the role is one that only a service can assume.
pub(super) fn is_named_after_service(session: &Session<'_>, name: &str, invoked_by: Option<&str>) -> bool {
    if session.role_arn.is_some_and(|arn| arn.contains(SERVICE_ROLE_PATH)) {
        return true;
    }
    let plain = plain(name);
    let bare = bare(&plain);
    if bare.is_empty() {
        return false;
    }
    let by_caller = invoked_by.and_then(service_of).is_some_and(|service| self::plain(service) == bare);
    let is_service = SERVICES.split(' ').any(|service| service == bare);
    let has_prefix = PREFIXES.iter().any(|prefix| plain.starts_with(prefix));
    let by_role = || session.role.is_some_and(|role| is_role_of(&self::plain(role), bare));
    by_caller || (is_service && (has_prefix || by_role()))
}

/// Whether the session has the name of its role: functions and tools that use their own name for both.
pub(super) fn is_named_after_role(session: &Session<'_>, name: &str) -> bool {
    session.role.is_some_and(|role| role.eq_ignore_ascii_case(name))
}

/// Whether a role is named after a service. Short names occur inside of words, so they must come first.
fn is_role_of(plain_role: &str, service: &str) -> bool {
    /// The minimum length of a service's name that may be anywhere.
    const LONG: usize = 4;
    bare(plain_role).starts_with(service) || (service.len() >= LONG && plain_role.contains(service))
}

/// Lower-case letters and digits only.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

/// Without what AWS services put before and after their names.
fn bare(plain: &str) -> &str {
    let without_prefix = PREFIXES.iter().find_map(|prefix| plain.strip_prefix(prefix)).unwrap_or(plain);
    SUFFIXES.iter().find_map(|suffix| without_prefix.strip_suffix(suffix)).unwrap_or(without_prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_in_order_and_plain() {
        let names: Vec<&str> = SERVICES.split(' ').collect();
        assert!(names.is_sorted() && names.len() > 200);
        assert!(names.iter().all(|service| plain(service) == *service && !service.is_empty()));
    }
}
