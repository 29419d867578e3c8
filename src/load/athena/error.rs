//! Errors of a load through Athena, with hints.

use super::client::{Execution, State};
use super::query::AfterInterrupt;
use super::results::ResultsError;
use super::row::NotRecords;
use super::table::TableError;
use crate::aws::CallError;
use crate::store::StoreError;

/// Why a load failed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Our own database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No CloudTrail table was found, or several.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The table's projection needs values that the request does not have.
    #[error("table {table} needs a value for its partition key {} (injected projection)", .keys.join(", "))]
    Injected {
        /// The table.
        table: String,
        /// The keys.
        keys: Vec<String>,
    },
    /// The query did not succeed.
    #[error("query {} {}: {}", .0.id, ended(.0.state), .0.reason.as_deref().unwrap_or("Athena gave no reason"))]
    Ended(Box<Execution>),
    /// The result does not have CloudTrail records.
    #[error(transparent)]
    NotRecords(#[from] NotRecords),
    /// The result can't be read.
    #[error("can't read the result of query {id}: {error}")]
    Results {
        /// The query.
        id: String,
        /// Whether the result was deleted.
        gone: bool,
        /// The reason.
        error: Box<ResultsError>,
    },
    /// The user interrupted the load.
    #[error("interrupted: query {id} {}", after(.query))]
    Interrupted {
        /// The query.
        id: String,
        /// The state of the query after the interruption.
        query: AfterInterrupt,
    },
}

fn ended(state: State) -> &'static str {
    if state == State::Cancelled { "was cancelled" } else { "failed" }
}

fn after(query: &AfterInterrupt) -> String {
    match query {
        AfterInterrupt::Stopped => "was stopped".to_owned(),
        AfterInterrupt::NotStopped(reason) => format!("could not be stopped and is still running: {reason}"),
        AfterInterrupt::GoesOn => "is still running, because this command did not start it".to_owned(),
        AfterInterrupt::Succeeded => "succeeded, but its result is not completely loaded".to_owned(),
    }
}

impl LoadError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Call(error) => hint_of_call(error),
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Table(error) => Some(hint_of_table(error)),
            Self::Injected { keys, .. } if keys == &["account"] => Some("list the accounts with --account".to_owned()),
            Self::Injected { .. } => Some("use a table with another projection type for this key".to_owned()),
            Self::Ended(execution) => Some(hint_of_end(execution)),
            Self::NotRecords(_) => {
                Some("--query-id accepts only queries of trailcreator and c7n-trailcreator".to_owned())
            }
            Self::Results { gone: true, .. } => {
                Some("run the command again without --query-id to start a new query".to_owned())
            }
            Self::Results { id, error, .. } => match &**error {
                ResultsError::Call(error) => error.hint(),
                _ => Some(go_on(id)),
            },
            Self::Interrupted { id, query } => match query {
                AfterInterrupt::Stopped => Some("run the command again to start a new query".to_owned()),
                _ => Some(go_on(id)),
            },
        }
    }
}

fn go_on(id: &str) -> String {
    format!("to resume without a second charge, run the same command again, or load-athena --query-id {id}")
}

fn hint_of_call(error: &CallError) -> Option<String> {
    let about = |text: &str| error.message.contains(text);
    if error.operation.ends_with("TableMetadata") && (about("not found") || about("NotFound") || about("Not Found")) {
        return Some("name the database with --athena-db and the table with --table".to_owned());
    }
    if error.operation.ends_with("StartQueryExecution") && (about("output location") || about("output bucket")) {
        return Some("set a location for the result: --athena-output s3://BUCKET/PATH/".to_owned());
    }
    if error.operation.ends_with("GetWorkGroup") {
        return error.hint().or_else(|| Some("name the workgroup with --workgroup".to_owned()));
    }
    if error.operation.ends_with("GetQueryExecution") && about("not found") {
        return Some("check the query ID and --region; Athena keeps queries for 45 days".to_owned());
    }
    error.hint()
}

fn hint_of_table(error: &TableError) -> String {
    match error {
        TableError::NotCloudTrail { .. } | TableError::None { .. } => {
            "create the table in the CloudTrail console (Event history, Create Athena table), or name another database with \
             --athena-db; https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html"
        }
        TableError::NotLakesCloudTrail { .. } => {
            "name the table of management events, …_cloud_trail_mgmt_2_0; if the lake has only source version 1, migrate it: \
             https://docs.aws.amazon.com/security-lake/latest/userguide/internal-sources.html"
        }
        TableError::Several { .. } => "choose one with --table",
    }
    .to_owned()
}

fn hint_of_end(execution: &Execution) -> String {
    let reason = execution.reason.as_deref().unwrap_or_default();
    if reason.contains("Bytes scanned limit") {
        return "the workgroup limits the bytes that a query can scan: use a shorter time range or another --workgroup"
            .to_owned();
    }
    if reason.contains("Access Denied") || reason.contains("Insufficient permissions") {
        return "allow the current user or role to read the trail's bucket and the table in Glue".to_owned();
    }
    format!("see query {} in the Athena console, or print its SQL with --print-query", execution.id)
}
