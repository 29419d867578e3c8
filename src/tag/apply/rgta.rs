//! The Resource Groups Tagging API: 20 ARNs of any services a call.
//!
//! It answers for each ARN. What it refuses goes to the service's own call where the map has one: it doesn't know all
//! types, and permission for it (`tag:TagResources`) may be missing while the service's own is there. Where the
//! call fails as a whole it is halved, for one ARN may be the cause.

use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::api::TagApi;
use super::refusal::Refusal;
use super::{Job, Outcome, Task, halves, native};
use crate::aws::ErrorClass;

/// How often an ARN is tried for which AWS reported a passing failure (the whole call's own are retried by the caller).
const ATTEMPTS: u32 = 4;
/// The longest wait before the second attempt; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The services' own calls under way at a time, after refusals in one batch.
const FALLBACK_CONCURRENCY: usize = 4;

struct Group<'t, 'm> {
    tasks: Vec<&'t Task<'m>>,
    attempt: u32,
}

/// Makes the writes of one batch.
pub(super) async fn write(api: &impl TagApi, job: &Job, tasks: Vec<&Task<'_>>) -> Vec<(u32, Outcome)> {
    let mut outcomes = Vec::with_capacity(tasks.len());
    let mut refused = Vec::new();
    let mut groups = vec![Group { tasks, attempt: 1 }];
    while let Some(group) = groups.pop() {
        let again = send(api, group, &mut outcomes, &mut refused).await;
        groups.extend(again);
    }
    let fallbacks = stream::iter(refused)
        .map(|(task, refusal)| async move { (task.write.position, fall_back(api, job, task, refusal).await) })
        .buffer_unordered(FALLBACK_CONCURRENCY);
    outcomes.extend(fallbacks.collect::<Vec<_>>().await);
    outcomes
}

/// One call. Gives the groups that are worth another one.
async fn send<'t, 'm>(
    api: &impl TagApi,
    group: Group<'t, 'm>,
    outcomes: &mut Vec<(u32, Outcome)>,
    refused: &mut Vec<(&'t Task<'m>, Refusal)>,
) -> Vec<Group<'t, 'm>> {
    let Group { tasks, attempt } = group;
    let Some(first) = tasks.first() else { return Vec::new() };
    if attempt > 1 {
        api.pause(FIRST_PAUSE * 2_u32.pow(attempt - 2)).await;
    }
    let arns: Vec<&str> = tasks.iter().map(|task| task.live.arn.as_str()).collect();
    let value = first.write.new_value.as_ref();
    let answer = match api.tag_resources(&first.live.region, &arns, &first.write.key, value).await {
        Ok(answer) => answer,
        Err(error) => {
            let refusal = Refusal::of_call(&error);
            if refusal.may_be_of_one() && tasks.len() > 1 {
                return halves(tasks).map(|tasks| Group { tasks, attempt }).into();
            }
            refused.extend(tasks.into_iter().map(|task| (task, refusal.clone())));
            return Vec::new();
        }
    };
    let mut again = Vec::new();
    for task in tasks {
        match answer.refused.get(task.live.arn.as_str()) {
            None => {
                outcomes.push((task.write.position, Outcome::Written { request_id: answer.request_id.clone() }));
            }
            Some(refusal) if passes(refusal, task) && attempt < ATTEMPTS => again.push(task),
            Some(refusal) => refused.push((task, refusal.clone())),
        }
    }
    vec![Group { tasks: again, attempt: attempt + 1 }]
}

/// Whether waiting may help. `InternalServiceException` can mean a type unknown to the API: where there is another way,
/// that is tried instead.
fn passes(refusal: &Refusal, task: &Task<'_>) -> bool {
    match refusal.class {
        ErrorClass::Throttled => true,
        ErrorClass::Server => task.writing.native.is_none(),
        _ => false,
    }
}

async fn fall_back(api: &impl TagApi, job: &Job, task: &Task<'_>, refusal: Refusal) -> Outcome {
    let hopeless = matches!(refusal.class, ErrorClass::Credentials | ErrorClass::Throttled | ErrorClass::Unreachable);
    let Some(native) = task.writing.native.as_ref().filter(|_| !hopeless) else {
        return refusal.outcome();
    };
    match native::write(api, job, task, native).await {
        Outcome::Failed(why) => Outcome::Failed(format!("{why}; before that the Tagging API: {}", refusal.text)),
        outcome => outcome,
    }
}
