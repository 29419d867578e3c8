//! What loads from AWS APIs that return records have in common: Event history ([`super::history`]) and log groups ([`super::logs`]).

use tokio_util::sync::CancellationToken;

use super::Figures;
use crate::aws::{CallError, Session};
use crate::store::{Store, StoreError};
use crate::trail::scan::Scanner;

/// The parts that a load works with.
pub struct ApiLoad<'a> {
    /// The AWS session.
    pub session: &'a Session,
    /// Selects the records and events to load.
    pub scanner: &'a Scanner,
    /// The destination of the events.
    pub store: &'a mut Store,
    /// Set when the user wants to stop.
    pub stop: &'a CancellationToken,
    /// Called with the current figures. Units are days, of Event history days of a region.
    pub watch: &'a mut dyn FnMut(&Figures),
}

/// Why a load failed. Everything committed before is saved.
#[derive(Debug, thiserror::Error)]
pub enum ApiLoadError {
    /// The account, or what is to be read, could not be looked up.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
