//! How an update of a stack ends: AWS only takes it on when it is called, and may roll it back minutes later.

use std::time::Duration;

use serde_json::Value;

use super::{Attempt, ReadyWrite, Refusal, TagApi, Update, WriteOutcome, status_of, tags_of};

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
    writes: &[&ReadyWrite<'_>],
    request_id: Option<String>,
) -> Attempt {
    let outcome = match wait(update, Some(before), writes).await {
        End::Done => WriteOutcome::Written { request_id },
        End::RolledBack(why) => WriteOutcome::RolledBack(why),
        End::Untouched(status) => {
            WriteOutcome::Failed(format!("AWS accepted the update, but the stack does not have the tags ({status})"))
        }
        End::Unknown(attempt) => return attempt,
    };
    outcome.into()
}

/// The outcome after the answer to an update call was lost: the update may have begun. If it has not, the writes can be made again.
pub(super) async fn of_doubt(
    update: &Update<'_, impl TagApi>,
    before: &Value,
    writes: &[&ReadyWrite<'_>],
    refusal: Refusal,
) -> Attempt {
    match wait(update, Some(before), writes).await {
        End::Done => WriteOutcome::Written { request_id: None }.into(),
        End::RolledBack(why) => WriteOutcome::RolledBack(why).into(),
        End::Untouched(_) => Attempt::Passing(refusal.not_written()),
        End::Unknown(attempt) => attempt,
    }
}

/// The end of an update that an earlier run began. `None`: the call was never made.
pub(super) async fn of_begun(update: &Update<'_, impl TagApi>, writes: &[&ReadyWrite<'_>]) -> Option<Attempt> {
    match wait(update, None, writes).await {
        End::Done => Some(WriteOutcome::Written { request_id: None }.into()),
        End::RolledBack(why) => Some(WriteOutcome::RolledBack(why).into()),
        End::Untouched(_) => None,
        End::Unknown(attempt) => Some(attempt),
    }
}

enum End {
    Done,
    RolledBack(String),
    /// It is in a steady state without the tags.
    Untouched(String),
    Unknown(Attempt),
}

async fn wait(update: &Update<'_, impl TagApi>, before: Option<&Value>, writes: &[&ReadyWrite<'_>]) -> End {
    let mut halted = update.halted.clone();
    let (mut pause, mut waited) = (FIRST_PAUSE, Duration::ZERO);
    let mut reason = String::new();
    loop {
        let now = match update.describe().await {
            Ok(now) => now,
            Err(attempt) => return End::Unknown(unread(update, attempt)),
        };
        // The end state has none: what failed is said when the rollback begins.
        if let Some(text) = now["StackStatusReason"].as_str().filter(|text| !text.is_empty()) {
            text.clone_into(&mut reason);
        }
        if let Some(end) = end_of(&now, before, writes, &reason, waited) {
            return end;
        }
        if waited >= PATIENCE {
            let minutes = PATIENCE.as_secs() / 60;
            let how = format!("still under way after {minutes} minutes ({})", status_of(&now));
            return End::Unknown(under_way(update, &how).into());
        }
        tokio::select! {
            () = update.api.pause(pause) => {}
            _ = halted.wait_for(|halted| *halted) => {
                return End::Unknown(under_way(update, &format!("still under way ({})", status_of(&now))).into());
            }
        }
        waited += pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// How it ended, if it did.
fn end_of(
    now: &Value,
    before: Option<&Value>,
    writes: &[&ReadyWrite<'_>],
    reason: &str,
    waited: Duration,
) -> Option<End> {
    let status = status_of(now);
    let is_back = status.contains("ROLLBACK") || status.ends_with("_FAILED");
    let is_as_before =
        |before: &Value| status_of(before) == status && before["LastUpdatedTime"] == now["LastUpdatedTime"];
    if status.ends_with("_IN_PROGRESS") {
        None
    } else if status == "DELETE_COMPLETE" {
        Some(End::Unknown(WriteOutcome::Vanished("it was deleted meanwhile".to_owned()).into()))
    } else if !is_back && has_tags(now, writes) {
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

/// Whether the stack has what the writes write, and lacks what they remove.
fn has_tags(now: &Value, writes: &[&ReadyWrite<'_>]) -> bool {
    let tags = tags_of(now);
    writes.iter().all(|ready| {
        let value = ready.write.new_value.as_ref().map(|value| value.as_str());
        tags.get(ready.write.key.as_str()).map(String::as_str) == value
    })
}

fn unread(update: &Update<'_, impl TagApi>, attempt: Attempt) -> Attempt {
    let why = match attempt {
        Attempt::Ended(WriteOutcome::Failed(why) | WriteOutcome::Unfinished(why) | WriteOutcome::Skipped(why)) => why,
        attempt => return attempt,
    };
    under_way(update, &format!("under way, but how it ends could not be read: {why}")).into()
}

fn under_way(update: &Update<'_, impl TagApi>, how: &str) -> WriteOutcome {
    let resource_type = &update.stack.definition.resource_type;
    WriteOutcome::UnderWay(format!(
        "its update is {how}; resuming the run with --allow-updates {resource_type} shows how it ends"
    ))
}
