//! A query's life: started once and for all, watched until it ends, stopped when the user goes away.
//!
//! A query is paid for once: what is about to be started is written to the store first, with the token that makes a
//! second start of it give the same query, then its id. The same command after an interruption, of whatever kind and at
//! whatever moment, finds it there and goes on with it.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::client::{Athena, Execution, StartRequest, State};
use super::{LoadError, Notice};
use crate::aws::{CallError, ErrorClass};
use crate::load::Stop;
use crate::store::Store;
use crate::store::athena_queries::PendingQuery;
use crate::store::ledger::Fingerprint;

/// The first wait between two looks at a query; most queries take seconds.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Each wait is longer than the one before by this factor, …
const WAIT_GROWTH: f64 = 1.5;
/// … up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Starts a query, or goes on with the one that the same command began before. `key` stands for the command.
///
/// # Errors
/// Athena refuses the query, or the store can't be written.
pub(super) async fn start(
    athena: &Athena,
    store: &mut Store,
    key: Fingerprint,
    request: &StartRequest,
    tell: &mut dyn FnMut(Notice<'_>),
) -> Result<String, LoadError> {
    if let Some(pending) = store.pending_athena_query(key)?
        && let Some(id) = pick_up(athena, store, key, &pending, tell).await?
    {
        return Ok(id);
    }
    store.keep_athena_query(key, &pending(request))?;
    let id = started_by(athena, store, key, request).await?;
    tell(Notice::Started { id: &id });
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

/// A token for a start that has nothing to do with any other.
pub(super) fn new_token(key: Fingerprint) -> String {
    let digest = Sha256::new()
        .chain_update(key.as_bytes())
        .chain_update(Timestamp::now().as_nanosecond().to_le_bytes())
        .chain_update(std::process::id().to_le_bytes())
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends the start and keeps the id. A refused one is forgotten: there is nothing to go on with.
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

/// An answer of Athena's own; after a broken connection nobody knows.
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

/// The id of the query begun before, where it still can be used.
async fn pick_up(
    athena: &Athena,
    store: &mut Store,
    key: Fingerprint,
    pending: &PendingQuery,
    tell: &mut dyn FnMut(Notice<'_>),
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
            tell(Notice::PickedUp { id: &id, started_at: &pending.started_at });
            Ok(Some(id))
        }
        // Athena forgets queries after 45 days; or the command runs in another account now.
        Err(error) if matches!(error.class, ErrorClass::Refused | ErrorClass::NotFound) => {
            store.forget_athena_command(key)?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Watches a query until it has succeeded. `ours` says that this command started it: then it is stopped when the user
/// interrupts.
///
/// # Errors
/// It failed, was cancelled, or the user interrupts.
pub(super) async fn wait(
    athena: &Athena,
    id: &str,
    ours: bool,
    wish: &Stop,
    tell: &mut dyn FnMut(Notice<'_>),
) -> Result<Execution, LoadError> {
    let mut pause = FIRST_WAIT;
    loop {
        let execution = tokio::select! {
            () = wish.wait() => return Err(stop(athena, id, ours).await),
            execution = athena.execution(id) => execution?,
        };
        tell(Notice::Running(&execution));
        match execution.state {
            State::Succeeded => return Ok(execution),
            State::Failed | State::Cancelled => return Err(LoadError::Ended(Box::new(execution))),
            State::Queued | State::Running => {}
        }
        tokio::select! {
            () = wish.wait() => return Err(stop(athena, id, ours).await),
            () = tokio::time::sleep(pause) => {}
        }
        pause = pause.mul_f64(WAIT_GROWTH).min(LONGEST_WAIT);
    }
}

/// Ends the wait because the user wants so.
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

/// What became of the query when the user interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterInterrupt {
    /// It was stopped.
    Stopped,
    /// It should have been stopped; why it couldn't.
    NotStopped(String),
    /// It wasn't ours to stop.
    GoesOn,
    /// It had succeeded already: its result stays.
    Succeeded,
}
