//! The Resource Groups Tagging API: 20 ARNs of any services a call.
//!
//! It answers for each ARN. What it refuses goes to the service's own call where the map has one: it doesn't know all
//! types, and permission for it (`tag:TagResources`) may be missing while the service's own is there. Where the
//! call fails as a whole it is halved, for one ARN may be the cause.

use futures::stream::{self, StreamExt};

use super::api::TagApi;
use super::reason::Reason;
use super::refusal::Refusal;
use super::{Attempt, Attempted, Job, ReadyWrite, WriteOutcome, halves, native};
use crate::aws::ErrorClass;

/// The services' own calls under way at a time, after refusals in one batch.
const FALLBACK_CONCURRENCY: usize = 4;

/// Makes the writes of one batch.
pub(super) async fn write(api: &impl TagApi, job: &Job, writes: Vec<&ReadyWrite<'_>>) -> Vec<Attempted> {
    let mut attempts = Vec::with_capacity(writes.len());
    let mut refused = Vec::new();
    let mut groups = vec![writes];
    while let Some(group) = groups.pop() {
        groups.extend(send(api, group, &mut attempts, &mut refused).await);
    }
    let fallbacks = stream::iter(refused)
        .map(|(ready, refusal)| async move { ready.after(fall_back(api, job, ready, refusal).await) })
        .buffer_unordered(FALLBACK_CONCURRENCY);
    attempts.extend(fallbacks.collect::<Vec<_>>().await);
    attempts
}

/// One call. Returns the groups that are worth another one now.
async fn send<'t, 'm>(
    api: &impl TagApi,
    writes: Vec<&'t ReadyWrite<'m>>,
    attempts: &mut Vec<Attempted>,
    refused: &mut Vec<(&'t ReadyWrite<'m>, Refusal)>,
) -> Vec<Vec<&'t ReadyWrite<'m>>> {
    let Some(first) = writes.first() else { return Vec::new() };
    let arns: Vec<&str> = writes.iter().map(|ready| ready.live.arn.as_str()).collect();
    let value = first.write.new_value.as_ref();
    let answer = match api.tag_resources(&first.live.region, &arns, &first.write.key, value).await {
        Ok(answer) => answer,
        Err(error) => {
            let refusal = Refusal::of_call(&error);
            if refusal.in_doubt {
                // Halves would only be in doubt too; the tags are read instead.
                let in_doubt = |ready: &ReadyWrite<'_>| ready.after(Attempt::InDoubt(refusal.clone()));
                attempts.extend(writes.into_iter().map(in_doubt));
                return Vec::new();
            }
            if refusal.may_be_of_one() && writes.len() > 1 {
                return halves(writes).into();
            }
            refused.extend(writes.into_iter().map(|ready| (ready, refusal.clone())));
            return Vec::new();
        }
    };
    for ready in writes {
        match answer.refused.get(ready.live.arn.as_str()) {
            None => {
                attempts.push(ready.after(WriteOutcome::Written { request_id: answer.request_id.clone() }));
            }
            Some(refusal) if passes(refusal, ready) => {
                let refusal = refusal.clone();
                let again = if refusal.in_doubt { Attempt::InDoubt(refusal) } else { Attempt::Passing(refusal) };
                attempts.push(ready.after(again));
            }
            Some(refusal) => refused.push((ready, refusal.clone())),
        }
    }
    Vec::new()
}

/// Whether waiting may help one ARN of a call that went well. `InternalServiceException` can mean a type unknown to the API: where
/// there is another way, that is tried instead.
fn passes(refusal: &Refusal, ready: &ReadyWrite<'_>) -> bool {
    match refusal.class {
        ErrorClass::Throttled | ErrorClass::Conflict => true,
        ErrorClass::Server => ready.writing.native.is_none(),
        _ => false,
    }
}

async fn fall_back(api: &impl TagApi, job: &Job, ready: &ReadyWrite<'_>, refusal: Refusal) -> Attempt {
    let hopeless = matches!(
        refusal.class,
        ErrorClass::Credentials | ErrorClass::Throttled | ErrorClass::Unreachable | ErrorClass::Conflict
    );
    let Some(native) = ready.writing.native.as_ref().filter(|_| !hopeless) else {
        return refusal.attempt();
    };
    match native::write(api, job, ready, native).await {
        Attempt::Ended(WriteOutcome::Failed(why)) => Reason::AfterTaggingApi { why, refusal }.failed().into(),
        attempt => attempt,
    }
}
