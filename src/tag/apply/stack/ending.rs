//! How an update of a stack ends: AWS only takes it on when it is called, and may roll it back minutes later.

use std::time::Duration;

use serde_json::Value;

use super::{Outcome, TagApi, Task, Update, status_of, tags_of};

/// How long an update is waited for. One that only changes tags takes seconds for each resource; AWS itself has no limit.
pub(super) const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How long the stack may look as before: what AWS lists follows what it does after a moment.
const START: Duration = Duration::from_secs(60);
/// The longest wait before the second look.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest wait of all.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The end of an update that was begun just now. `before`: the stack as it was.
pub(super) async fn of_update(
    update: &Update<'_, impl TagApi>,
    before: &Value,
    tasks: &[&Task<'_>],
    request_id: Option<String>,
) -> Outcome {
    match wait(update, Some(before), tasks).await {
        End::Done => Outcome::Written { request_id },
        End::RolledBack(why) => Outcome::RolledBack(why),
        End::Untouched(status) => {
            Outcome::Failed(format!("AWS accepted the update, but the stack does not have the tags ({status})"))
        }
        End::Unknown(outcome) => outcome,
    }
}

/// The end of an update that an earlier run began. `None`: the call was never made.
pub(super) async fn of_begun(update: &Update<'_, impl TagApi>, tasks: &[&Task<'_>]) -> Option<Outcome> {
    match wait(update, None, tasks).await {
        End::Done => Some(Outcome::Written { request_id: None }),
        End::RolledBack(why) => Some(Outcome::RolledBack(why)),
        End::Untouched(_) => None,
        End::Unknown(outcome) => Some(outcome),
    }
}

enum End {
    Done,
    RolledBack(String),
    /// It stands still without the tags; its state.
    Untouched(String),
    Unknown(Outcome),
}

async fn wait(update: &Update<'_, impl TagApi>, before: Option<&Value>, tasks: &[&Task<'_>]) -> End {
    let mut halted = update.halted.clone();
    let (mut pause, mut waited) = (FIRST_PAUSE, Duration::ZERO);
    let mut reason = String::new();
    loop {
        let now = match update.describe().await {
            Ok(now) => now,
            Err(Outcome::Vanished(why)) => return End::Unknown(Outcome::Vanished(why)),
            Err(outcome) => return End::Unknown(unread(update, outcome)),
        };
        // The end state has none: what failed is said when the rollback begins.
        if let Some(text) = now["StackStatusReason"].as_str().filter(|text| !text.is_empty()) {
            text.clone_into(&mut reason);
        }
        if let Some(end) = end_of(&now, before, tasks, &reason, waited) {
            return end;
        }
        if waited >= PATIENCE {
            let minutes = PATIENCE.as_secs() / 60;
            return End::Unknown(under_way(
                update,
                &format!("still under way after {minutes} minutes ({})", status_of(&now)),
            ));
        }
        tokio::select! {
            () = update.api.pause(pause) => {}
            _ = halted.wait_for(|halted| *halted) => {
                return End::Unknown(under_way(update, &format!("still under way ({})", status_of(&now))));
            }
        }
        waited += pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// How it ended, if it did.
fn end_of(now: &Value, before: Option<&Value>, tasks: &[&Task<'_>], reason: &str, waited: Duration) -> Option<End> {
    let status = status_of(now);
    let is_back = status.contains("ROLLBACK") || status.ends_with("_FAILED");
    let is_as_before =
        |before: &Value| status_of(before) == status && before["LastUpdatedTime"] == now["LastUpdatedTime"];
    if status.ends_with("_IN_PROGRESS") {
        None
    } else if status == "DELETE_COMPLETE" {
        Some(End::Unknown(Outcome::Vanished("it was deleted meanwhile".to_owned())))
    } else if !is_back && has_tags(now, tasks) {
        Some(End::Done)
    } else if before.is_some_and(is_as_before) {
        (waited >= START).then(|| End::Untouched(status.to_owned()))
    } else if is_back {
        let reason = if reason.is_empty() { "AWS gave no reason" } else { reason };
        Some(End::RolledBack(format!("the update was rolled back ({status}): {reason}")))
    } else {
        Some(End::Untouched(status.to_owned()))
    }
}

/// Whether the stack has what the tasks write, and lacks what they remove.
fn has_tags(now: &Value, tasks: &[&Task<'_>]) -> bool {
    let tags = tags_of(now);
    tasks.iter().all(|task| {
        let value = task.write.new_value.as_ref().map(|value| value.as_str());
        tags.get(task.write.key.as_str()).map(String::as_str) == value
    })
}

fn unread(update: &Update<'_, impl TagApi>, outcome: Outcome) -> Outcome {
    let why = match outcome {
        Outcome::Failed(why) | Outcome::Unfinished(why) | Outcome::Skipped(why) => why,
        outcome => return outcome,
    };
    under_way(update, &format!("under way, but how it ends could not be read: {why}"))
}

fn under_way(update: &Update<'_, impl TagApi>, how: &str) -> Outcome {
    let (run, resource_type) = (update.job.run, &update.stack.definition.resource_type);
    Outcome::UnderWay(format!(
        "its update is {how}; check the result with: trailcreator apply --resume {run} --allow-updates {resource_type}"
    ))
}
