//! Athena's API with our own types. The only module that uses its SDK.
//!
//! Throttled calls are retried: Athena limits calls per second, and concurrent queries in an account.

use std::future::Future;
use std::time::Duration;

use aws_sdk_athena::types::{
    Column, QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row as SdkRow,
    TableMetadata as SdkTable,
};
use jiff::Timestamp;

use super::row::Row;
use super::table::TableMetadata;
use crate::aws::{CallError, ErrorClass, Session};
use crate::model::Region;

/// The catalog of Glue tables.
const CATALOG: &str = "AwsDataCatalog";
/// The page size of ListTableMetadata: its maximum.
const TABLES_A_PAGE: i32 = 50;
/// The page size of GetQueryResults: its maximum.
const ROWS_A_PAGE: i32 = 1_000;
/// How often a call is retried that is still throttled after the SDK's own retries.
const THROTTLED_AGAIN: u32 = 40;
/// The wait before each retry: 20 minutes in total, the longest time that another user's query can occupy a slot.
const THROTTLED_WAIT: Duration = Duration::from_secs(30);

/// Calls Athena in one region. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Athena {
    client: aws_sdk_athena::Client,
    region: Region,
}

/// The result location of a workgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkgroupOutput {
    /// Athena stores results itself, for 24 hours. They can be read only through its API.
    Managed,
    /// Results go to this location, regardless of the query.
    Enforced(Option<String>),
    /// Results go to this location if the query does not set one.
    Own(String),
    /// The query must set a location.
    None,
}

/// The parameters to start a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRequest {
    /// The SQL.
    pub sql: String,
    /// The database to run it in.
    pub database: String,
    /// The workgroup to run it in.
    pub workgroup: String,
    /// The result location, `s3://bucket/path/`. `None` uses the location of the workgroup.
    pub output: Option<String>,
    /// The client request token, 32 to 128 characters. The same token never starts a second query.
    pub token: String,
}

/// The state of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for capacity.
    Queued,
    /// Runs.
    Running,
    /// Done; its result can be read.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Cancelled by a user, or because of the workgroup's limit of scanned bytes.
    Cancelled,
}

/// A query as Athena describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// The reason for its state, from Athena.
    pub reason: Option<String>,
    /// Bytes scanned so far, which determine the cost.
    pub scanned_bytes: u64,
    /// Time since it was submitted.
    pub elapsed: Duration,
    /// When it was submitted.
    pub submitted: Option<Timestamp>,
    /// The object with its result. `None` for managed results.
    pub output: Option<String>,
}

/// A page of a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Its rows. The first row of the first page has the column names.
    pub rows: Vec<Row>,
    /// The token for the next page.
    pub next: Option<String>,
}

impl Athena {
    /// A client for the region of the session.
    pub fn new(session: &Session) -> Self {
        let region = session.region().clone();
        Self { client: session.athena(&region), region }
    }

    /// Returns the result location of a workgroup.
    ///
    /// # Errors
    /// The call failed: the workgroup does not exist, or access is denied.
    pub async fn workgroup_output(&self, name: &str) -> Result<WorkgroupOutput, CallError> {
        let call =
            || async { self.client.get_work_group().work_group(name).send().await.map_err(self.error("GetWorkGroup")) };
        let answer = patiently(call).await?;
        let Some(configuration) = answer.work_group.and_then(|group| group.configuration) else {
            return Ok(WorkgroupOutput::None);
        };
        let location = configuration.result_configuration.and_then(|result| result.output_location);
        let location = location.filter(|location| !location.is_empty());
        Ok(
            match (
                configuration.managed_query_results_configuration,
                configuration.enforce_work_group_configuration,
                location,
            ) {
                (Some(managed), _, _) if managed.enabled => WorkgroupOutput::Managed,
                (_, Some(true), location) => WorkgroupOutput::Enforced(location),
                (_, _, Some(location)) => WorkgroupOutput::Own(location),
                (_, _, None) => WorkgroupOutput::None,
            },
        )
    }

    /// Lists all tables of a database.
    ///
    /// # Errors
    /// The call failed: the database does not exist, or access is denied.
    pub async fn tables(&self, database: &str, workgroup: &str) -> Result<Vec<TableMetadata>, CallError> {
        let mut tables = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = || async {
                let request = self.client.list_table_metadata().catalog_name(CATALOG).database_name(database);
                let request = request.work_group(workgroup).max_results(TABLES_A_PAGE).set_next_token(token.clone());
                request.send().await.map_err(self.error("ListTableMetadata"))
            };
            let page = patiently(call).await?;
            tables.extend(page.table_metadata_list.unwrap_or_default().into_iter().map(table_metadata));
            let next = page.next_token.filter(|next| !next.is_empty());
            if next.is_some() && next == token {
                let message = "the same page token was returned twice";
                return Err(CallError::bad_answer("athena:ListTableMetadata", &self.region, message));
            }
            match next {
                Some(next) => token = Some(next),
                None => return Ok(tables),
            }
        }
    }

    /// Returns one table.
    ///
    /// # Errors
    /// The call failed: the table does not exist, or access is denied.
    pub async fn table(&self, database: &str, name: &str, workgroup: &str) -> Result<TableMetadata, CallError> {
        let call = || async {
            let request = self.client.get_table_metadata().catalog_name(CATALOG).database_name(database);
            request.table_name(name).work_group(workgroup).send().await.map_err(self.error("GetTableMetadata"))
        };
        let answer = patiently(call).await?.table_metadata;
        let missing = || CallError::bad_answer("athena:GetTableMetadata", &self.region, "the response has no table");
        answer.map(table_metadata).ok_or_else(missing)
    }

    /// Starts a query, or finds the one that this token started. Returns its ID.
    ///
    /// # Errors
    /// The call failed: Athena rejects the query or its output location.
    pub async fn start(&self, request: &StartRequest) -> Result<String, CallError> {
        let context = QueryExecutionContext::builder().catalog(CATALOG).database(&request.database).build();
        let output =
            request.output.as_ref().map(|location| ResultConfiguration::builder().output_location(location).build());
        let call = || async {
            let call = self.client.start_query_execution().query_string(&request.sql).work_group(&request.workgroup);
            let call = call.query_execution_context(context.clone()).set_result_configuration(output.clone());
            call.client_request_token(&request.token).send().await.map_err(self.error("StartQueryExecution"))
        };
        let id = patiently(call).await?.query_execution_id;
        id.ok_or_else(|| {
            CallError::bad_answer("athena:StartQueryExecution", &self.region, "the response has no query ID")
        })
    }

    /// Returns the state of a query.
    ///
    /// # Errors
    /// The call failed: the query does not exist (Athena keeps queries for 45 days).
    pub async fn execution(&self, id: &str) -> Result<Execution, CallError> {
        let call = || async {
            self.client
                .get_query_execution()
                .query_execution_id(id)
                .send()
                .await
                .map_err(self.error("GetQueryExecution"))
        };
        let answer = patiently(call).await?.query_execution;
        let missing = || CallError::bad_answer("athena:GetQueryExecution", &self.region, "the response has no query");
        answer.map(|execution| describe(id, execution)).ok_or_else(missing)
    }

    /// Stops a query.
    ///
    /// # Errors
    /// The call's.
    pub async fn stop(&self, id: &str) -> Result<(), CallError> {
        let request = self.client.stop_query_execution().query_execution_id(id);
        request.send().await.map(drop).map_err(self.error("StopQueryExecution"))
    }

    /// Returns a page of a query's result.
    ///
    /// # Errors
    /// The call failed: the query is not finished, or its result was deleted.
    pub async fn page(&self, id: &str, token: Option<&str>) -> Result<Page, CallError> {
        let call = || async {
            let request = self.client.get_query_results().query_execution_id(id).max_results(ROWS_A_PAGE);
            request.set_next_token(token.map(str::to_owned)).send().await.map_err(self.error("GetQueryResults"))
        };
        let answer = patiently(call).await?;
        let rows = answer.result_set.and_then(|set| set.rows).unwrap_or_default();
        let next = answer.next_token.filter(|next| !next.is_empty());
        if next.is_some() && next.as_deref() == token {
            return Err(CallError::bad_answer(
                "athena:GetQueryResults",
                &self.region,
                "the same page token was returned twice",
            ));
        }
        Ok(Page { rows: rows.into_iter().map(row).collect(), next })
    }

    fn error<'a, E>(&'a self, operation: &'static str) -> impl Fn(aws_sdk_athena::error::SdkError<E>) -> CallError + 'a
    where
        E: aws_sdk_athena::error::ProvideErrorMetadata + std::error::Error + 'static,
    {
        move |error| CallError::of_sdk(&format!("athena:{operation}"), &self.region, &error)
    }
}

/// Retries a call while it is throttled.
async fn patiently<T, F: Future<Output = Result<T, CallError>>>(mut call: impl FnMut() -> F) -> Result<T, CallError> {
    for _ in 0..THROTTLED_AGAIN {
        match call().await {
            Err(error) if error.class == ErrorClass::Throttled => {
                tracing::info!("{error}; retrying in {} seconds", THROTTLED_WAIT.as_secs());
                tokio::time::sleep(THROTTLED_WAIT).await;
            }
            outcome => return outcome,
        }
    }
    call().await
}

fn table_metadata(table: SdkTable) -> TableMetadata {
    let pairs = |columns: Option<Vec<Column>>| {
        let columns = columns.unwrap_or_default().into_iter();
        columns.map(|column| (column.name, column.r#type.unwrap_or_default())).collect()
    };
    TableMetadata {
        name: table.name,
        columns: pairs(table.columns),
        partition_keys: pairs(table.partition_keys),
        parameters: table.parameters.unwrap_or_default().into_iter().collect(),
    }
}

fn describe(id: &str, execution: QueryExecution) -> Execution {
    let status = execution.status;
    let state = status.as_ref().and_then(|status| status.state.clone());
    let statistics = execution.statistics;
    let number = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).unwrap_or_default();
    let submitted = status.as_ref().and_then(|status| status.submission_date_time);
    Execution {
        id: id.to_owned(),
        state: match state {
            Some(QueryExecutionState::Queued) => State::Queued,
            Some(QueryExecutionState::Succeeded) => State::Succeeded,
            Some(QueryExecutionState::Failed) => State::Failed,
            Some(QueryExecutionState::Cancelled) => State::Cancelled,
            // All other states count as running.
            _ => State::Running,
        },
        reason: status.and_then(|status| status.state_change_reason),
        scanned_bytes: number(statistics.as_ref().and_then(|statistics| statistics.data_scanned_in_bytes)),
        elapsed: Duration::from_millis(number(
            statistics.and_then(|statistics| statistics.total_execution_time_in_millis),
        )),
        submitted: submitted.and_then(|time| Timestamp::from_second(time.secs()).ok()),
        output: execution.result_configuration.and_then(|result| result.output_location),
    }
}

fn row(row: SdkRow) -> Row {
    row.data.unwrap_or_default().into_iter().map(|datum| datum.var_char_value).collect()
}
