//! What all account jobs of an organization have in common, and what comes of one.

use crate::aws::{CallError, Session};
use crate::model::TagKey;
use crate::plan::Plan;
use crate::plan::updates::Updates;
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::store::organization_runs::OrganizationRunId;
use crate::tag::run::RunReport;
use tokio_util::sync::CancellationToken;

/// What all accounts have in common.
#[derive(Debug)]
pub struct Organization<'a> {
    /// The way to all of them.
    pub base: &'a Session,
    /// How types are listed and tagged.
    pub map: &'a ResourceMap,
    /// Records and journal.
    pub store: &'a Store,
    /// The tag.
    pub key: TagKey,
    /// The run that all is part of; none where nothing is written.
    pub run: Option<OrganizationRunId>,
    /// Which writes with side effects may be made.
    pub updates: &'a Updates,
    /// A wish to end early.
    pub stop: &'a CancellationToken,
    /// Accounts at once, and regions of accounts at once.
    pub concurrency: usize,
}

/// What was done in a place.
#[derive(Debug, Default)]
pub struct Done {
    /// What was planned; `None` if a run was only resumed or undone.
    pub plan: Option<Plan>,
    /// What was written; none where only a plan was wanted.
    pub report: Option<RunReport>,
    /// Why nothing could be done.
    pub failure: Option<Failure>,
}

impl Done {
    /// Nothing: it failed.
    pub fn failed(error: String) -> Self {
        Self { failure: Some(Failure { is_of_role: false, error, hint: None }), ..Self::default() }
    }
}

/// Why an account, or a place, could not be worked on.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Whether its roles could not be assumed.
    pub is_of_role: bool,
    /// What AWS said.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// Of a call that ended all.
    pub(super) fn of(error: &CallError, is_of_role: bool) -> Self {
        Self { is_of_role, error: error.to_string(), hint: error.hint() }
    }
}
