//! Tagging: survey, plan and apply in each place with records; and the rest of what an interrupted run had begun.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::{AccountJob, unless_stopped};
use crate::aws::{CallError, Session};
use crate::creator::OwnerRules;
use crate::inventory::config::ConfigSource;
use crate::model::{AccountId, Region, ResourceType, TagKey};
use crate::org::account_regions::regions_of;
use crate::org::organization::{Done, Organization};
use crate::org::targets::places;
use crate::org::{Account, RegionChoice};
use crate::plan::{MoreTag, Question, Scope};
use crate::resource_map::ResourceMap;
use crate::store::journal::Run;
use crate::store::organization_runs::OrganizationRunId;
use crate::store::{Store, StoreError};
use crate::tag::chosen::{Chosen, RecordedTypes, TypeChoice};
use crate::tag::collect::{Look, Proof, survey};
use crate::tag::run::{self, Runner, Target};
use crate::tag::scope::IdHints;
use tokio_util::sync::CancellationToken;

/// How owners are written across an organization.
#[derive(Debug, Clone)]
pub struct Tag<'m> {
    /// The resource map.
    pub map: &'m ResourceMap,
    /// The regions for all accounts; empty: each account's own, else those the database has records for.
    pub regions: Vec<RegionChoice>,
    /// Only these types; empty: all that the database has records of.
    pub types: Vec<ResourceType>,
    /// Whether types without records are looked at too.
    pub all_types: bool,
    /// For each account-region, how many types were not examined.
    pub unexamined: RefCell<Vec<usize>>,
    /// Further keys that count as the owner's tag.
    pub owner_keys: Vec<TagKey>,
    /// Further tags.
    pub more_tags: Vec<MoreTag>,
    /// Whether another value of the tags is replaced.
    pub overwrite: bool,
    /// Whether what no person made has its parent's owner.
    pub inherit: bool,
    /// Who is the owner.
    pub rules: OwnerRules,
    /// What may be written to, and replaced.
    pub scope: Scope,
    /// Types that are left out.
    pub not_types: Vec<ResourceType>,
    /// Where the resources can be that the scope is limited to.
    pub hints: IdHints,
    /// AWS Config, if it is queried before the services.
    pub config: Option<Arc<ConfigSource>>,
    /// The names of the accounts so far.
    pub account_names: RefCell<BTreeMap<AccountId, String>>,
    /// The ids of the scope that name a live resource, in the types that were listed.
    pub found_ids: RefCell<BTreeSet<String>>,
    /// Writes in the plans that were made.
    pub planned: Cell<u64>,
    /// The interrupted run to go on with.
    pub resumed: Option<OrganizationRunId>,
    /// Whether only plans are wanted. Of an interrupted run then only what it had not begun is looked at.
    pub only_plan: bool,
}

/// What is known of an account before any call.
#[derive(Debug)]
pub struct Facts {
    records: RecordedTypes,
    /// Runs of an interrupted run that are not finished.
    open: Vec<Run>,
    done: HashSet<Region>,
}

/// What to do in a place.
#[derive(Debug)]
pub enum Item<'m> {
    /// To survey these types.
    Survey(Chosen<'m>),
    /// To go on with a run.
    Rest(Box<Run>),
}

impl<'m> Tag<'m> {
    fn choice(&self) -> TypeChoice<'_> {
        TypeChoice { named: &self.types, all: self.all_types, inherit: self.inherit }
    }

    /// Where an interrupted run left off, in this account.
    fn progress(&self, store: &Store, account: &Account) -> Result<(Vec<Run>, HashSet<Region>), StoreError> {
        let Some(run) = self.resumed else { return Ok((Vec::new(), HashSet::new())) };
        Ok((open_runs(store, run, &account.id)?, store.places_done(run, &account.id)?))
    }

    /// The places to survey.
    fn surveys(
        &self,
        account: &Account,
        records: &RecordedTypes,
        regions: Option<&[Region]>,
        done: &HashSet<Region>,
    ) -> Vec<(Region, Chosen<'m>)> {
        let mut left = places(self.map, records, regions, self.choice());
        for (region, chosen) in &mut left {
            chosen.leave_out(&self.not_types);
            self.hints.narrow(&account.id, region, chosen);
        }
        left.retain(|(region, chosen)| !chosen.is_empty() && !done.contains(region));
        left
    }

    async fn survey(
        &self,
        runner: &Runner<'_>,
        chosen: Chosen<'m>,
        stop: &CancellationToken,
    ) -> Result<Option<Done>, StoreError> {
        let question = Question {
            account: runner.place.account.clone(),
            region: runner.place.region.clone(),
            key: runner.key.clone(),
            owner_keys: self.owner_keys.clone(),
            more_tags: self.more_tags.clone(),
            overwrite: self.overwrite,
            inherit: self.inherit,
            rules: self.rules.clone(),
            updates: runner.updates.clone(),
            scope: Scope {
                account_name: self.account_names.borrow().get(&runner.place.account).cloned(),
                ..self.scope.clone()
            },
        };
        let mut silent = |_, _: &ResourceType| ();
        let how = Look {
            session: runner.session,
            map: self.map,
            store: runner.store,
            question: &question,
            proof: Proof::Writes,
            config: self.config.as_deref(),
        };
        let survey = survey(how, chosen, &mut silent);
        let Some(survey) = unless_stopped(stop, survey).await else { return Ok(None) };
        let mut survey = survey?;
        self.found_ids.borrow_mut().append(&mut survey.found_ids);
        let writes = u64::try_from(survey.plan.actions.len()).unwrap_or(u64::MAX);
        self.planned.set(self.planned.get() + writes);
        self.unexamined.borrow_mut().push(survey.plan.summary.unexamined_types.len());
        if self.only_plan {
            return Ok(Some(Done { plan: Some(survey.plan), ..Done::default() }));
        }
        let prepared = runner.prepare_survey(&mut survey);
        let report = runner.execute(Target::Tag, prepared, stop.cancelled(), &mut |_| ()).await?;
        Ok(Some(Done { plan: Some(survey.plan), report: Some(report), failure: None }))
    }
}

impl<'m> AccountJob<'m> for Tag<'m> {
    type Facts = Facts;
    type Item = Item<'m>;

    fn facts(&self, organization: &Organization<'_>, account: &Account) -> Result<Option<Facts>, StoreError> {
        self.account_names.borrow_mut().insert(account.id.clone(), account.name.clone());
        let records = organization.store.types_by_region(&account.id)?;
        let (open, done) = self.progress(organization.store, account)?;
        let regions = regions_of(&self.regions, account).given();
        let left = self.surveys(account, &records, regions.as_deref(), &done);
        Ok((!left.is_empty() || !open.is_empty()).then_some(Facts { records, open, done }))
    }

    async fn places(
        &self,
        account: &Account,
        session: &Session,
        facts: Facts,
    ) -> Result<Vec<(Region, Item<'m>)>, CallError> {
        let regions = regions_of(&self.regions, account).ask(session).await?;
        let mut done = facts.done;
        done.extend(facts.open.iter().map(|run| run.region.clone()));
        let left = self.surveys(account, &facts.records, regions.as_deref(), &done).into_iter();
        let begun = facts.open.into_iter().filter(|_| !self.only_plan);
        let mut items: Vec<(Region, Item<'m>)> =
            begun.map(|run| (run.region.clone(), Item::Rest(Box::new(run)))).collect();
        items.extend(left.map(|(region, chosen)| (region, Item::Survey(chosen))));
        Ok(items)
    }

    async fn execute(
        &self,
        runner: &Runner<'_>,
        item: Item<'m>,
        stop: &CancellationToken,
    ) -> Result<Option<Done>, StoreError> {
        match item {
            Item::Survey(chosen) => self.survey(runner, chosen, stop).await,
            Item::Rest(run) => go_on_with(runner, &run, stop).await,
        }
    }
}

/// The runs of a run across an organization that are not finished, in an account.
pub(super) fn open_runs(store: &Store, run: OrganizationRunId, account: &AccountId) -> Result<Vec<Run>, StoreError> {
    let mut open = store.runs_of_organization(run, Some(account))?;
    open.retain(|run| run.finished_at.is_none());
    Ok(open)
}

/// Makes the writes that an interrupted run left.
pub(super) async fn go_on_with(
    runner: &Runner<'_>,
    run: &Run,
    stop: &CancellationToken,
) -> Result<Option<Done>, StoreError> {
    let rows = run::open_writes(runner.store, run.run_id)?;
    let Some(prepared) = unless_stopped(stop, runner.prepare_rest(rows)).await else { return Ok(None) };
    let report = runner.execute(Target::Resumed(run.run_id), prepared, stop.cancelled(), &mut |_| ()).await?;
    Ok(Some(Done { report: Some(report), ..Done::default() }))
}
