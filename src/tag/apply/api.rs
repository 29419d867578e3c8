//! The AWS calls that writing tags needs, as one small interface: AWS itself, or a test's world with faults.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use aws_sdk_resourcegroupstagging::operation::RequestId;
use aws_sdk_resourcegroupstagging::types::FailureInfo;

use super::ReadyWrite;
use super::refusal::Refusal;
use crate::aws::{Answer, CallError, Doubt, ErrorClass, Session};
use crate::inventory::{self};
use crate::model::{AccountRegion, LiveResource, ResourceType, Tags};
use crate::model::{Region, TagKey, TagValue};
use crate::plan::SkipTag;
use crate::resource_map::{RenderedCall, ResourceMap, Service, TagKeys, WriteMethod};
use crate::store::journal::Write;
use crate::tag::current::{self, Current};

/// What TagResources or UntagResources answered.
#[derive(Debug, Default)]
pub(in crate::tag) struct TaggingAnswer {
    /// By ARN.
    pub(super) refused: HashMap<String, Refusal>,
    pub(super) request_id: Option<String>,
}

pub(in crate::tag) trait TagApi {
    /// The Tagging API's TagResources; without a value UntagResources.
    async fn tag_resources(
        &self,
        region: &Region,
        arns: &[&str],
        key: &TagKey,
        value: Option<&TagValue>,
    ) -> Result<TaggingAnswer, CallError>;

    /// A service's own call.
    async fn call(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError>;

    /// A service's own call that changes nothing, and so counts as a read.
    async fn read(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.call(service, region, call).await
    }

    /// A call that replaces all tags of a resource. It is never sent twice: meanwhile another writer may have changed the tags.
    async fn replace(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.call(service, region, call).await
    }

    /// The present tags that decide on EC2's writes, in few calls, of all types at once: see [`inventory::ec2_tags`]. `None` for other
    /// writes, and where that call is not permitted or failed.
    async fn ec2_tags(&self, writes: &[&ReadyWrite<'_>]) -> Vec<Option<BTreeMap<String, String>>> {
        vec![None; writes.len()]
    }

    /// All tags of each resource as they are now.
    async fn present_tags(&self, writes: &[&ReadyWrite<'_>]) -> Vec<Tags>;

    /// All tags of a resource as they are now.
    async fn all_tags(&self, ready: &ReadyWrite<'_>) -> Tags {
        let unread = || Tags::Unknown("not read".to_owned());
        self.present_tags(&[ready]).await.pop().unwrap_or_else(unread)
    }

    /// Lets time pass: from half of `longest` to all of it, at random.
    async fn pause(&self, longest: Duration);
}

/// AWS, by one session, for one run.
#[derive(Debug)]
pub struct Aws<'a> {
    session: &'a Session,
    map: &'a ResourceMap,
    place: &'a AccountRegion,
    /// Whether DescribeTags was denied: batches that begin later do not call it.
    is_describing_denied: Cell<bool>,
}

impl<'a> Aws<'a> {
    /// `place`: where the resources were listed.
    pub fn new(session: &'a Session, map: &'a ResourceMap, place: &'a AccountRegion) -> Self {
        Self { session, map, place, is_describing_denied: Cell::new(false) }
    }
}

impl TagApi for Aws<'_> {
    async fn tag_resources(
        &self,
        region: &Region,
        arns: &[&str],
        key: &TagKey,
        value: Option<&TagValue>,
    ) -> Result<TaggingAnswer, CallError> {
        let (client, doubt) = (self.session.tagging(region), Doubt::of_writes());
        let settings = || aws_sdk_resourcegroupstagging::config::Builder::new().retry_classifier(doubt.clone());
        let arns = Some(arns.iter().map(|&arn| arn.to_owned()).collect());
        let (operation, answered) = if let Some(value) = value {
            let call = client.tag_resources().set_resource_arn_list(arns).tags(key.as_str(), value.as_str());
            let turn = self.session.tagging_turn("TagResources", region).await;
            let call = call.customize().config_override(settings()).interceptor(doubt.clone()).interceptor(turn);
            let output = call.send().await;
            let output = output.map_err(|error| CallError::of_sdk("tag:TagResources", region, &error));
            ("tag:TagResources", output.map(|output| answer(output.request_id(), output.failed_resources_map())))
        } else {
            let call = client.untag_resources().set_resource_arn_list(arns).tag_keys(key.as_str());
            let turn = self.session.tagging_turn("UntagResources", region).await;
            let call = call.customize().config_override(settings()).interceptor(doubt.clone()).interceptor(turn);
            let output = call.send().await;
            let output = output.map_err(|error| CallError::of_sdk("tag:UntagResources", region, &error));
            ("tag:UntagResources", output.map(|output| answer(output.request_id(), output.failed_resources_map())))
        };
        let answered = answered.map_err(|error| CallError { in_doubt: doubt.remains(), ..error })?;
        // An empty answer is not a list of failures.
        answered.ok_or_else(|| CallError {
            in_doubt: true,
            ..CallError::bad_answer(operation, region, "the answer has no FailedResourcesMap or no request ID of AWS")
        })
    }

    async fn call(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.session.caller().write(service, region, &call.operation, &call.input).await
    }

    async fn read(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.session.caller().call(service, region, &call.operation, &call.input).await
    }

    async fn replace(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.session.caller().replace(service, region, &call.operation, &call.input).await
    }

    async fn ec2_tags(&self, writes: &[&ReadyWrite<'_>]) -> Vec<Option<BTreeMap<String, String>>> {
        let is_asked = |ready: &ReadyWrite<'_>| ready.writing.method == WriteMethod::Ec2;
        let asked: Vec<&ReadyWrite<'_>> = writes.iter().copied().filter(|ready| is_asked(ready)).collect();
        let Some(first) = asked.first().filter(|_| !self.is_describing_denied.get()) else {
            return vec![None; writes.len()];
        };
        // All writes of a batch are in one region.
        let (service, region) = (&first.access.service, &first.live.region);
        let ids: Vec<&str> = asked.iter().map(|ready| ready.live.id.as_str()).collect();
        let keys = deciding_keys(&asked);
        let found = match inventory::ec2_tags(self.session, service, region, &ids, &keys).await {
            Ok(found) => found,
            Err(error) => {
                if error.class == ErrorClass::AccessDenied {
                    self.is_describing_denied.set(true);
                }
                return vec![None; writes.len()];
            }
        };
        let tags = |ready: &ReadyWrite<'_>| found.get(ready.live.id.as_str()).cloned().unwrap_or_default();
        writes.iter().copied().map(|ready| is_asked(ready).then(|| tags(ready))).collect()
    }

    async fn present_tags(&self, writes: &[&ReadyWrite<'_>]) -> Vec<Tags> {
        let mut tags = vec![Tags::Unknown("not read".to_owned()); writes.len()];
        let mut rest = Vec::new();
        let mut by_type: BTreeMap<&ResourceType, Vec<usize>> = BTreeMap::new();
        for (at, ready) in writes.iter().enumerate() {
            match &ready.access.tags.request {
                Some(_) => by_type.entry(&ready.live.resource_type).or_default().push(at),
                None => rest.push(at),
            }
        }
        for places in by_type.into_values() {
            let mut live: Vec<LiveResource> = places.iter().map(|at| writes[*at].live.clone()).collect();
            live.iter_mut().for_each(|live| live.tags = Tags::Unknown("not read".to_owned()));
            let definition = writes[places[0]].definition;
            let mut unread: Vec<&mut LiveResource> = live.iter_mut().collect();
            inventory::confirm_tags(self.session, definition, self.place, &mut unread).await;
            places.into_iter().zip(live).for_each(|(at, live)| tags[at] = live.tags);
        }
        // Where only the listing has the tags, it is made again.
        let listed = rest.iter().map(|at| writes[*at].write.clone());
        let found = current::read(self.session, self.map, self.place, listed).await;
        for (at, current) in rest.into_iter().zip(&found) {
            tags[at] = match current {
                Current::Live(live) => live.tags,
                Current::Gone => Tags::Unknown("it is no longer listed".to_owned()),
                Current::Unreadable(why) => Tags::Unknown(why.to_string()),
            };
        }
        tags
    }

    async fn pause(&self, longest: Duration) {
        // Each state has keys of its own, from the system's randomness.
        let random = RandomState::new().build_hasher().finish();
        tokio::time::sleep(jittered(longest, random)).await;
    }
}

/// The keys of the tags that decide on these writes; none if all tags may.
fn deciding_keys<'w>(writes: &[&'w ReadyWrite<'_>]) -> Vec<&'w str> {
    if writes.iter().any(|ready| ready.definition.tag_keys() != TagKeys::MatchCase) {
        return Vec::new();
    }
    let of = |write: &'w Write| {
        let skipped = write.skip_tags.iter().map(SkipTag::key);
        std::iter::once(&write.key).chain(&write.owner_keys).chain(skipped)
    };
    let keys: BTreeSet<&str> = writes.iter().flat_map(|ready| of(&ready.write)).map(TagKey::as_str).collect();
    keys.into_iter().collect()
}

/// A part of `longest`, from half of it on, evenly: batches that were throttled at one moment don't come again at one moment.
fn jittered(longest: Duration, random: u64) -> Duration {
    const STEPS: u64 = 1000;
    let step = u32::try_from(random % (STEPS + 1)).expect("at most STEPS");
    let half = longest / 2;
    half + half * step / u32::try_from(STEPS).expect("a small number")
}

/// `None`: the answer proves nothing.
fn answer(request_id: Option<&str>, failed: Option<&HashMap<String, FailureInfo>>) -> Option<TaggingAnswer> {
    let (request_id, failed) = (request_id?, failed?);
    let refusal = |failure: &FailureInfo| {
        let code = failure.error_code().map_or("no error code", |code| code.as_str());
        let status = u16::try_from(failure.status_code()).unwrap_or_default();
        Refusal::of_arn(code, status, failure.error_message().unwrap_or("AWS gave no message"))
    };
    let refused = failed.iter().map(|(arn, failure)| (arn.clone(), refusal(failure))).collect();
    Some(TaggingAnswer { refused, request_id: Some(request_id.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_from_half_to_all_of_the_longest() {
        let pause = |random| jittered(Duration::from_secs(4), random).as_millis();
        assert_eq!([0, 500, 1000, 1001].map(pause), [2000, 3000, 4000, 2000]);
    }
}
