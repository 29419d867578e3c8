//! CloudFormation stacks: their tags are part of the stack, so writing one is an update of the stack that changes
//! nothing else. The template and every parameter keep their values.
//!
//! Left out on purpose, for CloudFormation then keeps what the stack has: RoleARN, NotificationARNs, the rollback
//! configuration and the stack policy. Tags are replaced as a whole, so all of them are sent; none, as an empty value,
//! removes all. AWS's own `aws:` tags can't be sent and stay.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::TagApi;
use super::native::tag_list;
use super::refusal::Refusal;
use super::{Outcome, Task};
use crate::inventory::Tags;
use crate::resource_map::RenderedCall;

/// Makes the writes of a batch: of one stack, by one update.
pub(super) async fn write(api: &impl TagApi, tasks: &[&Task<'_>]) -> Vec<(u32, Outcome)> {
    let Some(first) = tasks.first() else { return Vec::new() };
    let outcome = update(api, first, tasks).await;
    tasks.iter().map(|task| (task.write.position, outcome.clone())).collect()
}

async fn update(api: &impl TagApi, stack: &Task<'_>, tasks: &[&Task<'_>]) -> Outcome {
    let Tags::Known(tags) = &stack.live.tags else {
        return Outcome::Failed("its other tags could not be read, and the update would remove them".to_owned());
    };
    let call = update_call(stack, &changed(tags, tasks));
    match api.call(&stack.access.service, &stack.live.region, &call).await {
        Ok(answer) => Outcome::Written { request_id: answer.request_id },
        Err(error) => Refusal::of_call(&error).outcome(),
    }
}

fn changed(tags: &BTreeMap<String, String>, tasks: &[&Task<'_>]) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    tags.retain(|key, _| !key.starts_with("aws:"));
    for task in tasks {
        let value = task.write.new_value.as_ref().map(|value| value.as_str());
        task.definition.tag_keys().set(&mut tags, &task.write.key, value);
    }
    tags
}

fn update_call(task: &Task<'_>, tags: &BTreeMap<String, String>) -> RenderedCall {
    let item = &task.live.item;
    let keys = list(item, "Parameters").filter_map(|parameter| parameter["ParameterKey"].as_str());
    let parameters: Value = keys.map(|key| json!({"ParameterKey": key, "UsePreviousValue": "true"})).collect();
    let capabilities: Value = list(item, "Capabilities").cloned().collect();
    let tags = if tags.is_empty() { json!("") } else { json!({"member": tag_list(tags)}) };
    RenderedCall {
        operation: "UpdateStack".to_owned(),
        input: json!({
            "StackName": task.live.arn,
            "UsePreviousTemplate": "true",
            "Parameters": {"member": parameters},
            "Capabilities": {"member": capabilities},
            "Tags": tags,
        }),
    }
}

fn list<'i>(item: &'i Value, name: &str) -> impl Iterator<Item = &'i Value> {
    item[name].as_array().into_iter().flatten()
}
