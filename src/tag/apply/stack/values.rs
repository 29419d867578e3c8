//! What an update of a stack reads again although the template stays: the values of its parameters in Parameter Store, and
//! those of dynamic references.
//!
//! * `UsePreviousValue` keeps the *key* of an `AWS::SSM::Parameter` parameter; its value is read again at every update.
//! * A dynamic reference is resolved again when its resource is updated, and a tag updates the resource. A change set does
//!   not always show that, and no secret is read here to compare it, so only a reference to a fixed version passes.
//!
//! Sources: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/systems-manager-parameter-types.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html>

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{TagApi, Update, WriteOutcome, list};
use crate::aws::CallError;
use crate::resource_map::{RenderedCall, Service};

/// Characters of a value that a reason quotes.
const QUOTED: usize = 80;

static PARAMETER_STORE: LazyLock<Service> = LazyLock::new(|| Service::json("ssm", "SSM", "AmazonSSM"));

/// Checks that the stack's parameters in Parameter Store have the values that the stack was last updated with.
pub(super) async fn check_parameters(update: &Update<'_, impl TagApi>, now: &Value) -> Result<(), WriteOutcome> {
    for parameter in list(now, "Parameters") {
        let Some(resolved) = parameter["ResolvedValue"].as_str() else { continue };
        let name = parameter["ParameterKey"].as_str().unwrap_or_default();
        let key = parameter["ParameterValue"].as_str().unwrap_or_default();
        let skipped =
            |why: String| WriteOutcome::Skipped(format!("its parameter {name} is {key} of Parameter Store, {why}"));
        match present_value(update, key).await {
            Err(error) => {
                return Err(skipped(format!("which could not be read: {}", error.with_hint())));
            }
            Ok(None) => return Err(skipped("which no longer exists; an update would fail".to_owned())),
            Ok(Some(value)) if value != resolved => {
                let (old, new) = (quote(resolved), quote(&value));
                return Err(skipped(format!(
                    "which was {old} at its last update and is {new} now; an update would use that value"
                )));
            }
            Ok(Some(_)) => {}
        }
    }
    Ok(())
}

/// One at a time: an answer names a parameter in other words than the question where that has a version or is an ARN.
async fn present_value(update: &Update<'_, impl TagApi>, key: &str) -> Result<Option<String>, CallError> {
    let call = RenderedCall { operation: "GetParameters".to_owned(), input: json!({"Names": [key]}) };
    let answer = update.api.read(&PARAMETER_STORE, &update.stack.live.region, &call).await?;
    Ok(answer.body["Parameters"][0]["Value"].as_str().map(str::to_owned))
}

fn quote(value: &str) -> String {
    match value.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}

/// Checks that every dynamic reference of a template names a version.
pub(super) fn check_references(template: &str) -> Result<(), WriteOutcome> {
    const BEGIN: &str = "{{resolve:";
    let mut rest = template;
    while let Some(at) = rest.find(BEGIN) {
        rest = &rest[at + BEGIN.len()..];
        // Where the template puts it together from parts, its end is in another one of them.
        let reference = rest.find("}}").map_or(rest, |end| &rest[..end]);
        if !names_a_version(reference) {
            let text = quote(&format!("{BEGIN}{reference}}}}}"));
            return Err(WriteOutcome::Skipped(format!(
                "its template has a dynamic reference without a version, {text}, which an update would resolve again"
            )));
        }
    }
    Ok(())
}

/// `ssm:NAME:VERSION`, `ssm-secure:NAME:VERSION`, `secretsmanager:SECRET:SecretString:KEY:STAGE:VERSION`. A stage moves from
/// version to version.
fn names_a_version(reference: &str) -> bool {
    match reference.split_once(':') {
        Some(("ssm" | "ssm-secure", rest)) => rest
            .rsplit_once(':')
            .is_some_and(|(_, version)| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())),
        Some(("secretsmanager", rest)) => rest
            .split_once(":SecretString:")
            .is_some_and(|(_, rest)| rest.split(':').nth(2).is_some_and(|version| !version.is_empty())),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_to_a_fixed_version_pass() {
        for fixed in [
            "no reference at all",
            "a: '{{resolve:ssm:/ami:12}}' b: '{{resolve:ssm-secure:password:3}}'",
            "'{{resolve:secretsmanager:db:SecretString:password::EXAMPLE1-90ab-cdef}}'",
            "'{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:db-x:SecretString:password::v1}}'",
        ] {
            assert_eq!(check_references(fixed), Ok(()), "{fixed}");
        }
        for moving in [
            "'{{resolve:ssm:/ami:12}}' '{{resolve:ssm:/ami}}'",
            "'{{resolve:ssm-secure:password}}'",
            "'{{resolve:secretsmanager:db}}'",
            "'{{resolve:secretsmanager:db:SecretString:password}}'",
            "'{{resolve:secretsmanager:db:SecretString:password:AWSCURRENT}}'",
            "!Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'",
            r#"{"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Secret"}, ":SecretString:password::}}"]]}"#,
            r#"{"Fn::Join": ["", ["{{resolve:ssm:", {"Ref": "Name"}, "}}"]]}"#,
            "'{{resolve:something-new:x:1}}'",
        ] {
            let outcome = check_references(moving).unwrap_err();
            assert!(
                matches!(&outcome, WriteOutcome::Skipped(why) if why.contains("{{resolve:")),
                "{moving}: {outcome:?}"
            );
        }
    }
}
