//! Writing what was surveyed and counted before: plans that were held back until the total was known, and the rest of an
//! interrupted run. Plans are read when it is their turn, and compared with the present state, as saved plans are.

use std::collections::HashMap;

use super::tag::{go_on_with, open_runs};
use super::{AccountJob, PlanAt, UnreadPlan, unless_stopped};
use crate::aws::{CallError, Session};
use crate::model::{AccountId, Region};
use crate::org::Account;
use crate::org::organization::{Done, Organization};
use crate::plan::Plan;
use crate::store::StoreError;
use crate::store::journal::Run;
use crate::store::organization_runs::OrganizationRunId;
use crate::tag::run::{Runner, Target};
use tokio_util::sync::CancellationToken;

/// Writes plans that were held back.
#[derive(Debug)]
pub struct Held<'a, R> {
    /// The plans, by account.
    pub plans: &'a HashMap<AccountId, Vec<PlanAt>>,
    /// The interrupted run to go on with.
    pub resumed: Option<OrganizationRunId>,
    /// Reads one of the plans.
    pub read: R,
}

/// What to do in an account-region.
#[derive(Debug)]
pub enum HeldItem {
    /// To write a plan.
    Plan(PlanAt),
    /// To go on with a run.
    Rest(Box<Run>),
}

impl<'m, R: Fn(&PlanAt) -> Result<Plan, UnreadPlan>> AccountJob<'m> for Held<'_, R> {
    type Facts = Vec<HeldItem>;
    type Item = HeldItem;

    fn facts(&self, organization: &Organization<'_>, account: &Account) -> Result<Option<Vec<HeldItem>>, StoreError> {
        let open = match self.resumed {
            Some(run) => open_runs(organization.store, run, &account.id)?,
            None => Vec::new(),
        };
        let plans = self.plans.get(&account.id).into_iter().flatten().cloned();
        let rest = open.into_iter().map(|run| HeldItem::Rest(Box::new(run)));
        let items: Vec<HeldItem> = rest.chain(plans.map(HeldItem::Plan)).collect();
        Ok((!items.is_empty()).then_some(items))
    }

    async fn places(
        &self,
        _: &Account,
        _: &Session,
        items: Vec<HeldItem>,
    ) -> Result<Vec<(Region, HeldItem)>, CallError> {
        let region = |item: &HeldItem| match item {
            HeldItem::Plan(plan) => plan.region.clone(),
            HeldItem::Rest(run) => run.region.clone(),
        };
        Ok(items.into_iter().map(|item| (region(&item), item)).collect())
    }

    async fn execute(
        &self,
        runner: &Runner<'_>,
        item: HeldItem,
        stop: &CancellationToken,
    ) -> Result<Option<Done>, StoreError> {
        let at = match item {
            HeldItem::Rest(run) => return go_on_with(runner, &run, stop).await,
            HeldItem::Plan(at) => at,
        };
        let plan = match (self.read)(&at) {
            Ok(plan) => plan,
            Err(error) => return Ok(Some(Done::failed(error.to_string()))),
        };
        let Some(prepared) = unless_stopped(stop, runner.prepare_plan(&plan.actions)).await else { return Ok(None) };
        let report = runner.execute(Target::Tag, prepared, stop.cancelled(), &mut |_| ()).await?;
        Ok(Some(Done { plan: Some(plan), report: Some(report), failure: None }))
    }
}
