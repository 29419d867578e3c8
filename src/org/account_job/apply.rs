//! Applying: the plans of a saved file, each in its account and region. They are read when it is their turn, so memory does not grow
//! with their number.

use std::collections::HashMap;
use std::io;

use super::{AccountJob, unless_stopped};
use crate::aws::{CallError, Session};
use crate::model::{AccountId, Region};
use crate::org::Account;
use crate::org::organization::{Done, Organization};
use crate::packed_list::PackedList;
use crate::plan::PlannedWrite;
use crate::store::StoreError;
use crate::tag::run::{Runner, Target};
use tokio_util::sync::CancellationToken;

/// The position of a plan in the file.
#[derive(Debug, Clone)]
pub struct PlanAt {
    /// Its region.
    pub region: Region,
    /// Its first byte.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
}

/// A plan that was read before and can't be read again: its file was changed or removed meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("reading {what} again: {error}")]
pub struct UnreadPlan {
    /// The file, or "a plan".
    pub what: String,
    /// The error.
    #[source]
    pub error: io::Error,
}

/// Applies saved plans.
#[derive(Debug)]
pub struct Apply<R> {
    /// The plans, by account.
    pub plans: HashMap<AccountId, Vec<PlanAt>>,
    /// Reads one of them again.
    pub read: R,
    /// Whether they are only compared with the present state.
    pub only_plan: bool,
}

impl<'m, R: Fn(&PlanAt) -> Result<PackedList<PlannedWrite>, UnreadPlan>> AccountJob<'m> for Apply<R> {
    type Facts = Vec<PlanAt>;
    type Item = PlanAt;

    fn facts(&self, _: &Organization<'_>, account: &Account) -> Result<Option<Vec<PlanAt>>, StoreError> {
        Ok(self.plans.get(&account.id).cloned())
    }

    async fn places(&self, _: &Account, _: &Session, plans: Vec<PlanAt>) -> Result<Vec<(Region, PlanAt)>, CallError> {
        Ok(plans.into_iter().map(|plan| (plan.region.clone(), plan)).collect())
    }

    async fn execute(
        &self,
        runner: &Runner<'_>,
        plan: PlanAt,
        stop: &CancellationToken,
    ) -> Result<Option<Done>, StoreError> {
        let actions = match (self.read)(&plan) {
            Ok(actions) => actions,
            Err(error) => return Ok(Some(Done::failed(error.to_string()))),
        };
        let Some(prepared) = unless_stopped(stop, runner.prepare_plan(&actions)).await else { return Ok(None) };
        let report = if self.only_plan {
            prepared.into_report()
        } else {
            runner.execute(Target::Tag, prepared, stop.cancelled(), &mut |_| ()).await?
        };
        Ok(Some(Done { report: Some(report), ..Done::default() }))
    }
}
