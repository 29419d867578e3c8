//! Coverage of live resources: lists them like `tag`, without a plan, in all requested regions. Writes nothing.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::coverage::Coverage;
use crate::aws::{CallError, Session};
use crate::inventory;
use crate::model::{AccountId, Region, ResourceType};
use crate::model::{AccountRegion, LiveResource};
use crate::plan::lineage::Lineage;
use crate::plan::{FailedType, PopulationFailure, Question, SkippedType, TypeFacts, TypeProblem, TypeSource};
use crate::resource_map::ResourceMap;
use crate::store::StoreError;
use crate::tag::chosen::{Chosen, TypeChoice, choose_types, recorded_types};
use crate::tag::collect::{Collected, Look, look};

/// The resource type of IAM users.
const IAM_USER: &str = "iam-user";

/// The coverage, and what is missing from it.
#[derive(Debug, Default)]
pub struct Report {
    /// The counts.
    pub coverage: Coverage,
    /// Types that were skipped.
    pub skipped: Vec<Of<SkippedType>>,
    /// Types that can be listed, but were not, because the database has no create event of them.
    pub unexamined: Vec<Of<UnexaminedTypes>>,
    /// Types that could not be listed.
    pub failed: Vec<Of<FailedType>>,
    /// Problems with types that were listed.
    pub problems: Vec<Of<TypeProblem>>,
    /// Where the population of each type is from. Empty if no other source than the services was asked for.
    pub sources: Vec<Of<SourceOfType>>,
    /// Account-regions in which AWS Config could not be queried.
    pub population_failures: Vec<Of<PopulationFailure>>,
    /// Accounts without a list of IAM users, with the reason.
    pub users_unknown: Vec<(AccountId, CallError)>,
    /// Accounts with IAM users that are known, or were requested.
    asked_for_users: HashSet<AccountId>,
}

/// Types without create events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnexaminedTypes {
    /// Their names, sorted.
    pub types: Vec<ResourceType>,
}

/// Where the population of a type is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceOfType {
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// Its source.
    #[serde(flatten)]
    pub source: TypeSource,
}

/// Information about an account-region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Of<T> {
    /// The account.
    pub account_id: AccountId,
    /// The region.
    pub region: Region,
    /// The information.
    #[serde(flatten)]
    pub what: T,
}

/// Adds an account's regions to the report, one after the other, and global types only once. `progress` is called with the number of finished types in a region.
///
/// # Errors
/// The database fails. AWS errors are in the report.
pub async fn look_at_account(
    how: Look<'_, '_>,
    regions: &[Region],
    choice: TypeChoice<'_>,
    report: &mut Report,
    progress: &mut dyn FnMut(u64, &ResourceType),
) -> Result<(), StoreError> {
    let Look { session, map, store, question, .. } = how;
    let recorded = recorded_types(store, &question.account, choice)?;
    for (at, region) in regions.iter().enumerate() {
        let question = Question { region: region.clone(), ..question.clone() };
        let mut chosen = choose_types(map, &recorded, region, choice);
        if at > 0 {
            leave_out_global(&mut chosen);
        }
        let mut taken = Taken::default();
        let mut take = |lineage: Option<&Lineage<'_>>, facts: &TypeFacts<'_>| {
            taken.add(&mut report.coverage, &question, lineage, facts)
        };
        let found = look(Look { question: &question, ..how }, chosen, &mut take, progress).await?;
        report.add(&question, found, taken);
    }
    if report.must_ask_for_users(&question.account) {
        report.add_users(&question.account, users(session, map, question).await);
    }
    Ok(())
}

/// What is kept of the resources of an account-region while they are counted.
#[derive(Debug, Default)]
pub(super) struct Taken {
    sources: Sources,
    /// The names of the IAM users, if they were listed.
    users: Option<Vec<String>>,
}

impl Taken {
    /// Counts live resources.
    ///
    /// # Errors
    /// Resources can't be kept: the disk is full.
    pub(super) fn add(
        &mut self,
        coverage: &mut Coverage,
        question: &Question,
        lineage: Option<&Lineage<'_>>,
        facts: &TypeFacts<'_>,
    ) -> Result<(), StoreError> {
        self.sources.add(facts);
        if facts.definition.resource_type.as_str() == IAM_USER {
            self.users.get_or_insert_default().extend(names(facts.live.iter().cloned()));
        }
        coverage.add(question, lineage, facts)
    }
}

/// Where the population of each type of an account-region is from.
#[derive(Debug, Default)]
pub(super) struct Sources(BTreeMap<ResourceType, TypeSource>);

impl Sources {
    pub(super) fn add(&mut self, facts: &TypeFacts<'_>) {
        if let Some(source) = &facts.source {
            self.0.insert(facts.definition.resource_type.clone(), source.clone());
        }
    }
}

/// The names of all IAM users of an account. `None` if the map has no list call, or some results have no
/// name.
///
/// # Errors
/// The listing fails.
pub(super) async fn users(
    session: &Session,
    map: &ResourceMap,
    question: &Question,
) -> Result<Option<Vec<String>>, CallError> {
    let definition = map.definition(IAM_USER).filter(|definition| definition.access.is_some());
    let Some(definition) = definition else { return Ok(None) };
    let place = AccountRegion { account: question.account.clone(), region: question.region.clone() };
    let population = inventory::list_without_sweep(session, map, definition, &place).await?;
    Ok(population.problems.is_empty().then(|| names(&population.resources)))
}

impl From<Coverage> for Report {
    /// A report with nothing missing.
    fn from(coverage: Coverage) -> Self {
        Self { coverage, ..Self::default() }
    }
}

impl Report {
    /// Whether everything could be read.
    pub fn is_complete(&self) -> bool {
        let unknown = self.coverage.totals().unknown.unwrap_or_default();
        self.failed.is_empty() && self.problems.is_empty() && self.users_unknown.is_empty() && unknown == 0
    }

    /// Whether it has no resource, and no type that could have had one.
    pub fn is_empty(&self) -> bool {
        self.coverage.rows().next().is_none() && self.skipped.is_empty() && self.failed.is_empty()
    }

    /// Adds what was found in an account-region besides the resources, which are counted already.
    pub(super) fn add(&mut self, question: &Question, found: Collected, taken: Taken) {
        let Taken { sources, users } = taken;
        let has_problems = found.problems.iter().any(|problem| problem.resource_type.as_str() == IAM_USER);
        if let Some(users) = users.filter(|_| !has_problems) {
            self.asked_for_users.insert(question.account.clone());
            self.coverage.set_users(&question.account, users);
        }
        let unexamined = found.unexamined.clone();
        if !unexamined.is_empty() {
            self.unexamined.push(of(question, UnexaminedTypes { types: unexamined }));
        }
        self.note_missing(question, found, sources);
    }

    /// Adds what could not be listed in an account-region, without counting the rest.
    pub(super) fn note_missing(&mut self, question: &Question, found: Collected, sources: Sources) {
        let Collected { skipped, failed, problems, population_failure, .. } = found;
        let sources = sources.0.into_iter().map(|(resource_type, source)| SourceOfType { resource_type, source });
        self.sources.extend(sources.map(|what| of(question, what)));
        self.population_failures.extend(population_failure.map(|what| of(question, what)));
        self.note(question, (skipped, failed, problems));
    }

    fn note(
        &mut self,
        question: &Question,
        (skipped, failed, problems): (Vec<SkippedType>, Vec<FailedType>, Vec<TypeProblem>),
    ) {
        self.skipped.extend(skipped.into_iter().map(|what| of(question, what)));
        self.failed.extend(failed.into_iter().map(|what| of(question, what)));
        self.problems.extend(problems.into_iter().map(|what| of(question, what)));
    }

    /// Whether IAM users created resources, and their list is neither known nor requested. From now on it is
    /// requested.
    pub(super) fn must_ask_for_users(&mut self, account: &AccountId) -> bool {
        self.coverage.has_iam_users_of(account) && self.asked_for_users.insert(account.clone())
    }

    pub(super) fn add_users(&mut self, account: &AccountId, users: Result<Option<Vec<String>>, CallError>) {
        match users {
            Ok(Some(users)) => self.coverage.set_users(account, users),
            Ok(None) => {}
            Err(error) => self.users_unknown.push((account.clone(), error)),
        }
    }
}

fn names(users: impl IntoIterator<Item = LiveResource>) -> Vec<String> {
    users.into_iter().map(|user| user.id.to_string()).collect()
}

fn of<T>(question: &Question, what: T) -> Of<T> {
    Of { account_id: question.account.clone(), region: question.region.clone(), what }
}

fn leave_out_global(chosen: &mut Chosen<'_>) {
    chosen.types.retain(|definition| !definition.global);
}
