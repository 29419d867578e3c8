//! The Resource Groups Tagging API: 20 ARNs of any services a call.
//!
//! It answers for each ARN. What it refuses goes to the service's own call where the map has one: it doesn't know all
//! types, and permission for it (`tag:TagResources`) may be missing while the service's own is there. Where the
//! call fails as a whole it is halved, for one ARN may be the cause.

use futures::stream::{self, StreamExt};

use super::api::TagApi;
use super::refusal::Refusal;
use super::{Job, Outcome, Task, halves, native};
use crate::aws::ErrorClass;

/// The services' own calls under way at a time, after refusals in one batch.
const FALLBACK_CONCURRENCY: usize = 4;

/// Makes the writes of one batch.
pub(super) async fn write(api: &impl TagApi, job: &Job, tasks: Vec<&Task<'_>>) -> Vec<(u32, Outcome)> {
    let mut outcomes = Vec::with_capacity(tasks.len());
    let mut refused = Vec::new();
    let mut groups = vec![tasks];
    while let Some(group) = groups.pop() {
        groups.extend(send(api, group, &mut outcomes, &mut refused).await);
    }
    let fallbacks = stream::iter(refused)
        .map(|(task, refusal)| async move { (task.write.position, fall_back(api, job, task, refusal).await) })
        .buffer_unordered(FALLBACK_CONCURRENCY);
    outcomes.extend(fallbacks.collect::<Vec<_>>().await);
    outcomes
}

/// One call. Cardinality the groups that are worth another one now.
async fn send<'t, 'm>(
    api: &impl TagApi,
    tasks: Vec<&'t Task<'m>>,
    outcomes: &mut Vec<(u32, Outcome)>,
    refused: &mut Vec<(&'t Task<'m>, Refusal)>,
) -> Vec<Vec<&'t Task<'m>>> {
    let Some(first) = tasks.first() else { return Vec::new() };
    let arns: Vec<&str> = tasks.iter().map(|task| task.live.arn.as_str()).collect();
    let value = first.write.new_value.as_ref();
    let answer = match api.tag_resources(&first.live.region, &arns, &first.write.key, value).await {
        Ok(answer) => answer,
        Err(error) => {
            let refusal = Refusal::of_call(&error);
            if refusal.may_be_of_one() && tasks.len() > 1 {
                return halves(tasks).into();
            }
            refused.extend(tasks.into_iter().map(|task| (task, refusal.clone())));
            return Vec::new();
        }
    };
    for task in tasks {
        match answer.refused.get(task.live.arn.as_str()) {
            None => {
                outcomes.push((task.write.position, Outcome::Written { request_id: answer.request_id.clone() }));
            }
            Some(refusal) if passes(refusal, task) => {
                outcomes.push((task.write.position, Outcome::Passing(refusal.clone())));
            }
            Some(refusal) => refused.push((task, refusal.clone())),
        }
    }
    Vec::new()
}

/// Whether waiting may help one ARN of a call that went well. `InternalServiceException` can mean a type unknown to the API: where
/// there is another way, that is tried instead.
fn passes(refusal: &Refusal, task: &Task<'_>) -> bool {
    match refusal.class {
        ErrorClass::Throttled | ErrorClass::Conflict => true,
        ErrorClass::Server => task.writing.native.is_none(),
        _ => false,
    }
}

async fn fall_back(api: &impl TagApi, job: &Job, task: &Task<'_>, refusal: Refusal) -> Outcome {
    let hopeless = matches!(
        refusal.class,
        ErrorClass::Credentials | ErrorClass::Throttled | ErrorClass::Unreachable | ErrorClass::Conflict
    );
    let Some(native) = task.writing.native.as_ref().filter(|_| !hopeless) else {
        return refusal.outcome();
    };
    match native::write(api, job, task, native).await {
        Outcome::Failed(why) => Outcome::Failed(format!("{why}; before that the Tagging API: {}", refusal.text)),
        outcome => outcome,
    }
}
