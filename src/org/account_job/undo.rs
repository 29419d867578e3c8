//! Taking back: the runs of a run across an organization, each in its account and region.

use std::collections::HashMap;

use super::{AccountJob, unless_stopped};
use crate::aws::{CallError, Session};
use crate::model::RunId;
use crate::model::{AccountId, Region};
use crate::org::Account;
use crate::org::organization::{Done, Organization};
use crate::store::StoreError;
use crate::store::journal::Run;
use crate::tag::run::{Runner, Target, standing};
use tokio_util::sync::CancellationToken;

/// Takes runs back.
#[derive(Debug)]
pub struct Undo {
    /// The runs, by account.
    pub runs: HashMap<AccountId, Vec<Run>>,
    /// Whether only the plan is wanted.
    pub only_plan: bool,
}

impl<'m> AccountJob<'m> for Undo {
    type Facts = Vec<Run>;
    type Item = RunId;

    fn facts(&self, organization: &Organization<'_>, account: &Account) -> Result<Option<Vec<Run>>, StoreError> {
        let mut open = Vec::new();
        for run in self.runs.get(&account.id).into_iter().flatten() {
            if !standing(organization.store, run.run_id)?.writes.is_empty() {
                open.push(run.clone());
            }
        }
        Ok((!open.is_empty()).then_some(open))
    }

    async fn places(&self, _: &Account, _: &Session, runs: Vec<Run>) -> Result<Vec<(Region, RunId)>, CallError> {
        Ok(runs.into_iter().map(|run| (run.region, run.run_id)).collect())
    }

    async fn execute(
        &self,
        runner: &Runner<'_>,
        run: RunId,
        stop: &CancellationToken,
    ) -> Result<Option<Done>, StoreError> {
        let rows = standing(runner.store, run)?.writes;
        let Some(prepared) = unless_stopped(stop, runner.prepare_undo(rows)).await else { return Ok(None) };
        let report = if self.only_plan {
            prepared.into_report()
        } else {
            runner.execute(Target::UndoOf(run), prepared, stop.cancelled(), &mut |_| ()).await?
        };
        Ok(Some(Done { report: Some(report), ..Done::default() }))
    }
}
