//! The templates in `packaging/aws` and those of `policy`: cfn-lint accepts the CloudFormation templates, the Terraform files are valid as far
//! as that shows without Terraform, and both create the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Bench, python_command};

/// Prints how many resources of each type a Terraform file has.
const TERRAFORM: &str = include_str!("terraform.py");

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/aws")
}

/// Whether cfn-lint has nothing to say, and what it says.
fn lint(path: &Path) -> (bool, String) {
    let mut lint = python_command();
    lint.args(["-c", "from cfnlint.runner import main; main()", "--non-zero-exit-code", "informational"]).arg(path);
    let output = lint.output().expect("cfn-lint starts");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The number of resources of each type in a Terraform file.
///
/// # Errors
/// The file is not valid: what is wrong.
fn resources(path: &Path) -> Result<BTreeMap<String, usize>, String> {
    let output = python_command().args(["-c", TERRAFORM]).arg(path).output().expect("Python starts");
    let problems = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(serde_json::from_slice(&output.stdout).expect("JSON")) } else { Err(problems) }
}

fn text(path: &str) -> String {
    fs::read_to_string(packaging().join(path)).expect("the file is there")
}

/// That cfn-lint accepts a template, that the Terraform file beside it is valid, and that both create as many resources of these types.
fn check_same(cloudformation: &str, terraform: &str, types: &[(&str, &str)]) {
    let (is_valid, said) = lint(&packaging().join(cloudformation));
    assert!(is_valid, "{said}");
    let found = resources(&packaging().join(terraform)).unwrap_or_else(|problems| panic!("{terraform}: {problems}"));
    let template = text(cloudformation);
    for (of_cloudformation, of_terraform) in types {
        let count = template.matches(&format!("Type: {of_cloudformation}\n")).count();
        assert!(count > 0, "{of_cloudformation}");
        assert_eq!(found.get(*of_terraform), Some(&count), "{of_terraform}");
    }
}

/// That a template grants all that `policy hub` does.
fn grants_hub(template: &str) {
    let hub = Bench::new().trailcreator(["policy", "hub"]).run().success().json();
    for statement in hub["Statement"].as_array().expect("a list") {
        for action in statement["Action"].as_array().expect("a list") {
            let action = action.as_str().expect("a text");
            assert!(template.contains(action), "{action}");
        }
    }
}

#[test]
fn mistakes_in_templates_are_noticed() {
    let bench = Bench::new();
    let broken = bench.write("broken.yml", text("watch/queue.yml").replace("RedrivePolicy:", "RedrivePolicies:"));
    let (is_valid, said) = lint(&broken);
    assert!(!is_valid && said.contains("RedrivePolicies"), "{said}");
    let terraform = text("lambda/main.tf");
    for (right, wrong, expected) in [
        ("= var.image\n", "= var.imag\n", "var.imag is not declared"),
        ("= var.image\n", "= null\n", "variable image is not used"),
        ("${local.partition}:s3", "${local.partitions}:s3", "local.partitions is not declared"),
        (
            "[aws_efs_file_system.data.arn]",
            "[aws_efs_file_systems.data.arn]",
            "aws_efs_file_systems.data is not declared",
        ),
        ("\n}\n", "\n\n", "RBRACE"),
    ] {
        assert!(terraform.contains(right), "{right}");
        let path = bench.write("broken.tf", terraform.replace(right, wrong));
        let problems = resources(&path).expect_err(expected);
        assert!(problems.contains(expected), "{problems}");
    }
}

#[test]
fn the_queue_is_the_same_in_cloudformation_and_terraform() {
    check_same(
        "watch/queue.yml",
        "watch/main.tf",
        &[
            ("AWS::SQS::Queue", "aws_sqs_queue"),
            ("AWS::SQS::QueuePolicy", "aws_sqs_queue_policy"),
            ("AWS::CloudWatch::Alarm", "aws_cloudwatch_metric_alarm"),
            ("AWS::Events::Rule", "aws_cloudwatch_event_rule"),
        ],
    );
    let (cloudformation, terraform) = (text("watch/queue.yml"), text("watch/main.tf"));
    for shared in
        ["aws:SourceArn", "maxReceiveCount", "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"]
    {
        assert!(cloudformation.contains(shared) && terraform.contains(shared), "{shared}");
    }
}

#[test]
fn the_scheduled_run_is_the_same_in_cloudformation_and_terraform() {
    check_same(
        "organization/hub.yml",
        "organization/main.tf",
        &[
            ("AWS::IAM::Role", "aws_iam_role"),
            ("AWS::EFS::FileSystem", "aws_efs_file_system"),
            ("AWS::EFS::AccessPoint", "aws_efs_access_point"),
            ("AWS::ECS::TaskDefinition", "aws_ecs_task_definition"),
            ("AWS::StepFunctions::StateMachine", "aws_sfn_state_machine"),
            ("AWS::Scheduler::Schedule", "aws_scheduler_schedule"),
            ("AWS::CloudWatch::Alarm", "aws_cloudwatch_metric_alarm"),
        ],
    );
    grants_hub(&text("organization/hub.yml"));
    grants_hub(&text("organization/main.tf"));
}

#[test]
fn the_function_is_the_same_in_cloudformation_and_terraform_and_runs_alone() {
    check_same(
        "lambda/function.yml",
        "lambda/main.tf",
        &[
            ("AWS::IAM::Role", "aws_iam_role"),
            ("AWS::EC2::SecurityGroup", "aws_security_group"),
            ("AWS::EFS::FileSystem", "aws_efs_file_system"),
            ("AWS::EFS::AccessPoint", "aws_efs_access_point"),
            ("AWS::Lambda::Function", "aws_lambda_function"),
            ("AWS::Lambda::EventInvokeConfig", "aws_lambda_function_event_invoke_config"),
            ("AWS::Logs::LogGroup", "aws_cloudwatch_log_group"),
            ("AWS::Scheduler::Schedule", "aws_scheduler_schedule"),
            ("AWS::CloudWatch::Alarm", "aws_cloudwatch_metric_alarm"),
        ],
    );
    let (cloudformation, terraform) = (text("lambda/function.yml"), text("lambda/main.tf"));
    grants_hub(&cloudformation);
    grants_hub(&terraform);
    assert!(cloudformation.contains("ReservedConcurrentExecutions: 1\n"), "one at a time");
    assert!(cloudformation.contains("MaximumRetryAttempts: 0\n"), "no retry");
    assert!(terraform.contains("reserved_concurrent_executions = 1\n"), "one at a time");
    assert!(terraform.contains("maximum_retry_attempts       = 0\n"), "no retry");
}

/// cfn-lint knows the names of IAM's actions, but for the newest ones.
#[test]
fn regression_cfn_lint_accepts_the_policies_and_their_actions() {
    let bench = Bench::new();
    let services = ["apigateway", "dms", "ec2", "iam", "s3", "sqs"].map(|service| ["--service", service]);
    let member: Vec<&str> = ["member", "--wildcards"].into_iter().chain(services.concat()).collect();
    for args in [&member[..], &["load-athena"], &["hub", "--bucket", "trail"]] {
        let format = ["policy", "--format", "cloudformation", "--output-dir", "out"];
        bench.trailcreator(format.iter().chain(args).copied().collect::<Vec<_>>()).run().success();
        let (is_valid, said) = lint(&bench.path("out/policy.yml"));
        assert!(is_valid, "{said}");
    }
    let terraform = bench.trailcreator(["policy", "member", "--type", "sqs", "--format", "terraform"]).run();
    let terraform = terraform.success().stdout.clone();
    let found = resources(&bench.write("main.tf", &terraform)).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(found.get("aws_iam_role"), Some(&1));
    assert!(terraform.contains("resource \"aws_iam_role\" \"trailcreator\"") && terraform.contains("sqs:TagQueue"));
}
