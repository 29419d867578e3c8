//! One round of tagging: the resources that new records created, each account-region with one survey of the types concerned. The rules are
//! those of `tag`: a resource that has the tag is left alone, each write is in the journal before its call.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::waiting::NewResource;
use crate::aws::{CallError, Session};
use crate::creator::OwnerRules;
use crate::load::batch::Effect;
use crate::load::identity_center;
use crate::model::{AccountId, Region, ResourceType, RunId, TagKey};
use crate::org::account_job::AccountJob;
use crate::org::account_regions::regions_of;
use crate::org::targets::places;
use crate::org::{Account, Done, Event, Organization, fan_out};
use crate::packed_list::PackedList;
use crate::plan::updates::Updates;
use crate::plan::{Creation, MoreTag, Plan, Question, Scope, SkipKind};
use crate::resource_map::ResourceMap;
use crate::store::journal::{RunWrite, WriteOutcome};
use crate::store::{Store, StoreError};
use crate::tag::chosen::{Chosen, TypeChoice};
use crate::tag::collect::{Look, Proof, Survey, survey};
use crate::tag::run::{RunReport, Runner, Target};

/// What is written, and on what.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The tag that names the owner.
    pub key: TagKey,
    /// Further keys that count as that tag.
    pub owner_keys: Vec<TagKey>,
    /// Further tags.
    pub more_tags: Vec<MoreTag>,
    /// Only these types; empty: all.
    pub types: Vec<ResourceType>,
    /// Types that are left out.
    pub not_types: Vec<ResourceType>,
    /// Whether another value of the tags is replaced.
    pub overwrite: bool,
    /// Whether resources of the types concerned that no person created have their parent's owner.
    pub inherit: bool,
    /// Who is the owner.
    pub rules: OwnerRules,
    /// What else limits the writes.
    pub scope: Scope,
    /// Which writes with side effects may be made.
    pub updates: Updates,
    /// The most writes of a round in an account-region; with more, none is made.
    pub max_changes: Option<u64>,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// How resources are tagged.
#[derive(Debug)]
pub struct Tagging<'t> {
    /// The way to all accounts.
    pub base: &'t Session,
    /// The resource map.
    pub map: &'t ResourceMap,
    /// Records and journal.
    pub store: &'t Store,
    /// The accounts to tag in.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Account-regions at once.
    pub concurrency: usize,
    /// What is written.
    pub wanted: Wanted,
}

/// What came of a resource in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It was tagged.
    Tagged {
        /// The tags and their values.
        tags: Vec<(String, String)>,
        /// The run in the journal.
        run: Option<RunId>,
    },
    /// It gets no tag: it has it, has no owner, is not in the accounts file…
    Skipped(String),
    /// It is not listed: it does not exist, or does not exist yet.
    NotListed,
    /// It could not be tagged. It may be possible later.
    Failed(String),
    /// It could not be tagged, and must not be tried again by itself.
    Refused(String),
}

/// What came of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// The resources.
    pub settled: BTreeMap<NewResource, Settled>,
    /// The plans of a dry run.
    pub plans: Vec<Plan>,
}

impl Tagging<'_> {
    /// Whether what an event created is to be tagged.
    pub fn wants(&self, effect: &Effect) -> bool {
        let name = &effect.touched.resource_type;
        let access = self.map.definition(name).and_then(|definition| definition.access.as_ref());
        access.is_some_and(|access| access.write.is_some())
            && self.accounts.contains_key(&effect.account)
            && (self.wanted.types.is_empty() || self.wanted.types.contains(name))
            && !self.wanted.not_types.contains(name)
    }

    /// Tags these resources, as far as possible now.
    ///
    /// # Errors
    /// The database fails; no call is made after that.
    pub async fn round(&self, resources: &[NewResource]) -> Result<Round, StoreError> {
        let mut by_account: BTreeMap<AccountId, Vec<NewResource>> = BTreeMap::new();
        for resource in resources {
            by_account.entry(resource.account.clone()).or_default().push(resource.clone());
        }
        let people = identity_center::names(self.base, self.store, None).await?;
        let rules = OwnerRules { people: Arc::new(people), ..self.wanted.rules.clone() };
        let accounts = self.accounts.values().filter(|account| by_account.contains_key(&account.id)).cloned().collect();
        let job = TagNew { tagging: self, rules, by_account, round: RefCell::default() };
        // Once begun, a round goes on to its end: it is short, and the journal is whole.
        let stop = CancellationToken::new();
        let organization = Organization {
            base: self.base,
            map: self.map,
            store: self.store,
            key: self.wanted.key.clone(),
            run: None,
            updates: &self.wanted.updates,
            stop: &stop,
            concurrency: self.concurrency,
        };
        let mut failures: Vec<(AccountId, Option<Region>, String)> = Vec::new();
        let mut note = |event: Event<'_>| {
            if let Event::Failed(account, region, failure) = event {
                let hint = failure.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
                failures.push((account.id.clone(), region.cloned(), format!("{}{hint}", failure.error)));
            }
        };
        fan_out(&organization, &job, accounts, &mut note).await?;
        let mut round = job.round.into_inner();
        for resource in resources {
            let failure = failures.iter().find(|(account, region, _)| {
                *account == resource.account && region.as_ref().is_none_or(|region| *region == resource.region)
            });
            let reason = || failure.map_or("its account-region was not processed", |(_, _, reason)| reason.as_str());
            round.settled.entry(resource.clone()).or_insert_with(|| Settled::Failed(reason().to_owned()));
        }
        Ok(round)
    }
}

/// The job in each account.
struct TagNew<'t, 'm> {
    tagging: &'t Tagging<'m>,
    rules: OwnerRules,
    by_account: BTreeMap<AccountId, Vec<NewResource>>,
    round: RefCell<Round>,
}

/// The new resources of an account-region.
struct Item<'m> {
    chosen: Chosen<'m>,
    resources: Vec<NewResource>,
}

impl<'m> AccountJob<'m> for TagNew<'_, 'm> {
    type Facts = Vec<NewResource>;
    type Item = Item<'m>;

    fn facts(&self, _: &Organization<'_>, account: &Account) -> Result<Option<Vec<NewResource>>, StoreError> {
        Ok(self.by_account.get(&account.id).cloned())
    }

    async fn places(
        &self,
        account: &Account,
        session: &Session,
        resources: Vec<NewResource>,
    ) -> Result<Vec<(Region, Item<'m>)>, CallError> {
        let (map, wanted) = (self.tagging.map, &self.tagging.wanted);
        let regions = regions_of(&[], account).ask(session).await?;
        let mut types: BTreeMap<Region, BTreeSet<ResourceType>> = BTreeMap::new();
        for NewResource { region, creation, .. } in &resources {
            types.entry(region.clone()).or_default().insert(creation.resource_type.clone());
        }
        let types = types.into_iter().map(|(region, types)| (region, types.into_iter().collect())).collect();
        let choice = TypeChoice { named: &wanted.types, all: false, inherit: wanted.inherit };
        let places = places(map, &types, regions.as_deref(), choice);
        let mut left = resources;
        let items = places.into_iter().map(|(region, mut chosen)| {
            chosen.leave_out(&wanted.not_types);
            let is_here = |resource: &NewResource| {
                let name = &resource.creation.resource_type;
                let of_type = chosen.types.iter().find(|definition| definition.resource_type == *name);
                of_type.is_some_and(|definition| definition.global || resource.region == region)
            };
            let (here, others) = std::mem::take(&mut left).into_iter().partition(|resource| is_here(resource));
            left = others;
            (region, Item { chosen, resources: here })
        });
        let items = items.filter(|(_, item)| !item.resources.is_empty()).collect();
        let elsewhere =
            || Settled::Skipped("its region is not among those of its account in the accounts file".to_owned());
        self.round.borrow_mut().settled.extend(left.into_iter().map(|resource| (resource, elsewhere())));
        Ok(items)
    }

    async fn execute(
        &self,
        runner: &Runner<'_>,
        item: Item<'m>,
        stop: &CancellationToken,
    ) -> Result<Option<Done>, StoreError> {
        let wanted = &self.tagging.wanted;
        let created: BTreeSet<Creation> = item.resources.iter().map(|resource| resource.creation.clone()).collect();
        let question = Question {
            account: runner.place.account.clone(),
            region: runner.place.region.clone(),
            key: wanted.key.clone(),
            owner_keys: wanted.owner_keys.clone(),
            more_tags: wanted.more_tags.clone(),
            overwrite: wanted.overwrite,
            inherit: wanted.inherit,
            rules: self.rules.clone(),
            updates: runner.updates.clone(),
            scope: Scope { created_by: Some(Arc::new(created)), ..wanted.scope.clone() },
        };
        let mut silent = |_, _: &ResourceType| ();
        let how = Look {
            session: runner.session,
            map: runner.map,
            store: runner.store,
            question: &question,
            proof: Proof::Writes,
            // It lags: what was created just now is not in it.
            config: None,
        };
        let mut survey = survey(how, item.chosen, &mut silent).await?;
        let writes = u64::try_from(survey.plan.actions.len()).unwrap_or(u64::MAX);
        let refusal = match wanted.max_changes {
            Some(most) if writes > most && !wanted.dry_run => {
                Some(Settled::Refused(format!("the round has {writes} writes, and --max-changes allows {most}")))
            }
            _ if wanted.dry_run => Some(Settled::Skipped("dry run: nothing was written".to_owned())),
            _ => None,
        };
        let report = match refusal {
            Some(_) => RunReport { run: None, writes: PackedList::new(), stopped: None },
            None => {
                let prepared = runner.prepare_survey(&mut survey);
                runner.execute(Target::Tag, prepared, stop.cancelled(), &mut |_| ()).await?
            }
        };
        let outcome = Outcome { survey: &survey, report: &report, refusal };
        let settled = item.resources.into_iter().map(|resource| {
            let settled = outcome.of(&resource.creation);
            (resource, settled)
        });
        let mut round = self.round.borrow_mut();
        round.settled.extend(settled);
        if wanted.dry_run {
            round.plans.push(survey.plan);
        }
        Ok(Some(Done::default()))
    }
}

/// What came of an account-region.
struct Outcome<'o> {
    survey: &'o Survey,
    report: &'o RunReport,
    /// What came of all planned writes, if none was made.
    refusal: Option<Settled>,
}

impl Outcome<'_> {
    fn of(&self, creation: &Creation) -> Settled {
        let plan = &self.survey.plan;
        let name = &creation.resource_type;
        if let Some(failed) = plan.summary.failed_types.iter().find(|failed| failed.resource_type == *name) {
            let hint = failed.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            return Settled::Failed(format!("its type could not be listed: {}{hint}", failed.error));
        }
        if let Some(skipped) = plan.summary.skipped_types.iter().find(|skipped| skipped.resource_type == *name) {
            return Settled::Skipped(skipped.reason.clone());
        }
        let Some((id, arn)) = self.survey.created.get(creation) else { return Settled::NotListed };
        if let Some(refusal) = &self.refusal
            && plan.actions.iter().any(|action| action.resource_type == *name && action.id == *id && action.arn == *arn)
        {
            return refusal.clone();
        }
        let is_of = |row: &RunWrite| row.write.resource_type == *name && row.write.id == *id && row.write.arn == *arn;
        let writes: Vec<RunWrite> = self.report.writes.iter().filter(is_of).collect();
        let skipped: Vec<_> = plan.skipped.iter().filter(|row| row.resource_type == *name && row.id == *id).collect();
        let later = |kind: SkipKind| matches!(kind, SkipKind::NotNow | SkipKind::TagsUnknown);
        if let Some(reason) = writes.iter().find_map(|row| failure(&row.outcome)) {
            return Settled::Failed(reason);
        }
        if let Some(row) = skipped.iter().find(|row| later(row.kind)) {
            return Settled::Failed(row.reason.clone());
        }
        let written = writes.iter().filter(|row| matches!(row.outcome, WriteOutcome::Written { .. }));
        let tag = |row: &RunWrite| {
            let value = row.write.new_value.as_ref().map_or("", |value| value.as_str());
            (row.write.key.to_string(), value.to_owned())
        };
        let tags: Vec<_> = written.map(tag).collect();
        if !tags.is_empty() {
            return Settled::Tagged { tags, run: self.report.run };
        }
        let of_write = writes.iter().find_map(|row| reason(&row.outcome));
        let of_plan = skipped.first().map(|row| row.reason.clone());
        Settled::Skipped(of_write.or(of_plan).unwrap_or_else(|| "it needs no tag".to_owned()))
    }
}

/// Why a write was not made and may be later.
fn failure(outcome: &WriteOutcome) -> Option<String> {
    match outcome {
        WriteOutcome::Failed(reason)
        | WriteOutcome::UnderWay(reason)
        | WriteOutcome::InDoubt(reason)
        | WriteOutcome::Unfinished(reason) => Some(reason.clone()),
        WriteOutcome::Written { .. }
        | WriteOutcome::RolledBack(_)
        | WriteOutcome::Vanished(_)
        | WriteOutcome::Skipped(_) => None,
    }
}

/// Why a write was not made and will not be.
fn reason(outcome: &WriteOutcome) -> Option<String> {
    match outcome {
        WriteOutcome::RolledBack(reason) | WriteOutcome::Vanished(reason) | WriteOutcome::Skipped(reason) => {
            Some(reason.clone())
        }
        _ => None,
    }
}
