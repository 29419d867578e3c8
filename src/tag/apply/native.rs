//! A service's own tagging call, by the resource map's template: one resource at a time.
//!
//! A call that adds one tag comes first. Where a service only has one that replaces all tags (`{tags}` in the map: S3 Storage
//! Lens, and S3's PutBucketTagging where TagResource is not available or not permitted), all tags are read immediately before
//! and sent back with the one change, AWS's own `aws:` ones too: S3 takes their absence for an attempt to remove them, which it
//! refuses. A tag that another writer adds between that read and the call is lost; `docs/resource-maps.md` names the types.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::TagApi;
use super::reason::Reason;
use super::refusal::Refusal;
use super::{Attempt, Attempted, Job, ReadyWrite};
use crate::aws::CallError;
use crate::inventory::of_ancestors;
use crate::model::Tags;
use crate::resource_map::{NativeWriting, Request};
use crate::store::journal::{Write, WriteOutcome};
use crate::tag::holding::holding;

/// Makes the writes of a batch with the services' own calls.
pub(super) async fn write_each(api: &impl TagApi, job: &Job, writes: Vec<&ReadyWrite<'_>>) -> Vec<Attempted> {
    let mut attempts = Vec::with_capacity(writes.len());
    for ready in writes {
        let attempt = match &ready.writing.native {
            Some(native) => write(api, job, ready, native).await,
            None => Reason::NoWriteCall(ready.definition.resource_type.clone()).failed().into(),
        };
        attempts.push(ready.after(attempt));
    }
    attempts
}

/// Why a call did not write.
enum Fault {
    /// There is nothing more to try.
    Over(WriteOutcome),
    /// AWS refused it.
    Refused(CallError),
}

impl Fault {
    fn attempt(self) -> Attempt {
        match self {
            Self::Over(outcome) => outcome.into(),
            Self::Refused(error) => Refusal::of_call(&error).attempt(),
        }
    }
}

/// Makes one write; by the other call where the map has one and the first is not available or not permitted.
pub(super) async fn write(api: &impl TagApi, job: &Job, ready: &ReadyWrite<'_>, native: &NativeWriting) -> Attempt {
    let error = match try_write(api, job, ready, native).await {
        Ok(outcome) | Err(Fault::Over(outcome)) => return outcome.into(),
        Err(Fault::Refused(error)) => error,
    };
    let Some(other) = native.otherwise.as_deref().filter(|_| !error.in_doubt && error.leaves_other_ways()) else {
        return Fault::Refused(error).attempt();
    };
    match try_write(api, job, ready, other).await.map_or_else(Fault::attempt, Attempt::from) {
        Attempt::Ended(WriteOutcome::Failed(other)) => {
            Reason::BothCalls { first: Refusal::of_call(&error), other }.failed().into()
        }
        attempt => attempt,
    }
}

async fn try_write(
    api: &impl TagApi,
    job: &Job,
    ready: &ReadyWrite<'_>,
    native: &NativeWriting,
) -> Result<WriteOutcome, Fault> {
    let request = request_for(ready, native).map_err(Fault::Over)?;
    let tags = if request.uses("tags") { Some(changed_tags(api, ready).await.map_err(Fault::Over)?) } else { None };
    let lookup = |name: &str| value_of(job, ready, tags.as_ref(), name);
    let call = request.render(&ready.live.item.value(), &lookup).map_err(|error| {
        Fault::Over(Reason::NoInput { call: request.call().to_string(), error: error.to_string() }.failed())
    })?;
    let (service, region) = (&native.service, &ready.live.region);
    let answer = match &tags {
        Some(_) => api.replace(service, region, &call).await,
        None => api.call(service, region, &call).await,
    };
    let answer = answer.map_err(Fault::Refused)?;
    Ok(WriteOutcome::Written { request_id: answer.request_id })
}

fn request_for<'n>(ready: &ReadyWrite<'_>, native: &'n NativeWriting) -> Result<&'n Request, WriteOutcome> {
    if ready.write.new_value.is_some() || native.add.uses("tags") {
        return Ok(&native.add);
    }
    let no_call = || Reason::NoRemoveCall(ready.definition.resource_type.clone()).failed();
    native.remove.as_ref().ok_or_else(no_call)
}

/// All tags after the change.
async fn changed_tags(api: &impl TagApi, ready: &ReadyWrite<'_>) -> Result<BTreeMap<String, String>, WriteOutcome> {
    let mut tags = match api.all_tags(ready).await {
        Tags::Known(tags) => tags,
        Tags::Partial(_) => return Err(Reason::OtherTagsUnread("the list is incomplete".to_owned()).failed()),
        Tags::Unknown(reason) => return Err(Reason::OtherTagsUnread(reason).failed()),
    };
    let Write { key, old_value, new_value, .. } = &ready.write;
    let keys = ready.definition.tag_keys();
    let present = keys.get(&tags, key).map(|tag| tag.value);
    if present != old_value.as_ref().map(|value| value.as_str()) {
        return Err(Reason::Changed.skipped());
    }
    if let Some(holding) = holding(&ready.write, keys, &tags) {
        return Err(Reason::Holding(holding).skipped());
    }
    keys.set(&mut tags, key, new_value.as_ref().map(|value| value.as_str()));
    Ok(tags)
}

/// The placeholders that are not part of the listed item.
fn value_of(job: &Job, ready: &ReadyWrite<'_>, tags: Option<&BTreeMap<String, String>>, name: &str) -> Option<Value> {
    let live = &ready.live;
    let text = match name {
        "id" => live.id.as_str(),
        "arn" => live.arn.as_str(),
        "account" => job.account.as_str(),
        "region" => live.region.as_str(),
        "partition" => live.region.partition(),
        "key" => ready.write.key.as_str(),
        "value" => return ready.write.new_value.as_ref().map(|value| value.as_str().into()),
        "tags" => return tags.map(tag_list),
        _ => return of_ancestors(name, &live.ancestors),
    };
    Some(text.into())
}

/// Tags as most services spell them: a list of `{Key, Value}`.
pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}
