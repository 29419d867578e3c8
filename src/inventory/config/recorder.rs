//! What the recorder of an account-region records. Configuration items of other types may be out of date.
//!
//! Source: <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ConfigError;
use super::client::Client;
use crate::aws::{CallError, ErrorClass};
use crate::model::AccountRegion;

/// The types of the option to record global types.
const IAM: [&str; 4] = ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"];

/// The error codes for an account-region where nothing is recorded.
const NO_RECORDER: &str = "NoAvailableConfigurationRecorder";
const STOPPED: &str = "ConfigurationRecorderStopped";

/// The types that are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recorded {
    /// All that AWS Config supports; IAM's only if they are included.
    All {
        /// Whether IAM's types are included.
        iam: bool,
    },
    /// These.
    Only(BTreeSet<String>),
    /// All but these.
    Except(BTreeSet<String>),
}

impl Recorded {
    /// Whether a type is recorded, by AWS Config's name.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::All { iam } => *iam || !IAM.contains(&name),
            Self::Only(names) => names.contains(name),
            Self::Except(names) => !names.contains(name),
        }
    }

    fn of(group: &Value) -> Self {
        let names = |names: &Value| {
            names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let is_all = group["allSupported"].as_bool();
        match group["recordingStrategy"]["useOnly"].as_str() {
            Some("EXCLUSION_BY_RESOURCE_TYPES") => {
                Self::Except(names(&group["exclusionByResourceTypes"]["resourceTypes"]))
            }
            Some("INCLUSION_BY_RESOURCE_TYPES") => Self::Only(names(&group["resourceTypes"])),
            None if is_all == Some(false) => Self::Only(names(&group["resourceTypes"])),
            _ => Self::All { iam: group["includeGlobalResourceTypes"].as_bool().unwrap_or_default() },
        }
    }
}

/// What the recorder of an account-region records.
///
/// # Errors
/// There is none, or it is stopped; a call fails.
pub(super) async fn recorded(client: &Client, place: &AccountRegion) -> Result<Recorded, ConfigError> {
    let input = json!({});
    let recorders = client.ask("DescribeConfigurationRecorders", &input).await?;
    let AccountRegion { account, region } = place;
    let failed = |code: &str, message: String, hint: &str| {
        let error = CallError::bare("config:DescribeConfigurationRecorders", region, ErrorClass::NotFound, code);
        ConfigError { error: CallError { message, ..error }, hint: Some(hint.to_owned()) }
    };
    let Some(recorder) = recorders["ConfigurationRecorders"].as_array().and_then(|recorders| recorders.first()) else {
        let message = format!("AWS Config has no recorder in account {account} in {region}");
        return Err(failed(NO_RECORDER, message, "leave out --population, or create a recorder"));
    };
    let status = client.ask("DescribeConfigurationRecorderStatus", &input).await?;
    let mut recorders = status["ConfigurationRecordersStatus"].as_array().into_iter().flatten();
    if !recorders.any(|status| status["recording"] == true) {
        let message = format!(
            "the recorder of AWS Config in account {account} in {region} is stopped: its items are out of date"
        );
        return Err(failed(STOPPED, message, "leave out --population, or start the recorder"));
    }
    Ok(Recorded::of(&recorder["recordingGroup"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(group: &Value) -> Vec<&'static str> {
        let recorded = Recorded::of(group);
        ["AWS::EC2::Volume", "AWS::IAM::Role", "AWS::SQS::Queue"]
            .into_iter()
            .filter(|name| recorded.has(name))
            .collect()
    }

    #[test]
    fn strategies_decide_what_is_recorded() {
        let (volumes, role, queues) = ("AWS::EC2::Volume", "AWS::IAM::Role", "AWS::SQS::Queue");
        assert_eq!(has(&json!({"allSupported": true, "includeGlobalResourceTypes": false})), [volumes, queues]);
        assert_eq!(has(&json!({"allSupported": true, "includeGlobalResourceTypes": true})), [volumes, role, queues]);
        assert_eq!(has(&Value::Null), [volumes, queues], "AWS's default");
        assert_eq!(has(&json!({"allSupported": false, "resourceTypes": [role]})), [role]);
        let strategy = |name: &str| json!({"useOnly": name});
        let only = json!({"allSupported": false, "resourceTypes": [queues], "recordingStrategy": strategy("INCLUSION_BY_RESOURCE_TYPES")});
        assert_eq!(has(&only), [queues]);
        let except = json!({
            "allSupported": false, "resourceTypes": [], "exclusionByResourceTypes": {"resourceTypes": [queues]},
            "recordingStrategy": strategy("EXCLUSION_BY_RESOURCE_TYPES"),
        });
        assert_eq!(has(&except), [volumes, role]);
        let all = json!({"allSupported": true, "recordingStrategy": strategy("ALL_SUPPORTED_RESOURCE_TYPES")});
        assert_eq!(has(&all), [volumes, queues]);
    }
}
