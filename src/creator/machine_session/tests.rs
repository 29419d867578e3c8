//! Names of software and of people, as they are recorded and documented.

use super::*;
use crate::creator::identity::session_of;
use crate::creator::test_data::session;
use crate::model::event::Identity;

fn maker(name: &str) -> Option<&'static str> {
    maker_in("deploy", name)
}

fn maker_in(role: &str, name: &str) -> Option<&'static str> {
    let identity = session(role, name);
    maker_of(&session_of(&identity).unwrap(), None)
}

#[test]
fn software_in_the_list_is_known() {
    for (name, expected) in [
        ("i-05c30218156bcc246", "an EC2 instance"),
        ("i-1a2b3c4d", "an EC2 instance"),
        ("mi-05c30218156bcc246", "a managed instance of Systems Manager"),
        ("botocore-session-1688990565", "botocore"),
        ("aws-go-sdk-1688990565286187801", "the AWS SDK for Go"),
        ("aws-sdk-js-session-1688990565286", "an AWS SDK"),
        ("aws-sdk-java-1688990565286", "an AWS SDK"),
        ("aws-sdk-php-1688990565286", "an AWS SDK"),
        ("aws-dotnet-sdk-session-636238288466144357", "the AWS SDK for .NET"),
        ("assume-role-from-profile-1632246085998", "the AWS SDK for Rust"),
        ("web-identity-token-1632246085998", "the AWS SDK for Rust"),
        ("AWSCLI-Session", "a script"),
        ("awscli-session", "a script"),
        ("AssumeRoleSession", "a script"),
        ("AssumeRoleSession1", "a script"),
        ("session-1700000000", "a script"),
        ("GitHubActions", "GitHub Actions"),
        ("github-actions-12345", "GitHub Actions"),
        ("GitLabRunner-12-345", "GitLab"),
        ("AWSCodeBuild-f442b71c-9fe3-4496-9ca1-515b26d65de2", "CodeBuild"),
        ("terraform", "Terraform"),
        ("Terraform", "Terraform"),
        ("terraform-1700000000", "Terraform"),
        ("terraform-run-CZcmD7eagjhyX0vN", "HCP Terraform"),
        ("AWSCloudFormation", "CloudFormation"),
        ("GlueJobRunnerSession", "Glue"),
        ("CognitoIdentityCredentials", "Cognito"),
        ("AWSBackup-AWSBackupDefaultServiceRole", "AWS Backup"),
        ("awslambda_594_20230713101112", "Lambda"),
        ("Automation-f442b71c-9fe3-4496-9ca1-515b26d65de2", "Systems Manager Automation"),
        ("eks-prod-checkout-7d9-f442b71c-9fe3-4496-9ca1-515b26d65de2", "an EKS pod"),
        ("1688990565", "a program"),
        ("1688990565286", "a program"),
        ("1688990565286187801", "a program"),
        ("123456789012", "a program"),
        ("f442b71c-9fe3-4496-9ca1-515b26d65de2", "a program"),
        ("F442B71C-9FE3-4496-9CA1-515B26D65DE2", "a program"),
        ("0a1b2c3d4e5f60718293a4b5c6d7e8f9", "a program"),
        ("0a1b2c3d4e5f6071", "a program"),
    ] {
        assert_eq!(maker(name), Some(expected), "{name}");
    }
}

#[test]
fn names_of_a_kind_that_only_software_writes_are_generated() {
    for name in [
        // Epochs, account IDs and other long numbers.
        "astronomer-managed-1665678811",
        "astronomer-managed-1665678811123",
        "jdoe-1700000000",
        "deploy_1700000000",
        "deploy.1700000000",
        "1700000000-deploy",
        "vault-token-app-1700000000-x7",
        "session1700000000",
        "snapshot-111122223333",
        "import-111122223333-eu-west-1",
        // Times.
        "backup-20230713T101112Z",
        "backup-20230713-101112",
        "backup-2023-07-13T10-11-12",
        "backup-20230713101112",
        // UUIDs, whole and cut.
        "scan-f442b71c-9fe3-4496-9ca1-515b26d65de2",
        "f442b71c-9fe3-4496-9ca1-515b26d65de2-scan",
        "scan_f442b71c_9fe3_4496_9ca1_515b26d65de2",
        "XXXX-d10e-4dea-91bf-70a953d01bda_cred_session",
        "tenable-create-tags-for-migration-2af41fdb-8176-4158-96b9-7deb5b",
        "an-integration-with-a-name-that-is-rather-long-indeed-2af41fdb-8",
        "an-integration-with-a-name-that-is-rather-too-long-xy-f2af41fdb8",
        "scan-f442b71c9fe344969ca1515b26d65de2",
        // Hexadecimal numbers and shortened IDs.
        "build-0a1b2c3d4e5f",
        "run-9f86d081",
        "deploy-1a2b3c4",
        "execution-db-GB4AJAKFMWMIIS3R5YK4LBBFBA",
        "pUBglYSipyAbyPsehEoWHmOFMDviUKzd",
        "5HW69rHjvWBIaHTxG9cOTBQI-23f50e60d454135",
        // Addresses and hosts.
        "203.0.113.11",
        "agent-203.0.113.11",
        "ip-10-0-0-12",
        "ip-10-0-0-12.eu-west-1.compute.internal",
        "KinesisTap-EC2AMAZ-HCNHA1G",
        "checkout-7d9f8b6c5d-x2x4z",
        "ecs-tasks.amazonaws.com",
        // Words for software.
        "DatadogIntegration",
        "security-scanner",
        "nightly_import_pipeline",
        "OrdersDescribeHandlerSession",
        "PlatformAssumeRoleSession",
        "prod-ci",
    ] {
        assert!(maker(name).is_some(), "{name}");
    }
}

#[test]
fn fixed_names_of_services_are_known() {
    for (role, name) in [
        ("AWSBatchServiceRole", "aws-batch"),
        ("rds-monitoring-role", "dbi-id-db-GB4AJAKFMWMIIS3R5YK4LBBFBA"),
        ("vmimport", "vm_import_image-111122223333"),
        ("Config-role", "configLambdaExecution"),
        ("someRole", "AutoScalingDescribeHandlerSession"),
        ("someRole", "AWSConfig-Describe"),
        ("logs", "CloudTrail_CloudWatchLogs_Role"),
        ("invoke", "BackplaneAssumeRoleSession"),
        ("AWSAthenaSparkExecutionRole-om0yj71w5l", "AthenaExecutor-9cc1ebb2-aac5-b1ca-8247-5d827bd8232f"),
        ("firehose_delivery_to_S3_role", "AWSFirehoseToS3"),
        ("AmazonAppStreamServiceAccess", "AppStream2.0"),
        ("AmazonAppStreamServiceAccess", "PhotonSession"),
        ("AWSControlTowerAdmin", "AssumeAdminRole"),
        ("aws-quicksight-service-role-v0", "QuickSight-RoleSession-1770060821999"),
        ("lf-admin", "AWSLF-00-AT-111122223333-K7FUMxovuq"),
        ("PrismaCloudReadOnlyRole", "redlock"),
    ] {
        assert!(maker_in(role, name).is_some(), "{name}");
    }
}

#[test]
fn sessions_named_after_a_service_or_the_role_are_generated() {
    for (role, name, invoked_by) in [
        ("AmazonEKSClusterRole", "eks", None),
        ("eksClusterRole", "AmazonEKS", None),
        ("any", "AWSCodePipeline", None),
        ("CodeDeployServiceRole", "CodeDeploy", None),
        ("firehose_delivery_role", "firehose", None),
        ("delivery", "CloudTrail", Some("cloudtrail.amazonaws.com")),
        ("delivery", "vpc-flow-logs", Some("vpc-flow-logs.amazonaws.com")),
        ("data", "NewThing", Some("newthing.amazonaws.com")),
        ("resize-images", "resize-images", None),
        ("Vanta-Auditor", "vanta-auditor", None),
    ] {
        let identity = Identity { invoked_by: invoked_by.map(Into::into), ..session(role, name) };
        let maker = maker_of(&session_of(&identity).unwrap(), invoked_by);
        assert!(maker.is_some(), "{role}/{name}");
    }
    let mut console_made = session("resize-role-a1b2", "resize");
    assert_eq!(maker_of(&session_of(&console_made).unwrap(), None), None);
    console_made.issuer_arn = Some("arn:aws:iam::111122223333:role/service-role/resize-role-a1b2".into());
    assert_eq!(maker_of(&session_of(&console_made).unwrap(), None), Some(A_SERVICE));
}

#[test]
fn makers_that_are_named_elsewhere_are_known() {
    for maker in AT_WORK.iter().chain(&BY_AWS) {
        assert!(names::makers().any(|known| known == *maker), "{maker}");
    }
}

#[test]
fn aws_services_and_other_software_are_different_kinds() {
    let at_work = |name: &str, invoked_by| {
        let identity = session("deploy", name);
        is_of_a_service_at_work(&session_of(&identity).unwrap(), invoked_by)
    };
    assert!(at_work("AWSCloudFormation", None) && at_work("CCSSession", None));
    assert!(!at_work("GlueJobRunnerSession", None) && !at_work("i-1a2b3c4d", None));
    let eks = Some("eks.amazonaws.com");
    assert!(at_work("1692148309803252560", eks), "a load balancer of a cluster");
    assert!(!at_work("anna", eks), "a request of a person that the service forwards");
}

#[test]
fn people_are_never_taken_for_machines() {
    for role in ["deploy", "Endusers", "ProgramAdmin", "FlexTeam", "anna-role", "AWSServiceAccess", "batch-operators"] {
        for name in PEOPLE {
            assert_eq!(maker_in(role, name), None, "{role}/{name}");
        }
    }
}

const PEOPLE: &[&str] = &[
    "anna.schmidt",
    "jdoe",
    "Alice",
    "alice@example.com",
    "i-love-aws",
    "i-",
    "i-ada",
    "mia",
    "mi-chan",
    "ada",
    "abba",
    "dade",
    "deadbeef",
    "facade",
    "fabebeadeddecade",
    "dev-42",
    "12345",
    "123456789",
    "b1234567",
    "a1b2c3d4",
    "e0123456@corp.example",
    "1234567890@example.com",
    "botond",
    "aws-anna",
    "awsadmin",
    "terraform-alice",
    "terry",
    "github-anna",
    "gitta",
    "session",
    "session-anna",
    "Sessions.Jeff",
    "eks-admin-anna",
    "jenkins.anna",
    "AssumeRoleSession-anna",
    "automation-anna",
    "Zoë",
    "山田太郎",
    "",
    "anna84",
    "dev-2024",
    "anna-20240115",
    "anna-2024-01-15",
    "jdoe2",
    "j.doe",
    "john.q.public",
    "DanaOkafor",
    "bobson.dugnutt",
    "Alice-tempcreds",
    "alan",
    "test_user",
    "fake.user",
    "ryan@example.com",
    "Admin-user",
    "test-user-name",
    "anna_schmidt",
    "O.Neill",
    "anna+aws@example.com",
    "ANNA",
    "Anna.Maria.Schmidt",
    "p1234567",
    "x12345678",
    "u000123456",
    "ram",
    "athena",
    "polly",
    "lex",
    "macie",
    "max.power3",
    "MaxMustermann",
    "McDonald",
    "JoAnneMcCarthy",
    "jean-luc.picard",
    "li",
    "d.v.d.berg",
    "annaschmidt1984",
    "19840115",
    "anna-laptop",
    "anna-admin",
    "oncall-anna",
    "anna.10",
    "s3.anna",
    "AliceSession",
    "my-session-id",
    "first.last-dev",
    "1.2.3",
    "10.0",
    "anna.lambda",
    "a.runner",
    "f442b71c-9fe3-4496-9ca1-515b26d65de2@example.com",
    "i-0123456789abcdef0@example.com",
    "batchelor",
    "glue.anna",
    "eksanna",
    "christopher-alexander-von-und-zu-hohenstein-wittgenstein-berleb",
    "bach",
    "Dee-Abbe",
    "ed-dad",
    "cafe-babe",
    "team-beef",
    "b1234567-adm",
    "anna-b1234567",
    "anna-e12345",
    "ab12345",
    "anna-ab1234",
];
