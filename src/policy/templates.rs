//! Policies as a CloudFormation template and as Terraform resources. With a role, for a member account of an organization.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Bytes of a template that CloudFormation takes in a request; a larger one must be in a bucket.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
pub const MAX_TEMPLATE_BYTES: usize = 51_200;

/// The role that the policies are attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleOf {
    /// Exists already.
    Existing,
    /// Is created, with a trust policy for the hub role.
    Member,
}

/// A CloudFormation template, in YAML.
pub fn cloudformation(policies: &[Value], role: RoleOf, about: &str) -> String {
    let role_name = match role {
        RoleOf::Existing => {
            json!({"Type": "String", "Description": "Name of the role that the policies are attached to"})
        }
        RoleOf::Member => json!({"Type": "String", "Description": "Name of the role", "Default": "trailcreator"}),
    };
    let mut parameters = json!({"RoleName": role_name});
    let mut resources = json!({});
    if role == RoleOf::Member {
        parameters["HubRoleArn"] = json!({
            "Type": "String", "Description": "ARN of the hub role, which assumes this role",
            "AllowedPattern": "arn:[a-z-]+:iam::[0-9]{12}:role/.+",
        });
        parameters["ExternalId"] = json!({
            "Type": "String", "Description": "external_id of the accounts file", "NoEcho": true,
            "AllowedPattern": "[A-Za-z0-9+=,.@:/-]{2,1224}",
        });
        let numbers = 1..=policies.len();
        let refs: Vec<Value> = numbers.map(|number| json!({"Ref": format!("Policy{number}")})).collect();
        resources["Role"] = json!({
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": {"Ref": "RoleName"},
                "MaxSessionDuration": 3600,
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow", "Principal": {"AWS": {"Ref": "HubRoleArn"}}, "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
                    }],
                },
                "ManagedPolicyArns": refs,
            },
        });
    }
    for (number, policy) in (1..).zip(policies) {
        let mut properties = json!({"Description": about, "PolicyDocument": policy});
        if role == RoleOf::Existing {
            properties["Roles"] = json!([{"Ref": "RoleName"}]);
        }
        resources[format!("Policy{number}")] = json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": properties});
    }
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": about,
        "Parameters": parameters,
        "Resources": resources,
    });
    let mut text = String::new();
    write_yaml(&mut text, &template, 0);
    text
}

/// Writes an object or a list in block style. Every text is in single quotes, so that YAML reads none as something else.
fn write_yaml(text: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let _ = write!(text, "{indent}{key}:");
                write_yaml_value(text, value, depth + 1);
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(_) => {
                        let mut block = String::new();
                        write_yaml(&mut block, item, depth + 1);
                        let _ = write!(text, "{indent}- {}", block.trim_start());
                    }
                    _ => {
                        let _ = write!(text, "{indent}-");
                        write_yaml_value(text, item, depth + 1);
                    }
                }
            }
        }
        _ => write_yaml_value(text, value, depth),
    }
}

fn write_yaml_value(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(_) | Value::Array(_) => {
            text.push('\n');
            write_yaml(text, value, depth);
        }
        Value::String(string) => {
            let _ = writeln!(text, " '{}'", string.replace('\'', "''"));
        }
        other => {
            let _ = writeln!(text, " {other}");
        }
    }
}

/// Terraform resources.
pub fn terraform(policies: &[Value], role: RoleOf, about: &str) -> String {
    let mut text = format!("# {about}\n\n");
    text.push_str(match role {
        RoleOf::Existing => {
            r#"variable "role_name" {
  type        = string
  description = "Name of the role that the policies are attached to"
}
"#
        }
        RoleOf::Member => MEMBER,
    });
    let role = match role {
        RoleOf::Existing => "var.role_name",
        RoleOf::Member => "aws_iam_role.trailcreator.name",
    };
    for (number, policy) in (1..).zip(policies) {
        // An object of JSON is an expression of HCL. `${` and `%{` begin templates there.
        let policy = format!("{policy:#}").replace("${", "$${").replace("%{", "%%{").replace('\n', "\n  ");
        let _ = write!(
            text,
            r#"
resource "aws_iam_policy" "trailcreator_{number}" {{
  name_prefix = "trailcreator-{number}-"
  description = "{about}"
  policy = jsonencode({policy})
}}

resource "aws_iam_role_policy_attachment" "trailcreator_{number}" {{
  role       = {role}
  policy_arn = aws_iam_policy.trailcreator_{number}.arn
}}
"#
        );
    }
    text
}

const MEMBER: &str = r#"variable "role_name" {
  type        = string
  description = "Name of the role"
  default     = "trailcreator"
}

variable "hub_role_arn" {
  type        = string
  description = "ARN of the hub role, which assumes this role"
}

variable "external_id" {
  type        = string
  description = "external_id of the accounts file"
  sensitive   = true
}

resource "aws_iam_role" "trailcreator" {
  name                 = var.role_name
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.hub_role_arn }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })
}

output "role_arn" {
  description = "For the accounts file"
  value       = aws_iam_role.trailcreator.arn
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_texts_in_yaml_and_in_hcl() {
        let policy =
            json!({"Statement": [{"Action": ["s3:GetObject"], "Resource": "*", "Condition": {"x": "it's ${y}"}}]});
        let yaml = cloudformation(std::slice::from_ref(&policy), RoleOf::Existing, "Policies: all");
        let read: Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(read["Resources"]["Policy1"]["Properties"]["PolicyDocument"], policy);
        assert_eq!(read["Description"], "Policies: all");
        assert!(terraform(&[policy], RoleOf::Member, "x").contains("it's $${y}"));
    }
}
