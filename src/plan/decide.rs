//! The decision about one resource and its owner tag: write it, or skip it with a reason.

use serde_json::Value;

use super::lineage::{self, Orphan};
use super::present::{has_tag, owner_tag, present_tag};
use super::scope::{check_condition, check_replaceable, check_skip_tags, keeps, prove_scope};
use super::skip::Skip;
use super::{Case, Decision, MAX_USER_TAGS, PlannedWrite};
use crate::creator::{NoOwner, Owner, creation_of, renames_in_words};
use crate::model::event::{Action, StoredEvent};
use crate::model::{TagKey, TagValue, Tags};
use crate::resource_map::WriteMethod;

pub(super) fn decide(case: Case<'_>) -> Decision {
    try_decide(case).map_or_else(Decision::Leave, |write| Decision::Write(Box::new(write)))
}

fn try_decide(case: Case<'_>) -> Result<PlannedWrite, Skip> {
    let Case { question, definition, resource, .. } = case;
    check_condition(case)?;
    let writing = definition.access.as_ref().and_then(|access| access.write.as_ref());
    let writing = writing.ok_or(Skip::NotTaggable)?;
    check_skip_tags(case)?;
    let key = &question.key;
    let present = present_tag(definition, resource, key);
    match present {
        Some(present) => check_replaceable(case, key, present)?,
        None if question.overwrite => {}
        // No run wrote a further key: its value is never ours to correct.
        None => {
            if let Some(found) = owner_tag(question, definition, resource) {
                return Err(has_tag(definition, key, found));
            }
        }
    }
    let refusal = question.updates.refusal(definition, &resource.arn);
    let Claim { owner, event_id, reason } = match (claim(case), &refusal) {
        // Of a type that may not be written no parent was looked for.
        (Err(_), Some(why))
            if question.inherit && lineage::may_inherit(question, definition, resource, case.events) =>
        {
            return Err(why.clone());
        }
        (claim, _) => claim.map_err(|left| keeps(case, key, left))?,
    };
    if let Some(present) = present.filter(|present| present.value == owner.value) {
        return Err(Skip::SameValue(present.into()));
    }
    if let Some(why) = refusal {
        return Err(why);
    }
    prove_tags(case, key, present.is_some(), 0)?;
    if !writing.is_allowed_now(&resource.item) {
        return Err(Skip::NotNow(state_of(&resource.item.value()).to_owned()));
    }
    let reason = match writing.method {
        WriteMethod::StackUpdate => format!("{reason}; skipped at the write if the update would change more than tags"),
        _ => reason,
    };
    let write = planned(case, key, owner.value, Ground { event_id, reason });
    // An overwrite looks at the tag itself: a further key stays beside it.
    let further =
        question.owner_keys.iter().filter(|further| !question.overwrite && !definition.same_key(further, key));
    Ok(PlannedWrite { owner_keys: further.cloned().collect(), ..write })
}

/// An owner, what that rests on, and why.
struct Claim {
    owner: Owner,
    event_id: Option<String>,
    reason: String,
}

/// The owner of the resource: its parent's owner if it inherits one, else its creator.
fn claim(case: Case<'_>) -> Result<Claim, Skip> {
    let made = creation_of(case.events);
    let creation = made.map(|creation| &creation.event);
    let cleaned = |owner: &Owner| {
        let original = owner.original.as_ref();
        original.map(|original| format!(" (sanitized from {original:?})")).unwrap_or_default()
    };
    if let Some(Ok(inherited)) = case.inherited {
        let event = inherited.event.as_ref().or(creation);
        return Ok(Claim {
            owner: inherited.owner.clone(),
            event_id: event.map(|event| event.event_id.to_string()),
            reason: format!("{}{}", inherited.reason(), cleaned(&inherited.owner)),
        });
    }
    let sought = case.question.sought(case.definition, case.resource, case.events);
    let own = match (case.question.rules.owner_of(sought), creation) {
        (Err(NoOwner::NoEvent), _) => Err(no_record(case.events)),
        (Err(no_owner), _) => Err(Skip::of_no_owner(no_owner)),
        (Ok(owner), Some(event)) => {
            let renames = renames_in_words(case.events, made);
            let reason = format!("{}{}, {} {}{renames}", owner.reason, cleaned(&owner), event.name, event.time);
            Ok(Claim { owner, event_id: Some(event.event_id.to_string()), reason })
        }
        (Ok(owner), None) => {
            let reason = format!("{}{}; no create event in the database", owner.reason, cleaned(&owner));
            Ok(Claim { owner, event_id: None, reason })
        }
    };
    match (own, case.inherited) {
        (Ok(_), Some(Err(unread @ Orphan::Unreadable(_)))) => Err(Skip::UnreadParent(unread.clone())),
        (Err(own), Some(Err(parents))) if parents.is_worth_a_word() => {
            Err(Skip::NoParentOwner { own: Box::new(own), parents: parents.clone() })
        }
        (own, _) => own,
    }
}

/// What a write rests on.
pub(super) struct Ground {
    /// The create event, if one is known.
    pub(super) event_id: Option<String>,
    /// Why the value is written, for people.
    pub(super) reason: String,
}

/// The write of a tag on a resource.
pub(super) fn planned(
    case: Case<'_>,
    key: &TagKey,
    value: String,
    Ground { event_id, reason }: Ground,
) -> PlannedWrite {
    let Case { question, definition, resource, .. } = case;
    let present = present_tag(definition, resource, key);
    PlannedWrite {
        resource_type: resource.resource_type.clone(),
        id: resource.id.clone(),
        arn: resource.arn.clone(),
        account_id: question.account.clone(),
        region: resource.region.clone(),
        key: key.clone(),
        value: TagValue::new(value),
        event_id,
        old_key: present.filter(|present| present.key != key.as_str()).map(|present| present.key.into()),
        old_value: present.map(|present| present.value.into()),
        owner_keys: Vec::new(),
        skip_tags: question.scope.skip_tags.clone(),
        reason,
    }
}

/// That the tag's value is known, and that there is room for one that isn't there beside those that the plan adds already.
pub(super) fn prove_tags(case: Case<'_>, key: &TagKey, is_present: bool, added: usize) -> Result<(), Skip> {
    prove_scope(case)?;
    match &case.resource.tags {
        Tags::Known(tags) if !is_present => {
            let user_tags = tags.keys().filter(|key| !key.starts_with("aws:")).count();
            if user_tags + added >= MAX_USER_TAGS {
                return Err(Skip::TagLimit { tags: user_tags, limit: MAX_USER_TAGS });
            }
            Ok(())
        }
        Tags::Partial(_) if !is_present => Err(Skip::MayHave(key.to_string())),
        Tags::Known(_) | Tags::Partial(_) => Ok(()),
        Tags::Unknown(reason) => Err(Skip::TagsUnknown(reason.clone())),
    }
}

fn no_record(events: &[StoredEvent]) -> Skip {
    let Some(deletion) = events.iter().rfind(|event| event.action == Action::Delete) else {
        return Skip::NoRecord { renames: renames_in_words(events, None) };
    };
    match &deletion.renamed_to {
        Some(name) => Skip::NoRecordSinceRename {
            name: name.to_string(),
            event: deletion.event.name.to_string(),
            time: deletion.event.time.to_string(),
        },
        None => Skip::NoRecordSinceDelete,
    }
}

/// The item's state in its own words, for the reason.
fn state_of(item: &Value) -> &str {
    let is_state = |name: &str| ["status", "state"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    let fields = item.as_object().into_iter().flatten();
    fields.filter(|(name, _)| is_state(name)).find_map(|(_, value)| value.as_str()).unwrap_or("state unknown")
}
