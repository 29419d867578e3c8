//! The survey: lists the live resources of each type, joins them with the database's events, reads tags where only that
//! can prove that the tag is missing, and makes the plan.
//!
//! A type that can't be listed does not stop the others: it stands in the plan's summary. Whoever wants no plan but figures
//! of all resources takes the facts themselves ([`look`]).

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::stream::{self, StreamExt};

use super::join::{Join, Joined};
use super::lineage::{self, Lineage};
use super::plan::{self, FailedType, Plan, Question, SkippedType, TypeFacts, TypeProblem};
use super::scope;
use crate::aws::{CallError, ErrorClass, Session};
use crate::creator::OwnerRules;
use crate::inventory::{self, LiveResource, Place, Population, Sweeps};
use crate::names::{AccountId, Arn, Region, ResourceId, ResourceType};
use crate::resource_map::{ResourceMap, TypeDefinition};
use crate::store::{Store, StoreError};

/// Types listed at a time. Each belongs to a service with its own rate limit; more of them only cost memory.
const TYPE_CONCURRENCY: usize = 8;

/// The types to look at.
#[derive(Debug, Default)]
pub struct Chosen<'m> {
    /// Those that can be listed.
    pub types: Vec<&'m TypeDefinition>,
    /// The others, and why not.
    pub skipped: Vec<SkippedType>,
}

/// A plan with the live resources that it is about.
#[derive(Debug)]
pub struct Survey {
    /// The plan.
    pub plan: Plan,
    /// The ids of the question that name a live resource.
    pub found_ids: BTreeSet<String>,
    /// Of those in the plan's actions; the others are not kept.
    live: HashMap<(ResourceType, ResourceId, Arn), LiveResource>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found<'m> {
    /// The types that were listed, in no order.
    pub facts: Vec<TypeFacts<'m>>,
    /// Those that were not looked at.
    pub skipped: Vec<SkippedType>,
    /// Those that could not be listed.
    pub failed: Vec<FailedType>,
    /// What went wrong with types that were listed, or with those of their resources' parents.
    pub problems: Vec<TypeProblem>,
    /// The parents of resources that no person made, where their owners are to be inherited.
    pub lineage: Option<Lineage<'m>>,
}

/// Of which resources the absence of the tag is proven where the listing leaves it open; it may cost a call each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Of those that would be tagged.
    Writes,
    /// Of all that can be tagged.
    All,
}

/// What became of one type.
enum Looked<'m> {
    Facts(TypeFacts<'m>, Vec<TypeProblem>),
    Skipped(SkippedType),
    Failed(FailedType),
}

/// The types asked for; without any, those that the database has creations of: in the region, or for global types
/// anywhere in the account. Where owners are inherited, also those whose items name one of these as their parent: a volume's
/// creation mostly leaves no record.
///
/// # Errors
/// SQLite's.
pub fn choose_types<'m>(
    store: &Store,
    map: &'m ResourceMap,
    account: &AccountId,
    region: &Region,
    (asked, inherit): (&[ResourceType], bool),
) -> Result<Chosen<'m>, StoreError> {
    let mut names: Vec<ResourceType> = asked.to_vec();
    if asked.is_empty() {
        let here = store.creation_counts(account, Some(region))?;
        let anywhere = store.creation_counts(account, None)?;
        let is_global = |name: &ResourceType| map.types.get(name).is_some_and(|definition| definition.global);
        names.extend(anywhere.into_keys().filter(|name| here.contains_key(name) || is_global(name)));
        if inherit {
            names.extend(map.child_types(&names));
        }
    }
    Ok(Chosen::of(map, names))
}

impl<'m> Chosen<'m> {
    /// Whether nothing is left of them.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && self.skipped.is_empty()
    }

    /// Leaves out these types.
    pub fn leave_out(&mut self, names: &[ResourceType]) {
        self.types.retain(|definition| !names.contains(&definition.resource_type));
        self.skipped.retain(|skipped| !names.contains(&skipped.resource_type));
    }

    /// Those of these types that can be listed, and why not the others.
    pub fn of(map: &'m ResourceMap, mut names: Vec<ResourceType>) -> Self {
        names.sort();
        names.dedup();
        let mut chosen = Self::default();
        for name in names {
            match map.types.get(&name) {
                Some(definition) if definition.access.is_some() => chosen.types.push(definition),
                Some(_) => chosen.skipped.push(skipped(name, "no resource map says how it is listed")),
                None => chosen.skipped.push(skipped(name, "in the database, but in no resource map")),
            }
        }
        chosen
    }
}

/// Looks at these types and makes the plan. `progress` hears how many types are done.
///
/// # Errors
/// SQLite's. AWS's are in the plan.
pub async fn survey(
    session: &Session,
    map: &ResourceMap,
    store: &Store,
    question: &Question,
    chosen: Chosen<'_>,
    progress: &mut dyn FnMut(u64, &ResourceType),
) -> Result<Survey, StoreError> {
    let found = look(session, map, store, (question, Proof::Writes), chosen, progress).await?;
    let mut plan = plan::plan(question, found.lineage.as_ref(), &found.facts);
    plan.summary.problems = found.problems;
    plan.summary.skipped_types = found.skipped;
    plan.summary.failed_types = found.failed;
    let selected = found.facts.iter().filter_map(|facts| facts.scope.selected.as_ref());
    let found_ids = selected.flat_map(|selected| &selected.texts).cloned().collect();
    let live = keep_planned(&plan, found.facts);
    Ok(Survey { plan, found_ids, live })
}

/// Looks at these types. `progress` hears how many types are done.
///
/// # Errors
/// SQLite's. AWS's are in what was found.
pub async fn look<'m>(
    session: &Session,
    map: &'m ResourceMap,
    store: &Store,
    (question, proof): (&Question, Proof),
    chosen: Chosen<'m>,
    progress: &mut dyn FnMut(u64, &ResourceType),
) -> Result<Found<'m>, StoreError> {
    let place = Place { account: question.account.clone(), region: question.region.clone() };
    let Chosen { types, skipped } = chosen;
    let sweeps = Sweeps::of(types.iter().copied());
    let look = |definition| look_at(session, map, store, (question, proof), (&place, &sweeps), definition);
    let mut results = stream::iter(types).map(look).buffer_unordered(TYPE_CONCURRENCY);
    let mut found = Found { skipped, ..Found::default() };
    let mut done = 0;
    while let Some((definition, looked)) = results.next().await {
        match looked? {
            Looked::Facts(of_type, more) => {
                found.facts.push(of_type);
                found.problems.extend(more);
            }
            Looked::Skipped(of_type) => found.skipped.push(of_type),
            Looked::Failed(of_type) => found.failed.push(of_type),
        }
        done += 1;
        progress(done, &definition.resource_type);
    }
    drop(results);
    if question.inherit {
        let (lineage, problems) = lineage::gather(session, map, store, question, &found.facts).await?;
        found.problems.extend(problems);
        found.lineage = Some(lineage);
    }
    found.skipped.sort_by(|a, b| a.resource_type.cmp(&b.resource_type));
    found.failed.sort_by(|a, b| a.resource_type.cmp(&b.resource_type));
    found.problems.sort_by(|a, b| a.resource_type.cmp(&b.resource_type));
    Ok(found)
}

impl Survey {
    /// A planned write's resource. Several writes may be of one.
    pub fn live(&self, resource_type: &ResourceType, id: &ResourceId, arn: &Arn) -> Option<LiveResource> {
        self.live.get(&(resource_type.clone(), id.clone(), arn.clone())).cloned()
    }
}

async fn look_at<'m>(
    session: &Session,
    map: &ResourceMap,
    store: &Store,
    question: (&Question, Proof),
    (place, sweeps): (&Place, &Sweeps),
    definition: &'m TypeDefinition,
) -> (&'m TypeDefinition, Result<Looked<'m>, StoreError>) {
    let looked = match inventory::list(session, map, definition, place, sweeps).await {
        Ok(population) => facts_of(session, store, question, place, definition, population).await,
        Err(error) => Ok(not_listed(definition, &error)),
    };
    (definition, looked)
}

async fn facts_of<'m>(
    session: &Session,
    store: &Store,
    (question, proof): (&Question, Proof),
    place: &Place,
    definition: &'m TypeDefinition,
    population: Population,
) -> Result<Looked<'m>, StoreError> {
    let Population { resources: live, problems } = population;
    let joined = join((store, &question.rules), (&question.account, &question.region), definition, &live)?;
    let scope = scope::facts(store, question, definition, &live)?;
    let mut facts = TypeFacts { definition, live, joined, scope };
    let unproven = match proof {
        Proof::Writes => plan::unproven(question, &facts),
        Proof::All => plan::without_proof(question, &facts),
    };
    let unproven: HashSet<usize> = unproven.into_iter().collect();
    let mut unread: Vec<&mut LiveResource> =
        facts.live.iter_mut().enumerate().filter(|(at, _)| unproven.contains(at)).map(|(_, live)| live).collect();
    if !unread.is_empty() {
        inventory::confirm_tags(session, definition, place, &mut unread).await;
    }
    let problem = |problem| TypeProblem { resource_type: definition.resource_type.clone(), problem };
    Ok(Looked::Facts(facts, problems.into_iter().map(problem).collect()))
}

/// The events of the live resources of a type.
pub(super) fn join(
    (store, rules): (&Store, &OwnerRules),
    (account, region): (&AccountId, &Region),
    definition: &TypeDefinition,
    live: &[LiveResource],
) -> Result<Joined, StoreError> {
    // A global type's events may stand in any region's trail, a bucket's in its own region's.
    let region = (!definition.global).then_some(region);
    let renames = store.renames_of_type(&definition.resource_type, account, region)?;
    let mut join = Join::new(live).with_renames(&renames);
    store.events_of_type(&definition.resource_type, account, region, &mut |event| join.add(event))?;
    with_makers(store, rules, join.finish())
}

/// The events with who made the sessions that made them, where the rules ask for that.
pub(super) fn with_makers(store: &Store, rules: &OwnerRules, mut joined: Joined) -> Result<Joined, StoreError> {
    if rules.resolve_chains {
        store.fill_makers(joined.events.iter_mut().flatten().map(|stored| &mut stored.event))?;
    }
    Ok(joined)
}

fn not_listed<'m>(definition: &TypeDefinition, error: &CallError) -> Looked<'m> {
    let resource_type = definition.resource_type.clone();
    if error.class == ErrorClass::NoEndpoint {
        return Looked::Skipped(skipped(resource_type, &format!("its service is not in {}", error.region)));
    }
    Looked::Failed(FailedType { resource_type, error: error.to_string(), hint: error.hint() })
}

fn skipped(resource_type: ResourceType, reason: &str) -> SkippedType {
    SkippedType { resource_type, reason: reason.to_owned() }
}

fn keep_planned(plan: &Plan, facts: Vec<TypeFacts<'_>>) -> HashMap<(ResourceType, ResourceId, Arn), LiveResource> {
    let planned: HashSet<_> = plan.actions.iter().map(|write| (&write.resource_type, &write.id, &write.arn)).collect();
    let all = facts.into_iter().flat_map(|facts| facts.live);
    all.filter(|live| planned.contains(&(&live.resource_type, &live.id, &live.arn)))
        .map(|live| ((live.resource_type.clone(), live.id.clone(), live.arn.clone()), live))
        .collect()
}
