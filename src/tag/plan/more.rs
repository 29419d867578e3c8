//! Further tags beside the owner's: written by the same rules, each for itself.
//!
//! What keeps a resource as a whole from being tagged (it has no record, its tags can't be read…) is told once, with the
//! owner.

use std::str::FromStr;

use super::{Decision, LeftKind, PlannedWrite, Question, TypeFacts, creation_of, planned, present_value, prove_tags};
use crate::creator::TagTemplate;
use crate::inventory::{LiveResource, Tags};
use crate::names::TagKey;
use crate::store::creations::StoredEvent;
use crate::tag::parse_key;

/// A further tag.
#[derive(Debug, Clone)]
pub struct MoreTag {
    /// The tag.
    pub key: TagKey,
    /// Its value.
    pub template: TagTemplate,
}

impl FromStr for MoreTag {
    type Err = String;

    /// `KEY=TEMPLATE`
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "KEY=TEMPLATE is expected, as in CreatedAt={event_time}".to_owned();
        let (key, template) = text.split_once('=').ok_or_else(wanted)?;
        let key = parse_key(key).map_err(|error| error.to_string())?;
        Ok(Self { key, template: TagTemplate::parse(template)? })
    }
}

/// What becomes of each of the further tags of a resource, after what becomes of the owner's.
pub(super) fn decide_more<'q>(
    question: &'q Question,
    facts: &TypeFacts<'_>,
    resource: &LiveResource,
    events: &[StoredEvent],
    owner: &Decision,
) -> Vec<(&'q TagKey, Decision)> {
    let goes_on = match owner {
        _ if question.more_tags.is_empty() => false,
        Decision::Write(_) => true,
        Decision::Leave(kind, _) => {
            matches!(kind, LeftKind::HasTag | LeftKind::SameValue | LeftKind::NoOwner | LeftKind::TagLimit)
        }
    };
    let writing = facts.definition.access.as_ref().and_then(|access| access.write.as_ref());
    let is_possible = goes_on && writing.is_some_and(|writing| writing.is_allowed_now(&resource.item));
    let (true, Some(creation)) = (is_possible, creation_of(events)) else { return Vec::new() };
    let mut added = usize::from(matches!(owner, Decision::Write(write) if write.old_value.is_none()));
    let mut decisions = Vec::new();
    for more in &question.more_tags {
        let decision = match decide(question, more, resource, creation, added) {
            Ok(write) => {
                added += usize::from(write.old_value.is_none());
                Decision::Write(Box::new(write))
            }
            Err((kind, reason)) => Decision::Leave(kind, reason),
        };
        decisions.push((&more.key, decision));
    }
    decisions
}

/// Whether a decision can only be made once it is known which tags the resource has.
pub(super) fn is_open(resource: &LiveResource, decision: &Decision) -> bool {
    match decision {
        Decision::Leave(kind, _) => *kind == LeftKind::TagsUnknown,
        Decision::Write(_) => !matches!(resource.tags, Tags::Known(_)),
    }
}

fn decide(
    question: &Question,
    more: &MoreTag,
    resource: &LiveResource,
    creation: &StoredEvent,
    added: usize,
) -> Result<PlannedWrite, (LeftKind, String)> {
    let (key, event) = (&more.key, &creation.event);
    let present = present_value(resource, key);
    if let Some(value) = present.filter(|_| !question.overwrite) {
        return Err((LeftKind::HasTag, format!("has the tag: {key}={value}")));
    }
    let owner = question.rules.owner_of(event);
    let found = more.template.value(event, &owner).map_err(|why| (LeftKind::NoValue, format!("no {key}: {why}")))?;
    if present == Some(found.value.as_str()) {
        return Err((LeftKind::SameValue, format!("has the tag with that very value: {key}={}", found.value)));
    }
    prove_tags(resource, key, present.is_some(), added)?;
    let cleaned = found.original.map(|original| format!("made legal for tags from {original:?}, ")).unwrap_or_default();
    let reason = format!("{cleaned}{} {}", event.name, event.time);
    Ok(planned(question, resource, (key, found.value), event, reason))
}
