//! The tool that made a call: the console, Terraform, the AWS CLI, an SDK, an AWS service. Determined from the user agent, the
//! source address and `invokedBy`.
//!
//! A user agent is a list of `product/version` words. A tool's user agent also has those of its libraries, so the list of
//! [`PRODUCTS`] is ordered from tools to libraries. An unlisted tool is named after its own first product.
//! Callers choose their user agents: the result is for display only, and no decision may depend on it.

use std::fmt;
use std::net::IpAddr;

use crate::model::event::Event;

/// The tool that made a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// "AWS console", "Terraform", "AWS service autoscaling.amazonaws.com".
    pub name: String,
    /// As the tool wrote it: "1.9.5".
    pub version: Option<String>,
    /// The environment that the tool ran in, if the user agent has it: "CloudShell", "Lambda".
    pub environment: Option<&'static str>,
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        if let Some(version) = &self.version {
            write!(formatter, " {version}")?;
        }
        if let Some(environment) = self.environment {
            write!(formatter, " in {environment}")?;
        }
        Ok(())
    }
}

const CONSOLE: &str = "AWS console";

/// The value for AWS's own calls, in place of a user agent, an address or a service.
const INTERNAL: &str = "AWS Internal";

/// The product of AWS's own programs, including the console.
const INTERNAL_PRODUCT: &str = "aws-internal";

const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";

/// User agents of the console. Its sign-in and its EC2 pages appear as services.
const CONSOLE_HOSTS: [&str; 3] = ["console.amazonaws.com", "signin.amazonaws.com", "console.ec2.amazonaws.com"];

/// Products in user agents (compared without case) and the tools that they belong to. The first in this list that is in a
/// user agent is the tool.
const PRODUCTS: &[(&str, &str)] = &[
    // Tools that people and pipelines run.
    ("S3Console", CONSOLE),
    ("OpenTofu", "OpenTofu"),
    ("PulumiAws", "Pulumi"),
    ("Pulumi", "Pulumi"),
    ("upbound-provider-aws", "Crossplane"),
    ("crossplane-provider-aws", "Crossplane"),
    ("Terraform", "Terraform"),
    ("terraform-provider-aws", "Terraform provider"),
    ("packer", "Packer"),
    ("packer-plugin-amazon", "Packer"),
    ("Vault", "Vault"),
    ("aws-cdk", "AWS CDK"),
    ("aws-sam-cli", "AWS SAM CLI"),
    ("eksctl", "eksctl"),
    ("kops", "kOps"),
    ("Ansible", "Ansible"),
    ("serverless", "Serverless Framework"),
    ("CloudCustodian", "Cloud Custodian"),
    ("c7n", "Cloud Custodian"),
    ("trailcreator", "trailcreator"),
    ("AWS-Toolkit-For-VSCode", "AWS Toolkit for VS Code"),
    ("AWS-Toolkit-For-JetBrains", "AWS Toolkit for JetBrains"),
    ("AWSPowerShell", "AWS Tools for PowerShell"),
    // Controllers.
    (KARPENTER, "Karpenter"),
    ("elbv2.k8s.aws", "AWS Load Balancer Controller"),
    ("aws-controllers-k8s", "AWS Controllers for Kubernetes"),
    ("ebs.csi.aws.com", "EBS CSI driver"),
    ("aws-ebs-csi-driver", "EBS CSI driver"),
    ("efs.csi.aws.com", "EFS CSI driver"),
    ("amazon-vpc-cni-k8s", "Amazon VPC CNI"),
    ("cluster-autoscaler", "Kubernetes cluster autoscaler"),
    ("ExternalDNS", "ExternalDNS"),
    ("kubernetes", "Kubernetes"),
    ("amazon-ssm-agent", "SSM agent"),
    ("amazon-ecs-agent", "ECS agent"),
    ("aws-cli", "AWS CLI"),
    // Libraries.
    ("Boto3", "boto3"),
    ("Boto", "boto"),
    ("Botocore", "botocore"),
    ("aiobotocore", "aiobotocore"),
    ("aws-sdk-go-v2", "AWS SDK for Go v2"),
    ("aws-sdk-go", "AWS SDK for Go"),
    ("aws-sdk-java", "AWS SDK for Java"),
    ("aws-sdk-kotlin", "AWS SDK for Kotlin"),
    ("aws-sdk-js", "AWS SDK for JavaScript"),
    ("aws-sdk-nodejs", "AWS SDK for JavaScript"),
    ("aws-sdk-rust", "AWS SDK for Rust"),
    ("aws-sdk-php", "AWS SDK for PHP"),
    ("aws-sdk-php2", "AWS SDK for PHP"),
    ("aws-sdk-ruby2", "AWS SDK for Ruby"),
    ("aws-sdk-ruby3", "AWS SDK for Ruby"),
    ("aws-sdk-dotnet", "AWS SDK for .NET"),
    ("aws-sdk-dotnet-45", "AWS SDK for .NET"),
    ("aws-sdk-dotnet-core", "AWS SDK for .NET"),
    ("aws-sdk-dotnet-coreclr", "AWS SDK for .NET"),
    ("aws-sdk-net", "AWS SDK for .NET"),
    ("aws-sdk-cpp", "AWS SDK for C++"),
    ("aws-sdk-swift", "AWS SDK for Swift"),
    ("aws-sdk-iOS", "AWS SDK for iOS"),
    ("aws-sdk-android", "AWS SDK for Android"),
];

/// `karpenter.sh-v0.37.0`: the only product with a version that is not after a slash.
const KARPENTER: &str = "karpenter.sh-";

/// Products that name a vendor or programme, not a tool.
const ROOFS: [&str; 3] = ["APN", "HashiCorp", "exec-env"];

/// Prefixes of `exec-env/…`, which the SDKs copy from `AWS_EXECUTION_ENV`.
const ENVIRONMENTS: [(&str, &str); 5] =
    [("CloudShell", "CloudShell"), ("AWS_Lambda", "Lambda"), ("AWS_ECS", "ECS"), ("EC2", "EC2"), ("AWS_Glue", "Glue")];

/// A product, or the tool that it belongs to, with its version.
type Named<'a> = (&'a str, Option<&'a str>);

/// The tool that made a call. `None` if the event does not show it.
pub fn tool_of(event: &Event) -> Option<Tool> {
    let agent = event.user_agent.as_deref().map(|agent| agent.trim().trim_start_matches('[').trim_end_matches(']'));
    let callers = [event.identity.invoked_by.as_deref(), event.source_ip.as_deref(), agent];
    if callers.contains(&Some(CLOUDFORMATION)) {
        return Some(tool("AWS CloudFormation"));
    }
    if agent.is_some_and(|agent| CONSOLE_HOSTS.contains(&agent)) {
        return Some(tool(CONSOLE));
    }
    if let Some(service) = callers.into_iter().flatten().find(|caller| is_service(caller)) {
        return Some(tool(&format!("AWS service {service}")));
    }
    by_agent(agent.filter(|agent| !agent.is_empty())?, event)
}

fn by_agent(agent: &str, event: &Event) -> Option<Tool> {
    let products = products(agent);
    let has = |wanted: &str| products.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if agent == INTERNAL || has(INTERNAL_PRODUCT) {
        return Some(tool(if is_of_console(agent, event) { CONSOLE } else { "AWS itself" }));
    }
    // Pages of the console call some services directly from the browser.
    if has("Mozilla") {
        return Some(tool(CONSOLE));
    }
    let (name, version) = known(&products).or_else(|| first(&products))?;
    let version = version.filter(|_| name != CONSOLE).map(str::to_owned);
    Some(Tool { name: name.to_owned(), version, environment: environment(&products) })
}

/// AWS's programs call for people (the console does) and on their own. For calls of the console, CloudTrail records the person's address;
/// `S3Console/0.4, aws-internal/3` and `RDS Console, aws-internal/3` name the console.
fn is_of_console(agent: &str, event: &Event) -> bool {
    let has_address = event.source_ip.as_deref().is_some_and(|address| address.parse::<IpAddr>().is_ok());
    agent.contains("Console") || (has_address && event.identity.invoked_by.is_none())
}

fn tool(name: &str) -> Tool {
    Tool { name: name.to_owned(), version: None, environment: None }
}

/// `autoscaling.amazonaws.com`, also in China's domain.
fn is_service(caller: &str) -> bool {
    let host = caller.strip_suffix(".cn").unwrap_or(caller);
    host.strip_suffix(".amazonaws.com").is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    })
}

/// The words of a user agent as (product, version). Comments in parentheses are left out.
fn products(agent: &str) -> Vec<Named<'_>> {
    let mut depth = 0_usize;
    let mut words = Vec::new();
    for word in agent.split_whitespace() {
        let outside = depth == 0 && !word.starts_with('(');
        depth = (depth + word.matches('(').count()).saturating_sub(word.matches(')').count());
        if outside {
            let word = word.trim_matches([',', ';']);
            let (name, version) = match word.strip_prefix(KARPENTER) {
                Some(version) => (KARPENTER, version),
                None => word.split_once('/').unwrap_or((word, "")),
            };
            words.push((name, Some(version).filter(|version| !version.is_empty())));
        }
    }
    words
}

fn known<'a>(products: &[Named<'a>]) -> Option<Named<'a>> {
    PRODUCTS.iter().find_map(|(product, tool)| {
        let (_, version) = products.iter().find(|(name, _)| name.eq_ignore_ascii_case(product))?;
        Some((*tool, *version))
    })
}

fn first<'a>(products: &[Named<'a>]) -> Option<Named<'a>> {
    products.iter().find(|(name, _)| !name.is_empty() && !ROOFS.contains(name)).copied()
}

fn environment(products: &[Named<'_>]) -> Option<&'static str> {
    let (_, value) = products.iter().find(|(name, _)| *name == "exec-env")?;
    let value = (*value)?;
    ENVIRONMENTS.iter().find(|(beginning, _)| value.starts_with(beginning)).map(|(_, environment)| *environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creator::test_data::{event_by, iam_user};

    fn event(agent: &str, address: &str) -> Event {
        let mut event = event_by(iam_user("arn:aws:iam::1:user/alice", Some("alice")));
        event.user_agent = Some(agent.into());
        event.source_ip = Some(address.into());
        event
    }

    fn tool_by(agent: &str) -> String {
        tool_of(&event(agent, "203.0.113.7")).map_or("nothing".to_owned(), |tool| tool.to_string())
    }

    #[test]
    fn recorded_user_agents_are_recognized() {
        // The Terraform, stratus, S3 console, RDS console, SSM agent and boto3 ones were recorded in a real account.
        for (agent, tool) in [
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) terraform-provider-aws/3.76.1 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go/1.44.157 (go1.19.3; linux; amd64) stratus-red-team_11a6ef34-e130-4579-a1d3-79c915cee6ec HashiCorp-terraform-exec/0.17.3",
                "Terraform 1.1.2",
            ),
            (
                "[APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) terraform-provider-aws/4.67.0 aws-sdk-go-v2/1.18.0 os/linux lang/go/1.19.8 md/GOOS/linux md/GOARCH/amd64 api/iam/1.19.12 HashiCorp-terraform-exec/0.17.3]",
                "Terraform 1.1.2",
            ),
            (
                "stratus-red-team_9cbca289-7886-421c-b241-fcd2b1f14019",
                "stratus-red-team_9cbca289-7886-421c-b241-fcd2b1f14019",
            ),
            (
                "[stratus-red-team_1807d824-ddbc-4a01-9249-8175115f1397]",
                "stratus-red-team_1807d824-ddbc-4a01-9249-8175115f1397",
            ),
            (
                "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10.184-153.731.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/25.372-b08 java/1.8.0_372 vendor/Oracle_Corporation cfg/retry-mode/standard]",
                "AWS console",
            ),
            ("[S3Console/0.4]", "AWS console"),
            ("RDS Console, aws-internal/3 aws-sdk-java/1.11.975 Linux/5.4.247-168.349.amzn2int.x86_64", "AWS console"),
            (
                "[AWSCloudTrail, aws-internal/3 aws-sdk-java/1.12.433 Linux/5.4.247-169.350.amzn2int.x86_64]",
                "AWS console",
            ),
            ("AWS Internal", "AWS console"),
            ("console.amazonaws.com", "AWS console"),
            ("signin.amazonaws.com", "AWS console"),
            ("console.ec2.amazonaws.com", "AWS console"),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0", "AWS console"),
            ("aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/", "SSM agent"),
            ("[Boto3/1.26.165 Python/3.10.6 Linux/5.19.0-46-generic Botocore/1.29.165]", "boto3 1.26.165"),
            (
                "Boto3/1.35.0 md/Botocore#1.35.0 ua/2.0 os/linux#6.8 lang/python#3.12 exec-env/AWS_Lambda_python3.12",
                "boto3 1.35.0 in Lambda",
            ),
            ("Botocore/1.29.165 Python/3.10.6", "botocore 1.29.165"),
            ("aws-cli/1.16.220 Python/3.7.4 Linux/4.14 botocore/1.12.210", "AWS CLI 1.16.220"),
            ("aws-cli/2.31.0 md/awscrt#0.28.0 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7", "AWS CLI 2.31.0"),
            (
                "aws-cli/2.13.5 Python/3.11.4 Linux/4.14.255 exec-env/CloudShell exe/x86_64.amzn.2 prompt/off command/iam.create-role",
                "AWS CLI 2.13.5 in CloudShell",
            ),
            ("APN/1.0 OpenTofu/1.8.0 terraform-provider-aws/5.60.0 aws-sdk-go-v2/1.30.3", "OpenTofu 1.8.0"),
            ("APN/1.0 Pulumi/1.0 PulumiAws/6.40.0 aws-sdk-go-v2/1.30.3", "Pulumi 6.40.0"),
            ("aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22 md/GOOS#linux eksctl/0.190.0", "eksctl 0.190.0"),
            ("karpenter.sh-v0.37.0 aws-sdk-go/1.55.5 (go1.22; linux; amd64)", "Karpenter v0.37.0"),
            ("elbv2.k8s.aws/v2.8.1 aws-sdk-go/1.44 (go1.22; linux; amd64)", "AWS Load Balancer Controller v2.8.1"),
            ("aws-sdk-go-v2/1.18.0 os/linux lang/go/1.19.8", "AWS SDK for Go v2 1.18.0"),
            ("aws-sdk-go/1.44.157 (go1.19.3; linux; amd64)", "AWS SDK for Go 1.44.157"),
            ("aws-sdk-java/2.20.0 Linux/5.4 OpenJDK_64-Bit_Server_VM/17 Java/17", "AWS SDK for Java 2.20.0"),
            ("aws-sdk-nodejs/2.1000.0 linux/v16.14.0 promise", "AWS SDK for JavaScript 2.1000.0"),
            ("aws-sdk-js/3.600.0 ua/2.0 os/linux#6.8 lang/js md/nodejs#20.0", "AWS SDK for JavaScript 3.600.0"),
            ("aws-sdk-rust/1.3.7 os/linux lang/rust/1.90", "AWS SDK for Rust 1.3.7"),
            ("aws-sdk-php/3.300.0 GuzzleHttp/7", "AWS SDK for PHP 3.300.0"),
            ("aws-sdk-ruby3/3.190.0 ua/2.0 ruby/3.2", "AWS SDK for Ruby 3.190.0"),
            ("aws-sdk-dotnet-coreclr/3.7.1 ua/2.0", "AWS SDK for .NET 3.7.1"),
            ("AWSPowerShell/3.3.283.0 .NET_Runtime/4.0", "AWS Tools for PowerShell 3.3.283.0"),
            ("APN/1.0 HashiCorp/1.0 our-tool/7", "our-tool 7"),
            ("our-tool", "our-tool"),
            ("", "nothing"),
            ("[]", "nothing"),
            ("(comment)", "nothing"),
        ] {
            assert_eq!(tool_by(agent), tool, "{agent}");
        }
    }

    #[test]
    fn services_are_recognized_by_agent_address_or_invoked_by() {
        assert_eq!(tool_by("rds.amazonaws.com"), "AWS service rds.amazonaws.com");
        assert_eq!(tool_by("ec2.amazonaws.com.cn"), "AWS service ec2.amazonaws.com.cn");
        assert_eq!(tool_by("our.tool.com"), "our.tool.com");
        let by_address = event("aws-sdk-java/2.20.0", "autoscaling.amazonaws.com");
        assert_eq!(tool_of(&by_address).unwrap().name, "AWS service autoscaling.amazonaws.com");
        let mut invoked = event("aws-internal/3", "203.0.113.7");
        invoked.identity.invoked_by = Some("eks.amazonaws.com".into());
        assert_eq!(tool_of(&invoked).unwrap().name, "AWS service eks.amazonaws.com");
    }

    #[test]
    fn cloudformation_is_recognized_in_every_field() {
        let mut invoked = event("aws-sdk-java/2.20.0", "203.0.113.7");
        invoked.identity.invoked_by = Some(CLOUDFORMATION.into());
        for event in [invoked, event(CLOUDFORMATION, "1.2.3.4"), event("x/1", CLOUDFORMATION)] {
            assert_eq!(tool_of(&event).unwrap().to_string(), "AWS CloudFormation");
        }
    }

    #[test]
    fn aws_internal_is_the_console_only_with_a_persons_address() {
        let name = |event: &Event| tool_of(event).unwrap().name;
        assert_eq!(name(&event("AWS Internal", "AWS Internal")), "AWS itself");
        assert_eq!(name(&event("AWS Internal", "2001:db8::7")), CONSOLE);
        assert_eq!(name(&event("aws-internal/3 aws-sdk-java/1.12", "203.0.113.7")), CONSOLE);
        let mut for_a_person = event("AWS Internal", "203.0.113.7");
        for_a_person.identity.invoked_by = Some("AWS Internal".into());
        assert_eq!(name(&for_a_person), "AWS itself");
    }

    #[test]
    fn without_a_user_agent_there_is_no_tool() {
        assert_eq!(tool_of(&Event::default()), None);
    }
}
