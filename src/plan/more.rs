//! Further tags beside the owner's: written by the same rules, each for itself.
//!
//! A reason that prevents all tags of a resource (no create event, unreadable tags…) is reported once, with the
//! owner.
//!
//! They describe the resource's own create event, even if the owner is another principal: only the owner comes from a parent. If the
//! resource has no create event of its own, only the owner is known.

use std::fmt;
use std::str::FromStr;

use super::decide::{Ground, planned, prove_tags};
use super::present::present_tag;
use super::scope::{check_replaceable, keeps};
use super::skip::Skip;
use super::{Case, Decision, PlannedWrite, SkipKind};
use crate::creator::{InvalidTemplate, NoOwner, NoValue, Owner, Sought, TagTemplate, creation_of};
use crate::model::TagKey;
use crate::model::event::Event;
use crate::model::{InvalidName, parse_key};
use crate::model::{LiveResource, Tags};

/// A further tag.
#[derive(Debug, Clone)]
pub struct MoreTag {
    /// The tag.
    pub key: TagKey,
    /// Its value.
    pub template: TagTemplate,
}

impl fmt::Display for MoreTag {
    /// As it is read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.key, self.template.source())
    }
}

/// A text that is not a further tag.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMoreTag {
    /// It has no `=`.
    #[error("KEY=TEMPLATE is expected, as in CreatedAt={{event_time}}")]
    NoTemplate,
    /// Its key is not a tag key.
    #[error(transparent)]
    Key(#[from] InvalidName),
    /// Its template can't be used.
    #[error(transparent)]
    Template(#[from] InvalidTemplate),
}

impl FromStr for MoreTag {
    type Err = InvalidMoreTag;

    /// `KEY=TEMPLATE`
    fn from_str(text: &str) -> Result<Self, InvalidMoreTag> {
        let (key, template) = text.split_once('=').ok_or(InvalidMoreTag::NoTemplate)?;
        let key = parse_key(key)?;
        Ok(Self { key, template: TagTemplate::parse(template)? })
    }
}

/// The facts behind a resource's additional tags.
struct Grounds {
    /// Its create event, if one is on record.
    event: Option<Event>,
    owner: Result<Owner, NoOwner>,
    event_id: Option<String>,
    reason: String,
}

impl Grounds {
    fn of(case: Case<'_>) -> Option<Self> {
        let own = creation_of(case.events).map(|creation| creation.event.clone());
        let inherited = case.inherited.and_then(|inherited| inherited.as_ref().ok());
        let owner = match (inherited, &own) {
            (Some(inherited), _) => Ok(inherited.owner.clone()),
            (None, _) => {
                let sought = case.question.sought(case.definition, case.resource, case.events);
                match case.question.rules.owner_of(sought) {
                    Err(NoOwner::NoEvent) => return None,
                    found => found,
                }
            }
        };
        let (event_id, reason) = match (&own, inherited) {
            (Some(own), _) => (Some(own.event_id.to_string()), format!("{} {}", own.name, own.time)),
            (None, Some(inherited)) => {
                (inherited.event.as_ref().map(|event| event.event_id.to_string()), inherited.reason())
            }
            (None, None) => (None, owner.as_ref().map(|owner| owner.reason.clone()).unwrap_or_default()),
        };
        Some(Self { event: own, owner, event_id, reason })
    }
}

/// Decides each additional tag of a resource, given the decision on the owner tag.
pub(super) fn decide_more(case: Case<'_>, owner: &Decision) -> Vec<(TagKey, Decision)> {
    let more_tags = &case.question.more_tags;
    let goes_on = match owner {
        _ if more_tags.is_empty() => false,
        Decision::Write(_) => true,
        Decision::Leave(skip) => {
            use SkipKind::{HasTag, NoOwner, SameValue, TagLimit, WrittenByOthers};
            matches!(skip.kind(), HasTag | WrittenByOthers | SameValue | NoOwner | TagLimit)
        }
    };
    let writing = case.definition.access.as_ref().and_then(|access| access.write.as_ref());
    let is_possible = goes_on && writing.is_some_and(|writing| writing.is_allowed_now(&case.resource.item));
    if !is_possible {
        return Vec::new();
    }
    let Some(grounds) = Grounds::of(case) else { return Vec::new() };
    let mut added = usize::from(matches!(owner, Decision::Write(write) if write.old_value.is_none()));
    let mut decisions = Vec::new();
    for (at, more) in more_tags.iter().enumerate() {
        let mut earlier = std::iter::once(&case.question.key).chain(more_tags[..at].iter().map(|more| &more.key));
        let same = earlier.find(|key| case.definition.same_key(key, &more.key));
        let decided = same.map_or_else(|| decide(case, more, &grounds, added), |same| Err(same_tag(case, more, same)));
        let decision = match decided {
            Ok(write) => {
                added += usize::from(write.old_value.is_none());
                Decision::Write(Box::new(write))
            }
            Err(skip) => Decision::Leave(skip),
        };
        decisions.push((more.key.clone(), decision));
    }
    decisions
}

/// Whether the decision still depends on the resource's tags.
pub(super) fn is_open(resource: &LiveResource, decision: &Decision) -> bool {
    match decision {
        Decision::Leave(skip) => skip.kind() == SkipKind::TagsUnknown,
        Decision::Write(_) => !matches!(resource.tags, Tags::Known(_)),
    }
}

fn decide(case: Case<'_>, more: &MoreTag, grounds: &Grounds, added: usize) -> Result<PlannedWrite, Skip> {
    let Case { question, definition, resource, .. } = case;
    let key = &more.key;
    let present = present_tag(definition, resource, key);
    if let Some(present) = present {
        check_replaceable(case, key, present)?;
    }
    let facts = question.live_facts(definition, resource, case.events).facts();
    let sought = Sought { event: grounds.event.as_ref(), resource: Some(facts) };
    let found = more.template.value(&question.rules, &sought, &grounds.owner);
    let found = found.map_err(|why| match why {
        NoValue::NoOwner(NoOwner::Undecided(undecided)) => Skip::Undecided(undecided),
        NoValue::Unknown(_, why) => Skip::TagsUnknown(why),
        why => keeps(case, key, Skip::NoValue { key: key.clone(), why }),
    })?;
    if let Some(present) = present.filter(|present| present.value == found.value) {
        return Err(Skip::SameValue(present.into()));
    }
    if let Some(why) = question.updates.refusal(definition, &resource.arn) {
        return Err(why);
    }
    prove_tags(case, key, present.is_some(), added)?;
    let cleaned = found.original.map(|original| format!("sanitized from {original:?}, ")).unwrap_or_default();
    let reason = format!("{cleaned}{}", grounds.reason);
    Ok(planned(case, key, found.value, Ground { event_id: grounds.event_id.clone(), reason }))
}

/// The reason to skip an additional tag that has the same key as an earlier one.
fn same_tag(case: Case<'_>, more: &MoreTag, same: &TagKey) -> Skip {
    let resource_type = case.definition.resource_type.clone();
    Skip::SameKey { key: more.key.clone(), same: same.clone(), resource_type }
}
