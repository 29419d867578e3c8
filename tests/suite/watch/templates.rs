//! The set-up in `packaging/aws/watch`: cfn-lint accepts the CloudFormation template, and both ways create the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::python;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/aws/watch")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("the file is there")
}

#[test]
fn cfn_lint_accepts_the_template() {
    let lint = |path: &Path| {
        let mut lint = Command::new(python());
        lint.args(["-c", "from cfnlint.runner import main; main()", "--non-zero-exit-code", "informational"]).arg(path);
        let output = lint.output().expect("cfn-lint starts");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
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
