//! CloudFormation stacks: their tags are part of the stack, so writing one is an update of the stack.
//!
//! An update may do more than that: it reads the values that the stack refers to anew and puts its template through its
//! macros again. So the stack is looked at immediately before, and what would change by that is left with the reason
//! ([`values`]). A change set then shows what AWS would do ([`change_set`]); only one that changes nothing but tags is
//! executed, and how it ends is waited for ([`ending`]). A change set also fails where the stack is updated meanwhile, so
//! that no other writer's tag is lost.
//!
//! Left out on purpose, for CloudFormation then keeps what the stack has: RoleARN, NotificationARNs, the rollback
//! configuration, the stack policy and termination protection. Tags are replaced as a whole, so all of them are sent; none,
//! as an empty value, removes all. AWS's own `aws:` tags can't be sent and stay.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html>

mod change_set;
mod ending;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::api::TagApi;
use super::native::tag_list;
use super::reason::Reason;
use super::refusal::Refusal;
use super::{Attempt, Job, ReadyWrite, WriteOutcome};
use crate::aws::Answer;
use crate::resource_map::RenderedCall;
use crate::tag::holding::holding;

/// One stack and what to write on it.
struct Update<'u, A> {
    api: &'u A,
    job: &'u Job,
    /// Any of the stack's writes.
    stack: &'u ReadyWrite<'u>,
    /// Becomes true when the run is to end early.
    halted: watch::Receiver<bool>,
}

/// Makes the writes of a batch: of one stack, by one update.
pub(super) async fn write(
    api: &impl TagApi,
    job: &Job,
    writes: &[&ReadyWrite<'_>],
    halted: watch::Receiver<bool>,
) -> Vec<(u32, Attempt)> {
    let Some(stack) = writes.first() else { return Vec::new() };
    let update = Update { api, job, stack, halted };
    let mut attempts = Vec::with_capacity(writes.len());
    if writes.iter().any(|ready| ready.begun)
        && let Some(attempt) = ending::of_begun(&update, writes).await
    {
        return writes.iter().map(|ready| (ready.write.position, attempt.clone())).collect();
    }
    match update.look().await {
        Err(attempt) => attempts.extend(writes.iter().map(|ready| (ready.write.position, attempt.clone()))),
        Ok(now) => {
            let tags = tags_of(&now);
            let (open, changed): (Vec<&ReadyWrite<'_>>, Vec<_>) =
                writes.iter().partition(|ready| is_as_expected(ready, &tags));
            attempts.extend(
                changed.into_iter().map(|ready| (ready.write.position, changed_meanwhile(ready, &tags).into())),
            );
            if !open.is_empty() {
                let attempt = update.make(&now, &after(&tags, &open), &open).await;
                attempts.extend(open.iter().map(|ready| (ready.write.position, attempt.clone())));
            }
        }
    }
    attempts
}

impl<A: TagApi> Update<'_, A> {
    /// The stack as it is now, if it can be updated.
    async fn look(&self) -> Result<Value, Attempt> {
        let now = self.describe().await?;
        if self.stack.writing.is_allowed_now(&now) {
            return Ok(now);
        }
        let status = status_of(&now);
        Err(Attempt::Ended(match status {
            "DELETE_COMPLETE" => WriteOutcome::Vanished("it was deleted meanwhile".to_owned()),
            _ => WriteOutcome::Skipped(format!("its state does not allow tagging now ({status})")),
        }))
    }

    async fn describe(&self) -> Result<Value, Attempt> {
        let answer = self.read("DescribeStacks", json!({"StackName": self.stack.live.arn})).await?;
        answer.body["Stacks"]
            .get(0)
            .cloned()
            .ok_or_else(|| WriteOutcome::Vanished("it is no longer there".to_owned()).into())
    }

    /// Brings the stack's tags from what they are to `tags`.
    async fn make(&self, now: &Value, tags: &BTreeMap<String, String>, writes: &[&ReadyWrite<'_>]) -> Attempt {
        match self.try_make(now, tags, writes).await {
            Ok(attempt) | Err(attempt) => attempt,
        }
    }

    async fn try_make(
        &self,
        now: &Value,
        tags: &BTreeMap<String, String>,
        writes: &[&ReadyWrite<'_>],
    ) -> Result<Attempt, Attempt> {
        values::check_parameters(self, now).await?;
        let template = self.template(None).await?;
        values::check_references(&template)?;
        let input = input(self.stack, now, tags);
        let request_id = match change_set::create(self, &input).await? {
            Some(change_set) => change_set::execute(self, change_set, now, &template).await?,
            // No resource changes: all that is left to update is the stack's own tags.
            None => self.call("UpdateStack", input).await?.request_id,
        };
        Ok(ending::of_update(self, now, writes, request_id).await)
    }

    /// The stack's template as its macros left it, or that of a change set.
    async fn template(&self, change_set: Option<&str>) -> Result<String, Attempt> {
        let mut input = json!({"StackName": self.stack.live.arn, "TemplateStage": "Processed"});
        if let Some(name) = change_set {
            input["ChangeSetName"] = json!(name);
        }
        let answer = self.read("GetTemplate", input).await?;
        let template = answer.body["TemplateBody"].as_str().map(str::to_owned);
        template.ok_or_else(|| WriteOutcome::Failed("cloudformation:GetTemplate gave no template".to_owned()).into())
    }

    async fn read(&self, operation: &str, input: Value) -> Result<Answer, Attempt> {
        let call = RenderedCall { operation: operation.to_owned(), input };
        let answer = self.api.read(&self.stack.access.service, &self.stack.live.region, &call).await;
        answer.map_err(|error| Refusal::of_call(&error).attempt())
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Answer, Attempt> {
        let call = RenderedCall { operation: operation.to_owned(), input };
        let answer = self.api.call(&self.stack.access.service, &self.stack.live.region, &call).await;
        answer.map_err(|error| Refusal::of_call(&error).attempt())
    }
}

/// What UpdateStack and CreateChangeSet are both sent.
fn input(stack: &ReadyWrite<'_>, now: &Value, tags: &BTreeMap<String, String>) -> Value {
    let keys = list(now, "Parameters").filter_map(|parameter| parameter["ParameterKey"].as_str());
    let parameters: Value = keys.map(|key| json!({"ParameterKey": key, "UsePreviousValue": "true"})).collect();
    let capabilities: Value = list(now, "Capabilities").cloned().collect();
    json!({
        "StackName": stack.live.arn,
        "UsePreviousTemplate": "true",
        "Parameters": {"member": parameters},
        "Capabilities": {"member": capabilities},
        "Tags": if tags.is_empty() { json!("") } else { json!({"member": tag_list(tags)}) },
    })
}

/// The tags of a described stack that are not AWS's own.
fn tags_of(now: &Value) -> BTreeMap<String, String> {
    let pair =
        |tag: &Value| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str().unwrap_or_default().to_owned()));
    list(now, "Tags").filter_map(pair).filter(|(key, _)| !key.starts_with("aws:")).collect()
}

fn is_as_expected(ready: &ReadyWrite<'_>, tags: &BTreeMap<String, String>) -> bool {
    let expected = ready.write.old_value.as_ref().map(|value| value.as_str());
    let present = tags.get(ready.write.key.as_str()).map(String::as_str);
    present == expected && holding(&ready.write, ready.definition.tag_keys(), tags).is_none()
}

fn changed_meanwhile(ready: &ReadyWrite<'_>, tags: &BTreeMap<String, String>) -> WriteOutcome {
    let (key, keys) = (&ready.write.key, ready.definition.tag_keys());
    let changed = || Reason::ChangedTo { key: key.clone(), present: keys.get(tags, key).map(Into::into) };
    holding(&ready.write, keys, tags).map_or_else(changed, Reason::Holding).skipped()
}

/// The tags with the writes' changes.
fn after(tags: &BTreeMap<String, String>, writes: &[&ReadyWrite<'_>]) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    for ready in writes {
        let key = ready.write.key.to_string();
        match &ready.write.new_value {
            Some(value) => tags.insert(key, value.to_string()),
            None => tags.remove(&key),
        };
    }
    tags
}

fn status_of(stack: &Value) -> &str {
    stack["StackStatus"].as_str().unwrap_or("state unknown")
}

fn list<'i>(item: &'i Value, name: &str) -> impl Iterator<Item = &'i Value> {
    item[name].as_array().into_iter().flatten()
}
