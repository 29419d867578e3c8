//! The life of a query: started once, watched until it ends, stopped if the user interrupts.
//!
//! A query is charged once. Before it starts, it is written to the store with a client request token, which makes a
//! second start return the same query. Then its ID is added. After an interruption of any kind, the same command finds the
//! query there and resumes it.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::client::{Athena, Execution, StartRequest, State};
use super::{LoadError, Notice};
use crate::aws::{CallError, ErrorClass};
use crate::store::Fingerprint;
use crate::store::Store;
use crate::store::athena_queries::PendingQuery;
use tokio_util::sync::CancellationToken;

/// The first interval between two checks of a query. Most queries take seconds.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The growth factor of the interval, …
const WAIT_GROWTH: f64 = 1.5;
/// … up to this maximum.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Starts a query, or resumes the one that the same command started before. `key` identifies the command.
///
/// # Errors
/// Athena rejects the query, or the store can't be written.
pub(super) async fn start(
    athena: &Athena,
    store: &mut Store,
    key: Fingerprint,
    request: &StartRequest,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Result<String, LoadError> {
    if let Some(pending) = store.pending_athena_query(key)?
        && let Some(id) = pick_up(athena, store, key, &pending, notify).await?
    {
        return Ok(id);
    }
    store.keep_athena_query(key, &pending(request))?;
    let id = started_by(athena, store, key, request).await?;
    notify(Notice::Started { id: &id });
    Ok(id)
}

fn pending(request: &StartRequest) -> PendingQuery {
    let StartRequest { sql, database, workgroup, output, token } = request.clone();
    let started_at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    PendingQuery { sql, database, workgroup, output, token, query_id: None, started_at }
}

fn request_of(pending: &PendingQuery) -> StartRequest {
    let PendingQuery { sql, database, workgroup, output, token, .. } = pending.clone();
    StartRequest { sql, database, workgroup, output, token }
}

/// A token that is different from that of any other start.
pub(super) fn new_token(key: Fingerprint) -> String {
    let digest = Sha256::new()
        .chain_update(key.as_bytes())
        .chain_update(Timestamp::now().as_nanosecond().to_le_bytes())
        .chain_update(std::process::id().to_le_bytes())
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Starts the query and saves its ID. If Athena rejects it, it is removed from the store.
async fn started_by(
    athena: &Athena,
    store: &mut Store,
    key: Fingerprint,
    request: &StartRequest,
) -> Result<String, LoadError> {
    match athena.start(request).await {
        Ok(id) => {
            store.note_athena_query_id(key, &id)?;
            Ok(id)
        }
        Err(error) => {
            if certainly_not_started(&error) {
                store.forget_athena_command(key)?;
            }
            Err(error.into())
        }
    }
}

/// Whether Athena itself rejected the start. After a connection error this is unknown.
fn certainly_not_started(error: &CallError) -> bool {
    matches!(
        error.class,
        ErrorClass::Refused
            | ErrorClass::AccessDenied
            | ErrorClass::Credentials
            | ErrorClass::NotFound
            | ErrorClass::Throttled
            | ErrorClass::Conflict
    )
}

/// Returns the ID of the query that was started before, if it can still be used.
async fn pick_up(
    athena: &Athena,
    store: &mut Store,
    key: Fingerprint,
    pending: &PendingQuery,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Result<Option<String>, LoadError> {
    let id = match &pending.query_id {
        Some(id) => id.clone(),
        None => match started_by(athena, store, key, &request_of(pending)).await {
            Ok(id) => id,
            Err(LoadError::Call(error)) if error.class == ErrorClass::Refused => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    match athena.execution(&id).await {
        Ok(execution) if matches!(execution.state, State::Failed | State::Cancelled) => {
            store.forget_athena_command(key)?;
            Ok(None)
        }
        Ok(_) => {
            notify(Notice::PickedUp { id: &id, started_at: &pending.started_at });
            Ok(Some(id))
        }
        // The query is older than 45 days, or the command now runs in another account.
        Err(error) if matches!(error.class, ErrorClass::Refused | ErrorClass::NotFound) => {
            store.forget_athena_command(key)?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Watches a query until it succeeds. If `ours` is set, this command started it, and stops it when the user
/// interrupts.
///
/// # Errors
/// It failed, was cancelled, or the user interrupts.
pub(super) async fn wait(
    athena: &Athena,
    id: &str,
    ours: bool,
    wish: &CancellationToken,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Result<Execution, LoadError> {
    let mut pause = FIRST_WAIT;
    loop {
        let execution = tokio::select! {
            () = wish.cancelled() => return Err(stop(athena, id, ours).await),
            execution = athena.execution(id) => execution?,
        };
        notify(Notice::Running(&execution));
        match execution.state {
            State::Succeeded => return Ok(execution),
            State::Failed | State::Cancelled => return Err(LoadError::Ended(Box::new(execution))),
            State::Queued | State::Running => {}
        }
        tokio::select! {
            () = wish.cancelled() => return Err(stop(athena, id, ours).await),
            () = tokio::time::sleep(pause) => {}
        }
        pause = pause.mul_f64(WAIT_GROWTH).min(LONGEST_WAIT);
    }
}

/// Ends the wait because the user interrupted it.
async fn stop(athena: &Athena, id: &str, ours: bool) -> LoadError {
    let id = id.to_owned();
    if !ours {
        return LoadError::Interrupted { id, query: AfterInterrupt::GoesOn };
    }
    match athena.stop(&id).await {
        Ok(()) => LoadError::Interrupted { id, query: AfterInterrupt::Stopped },
        Err(error) => LoadError::Interrupted { id, query: AfterInterrupt::NotStopped(error.to_string()) },
    }
}

/// The state of the query after an interruption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterInterrupt {
    /// It was stopped.
    Stopped,
    /// It could not be stopped, for this reason.
    NotStopped(String),
    /// This command did not start it, so it was not stopped.
    GoesOn,
    /// It had already succeeded. Its result remains.
    Succeeded,
}
