//! The survey: lists the live resources of each type, joins them with the database's events, reads tags where only that
//! can prove that the tag is missing, and makes the plan.
//!
//! A type that can't be listed does not stop the others: it is in the plan's summary. Callers that need only figures of all resources take
//! the facts themselves ([`look`]). The resources of a large type come in parts, so that memory has few of them at a time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::stream::{self, StreamExt};

use super::chosen::{Chosen, skipped};
use super::from_config;
use super::gather_parents;
use super::joins::{Joins, Listing};
pub use super::look::{Look, Proof};
use super::parts::{KeptFacts, PART, Parts};
use super::recorded::{Resources, TypeJoin, with_makers};
use super::scope::{self, Joining};
use crate::aws::{CallError, ErrorClass};
use crate::inventory::config::{NotInConfig, Snapshot};
use crate::inventory::{self, Population, TagIndexes};
use crate::model::{AccountRegion, Arn, LiveResource, ResourceId, ResourceType};
use crate::packed_list::PackedList;
use crate::plan::lineage::Lineage;
use crate::plan::{
    self, Creation, FailedType, Plan, PlannedWrite, Planner, PopulationFailure, SkippedType, TypeFacts, TypeProblem,
    TypeSource,
};
use crate::resource_map::TypeDefinition;
use crate::store::StoreError;

/// Types listed at a time. Each belongs to a service with its own rate limit; more of them only cost memory.
const TYPE_CONCURRENCY: usize = 8;

/// A plan with the live resources that it is about.
#[derive(Debug)]
pub struct Survey {
    /// The plan.
    pub plan: Plan,
    /// The ids of the question that name a live resource.
    pub found_ids: BTreeSet<String>,
    /// The live resources of the question's create events.
    pub created: BTreeMap<Creation, (ResourceId, Arn)>,
    /// Those of the plan's actions, each once and in their order.
    live: PackedList<LiveResource>,
}

/// What was found, besides the resources.
#[derive(Debug, Default)]
pub struct Collected {
    /// Those that were not examined.
    pub skipped: Vec<SkippedType>,
    /// Those without create events in the database.
    pub unexamined: Vec<ResourceType>,
    /// Those that could not be listed.
    pub failed: Vec<FailedType>,
    /// What went wrong with types that were listed, or with those of their resources' parents.
    pub problems: Vec<TypeProblem>,
    /// Why AWS Config could not be queried, if the run uses it.
    pub population_failure: Option<PopulationFailure>,
}

/// Gets the live resources of each type that was listed, in one part or in several, in no order of the types. Where owners are to be
/// inherited, also the parents of resources that no person made.
pub type Take<'t> = &'t mut dyn FnMut(Option<&Lineage<'_>>, &TypeFacts<'_>) -> Result<(), StoreError>;

/// What became of one type.
enum TypeOutcome<'m> {
    /// Its resources were taken.
    Taken(Vec<TypeProblem>),
    /// Its resources are needed until all parents are known.
    Kept(KeptFacts<'m>, Vec<TypeProblem>),
    Skipped(SkippedType),
    Failed(FailedType),
}

/// Looks at these types and makes the plan. `progress` gets the number of finished types. What is asked of the resources is of
/// writes, whatever proof `how` names.
///
/// # Errors
/// SQLite's. AWS's are in the plan.
pub async fn survey(
    how: Look<'_, '_>,
    chosen: Chosen<'_>,
    progress: &mut dyn FnMut(u64, &ResourceType),
) -> Result<Survey, StoreError> {
    let mut planner = Planner::new(how.question);
    let (mut found_ids, mut created, mut live) = (BTreeSet::new(), BTreeMap::new(), PackedList::new());
    let mut take = |lineage: Option<&Lineage<'_>>, facts: &TypeFacts<'_>| {
        planner.add(lineage, facts, &mut |resource| live.push(resource));
        let selected = facts.scope.selected.iter();
        found_ids.extend(selected.flat_map(|selected| &selected.texts).cloned());
        let name = |position: usize| (facts.live[position].id.clone(), facts.live[position].arn.clone());
        let of_events = facts.scope.created.iter();
        created.extend(of_events.map(|(creation, position)| (creation.clone(), name(*position))));
        Ok(())
    };
    let found = look(Look { proof: Proof::Writes, ..how }, chosen, &mut take, progress).await?;
    let mut plan = planner.finish();
    plan.summary.problems = found.problems;
    plan.summary.skipped_types = found.skipped;
    plan.summary.unexamined_types = found.unexamined;
    plan.summary.failed_types = found.failed;
    plan.summary.population_failure = found.population_failure;
    live.sort_by_key(|live: &LiveResource| (live.resource_type.clone(), live.id.clone(), live.arn.clone()));
    Ok(Survey { plan, found_ids, created, live })
}

/// What the types of an account-region are listed with.
struct Sources<'l> {
    place: &'l AccountRegion,
    sweeps: &'l TagIndexes,
    /// AWS Config's answer, or why there is none. `None`: it is not to be asked.
    config: Option<Result<Snapshot, NotInConfig>>,
    joins: Joins<'l>,
}

/// Looks at these types. `take` gets what is known of their resources, `progress` the number of finished types.
///
/// # Errors
/// The database fails; an error of `take`. AWS errors are in the result.
pub async fn look<'m>(
    how: Look<'_, 'm>,
    chosen: Chosen<'m>,
    take: Take<'_>,
    progress: &mut dyn FnMut(u64, &ResourceType),
) -> Result<Collected, StoreError> {
    let Look { session, map, store, question, .. } = how;
    let place = AccountRegion { account: question.account.clone(), region: question.region.clone() };
    let Chosen { types, skipped, unexamined } = chosen;
    let sweeps = TagIndexes::of(types.iter().copied());
    let mut found = Collected { skipped, unexamined, ..Collected::default() };
    let config = match how.config {
        None => None,
        Some(config) => match config.snapshot(session, &place, &types).await {
            Ok(snapshot) => Some(Ok(snapshot)),
            Err(error) => {
                found.population_failure = Some(PopulationFailure { error: error.to_string(), hint: error.hint });
                if config.is_strict() {
                    return Ok(found);
                }
                Some(Err(NotInConfig::Unreachable))
            }
        },
    };
    let sources = Sources { place: &place, sweeps: &sweeps, config, joins: Joins::new(store, &place) };
    let shared = RefCell::new(take);
    let mut kept = Vec::new();
    let look = |definition| look_at(how, &sources, definition, &shared);
    let mut results = stream::iter(types).map(look).buffer_unordered(TYPE_CONCURRENCY);
    let mut done = 0;
    while let Some((definition, looked)) = results.next().await {
        match looked? {
            TypeOutcome::Taken(more) => found.problems.extend(more),
            TypeOutcome::Kept(of_type, more) => {
                kept.push(of_type);
                found.problems.extend(more);
            }
            TypeOutcome::Skipped(of_type) => found.skipped.push(of_type),
            TypeOutcome::Failed(of_type) => found.failed.push(of_type),
        }
        done += 1;
        progress(done, &definition.resource_type);
    }
    drop(results);
    if question.inherit {
        let (lineage, problems) = gather_parents::gather(session, map, store, question, &kept).await?;
        found.problems.extend(problems);
        let take = shared.into_inner();
        kept.iter().try_for_each(|kept| kept.try_each(&mut |facts| take(Some(&lineage), facts)))?;
    }
    found.skipped.sort_by(|a, b| a.resource_type.cmp(&b.resource_type));
    found.failed.sort_by(|a, b| a.resource_type.cmp(&b.resource_type));
    found.problems.sort_by(|a, b| a.resource_type.cmp(&b.resource_type));
    Ok(found)
}

impl Survey {
    /// The planned writes with their resources, in the order of the plan. Several writes may be of one resource. The resources are not kept.
    pub(super) fn take_writes(&mut self) -> impl Iterator<Item = (PlannedWrite, Option<LiveResource>)> + '_ {
        let mut live = std::mem::take(&mut self.live).into_iter().peekable();
        self.plan.actions.iter().map(move |action| {
            let wanted = (&action.resource_type, &action.id, &action.arn);
            let of = |live: &LiveResource| (&live.resource_type, &live.id, &live.arn).cmp(&wanted);
            while live.next_if(|live| of(live).is_lt()).is_some() {}
            let resource = live.peek().filter(|live| of(live).is_eq()).cloned();
            (action, resource)
        })
    }
}

async fn look_at<'m>(
    how: Look<'_, '_>,
    sources: &Sources<'_>,
    definition: &'m TypeDefinition,
    take: &RefCell<Take<'_>>,
) -> (&'m TypeDefinition, Result<TypeOutcome<'m>, StoreError>) {
    let place = sources.place;
    let why = match &sources.config {
        None => None,
        Some(Err(why)) => Some(*why),
        Some(Ok(snapshot)) => match from_config::facts(how, place, definition, snapshot).await {
            Ok(Ok(facts)) => return (definition, give(how, facts, Vec::new(), take)),
            Ok(Err(why)) => Some(why),
            Err(error) => return (definition, Err(error)),
        },
    };
    let listing = sources.joins.begin_listing();
    let looked = match inventory::list(how.session, how.map, definition, place, sources.sweeps).await {
        Ok(population) => {
            let listed = (population, why.map(from_config::service));
            facts_of(how, place, definition, listed, listing, take).await
        }
        Err(error) => listing.end().map(|()| not_listed(definition, &error)),
    };
    (definition, looked)
}

/// Gives a type's resources to `take`, unless they are needed longer.
fn give<'m>(
    how: Look<'_, '_>,
    facts: TypeFacts<'m>,
    problems: Vec<TypeProblem>,
    take: &RefCell<Take<'_>>,
) -> Result<TypeOutcome<'m>, StoreError> {
    if how.question.inherit {
        return Ok(TypeOutcome::Kept(KeptFacts::Whole(Box::new(facts)), problems));
    }
    take.borrow_mut()(None, &facts)?;
    Ok(TypeOutcome::Taken(problems))
}

async fn facts_of<'m>(
    how: Look<'_, '_>,
    place: &AccountRegion,
    definition: &'m TypeDefinition,
    (population, source): (Population, Option<TypeSource>),
    listing: Listing<'_>,
    take: &RefCell<Take<'_>>,
) -> Result<TypeOutcome<'m>, StoreError> {
    let Look { map, store, question, .. } = how;
    let Population { resources, problems } = population;
    let problem = |problem| TypeProblem { resource_type: definition.resource_type.clone(), problem };
    let problems = problems.into_iter().map(problem).collect();
    let is_split = resources.len() > PART && question.scope.created_by.is_none();
    let join = TypeJoin::new(store, place, definition, resources, is_split)?;
    match listing.join(join).await?.resources {
        Resources::Packed(live, join) => {
            let scope = scope::packed_facts(store, question, definition, map.naming(), (join.index(), &live))?;
            let (events, records) = join.finish();
            let parts = Parts { definition, live, events, records, scope, source };
            give_parts(how, place, parts, problems, take).await
        }
        Resources::InMemory(live, join) => {
            let joined = with_makers(store, &question.rules, join.finish())?;
            let joining = Joining { live: &live, joined: &joined };
            let scope = scope::facts(store, question, definition, map.naming(), joining)?;
            let mut facts = TypeFacts { definition, live, joined, scope, source };
            prove(how, place, &mut facts).await;
            give(how, facts, problems, take)
        }
    }
}

/// Reads tags where only that shows whether a tag is missing.
async fn prove(Look { session, question, proof, .. }: Look<'_, '_>, place: &AccountRegion, facts: &mut TypeFacts<'_>) {
    let unproven = match proof {
        Proof::Writes => plan::unproven(question, facts),
        Proof::All => plan::without_proof(question, facts),
        Proof::Tags => plan::without_all_tags(facts),
    };
    let unproven: HashSet<usize> = unproven.into_iter().collect();
    let mut unread: Vec<&mut LiveResource> =
        facts.live.iter_mut().enumerate().filter(|(at, _)| unproven.contains(at)).map(|(_, live)| live).collect();
    if !unread.is_empty() {
        inventory::confirm_tags(session, facts.definition, place, &mut unread).await;
    }
}

/// Gives the resources of a large type to `take`, a part at a time, unless they are needed longer.
async fn give_parts<'m>(
    how: Look<'_, '_>,
    place: &AccountRegion,
    parts: Parts<'m>,
    problems: Vec<TypeProblem>,
    take: &RefCell<Take<'_>>,
) -> Result<TypeOutcome<'m>, StoreError> {
    let mut kept = how.question.inherit.then(|| parts.without_resources());
    for mut facts in parts.into_parts() {
        facts.joined = with_makers(how.store, &how.question.rules, facts.joined)?;
        prove(how, place, &mut facts).await;
        match &mut kept {
            None => take.borrow_mut()(None, &facts)?,
            Some(kept) => kept.push(facts),
        }
    }
    Ok(match kept {
        None => TypeOutcome::Taken(problems),
        Some(kept) => TypeOutcome::Kept(KeptFacts::Parts(Box::new(kept)), problems),
    })
}

fn not_listed<'m>(definition: &TypeDefinition, error: &CallError) -> TypeOutcome<'m> {
    let resource_type = definition.resource_type.clone();
    if error.class == ErrorClass::NoEndpoint {
        return TypeOutcome::Skipped(skipped(resource_type, &format!("its service is not in {}", error.region)));
    }
    TypeOutcome::Failed(FailedType { resource_type, error: error.to_string(), hint: error.hint() })
}
