//! Maps and records for the unit tests of trails, loads and the store.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::model::ResourceType;
use crate::model::event::Action;
use crate::resource_map::{EventRule, Expression, Identified, ResourceMap};

/// The built-in map, read once.
pub(crate) fn built_in() -> &'static ResourceMap {
    static MAP: LazyLock<ResourceMap> = LazyLock::new(ResourceMap::built_in);
    &MAP
}

/// A map of rules: source, name, type, action, ids.
pub(crate) fn map(rules: &[(&str, &str, &str, Action, &str)]) -> ResourceMap {
    let mut map = ResourceMap::default();
    for (source, name, resource_type, action, ids) in rules {
        let rule = EventRule {
            identified: Identified::Resource(ResourceType::from(*resource_type)),
            action: *action,
            ids: Expression::compile(ids).unwrap(),
            names: None,
            new_name: None,
            doubts: None,
        };
        map.events.get_mut().add(source, name, rule);
    }
    map
}

/// A record of a call by an IAM user, with `more` fields added or replaced.
pub(crate) fn record(source: &str, name: &str, more: &Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "IAMUser", "userName": "ann", "accountId": "123456789012",
            "arn": "arn:aws:iam::123456789012:user/ann", "principalId": "AIDA1",
        },
        "eventTime": "2023-07-10T11:54:39Z",
        "eventSource": source,
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-cli/2.0",
        "requestParameters": null,
        "responseElements": null,
        "eventID": format!("event-{name}"),
        "recipientAccountId": "123456789012",
    });
    for (key, value) in more.as_object().unwrap() {
        record[key] = value.clone();
    }
    record
}
