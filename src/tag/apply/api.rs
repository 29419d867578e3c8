//! The AWS calls that writing tags needs, as one small interface: AWS itself, or a test's world with faults.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use aws_sdk_resourcegroupstagging::operation::RequestId;
use aws_sdk_resourcegroupstagging::types::FailureInfo;

use super::ReadyWrite;
use super::refusal::Refusal;
use crate::aws::{Answer, CallError, Session};
use crate::inventory::{self};
use crate::model::{AccountRegion, Tags};
use crate::model::{Region, TagKey, TagValue};
use crate::resource_map::{RenderedCall, Service};

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

    /// All tags of a resource as they are now.
    async fn all_tags(&self, ready: &ReadyWrite<'_>) -> Tags;

    /// Lets time pass: from half of `longest` to all of it, at random.
    async fn pause(&self, longest: Duration);
}

/// AWS, by one session.
#[derive(Debug, Clone)]
pub struct Aws<'a> {
    session: &'a Session,
    place: &'a AccountRegion,
}

impl<'a> Aws<'a> {
    /// `place`: where the resources were listed.
    pub fn new(session: &'a Session, place: &'a AccountRegion) -> Self {
        Self { session, place }
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
        let client = self.session.tagging(region);
        let arns = Some(arns.iter().map(|&arn| arn.to_owned()).collect());
        if let Some(value) = value {
            let call = client.tag_resources().set_resource_arn_list(arns).tags(key.as_str(), value.as_str());
            let output = call.send().await.map_err(|error| CallError::of_sdk("tag:TagResources", region, &error))?;
            return Ok(answer(output.request_id(), output.failed_resources_map()));
        }
        let call = client.untag_resources().set_resource_arn_list(arns).tag_keys(key.as_str());
        let output = call.send().await.map_err(|error| CallError::of_sdk("tag:UntagResources", region, &error))?;
        Ok(answer(output.request_id(), output.failed_resources_map()))
    }

    async fn call(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.session.caller().write(service, region, &call.operation, &call.input).await
    }

    async fn read(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.session.caller().call(service, region, &call.operation, &call.input).await
    }

    async fn all_tags(&self, ready: &ReadyWrite<'_>) -> Tags {
        // Without a call of its own a type's tags are those of the listing, which was made just now.
        if ready.access.tags.request.is_none() {
            return ready.live.tags.clone();
        }
        let mut live = ready.live.clone();
        live.tags = Tags::Unknown("not read yet".to_owned());
        inventory::confirm_tags(self.session, ready.definition, self.place, &mut [&mut live]).await;
        live.tags
    }

    async fn pause(&self, longest: Duration) {
        // Each state has keys of its own, from the system's randomness.
        let random = RandomState::new().build_hasher().finish();
        tokio::time::sleep(jittered(longest, random)).await;
    }
}

/// A part of `longest`, from half of it on, evenly: batches that were throttled at one moment don't come again at one moment.
fn jittered(longest: Duration, random: u64) -> Duration {
    const STEPS: u64 = 1000;
    let step = u32::try_from(random % (STEPS + 1)).expect("at most STEPS");
    let half = longest / 2;
    half + half * step / u32::try_from(STEPS).expect("a small number")
}

fn answer(request_id: Option<&str>, failed: Option<&HashMap<String, FailureInfo>>) -> TaggingAnswer {
    let refusal = |failure: &FailureInfo| {
        let code = failure.error_code().map_or("no error code", |code| code.as_str());
        let status = u16::try_from(failure.status_code()).unwrap_or_default();
        Refusal::of_arn(code, status, failure.error_message().unwrap_or("AWS gave no message"))
    };
    let refused = failed.into_iter().flatten().map(|(arn, failure)| (arn.clone(), refusal(failure))).collect();
    TaggingAnswer { refused, request_id: request_id.map(str::to_owned) }
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
