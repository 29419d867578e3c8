//! CloudFormation stacks: their tags are part of the stack, so writing one is an update of the stack.
//!
//! An update may do more than that: it reads the values that the stack refers to again and puts its template through its macros again. So
//! the stack is looked at immediately before, and what would change by that is left with the reason ([`values`]). A change set then shows
//! what AWS would do ([`change_set`]); only one that changes nothing but tags is executed, and how it ends is waited for ([`ending`]).
//!
//! No other writer's tag is lost: the change set is made from a read just before it, the stack must still be the same after it
//! was made, and AWS does not execute it where the stack was updated since.
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
use super::{Attempt, Attempted, Job, ReadyWrite, WriteOutcome};
use crate::aws::{Answer, ErrorClass};
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
) -> Vec<Attempted> {
    let Some(stack) = writes.first() else { return Vec::new() };
    let update = Update { api, job, stack, halted };
    if writes.iter().any(|ready| ready.begun)
        && let Some(attempt) = ending::of_begun(&update, writes).await
    {
        return writes.iter().map(|ready| ready.after(attempt.clone())).collect();
    }
    let mut open = Open { writes: writes.to_vec(), over: Vec::new() };
    let attempt = match update.make(&mut open).await {
        Ok(attempt) | Err(attempt) => attempt,
    };
    open.over.extend(open.writes.iter().map(|ready| ready.after(attempt.clone())));
    open.over
}

/// The writes of one update that may still be made.
struct Open<'w, 'm> {
    /// Writes on stacks that still have the expected tags.
    writes: Vec<&'w ReadyWrite<'m>>,
    /// Writes that are skipped because the tag was changed meanwhile.
    over: Vec<Attempted>,
}

impl Open<'_, '_> {
    /// Takes out the writes that another writer's tags exclude.
    fn keep_expected(&mut self, tags: &BTreeMap<String, String>) {
        let over = &mut self.over;
        self.writes.retain(|ready| {
            let is_expected = is_as_expected(ready, tags);
            if !is_expected {
                over.push(ready.after(changed_meanwhile(ready, tags)));
            }
            is_expected
        });
    }
}

impl<A: TagApi> Update<'_, A> {
    /// The stack as it is now, if it can be updated. Takes those writes out that its tags now exclude.
    async fn look(&self, open: &mut Open<'_, '_>) -> Result<Value, Attempt> {
        let now = self.describe().await?;
        if self.stack.writing.is_allowed_in(&now) {
            open.keep_expected(&tags_of(&now));
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

    /// Makes the open writes. The result is that of all that are still open at its end.
    async fn make(&self, open: &mut Open<'_, '_>) -> Result<Attempt, Attempt> {
        let seen = self.look(open).await?;
        if open.writes.is_empty() {
            return Ok(meanwhile());
        }
        values::check_parameters(self, &seen).await?;
        let template = self.template(None).await?;
        values::check_references(&template)?;
        // Those reads took their time: the tags to send are those of now.
        let now = self.look(open).await?;
        if !is_same_update(&seen, &now) || open.writes.is_empty() {
            return Ok(meanwhile());
        }
        let wanted = input(self.stack, &now, &open.writes);
        let change_set = change_set::create(self, &wanted).await?;
        let (now, called) = match &change_set {
            Some(change_set) => {
                let executed = change_set::execute(self, change_set, &now, &template).await;
                (now, executed)
            }
            // No resource changes: all that is left to update is the stack's own tags.
            None => {
                let now = self.look(open).await?;
                if !is_same_update(&seen, &now) || open.writes.is_empty() {
                    return Ok(meanwhile());
                }
                let wanted = input(self.stack, &now, &open.writes);
                let updated = self.replace("UpdateStack", wanted).await.map(|answer| answer.request_id);
                (now, updated)
            }
        };
        let attempt = match called {
            Ok(request_id) => return Ok(ending::of_update(self, &now, &open.writes, request_id).await),
            Err(Attempt::InDoubt(refusal)) => ending::of_doubt(self, &now, &open.writes, refusal).await,
            Err(attempt) => attempt,
        };
        // What was not executed must not be executed later either.
        if let Some(change_set) = change_set
            && !matches!(attempt, Attempt::Ended(WriteOutcome::Written { .. } | WriteOutcome::UnderWay(_)))
        {
            change_set.delete(self).await;
        }
        Ok(attempt)
    }

    /// The stack's template as its macros left it, or that of a change set.
    async fn template(&self, change_set: Option<&str>) -> Result<String, Attempt> {
        let mut input = json!({"StackName": self.stack.live.arn, "TemplateStage": "Processed"});
        if let Some(name) = change_set {
            input["ChangeSetName"] = json!(name);
        }
        let answer = self.read("GetTemplate", input).await?;
        let template = answer.body["TemplateBody"].as_str().map(str::to_owned);
        template
            .ok_or_else(|| WriteOutcome::Failed("cloudformation:GetTemplate returned no template".to_owned()).into())
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

    /// A call that replaces all tags: it is not sent again without a new read, also where AWS only throttled it.
    async fn replace(&self, operation: &str, input: Value) -> Result<Answer, Attempt> {
        let call = RenderedCall { operation: operation.to_owned(), input };
        let answer = self.api.replace(&self.stack.access.service, &self.stack.live.region, &call).await;
        answer.map_err(|error| match Refusal::of_call(&error) {
            refusal if error.class == ErrorClass::Throttled => Attempt::Passing(refusal),
            refusal => refusal.attempt(),
        })
    }
}

/// Another program updates the stack: the writes are tried again from the beginning.
fn meanwhile() -> Attempt {
    Attempt::Passing(Refusal::of_conflict("the stack was updated meanwhile"))
}

/// Whether no update came between two reads, as far as what was checked in between depends on it.
fn is_same_update(before: &Value, after: &Value) -> bool {
    ["LastUpdatedTime", "Parameters", "Capabilities"].iter().all(|name| before[name] == after[name])
}

/// What UpdateStack and CreateChangeSet are both sent.
fn input(stack: &ReadyWrite<'_>, now: &Value, writes: &[&ReadyWrite<'_>]) -> Value {
    let tags = after(&tags_of(now), writes);
    let keys = list(now, "Parameters").filter_map(|parameter| parameter["ParameterKey"].as_str());
    let parameters: Value = keys.map(|key| json!({"ParameterKey": key, "UsePreviousValue": "true"})).collect();
    let capabilities: Value = list(now, "Capabilities").cloned().collect();
    json!({
        "StackName": stack.live.arn,
        "UsePreviousTemplate": "true",
        "Parameters": {"member": parameters},
        "Capabilities": {"member": capabilities},
        "Tags": if tags.is_empty() { json!("") } else { json!({"member": tag_list(&tags)}) },
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
