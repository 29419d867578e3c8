//! Session names that software generates. They identify no person.
//!
//! The list is data. It must never match a person's name or an email address. So an entry is a whole name, or has a prefix that no
//! person's name has, or a remainder that only a program writes (an epoch, a UUID, a long hexadecimal number). The session of a Lambda
//! function has the function's name, which can't be distinguished from a person's name, and is not listed.

/// A name, or all names of one form.
enum Form {
    /// This name, in any case.
    Exact(&'static str),
    /// All names with this prefix, in any case.
    Begins(&'static str),
    /// All names with this prefix, in any case, and a remainder that the function accepts.
    Then(&'static str, fn(&str) -> bool),
}

use uuid::Uuid;

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
    (Then("assume-role-from-profile-", is_long_number), "the AWS SDK for Rust"),
    (Then("assume-role-provider-", is_long_number), "the AWS SDK for Rust"),
    (Then("web-identity-token-", is_long_number), "the AWS SDK for Rust"),
    // JavaScript v2: TemporaryCredentials and WebIdentityCredentials.
    (Exact("temporary-credentials"), "the AWS SDK for JavaScript"),
    (Exact("web-identity"), "the AWS SDK for JavaScript"),
    // The names in AWS's own examples, which are often copied: AWSCLI-Session, AssumeRoleSession1.
    (Begins("AWSCLI-Session"), "a script"),
    (Then("AssumeRoleSession", is_digits_or_nothing), "a script"),
    (Then("session-", is_made_up), "a script"),
    (Then("session_", is_made_up), "a script"),
    // aws-actions/configure-aws-credentials uses GitHubActions; users append the run number.
    (Begins("GitHubActions"), "GitHub Actions"),
    (Begins("github-actions"), "GitHub Actions"),
    // GitLab's documentation: GitLabRunner-PROJECT-PIPELINE.
    (Begins("GitLabRunner"), "GitLab"),
    // CircleCI's documentation: CircleCI-WORKFLOW-JOB.
    (Begins("CircleCI-"), "CircleCI"),
    (Exact("jenkins"), "Jenkins"),
    (Then("AWSCodeBuild-", is_made_up), "CodeBuild"),
    (Exact("terraform"), "Terraform"),
    (Exact("terraform-session"), "Terraform"),
    (Exact("TerraformSession"), "Terraform"),
    (Then("terraform-", is_made_up), "Terraform"),
    // HCP Terraform's dynamic credentials: followed by the run ID.
    (Begins("terraform-run-"), "HCP Terraform"),
    (Exact("opentofu"), "OpenTofu"),
    (Exact("terragrunt"), "Terragrunt"),
    (Exact("pulumi"), "Pulumi"),
    // Cloud Custodian's default, and those of its tools.
    (Exact("CloudCustodian"), "Cloud Custodian"),
    (Exact("c7n-org"), "Cloud Custodian"),
    (Exact("c7n-trailcreator"), "Cloud Custodian"),
    // A stack with a service role.
    (Exact("AWSCloudFormation"), "CloudFormation"),
    (Exact("GlueJobRunnerSession"), "Glue"),
    (Exact("AWS-Crawler"), "Glue"),
    (Exact("CCSSession"), "EMR"),
    (Exact("SageMaker"), "SageMaker"),
    (Exact("RedshiftIamRoleSession"), "Redshift"),
    (Exact("CognitoIdentityCredentials"), "Cognito"),
    (Exact("EKSGetTokenAuth"), "EKS"),
    (Begins("AWSBackup-"), "AWS Backup"),
    // Lambda's own calls with a function's role. The function's calls have the function's name.
    (Begins("awslambda_"), "Lambda"),
    // Systems Manager's runbooks.
    (Then("Automation-", is_made_up), "Systems Manager Automation"),
    // EKS Pod Identity: eks-CLUSTER-POD-UUID, cut to 64 characters before the UUID.
    (Then("eks-", ends_in_uuid), "an EKS pod"),
    // CodePipeline, EKS, the Go SDK's web identities: epochs. ECS tasks: 32 hexadecimal digits, once UUIDs.
    (Then("", is_made_up), "a program"),
];

/// AWS services that act on a user's request: the resources that they create belong to that user.
const AT_WORK: [&str; 2] = ["CloudFormation", "EMR"];

/// Software that gets its sessions from AWS itself: no event records their creator.
const BY_AWS: [&str; 12] = [
    "an EC2 instance",
    "a managed instance of Systems Manager",
    "CodeBuild",
    "CloudFormation",
    "Glue",
    "EMR",
    "SageMaker",
    "Redshift",
    "AWS Backup",
    "Lambda",
    "Systems Manager Automation",
    "an EKS pod",
];

/// The minimum number of digits of a generated number: an epoch in seconds (ten digits since 2001) to nanoseconds, or an account
/// ID. Shorter numbers count as employee numbers.
const LONG_NUMBER: usize = 10;

/// The minimum number of hexadecimal digits that are not a word or a short ID: personnel IDs (`b1234567`) are shorter.
const LONG_HEXADECIMAL: usize = 16;

/// The software that generated a session name, if it is generated: "an EC2 instance".
pub(super) fn maker_of(session_name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(form, _)| form.fits(session_name)).map(|(_, maker)| *maker)
}

/// Whether an AWS service chose the name for its own work, with a role that it was given.
pub(super) fn is_of_a_service_at_work(session_name: &str) -> bool {
    maker_of(session_name).is_some_and(|maker| AT_WORK.contains(&maker))
}

/// Whether AWS itself probably issued the session, so that no event records its creator.
pub(super) fn is_handed_out_by_aws(session_name: &str) -> bool {
    maker_of(session_name).is_some_and(|maker| BY_AWS.contains(&maker))
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
    matches!(text.len(), 8 | 17) && is_hexadecimal(text)
}

fn is_made_up(text: &str) -> bool {
    is_long_number(text) || is_uuid(text) || is_long_hexadecimal(text)
}

fn is_long_number(text: &str) -> bool {
    text.len() >= LONG_NUMBER && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_long_hexadecimal(text: &str) -> bool {
    text.len() >= LONG_HEXADECIMAL
        && is_hexadecimal(text)
        && text.contains(|character: char| character.is_ascii_digit())
}

fn is_digits_or_nothing(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The length of a UUID with hyphens.
const UUID_LENGTH: usize = 36;

fn is_uuid(text: &str) -> bool {
    text.len() == UUID_LENGTH && Uuid::try_parse(text).is_ok()
}

fn ends_in_uuid(text: &str) -> bool {
    text.len().checked_sub(UUID_LENGTH).and_then(|start| text.get(start..)).is_some_and(is_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_known() {
        for (name, maker) in [
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
            assert_eq!(maker_of(name), Some(maker), "{name}");
        }
    }

    #[test]
    fn makers_that_are_named_elsewhere_are_known() {
        for maker in AT_WORK.iter().chain(&BY_AWS) {
            assert!(KNOWN.iter().any(|(_, known)| known == maker), "{maker}");
        }
    }

    #[test]
    fn services_at_work_are_told_from_software_that_runs_somewhere() {
        for maker in AT_WORK {
            assert!(KNOWN.iter().any(|(_, known)| *known == maker), "{maker}");
        }
        assert!(is_of_a_service_at_work("AWSCloudFormation") && is_of_a_service_at_work("CCSSession"));
        assert!(!is_of_a_service_at_work("GlueJobRunnerSession") && !is_of_a_service_at_work("i-1a2b3c4d"));
    }

    #[test]
    fn people_are_never_taken_for_machines() {
        for name in [
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
            "jdoe-1700000000",
            "AssumeRoleSession-anna",
            "automation-anna",
            "Zoë",
            "山田太郎",
            "",
        ] {
            assert_eq!(maker_of(name), None, "{name}");
        }
    }
}
