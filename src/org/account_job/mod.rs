//! What is done in each account and region: tagging, taking back, applying a saved plan.

mod apply;
mod held;
mod tag;
mod undo;

pub use apply::{Apply, PlanAt, UnreadPlan};
pub use held::Held;
pub use tag::Tag;
pub use undo::Undo;

use super::Account;
use super::organization::{Done, Organization};
use crate::aws::{CallError, Session};
use crate::model::Region;
use crate::store::StoreError;
use crate::tag::run::Runner;
use tokio_util::sync::CancellationToken;

/// Something to do in each account.
#[allow(async_fn_in_trait, reason = "all runs in one task: nothing needs to be Send")]
pub trait AccountJob<'m> {
    /// What is known of an account before any call.
    type Facts;
    /// What there is to do in one of its regions.
    type Item;

    /// What is known of an account without any call. `None`: there is nothing to do in it, so it is not even signed in to.
    ///
    /// # Errors
    /// SQLite's.
    fn facts(&self, organization: &Organization<'_>, account: &Account) -> Result<Option<Self::Facts>, StoreError>;

    /// What there is to do, by region.
    ///
    /// # Errors
    /// A call that all depends on.
    async fn places(
        &self,
        account: &Account,
        session: &Session,
        facts: Self::Facts,
    ) -> Result<Vec<(Region, Self::Item)>, CallError>;

    /// Does it. `None`: a stop was requested before anything was written.
    ///
    /// # Errors
    /// SQLite's.
    async fn execute(
        &self,
        runner: &Runner<'_>,
        item: Self::Item,
        stop: &CancellationToken,
    ) -> Result<Option<Done>, StoreError>;
}

/// Work that writes nothing, unless a stop is requested first.
pub(crate) async fn unless_stopped<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        result = work => Some(result),
    }
}
