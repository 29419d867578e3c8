//! The plan: for each live resource the tag to write and the event that proves the owner, or the reason to skip it.
//!
//! Pure and deterministic: the same facts give the same plan, in any order. Complete: each live resource is in `actions` or in
//! `skipped`, once. Applying makes no choices of its own.
//!
//! * [`join`]: the events of each live resource; [`lineage`]: owners that are inherited from parents
//! * `decide`, `more`: the decision about the owner tag, and about further tags; [`updates`], `scope`: what the user allows
//! * [`earlier`]: what earlier runs wrote
//!
//! A saved plan is this document. What applying needs beyond it (the listed item, the present tags) is read again.

mod decide;
mod document;
pub mod earlier;
pub mod join;
pub mod lineage;
mod more;
mod present;
mod scope;
mod skip;
mod skip_tag;
pub mod updates;

use std::collections::{BTreeMap, BTreeSet};

use decide::decide;
pub use document::{
    FORMAT_VERSION, FailedType, Plan, PlannedWrite, PopulationFailure, PopulationSource, SkipKind, SkippedResource,
    SkippedType, Summary, TypeFigures, TypeProblem, TypeSource,
};
use earlier::Earlier;
use join::Joined;
use lineage::{Inherited, Lineage, Orphan};
pub use more::MoreTag;
use more::{decide_more, is_open};
pub(crate) use present::{owner_tag, present_tag};
pub(super) use scope::parts as id_parts;
pub use scope::{Creation, Ids, Scope, ScopeFacts, Selected};
use scope::{check_skip_tags, is_replaceable};
pub use skip::{NotOurs, SameTag, ShownTag, Skip};
pub use skip_tag::SkipTag;
use updates::Updates;

use crate::creator::OwnerRules;
use crate::creator::{MissingPeople, Sought};
use crate::model::event::StoredEvent;
use crate::model::{AccountId, LiveResource, Region, ResourceType, TagKey, TagValue, Tags};
use crate::packed_list::PackedList;
use crate::resource::LiveFacts;
use crate::resource_map::TypeDefinition;

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

/// What is known of a type, or of a part of its live resources.
#[derive(Debug)]
pub struct TypeFacts<'a> {
    /// The type.
    pub definition: &'a TypeDefinition,
    /// The live resources.
    pub live: Vec<LiveResource>,
    /// Their events, in the same order.
    pub joined: Joined,
    /// What the question's scope needs to know of them.
    pub scope: ScopeFacts,
    /// Where they are from. `None` if no other source than the service was asked for.
    pub source: Option<TypeSource>,
}

impl Question {
    /// What is known of a live resource.
    pub(crate) fn live_facts<'a>(
        &'a self,
        definition: &'a TypeDefinition,
        resource: &'a LiveResource,
        events: &'a [StoredEvent],
    ) -> LiveFacts<'a> {
        let account_name = self.scope.account_name.as_deref();
        LiveFacts { definition, resource, events, account: &self.account, account_name, inherited: None }
    }

    /// What the rules for owners need to know of a live resource.
    pub(crate) fn sought<'a>(
        &'a self,
        definition: &'a TypeDefinition,
        resource: &'a LiveResource,
        events: &'a [StoredEvent],
    ) -> Sought<'a> {
        self.live_facts(definition, resource, events).sought(&self.rules)
    }
}

impl TypeFacts<'_> {
    /// The resources that the question is about, with their events, by position. The others may be parents of these.
    pub(super) fn subjects(&self) -> impl Iterator<Item = (usize, &LiveResource, &[StoredEvent])> {
        let all = self.live.iter().zip(&self.joined.events).enumerate();
        let subjects = all.filter(|(position, _)| self.scope.has(*position));
        subjects.map(|(position, (resource, events))| (position, resource, events.as_slice()))
    }

    fn case<'a>(&'a self, question: &'a Question, resource: &'a LiveResource, events: &'a [StoredEvent]) -> Case<'a> {
        let (definition, earlier) = (self.definition, &*self.scope.earlier);
        Case { question, definition, resource, events, earlier, inherited: None }
    }
}

/// What becomes of one resource.
#[derive(Debug)]
pub(crate) enum Decision {
    /// It is tagged.
    Write(Box<PlannedWrite>),
    /// It is left, and why.
    Leave(Skip),
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

/// Makes a plan, part by part of the live resources: there can be hundreds of thousands.
#[derive(Debug)]
pub struct Planner<'q> {
    question: &'q Question,
    actions: PackedList<PlannedWrite>,
    skipped: PackedList<SkippedResource>,
    summary: Summary,
    types: BTreeMap<ResourceType, OfType>,
    missing: MissingPeople,
}

/// The figures of a type so far.
#[derive(Debug)]
struct OfType {
    figures: TypeFigures,
    users: BTreeSet<TagValue>,
}

/// The plan for these types. With `--inherit`, owners can come from the parents. The caller adds skipped and failed types to the summary.
pub fn plan(question: &Question, lineage: Option<&Lineage<'_>>, types: &[TypeFacts<'_>]) -> Plan {
    let mut planner = Planner::new(question);
    types.iter().for_each(|facts| planner.add(lineage, facts, &mut |_| ()));
    planner.finish()
}

impl<'q> Planner<'q> {
    /// A plan without any resource yet.
    pub fn new(question: &'q Question) -> Self {
        Self {
            question,
            actions: PackedList::new(),
            skipped: PackedList::new(),
            summary: Summary::default(),
            types: BTreeMap::new(),
            missing: MissingPeople::default(),
        }
    }

    /// Adds live resources. `written` gets those that have a write in the plan. With `--inherit`, owners can come from the parents.
    pub fn add(
        &mut self,
        lineage: Option<&Lineage<'_>>,
        facts: &TypeFacts<'_>,
        written: &mut dyn FnMut(&LiveResource),
    ) {
        let definition = facts.definition;
        let mut of_type = self.types.remove(&definition.resource_type).unwrap_or_else(|| OfType::new(facts));
        of_type.figures.records += facts.joined.records;
        for Decided { resource, decision, more, .. } in decisions(self.question, lineage, facts) {
            let planned = self.actions.len();
            let lacks_tag =
                !matches!(resource.tags, Tags::Unknown(_)) && owner_tag(self.question, definition, resource).is_none();
            let figures = &mut of_type.figures;
            figures.population += 1;
            figures.untagged += u64::from(lacks_tag);
            match decision {
                Decision::Write(write) => {
                    figures.tag += 1;
                    of_type.users.insert(write.value.clone());
                    self.push(&write);
                }
                Decision::Leave(skip) => {
                    figures.not_found += u64::from(skip.kind() == SkipKind::NoRecord && lacks_tag);
                    skip.no_owner().into_iter().for_each(|no_owner| self.missing.add(no_owner));
                    self.leave(&skip.entry(resource, None));
                }
            }
            for (key, decision) in more {
                match decision {
                    Decision::Write(write) => self.push(&write),
                    Decision::Leave(skip) => self.leave(&skip.entry(resource, Some(key))),
                }
            }
            if self.actions.len() > planned {
                written(resource);
            }
        }
        self.types.insert(definition.resource_type.clone(), of_type);
    }

    fn push(&mut self, write: &PlannedWrite) {
        if write.key == self.question.key {
            self.summary.tag += 1;
        } else {
            *self.summary.more_tags.entry(write.key.to_string()).or_default() += 1;
        }
        self.actions.push(write);
    }

    fn leave(&mut self, left: &SkippedResource) {
        if left.key.is_none() || left.kind == SkipKind::TagsUnknown {
            *self.summary.skipped.entry(left.kind).or_default() += 1;
        }
        self.skipped.push(left);
    }

    /// The plan for all that was added.
    pub fn finish(self) -> Plan {
        let Self { question, mut actions, mut skipped, mut summary, types, missing } = self;
        actions.sort_by_key(|write| (write.resource_type.clone(), write.id.clone(), write.arn.clone()));
        skipped.sort_by_key(|left| (left.resource_type.clone(), left.id.clone(), left.reason.clone()));
        summary.missing_people = missing.list();
        summary.types = types.into_values().map(OfType::finish).collect();
        Plan {
            format_version: FORMAT_VERSION,
            account_id: question.account.clone(),
            region: question.region.clone(),
            tag_key: question.key.clone(),
            actions,
            skipped,
            summary,
        }
    }
}

impl OfType {
    fn new(facts: &TypeFacts<'_>) -> Self {
        let figures = TypeFigures {
            resource_type: facts.definition.resource_type.clone(),
            tag: 0,
            users: 0,
            population: 0,
            not_found: 0,
            records: 0,
            untagged: 0,
            source: facts.source.clone(),
        };
        Self { figures, users: BTreeSet::new() }
    }

    fn finish(self) -> TypeFigures {
        TypeFigures { users: self.users.len().try_into().unwrap_or(u64::MAX), ..self.figures }
    }
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
                && lineage::may_inherit(question, facts.definition, resource, events)
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

/// The positions of all taggable resources that may or may not have the tag.
pub(crate) fn without_proof(question: &Question, facts: &TypeFacts<'_>) -> Vec<usize> {
    let is_taggable = facts.definition.access.as_ref().is_some_and(|access| access.write.is_some());
    let by_tags = question.scope.condition.as_ref().is_some_and(|condition| condition.needs_tags(&question.rules));
    let by_tags = by_tags || question.rules.need_tags();
    let open = |resource: &LiveResource| {
        is_taggable
            && !matches!(resource.tags, Tags::Known(_))
            && (by_tags || owner_tag(question, facts.definition, resource).is_none())
    };
    (0..facts.live.len()).filter(|position| open(&facts.live[*position])).collect()
}

/// The positions of all taggable resources with tags that are not fully known.
pub(crate) fn without_all_tags(facts: &TypeFacts<'_>) -> Vec<usize> {
    let is_taggable = facts.definition.access.as_ref().is_some_and(|access| access.write.is_some());
    let open = |position: &usize| is_taggable && !matches!(facts.live[*position].tags, Tags::Known(_));
    (0..facts.live.len()).filter(open).collect()
}

/// What becomes of each resource of a type.
pub(crate) fn decisions<'f>(
    question: &'f Question,
    lineage: Option<&'f Lineage<'_>>,
    facts: &'f TypeFacts<'_>,
) -> impl Iterator<Item = Decided<'f>> {
    facts.subjects().map(move |(_, resource, events)| {
        let definition = facts.definition;
        let is_sought = || {
            is_wanted(question, facts, resource, events) && lineage::may_inherit(question, definition, resource, events)
        };
        let lineage = lineage.filter(|_| is_sought());
        let inherited = lineage.map(|lineage| lineage.owner_of(question, definition, resource, events));
        let case = Case { inherited: inherited.as_ref(), ..facts.case(question, resource, events) };
        let decision = decide(case);
        let more = decide_more(case, &decision);
        Decided { resource, events, decision, is_inherited: matches!(inherited, Some(Ok(_))), more }
    })
}

#[cfg(test)]
pub(crate) mod test_data;
#[cfg(test)]
mod tests;
