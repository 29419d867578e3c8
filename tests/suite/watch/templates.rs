//! The set-ups in `packaging/aws` and the templates of `policy`: cfn-lint accepts those of CloudFormation, and both ways create the same.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Bench, python_command};

fn folder() -> PathBuf {
    packaging().join("watch")
}

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

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("the file is there")
}

#[test]
fn cfn_lint_accepts_the_template() {
    let (is_valid, said) = lint(&folder().join("queue.yml"));
    assert!(is_valid, "{said}");
    let broken = tempfile::tempdir().expect("a folder");
    let path = broken.path().join("broken.yml");
    fs::write(&path, text("queue.yml").replace("RedrivePolicy:", "RedrivePolicies:")).expect("it can be written");
    let (is_valid, said) = lint(&path);
    assert!(!is_valid && said.contains("RedrivePolicies"), "a mistake is noticed: {said}");
}

#[test]
fn terraform_creates_what_cloudformation_does() {
    let (cloudformation, terraform) = (text("queue.yml"), text("main.tf"));
    for (of_cloudformation, of_terraform) in [
        ("AWS::SQS::Queue\n", "resource \"aws_sqs_queue\""),
        ("AWS::SQS::QueuePolicy\n", "resource \"aws_sqs_queue_policy\""),
        ("AWS::CloudWatch::Alarm\n", "resource \"aws_cloudwatch_metric_alarm\""),
        ("AWS::Events::Rule\n", "resource \"aws_cloudwatch_event_rule\""),
    ] {
        let count = cloudformation.matches(of_cloudformation).count();
        assert!(count > 0, "{of_cloudformation}");
        assert_eq!(count, terraform.matches(of_terraform).count(), "{of_terraform}");
    }
    for shared in
        ["aws:SourceArn", "maxReceiveCount", "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"]
    {
        assert!(cloudformation.contains(shared) && terraform.contains(shared), "{shared}");
    }
    let depth = |closes: char, opens: char| terraform.matches(opens).count() == terraform.matches(closes).count();
    assert!(depth('}', '{') && depth(']', '['), "brackets are in pairs");
}

#[test]
fn the_scheduled_run_is_the_same_in_both_ways_and_its_policy_is_that_of_policy_hub() {
    let (is_valid, said) = lint(&packaging().join("organization/hub.yml"));
    assert!(is_valid, "{said}");
    let text = |name: &str| fs::read_to_string(packaging().join("organization").join(name)).expect("the file is there");
    let (cloudformation, terraform) = (text("hub.yml"), text("main.tf"));
    for (of_cloudformation, of_terraform) in [
        ("AWS::IAM::Role\n", "resource \"aws_iam_role\" "),
        ("AWS::EFS::FileSystem\n", "resource \"aws_efs_file_system\""),
        ("AWS::EFS::AccessPoint\n", "resource \"aws_efs_access_point\""),
        ("AWS::ECS::TaskDefinition\n", "resource \"aws_ecs_task_definition\""),
        ("AWS::StepFunctions::StateMachine\n", "resource \"aws_sfn_state_machine\""),
        ("AWS::Scheduler::Schedule\n", "resource \"aws_scheduler_schedule\""),
        ("AWS::CloudWatch::Alarm\n", "resource \"aws_cloudwatch_metric_alarm\""),
    ] {
        let count = cloudformation.matches(of_cloudformation).count();
        assert!(count > 0, "{of_cloudformation}");
        assert_eq!(count, terraform.matches(of_terraform).count(), "{of_terraform}");
    }
    let hub = Bench::new().trailcreator(["policy", "hub"]).run().success().json();
    for statement in hub["Statement"].as_array().expect("a list") {
        for action in statement["Action"].as_array().expect("a list") {
            let action = action.as_str().expect("a text");
            assert!(cloudformation.contains(action) && terraform.contains(action), "{action}");
        }
    }
    let pairs = |closes: char, opens: char| terraform.matches(opens).count() == terraform.matches(closes).count();
    assert!(pairs('}', '{') && pairs(']', '[') && pairs(')', '('), "brackets are in pairs");
}

#[test]
fn the_function_has_the_policy_of_policy_hub_and_runs_alone() {
    let path = packaging().join("lambda/function.yml");
    let (is_valid, said) = lint(&path);
    assert!(is_valid, "{said}");
    let template = fs::read_to_string(path).expect("the file is there");
    let hub = Bench::new().trailcreator(["policy", "hub"]).run().success().json();
    for statement in hub["Statement"].as_array().expect("a list") {
        for action in statement["Action"].as_array().expect("a list") {
            let action = action.as_str().expect("a text");
            assert!(template.contains(action), "{action}");
        }
    }
    assert!(template.contains("ReservedConcurrentExecutions: 1\n") && template.contains("MaximumRetryAttempts: 0\n"));
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
    assert!(terraform.contains("resource \"aws_iam_role\" \"trailcreator\"") && terraform.contains("sqs:TagQueue"));
}
