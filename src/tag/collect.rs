//! The survey: lists the live resources of each type, joins them with the database's events, reads tags where only that
//! can prove that the tag is missing, and makes the plan.
//!
//! A type that can't be listed does not stop the others: it is in the plan's summary. Callers that need only figures of all resources takes
//! the facts themselves ([`look`]).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::stream::{self, StreamExt};

use super::chosen::{Chosen, skipped};
use super::from_config;
use super::gather_parents;
pub use super::look::{Look, Proof};
use super::recorded::join;
use super::scope::{self, Joining};
use crate::aws::{CallError, ErrorClass};
use crate::inventory::config::{NotInConfig, Snapshot};
use crate::inventory::{self, Population, TagIndexes};
use crate::model::{AccountRegion, LiveResource};
use crate::model::{Arn, ResourceId, ResourceType};
use crate::plan::lineage::Lineage;
use crate::plan::{
    self, Creation, FailedType, Plan, PopulationFailure, SkippedType, TypeFacts, TypeProblem, TypeSource,
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
    /// Of those in the plan's actions; the others are not kept.
    live: HashMap<(ResourceType, ResourceId, Arn), LiveResource>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Collected<'m> {
    /// The types that were listed, in no order.
    pub facts: Vec<TypeFacts<'m>>,
    /// Those that were not examined.
    pub skipped: Vec<SkippedType>,
    /// Those without create events in the database.
    pub unexamined: Vec<ResourceType>,
    /// Those that could not be listed.
    pub failed: Vec<FailedType>,
    /// What went wrong with types that were listed, or with those of their resources' parents.
    pub problems: Vec<TypeProblem>,
    /// The parents of resources that no person made, where their owners are to be inherited.
    pub lineage: Option<Lineage<'m>>,
    /// Why AWS Config could not be queried, if the run uses it.
    pub population_failure: Option<PopulationFailure>,
}

/// What became of one type.
enum TypeOutcome<'m> {
    Facts(TypeFacts<'m>, Vec<TypeProblem>),
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
    let question = how.question;
    let found = look(Look { proof: Proof::Writes, ..how }, chosen, progress).await?;
    let mut plan = plan::plan(question, found.lineage.as_ref(), &found.facts);
    plan.summary.problems = found.problems;
    plan.summary.skipped_types = found.skipped;
    plan.summary.unexamined_types = found.unexamined;
    plan.summary.failed_types = found.failed;
    plan.summary.population_failure = found.population_failure;
    let selected = found.facts.iter().filter_map(|facts| facts.scope.selected.as_ref());
    let found_ids = selected.flat_map(|selected| &selected.texts).cloned().collect();
    let created = found.facts.iter().flat_map(|facts| {
        let name = |position: usize| (facts.live[position].id.clone(), facts.live[position].arn.clone());
        facts.scope.created.iter().map(move |(creation, position)| (creation.clone(), name(*position)))
    });
    let created = created.collect();
    let live = keep_planned(&plan, found.facts);
    Ok(Survey { plan, found_ids, created, live })
}

/// What the types of an account-region are listed with.
struct Sources<'l> {
    place: &'l AccountRegion,
    sweeps: &'l TagIndexes,
    /// AWS Config's answer, or why there is none. `None`: it is not to be asked.
    config: Option<Result<Snapshot, NotInConfig>>,
}

/// Looks at these types. `progress` gets the number of finished types.
///
/// # Errors
/// The database fails. AWS errors are in the result.
pub async fn look<'m>(
    how: Look<'_, 'm>,
    chosen: Chosen<'m>,
    progress: &mut dyn FnMut(u64, &ResourceType),
) -> Result<Collected<'m>, StoreError> {
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
    let sources = Sources { place: &place, sweeps: &sweeps, config };
    let look = |definition| look_at(how, &sources, definition);
    let mut results = stream::iter(types).map(look).buffer_unordered(TYPE_CONCURRENCY);
    let mut done = 0;
    while let Some((definition, looked)) = results.next().await {
        match looked? {
            TypeOutcome::Facts(of_type, more) => {
                found.facts.push(of_type);
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
        let (lineage, problems) = gather_parents::gather(session, map, store, question, &found.facts).await?;
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
    how: Look<'_, '_>,
    sources: &Sources<'_>,
    definition: &'m TypeDefinition,
) -> (&'m TypeDefinition, Result<TypeOutcome<'m>, StoreError>) {
    let place = sources.place;
    let why = match &sources.config {
        None => None,
        Some(Err(why)) => Some(*why),
        Some(Ok(snapshot)) => match from_config::facts(how, place, definition, snapshot).await {
            Ok(Ok(facts)) => return (definition, Ok(TypeOutcome::Facts(facts, Vec::new()))),
            Ok(Err(why)) => Some(why),
            Err(error) => return (definition, Err(error)),
        },
    };
    let looked = match inventory::list(how.session, how.map, definition, place, sources.sweeps).await {
        Ok(population) => facts_of(how, place, definition, population, why.map(from_config::service)).await,
        Err(error) => Ok(not_listed(definition, &error)),
    };
    (definition, looked)
}

async fn facts_of<'m>(
    Look { session, map, store, question, proof, .. }: Look<'_, '_>,
    place: &AccountRegion,
    definition: &'m TypeDefinition,
    population: Population,
    source: Option<TypeSource>,
) -> Result<TypeOutcome<'m>, StoreError> {
    let Population { resources: live, problems } = population;
    let joined = join(store, &question.rules, place, definition, &live)?;
    let scope = scope::facts(store, question, definition, map.naming(), Joining { live: &live, joined: &joined })?;
    let mut facts = TypeFacts { definition, live, joined, scope, source };
    let unproven = match proof {
        Proof::Writes => plan::unproven(question, &facts),
        Proof::All => plan::without_proof(question, &facts),
        Proof::Tags => plan::without_all_tags(&facts),
    };
    let unproven: HashSet<usize> = unproven.into_iter().collect();
    let mut unread: Vec<&mut LiveResource> =
        facts.live.iter_mut().enumerate().filter(|(at, _)| unproven.contains(at)).map(|(_, live)| live).collect();
    if !unread.is_empty() {
        inventory::confirm_tags(session, definition, place, &mut unread).await;
    }
    let problem = |problem| TypeProblem { resource_type: definition.resource_type.clone(), problem };
    Ok(TypeOutcome::Facts(facts, problems.into_iter().map(problem).collect()))
}

fn not_listed<'m>(definition: &TypeDefinition, error: &CallError) -> TypeOutcome<'m> {
    let resource_type = definition.resource_type.clone();
    if error.class == ErrorClass::NoEndpoint {
        return TypeOutcome::Skipped(skipped(resource_type, &format!("its service is not in {}", error.region)));
    }
    TypeOutcome::Failed(FailedType { resource_type, error: error.to_string(), hint: error.hint() })
}

fn keep_planned(plan: &Plan, facts: Vec<TypeFacts<'_>>) -> HashMap<(ResourceType, ResourceId, Arn), LiveResource> {
    let planned: HashSet<_> = plan.actions.iter().map(|write| (&write.resource_type, &write.id, &write.arn)).collect();
    let all = facts.into_iter().flat_map(|facts| facts.live);
    all.filter(|live| planned.contains(&(&live.resource_type, &live.id, &live.arn)))
        .map(|live| ((live.resource_type.clone(), live.id.clone(), live.arn.clone()), live))
        .collect()
}
