//! The plan: for every live resource either the tag to write and the event it rests on, or the reason for leaving it.
//!
//! Pure and deterministic: the same facts give the same plan, whatever order they come in. Complete: each live resource
//! stands in `actions` or in `left`, once. Applying makes no choices of its own.
//!
//! A saved plan is this document; what applying needs beyond it (the listed item, the present tags) is read afresh.

mod document;
pub mod earlier;
pub mod join;
pub mod lineage;
mod more;
mod scope;
pub mod updates;

use std::collections::BTreeSet;

use serde_json::Value;

pub use document::{
    FORMAT_VERSION, FailedType, Plan, PlannedWrite, SkipKind, SkippedResource, SkippedType, Summary, TypeFigures,
    TypeProblem,
};
pub use more::MoreTag;
use more::{decide_more, is_open};
pub(super) use scope::parts as id_parts;
pub use scope::{Ids, Scope, ScopeFacts, Selected, SkipTag};
use scope::{check_replaceable, check_skip_tags, is_replaceable, keeps, prove_skip_tags};

use crate::creator::{Owner, OwnerRules, creation_of, renames_in_words};
use crate::model::event::Action;
use crate::model::event::StoredEvent;
use crate::model::{AccountId, Region, TagKey, TagValue};
use crate::model::{LiveResource, Tags};
use crate::resource_map::{PresentTag, TypeDefinition};
use earlier::Earlier;
use join::Joined;
use lineage::{Inherited, Lineage, Orphan};
use updates::Updates;

/// User tags a resource may have; AWS's own (`aws:…`) don't count.
///
/// Source: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
pub const MAX_USER_TAGS: usize = 50;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Question {
    /// The account.
    pub account: AccountId,
    /// The region. Global types are looked at in every run.
    pub region: Region,
    /// The tag that names the owner.
    pub key: TagKey,
    /// Further keys that count as that tag (`--owner-keys`): a resource that has one has an owner.
    pub owner_keys: Vec<TagKey>,
    /// Further tags.
    pub more_tags: Vec<MoreTag>,
    /// Whether another value of the tags is replaced.
    pub overwrite: bool,
    /// Whether what no person made has its parent's owner.
    pub inherit: bool,
    /// Who is the owner.
    pub rules: OwnerRules,
    /// Which writes with side effects may be made.
    pub updates: Updates,
    /// What may be written to, and replaced.
    pub scope: Scope,
}

/// What is known of a type.
#[derive(Debug)]
pub struct TypeFacts<'a> {
    /// The type.
    pub definition: &'a TypeDefinition,
    /// All live resources.
    pub live: Vec<LiveResource>,
    /// Their events, in the same order.
    pub joined: Joined,
    /// What the question's scope needs to know of them.
    pub scope: ScopeFacts,
}

impl TypeFacts<'_> {
    /// The resources that the question is about, with their events, by position. The others may be parents of these.
    pub(super) fn subjects(&self) -> impl Iterator<Item = (usize, &LiveResource, &[StoredEvent])> {
        let all = self.live.iter().zip(&self.joined.events).enumerate();
        let subjects = all.filter(|(position, _)| self.scope.has(*position));
        subjects.map(|(position, (resource, events))| (position, resource, events.as_slice()))
    }

    fn case<'a>(&'a self, question: &'a Question, resource: &'a LiveResource, events: &'a [StoredEvent]) -> Case<'a> {
        let (definition, earlier) = (self.definition, &self.scope.earlier);
        Case { question, definition, resource, events, earlier, inherited: None }
    }
}

/// What becomes of one resource.
#[derive(Debug)]
pub(crate) enum Decision {
    /// It is tagged.
    Write(Box<PlannedWrite>),
    /// It is left, and why.
    Leave(SkipKind, String),
}

/// What is known of one resource.
#[derive(Clone, Copy)]
struct Case<'a> {
    question: &'a Question,
    definition: &'a TypeDefinition,
    resource: &'a LiveResource,
    events: &'a [StoredEvent],
    earlier: &'a Earlier,
    /// What it has from its parents: the owner, or why there is none. `None`: it has its own creator, or inheriting is not asked for.
    inherited: Option<&'a Result<Inherited, Orphan>>,
}

/// What became of a resource.
pub(crate) struct Decided<'f> {
    pub(crate) resource: &'f LiveResource,
    pub(crate) events: &'f [StoredEvent],
    pub(crate) decision: Decision,
    /// Whether the owner in it is a parent's.
    pub(crate) is_inherited: bool,
    more: Vec<(TagKey, Decision)>,
}

/// The plan for these types. With `--inherit`, owners can come from the parents. The caller adds skipped and failed types to the summary.
pub fn plan(question: &Question, lineage: Option<&Lineage<'_>>, types: &[TypeFacts<'_>]) -> Plan {
    let mut plan = Plan {
        format_version: FORMAT_VERSION,
        account_id: question.account.clone(),
        region: question.region.clone(),
        tag_key: question.key.clone(),
        actions: Vec::new(),
        skipped: Vec::new(),
        summary: Summary::default(),
    };
    for facts in types {
        let figures = plan_type(question, lineage, facts, &mut plan);
        plan.summary.types.push(figures);
    }
    plan.actions.sort_by(|a, b| (&a.resource_type, &a.id, &a.arn).cmp(&(&b.resource_type, &b.id, &b.arn)));
    plan.skipped.sort_by(|a, b| (&a.resource_type, &a.id, &a.reason).cmp(&(&b.resource_type, &b.id, &b.reason)));
    plan.summary.types.sort_by(|a, b| a.resource_type.cmp(&b.resource_type));
    for action in &plan.actions {
        if action.key == question.key {
            plan.summary.tag += 1;
        } else {
            *plan.summary.more_tags.entry(action.key.to_string()).or_default() += 1;
        }
    }
    for left in plan.skipped.iter().filter(|left| left.key.is_none() || left.kind == SkipKind::TagsUnknown) {
        *plan.summary.skipped.entry(left.kind).or_default() += 1;
    }
    plan
}

/// The positions of resources that would be tagged if only it were proven what value their tag has, or which parents their
/// tags name.
pub fn unproven(question: &Question, facts: &TypeFacts<'_>) -> Vec<usize> {
    let open = |resource: &LiveResource, events: &[StoredEvent]| {
        let case = facts.case(question, resource, events);
        let owner = decide(case);
        let may_inherit = || {
            question.inherit
                && !matches!(resource.tags, Tags::Known(_))
                && is_wanted(question, facts, resource, events)
                && lineage::may_inherit(&question.rules, events)
        };
        is_open(resource, &owner)
            || decide_more(case, &owner).iter().any(|(_, more)| is_open(resource, more))
            || may_inherit()
    };
    let subjects = facts.subjects().filter(|(_, resource, events)| open(resource, events));
    subjects.map(|(position, ..)| position).collect()
}

/// Whether a resource's owner matters: it can be tagged, and there is a tag to write as far as is known.
pub(super) fn is_wanted(
    question: &Question,
    facts: &TypeFacts<'_>,
    resource: &LiveResource,
    events: &[StoredEvent],
) -> bool {
    let is_taggable = facts.definition.access.as_ref().is_some_and(|access| access.write.is_some());
    let case = facts.case(question, resource, events);
    let may_be_written = || match present_tag(facts.definition, resource, &question.key) {
        Some(present) => is_replaceable(case, &question.key, present),
        None => question.overwrite || owner_tag(question, facts.definition, resource).is_none(),
    };
    let is_allowed = question.updates.allow(facts.definition);
    is_taggable && is_allowed && (!question.more_tags.is_empty() || may_be_written()) && check_skip_tags(case).is_ok()
}

/// The positions of all resources that can be tagged and of which it isn't known whether they have the tag.
pub(crate) fn without_proof(question: &Question, facts: &TypeFacts<'_>) -> Vec<usize> {
    let is_taggable = facts.definition.access.as_ref().is_some_and(|access| access.write.is_some());
    let open = |resource: &LiveResource| {
        is_taggable
            && !matches!(resource.tags, Tags::Known(_))
            && owner_tag(question, facts.definition, resource).is_none()
    };
    (0..facts.live.len()).filter(|position| open(&facts.live[*position])).collect()
}

/// What becomes of each resource of a type.
pub(crate) fn decisions<'f>(
    question: &'f Question,
    lineage: Option<&'f Lineage<'_>>,
    facts: &'f TypeFacts<'_>,
) -> impl Iterator<Item = Decided<'f>> {
    facts.subjects().map(move |(_, resource, events)| {
        let definition = facts.definition;
        let is_sought =
            || is_wanted(question, facts, resource, events) && lineage::may_inherit(&question.rules, events);
        let lineage = lineage.filter(|_| is_sought());
        let inherited = lineage.map(|lineage| lineage.owner_of(&question.rules, definition, resource, events));
        let case = Case { inherited: inherited.as_ref(), ..facts.case(question, resource, events) };
        let decision = decide(case);
        let more = decide_more(case, &decision);
        Decided { resource, events, decision, is_inherited: matches!(inherited, Some(Ok(_))), more }
    })
}

fn push_more(plan: &mut Plan, resource: &LiveResource, more: Vec<(TagKey, Decision)>) {
    for (key, decision) in more {
        match decision {
            Decision::Write(write) => plan.actions.push(*write),
            Decision::Leave(kind, reason) => {
                let (resource_type, id) = (resource.resource_type.clone(), resource.id.clone());
                plan.skipped.push(SkippedResource { resource_type, id, key: Some(key), kind, reason });
            }
        }
    }
}

fn plan_type(
    question: &Question,
    lineage: Option<&Lineage<'_>>,
    facts: &TypeFacts<'_>,
    plan: &mut Plan,
) -> TypeFigures {
    let mut users = BTreeSet::new();
    let (mut tag, mut population, mut not_found, mut untagged) = (0, 0, 0, 0);
    for Decided { resource, decision, more, .. } in decisions(question, lineage, facts) {
        let lacks_tag =
            !matches!(resource.tags, Tags::Unknown(_)) && owner_tag(question, facts.definition, resource).is_none();
        population += 1;
        untagged += u64::from(lacks_tag);
        match decision {
            Decision::Write(write) => {
                tag += 1;
                users.insert(write.value.clone());
                plan.actions.push(*write);
            }
            Decision::Leave(kind, reason) => {
                not_found += u64::from(kind == SkipKind::NoRecord && lacks_tag);
                let (resource_type, id) = (resource.resource_type.clone(), resource.id.clone());
                plan.skipped.push(SkippedResource { resource_type, id, key: None, kind, reason });
            }
        }
        push_more(plan, resource, more);
    }
    TypeFigures {
        resource_type: facts.definition.resource_type.clone(),
        tag,
        users: count(users.len()),
        population,
        not_found,
        records: facts.joined.records,
        untagged,
    }
}

fn decide(case: Case<'_>) -> Decision {
    try_decide(case)
        .map_or_else(|(kind, reason)| Decision::Leave(kind, reason), |write| Decision::Write(Box::new(write)))
}

fn try_decide(case: Case<'_>) -> Result<PlannedWrite, (SkipKind, String)> {
    let Case { question, definition, resource, .. } = case;
    let writing = definition.access.as_ref().and_then(|access| access.write.as_ref());
    let writing = writing.ok_or((SkipKind::NotTaggable, "resources of this type can't be tagged".to_owned()))?;
    check_skip_tags(case)?;
    let key = &question.key;
    let present = present_tag(definition, resource, key);
    match present {
        Some(present) => check_replaceable(case, key, present)?,
        None if question.overwrite => {}
        // No run wrote a further key: its value is never ours to correct.
        None => {
            if let Some(found) = owner_tag(question, definition, resource) {
                return Err((SkipKind::HasTag, has_tag(definition, key, found)));
            }
        }
    }
    let refusal = question.updates.refusal(definition, &resource.arn);
    let Claim { owner, event_id, reason } = match (claim(case), &refusal) {
        // Of a type that may not be written no parent was looked for.
        (Err(_), Some(why)) if question.inherit && lineage::may_inherit(&question.rules, case.events) => {
            return Err(why.clone());
        }
        (claim, _) => claim.map_err(|left| keeps(case, key, left))?,
    };
    if let Some(PresentTag { key, value }) = present.filter(|present| present.value == owner.value) {
        return Err((SkipKind::SameValue, format!("already has the tag with this value: {key}={value}")));
    }
    if let Some(why) = refusal {
        return Err(why);
    }
    prove_tags(case, key, present.is_some(), 0)?;
    if !writing.is_allowed_now(&resource.item) {
        return Err((SkipKind::NotNow, format!("its state does not allow tagging now ({})", state_of(&resource.item))));
    }
    let write = planned(case, (key, owner.value), event_id, reason);
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
fn claim(case: Case<'_>) -> Result<Claim, (SkipKind, String)> {
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
            event_id: event.map(|event| event.event_id.clone()),
            reason: format!("{}{}", inherited.reason(), cleaned(&inherited.owner)),
        });
    }
    let own = match creation {
        None => Err((SkipKind::NoRecord, no_record(case.events))),
        Some(event) => match case.question.rules.owner_of(event) {
            Err(no_owner) => Err((SkipKind::NoOwner, no_owner.0)),
            Ok(owner) => {
                let renames = renames_in_words(case.events, made);
                let reason = format!("{}{}, {} {}{renames}", owner.reason, cleaned(&owner), event.name, event.time);
                Ok(Claim { owner, event_id: Some(event.event_id.clone()), reason })
            }
        },
    };
    match (own, case.inherited) {
        // The parent may have a better owner; a tag once written would stay.
        (Ok(_), Some(Err(Orphan::Unreadable(why)))) => Err((SkipKind::NoOwner, why.clone())),
        (Err((kind, reason)), Some(Err(Orphan::NoOwnerFound(why) | Orphan::Unreadable(why)))) if !why.is_empty() => {
            Err((kind, format!("{reason}; {why}")))
        }
        (own, _) => own,
    }
}

/// The write of a tag on a resource, resting on an event.
fn planned(case: Case<'_>, (key, value): (&TagKey, String), event_id: Option<String>, reason: String) -> PlannedWrite {
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
        reason,
    }
}

/// The tag as the resource has it, as far as known. Its key may be spelled otherwise where the type ignores case.
pub(crate) fn present_tag<'a>(
    definition: &TypeDefinition,
    resource: &'a LiveResource,
    key: &TagKey,
) -> Option<PresentTag<'a>> {
    match &resource.tags {
        Tags::Known(tags) | Tags::Partial(tags) => definition.tag_keys().get(tags, key),
        Tags::Unknown(_) => None,
    }
}

/// The tag that names the resource's owner, as far as known: the one asked for, else one of the further keys.
pub(crate) fn owner_tag<'a>(
    question: &Question,
    definition: &TypeDefinition,
    resource: &'a LiveResource,
) -> Option<PresentTag<'a>> {
    let mut keys = std::iter::once(&question.key).chain(&question.owner_keys);
    keys.find_map(|key| present_tag(definition, resource, key))
}

/// Which tag the resource has; where its key is another one, why it counts.
fn has_tag(definition: &TypeDefinition, key: &TagKey, present: PresentTag<'_>) -> String {
    let PresentTag { key: spelled, value } = present;
    let why = if spelled == key.as_str() {
        String::new()
    } else if definition.tag_keys().are_same(spelled, key.as_str()) {
        format!(", the same key as {key} on {}", definition.resource_type)
    } else {
        format!(", an owner key beside {key}")
    };
    format!("already has the tag: {spelled}={value}{why}")
}

/// That the tag's value is known, and that there is room for one that isn't there beside those that the plan adds already.
fn prove_tags(case: Case<'_>, key: &TagKey, is_present: bool, added: usize) -> Result<(), (SkipKind, String)> {
    prove_skip_tags(case)?;
    match &case.resource.tags {
        Tags::Known(tags) if !is_present => {
            let user_tags = tags.keys().filter(|key| !key.starts_with("aws:")).count();
            if user_tags + added >= MAX_USER_TAGS {
                return Err((SkipKind::TagLimit, format!("has {user_tags} tags already, {MAX_USER_TAGS} are allowed")));
            }
            Ok(())
        }
        Tags::Partial(_) if !is_present => {
            Err((SkipKind::TagsUnknown, format!("not all of its tags could be read: it may have {key}")))
        }
        Tags::Known(_) | Tags::Partial(_) => Ok(()),
        Tags::Unknown(reason) => Err((SkipKind::TagsUnknown, format!("its tags could not be read: {reason}"))),
    }
}

fn no_record(events: &[StoredEvent]) -> String {
    let Some(deletion) = events.iter().rfind(|event| event.action == Action::Delete) else {
        return format!("no create event in the database{}", renames_in_words(events, None));
    };
    match &deletion.renamed_to {
        // Or the renaming waits for RDS's maintenance window.
        Some(name) => format!(
            "no create event since the earlier resource with this name was renamed to {name} by {} at {}",
            deletion.event.name, deletion.event.time
        ),
        None => "no create event since it was last deleted".to_owned(),
    }
}

/// The item's state in its own words, for the reason.
fn state_of(item: &Value) -> &str {
    let is_state = |name: &str| ["status", "state"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    let fields = item.as_object().into_iter().flatten();
    fields.filter(|(name, _)| is_state(name)).find_map(|(_, value)| value.as_str()).unwrap_or("state unknown")
}

fn count(length: usize) -> u64 {
    length.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod test_data;
#[cfg(test)]
mod tests;
