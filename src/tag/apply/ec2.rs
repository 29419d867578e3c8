//! EC2's own tagging calls: many ids at a time, all or nothing.
//!
//! One bad id fails the call. Where the error names ids of the batch, these are taken out and the rest is sent again; where it names none,
//! the batch is halved until the bad one is alone.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::api::TagApi;
use super::refusal::Refusal;
use super::{Attempt, Attempted, ReadyWrite, WriteOutcome, halves};
use crate::aws::ErrorClass;
use crate::resource_map::RenderedCall;

/// Makes the writes of one batch.
pub(super) async fn write(api: &impl TagApi, writes: Vec<&ReadyWrite<'_>>) -> Vec<Attempted> {
    let mut attempts = Vec::with_capacity(writes.len());
    let mut groups = vec![writes];
    while let Some(group) = groups.pop() {
        let Some(first) = group.first() else { continue };
        let call = call_for(&group);
        match api.call(&first.access.service, &first.live.region, &call).await {
            Ok(answer) => {
                let written = || Attempt::Ended(WriteOutcome::Written { request_id: answer.request_id.clone() });
                attempts.extend(group.iter().map(|ready| ready.after(written())));
            }
            Err(error) => narrow_down(&Refusal::of_call(&error), &error.message, group, &mut groups, &mut attempts),
        }
    }
    attempts
}

/// Takes the culprits out of a failed group; what may still go well comes back to `groups`.
fn narrow_down<'t, 'm>(
    refusal: &Refusal,
    message: &str,
    group: Vec<&'t ReadyWrite<'m>>,
    groups: &mut Vec<Vec<&'t ReadyWrite<'m>>>,
    attempts: &mut Vec<Attempted>,
) {
    if refusal.in_doubt {
        attempts.extend(group.iter().map(|ready| ready.after(Attempt::InDoubt(refusal.clone()))));
        return;
    }
    if refusal.may_be_of_one() && group.len() > 1 {
        let named = ids_in(message);
        let (bad, good): (Vec<_>, Vec<_>) = group.into_iter().partition(|ready| named.contains(ready.live.id.as_str()));
        if bad.is_empty() {
            groups.extend(halves(good));
        } else {
            attempts.extend(bad.iter().map(|ready| ready.after(refusal.clone().attempt())));
            groups.push(good);
        }
        return;
    }
    // A permission can depend on the type (`ec2:CreateTags` on volumes only): each is tried once on its own.
    let first_type = group.first().map(|ready| &ready.live.resource_type);
    let (same, other): (Vec<_>, Vec<_>) = group.iter().partition(|ready| Some(&ready.live.resource_type) == first_type);
    if refusal.class == ErrorClass::AccessDenied && !other.is_empty() {
        groups.extend([other, same]);
        return;
    }
    attempts.extend(group.iter().map(|ready| ready.after(refusal.clone().attempt())));
}

fn call_for(group: &[&ReadyWrite<'_>]) -> RenderedCall {
    let ids: Vec<&str> = group.iter().map(|ready| ready.live.id.as_str()).collect();
    let write = &group[0].write;
    // DeleteTags with a value removes the tag only where it still has that value.
    let (operation, value) = match &write.new_value {
        Some(value) => ("CreateTags", Some(value)),
        None => ("DeleteTags", write.old_value.as_ref()),
    };
    let mut tag = json!({"Key": write.key});
    if let Some(value) = value {
        tag["Value"] = Value::from(value.as_str());
    }
    RenderedCall { operation: operation.to_owned(), input: json!({"ResourceId": ids, "Tag": [tag]}) }
}

/// The words of a message that can be ids: "The instance IDs 'i-1, i-2' do not exist" has `i-1` and `i-2`.
fn ids_in(message: &str) -> HashSet<&str> {
    message.split(|character: char| !character.is_ascii_alphanumeric() && character != '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_what_ec2_says() {
        let ids = ids_in("The instance IDs 'i-0a1, i-0a2' do not exist");
        assert!(ids.contains("i-0a1") && ids.contains("i-0a2") && !ids.contains("i-0a"));
        assert!(ids_in("The ID 'vol-1' is not valid").contains("vol-1"));
    }
}
