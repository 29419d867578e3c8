//! CloudTrail through Athena: for trails too big to read on one machine.
//!
//! One query, whose rows are read as the records that they came from, like those of every other loader:
//!
//! * [`table`]: the catalogue's metadata → a CloudTrail table (pure)
//! * `sql`, `partition`: resource map, filter and table → the query (pure)
//! * `query`: started once, watched, stopped
//! * `results`, `csv`: its result as a stream of rows, in constant memory
//! * `row`: a row → its record (pure)
//! * `client`: Athena's calls; the only one that knows the SDK
//!
//! A query is paid for once: it is kept in the store from before its start until all its rows are there. Rows are
//! idempotent and the query enters the ledger with the last of them, so that a load killed at any moment is done again
//! from the query's result.

mod client;
mod csv;
mod error;
mod partition;
mod query;
mod results;
mod row;
mod sql;
pub mod table;

use std::collections::BTreeSet;

use crate::aws::{ErrorClass, Session};
use crate::names::AccountId;
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::store::ledger::{Batch, Fingerprint, ReadUnit};
use crate::trail::extract::{self, Reading};
use crate::trail::fields::Fields;
use crate::trail::filter::RecordFilter;

pub use client::{Athena, Execution, State};
pub use error::LoadError;
pub use query::{AfterInterrupt, Interrupt};
pub use sql::NameFilter;

use client::{StartRequest, WorkgroupOutput};
use results::Results;
use row::{Layout, Row};
use table::Table;

/// Events of one transaction.
const BATCH_EVENTS: usize = 4_000;

/// Where queries stand in the ledger.
const LEDGER_PREFIX: &str = "athena:";

/// What Athena asks for a terabyte (10¹² bytes) read, in most regions.
///
/// Source: <https://aws.amazon.com/athena/pricing/>
const DOLLARS_A_TERABYTE: f64 = 5.0;
/// What each query is charged for at least, in bytes.
const LEAST_CHARGED_BYTES: u64 = 10_000_000;

/// What a person asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database with the table.
    pub database: String,
    /// The table; found by its columns where not given.
    pub table: Option<String>,
    /// The workgroup that the query runs in.
    pub workgroup: String,
    /// Where the result goes, `s3://bucket/path/`; the workgroup's place or the console's default bucket where not given.
    pub output: Option<String>,
    /// Which records are wanted.
    pub filter: RecordFilter,
    /// The window as it was written (`--since 90d`), by which the same command is known again later.
    pub window: String,
}

/// What will be asked of Athena.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The table.
    pub table: Table,
    /// The query.
    pub sql: String,
    /// How exactly the query filters names.
    pub names: NameFilter,
    /// Whether the window spares the reading of other days.
    pub reads_all_days: bool,
    /// Fields of records that the map's expressions read and the table can't give.
    pub missing: BTreeSet<String>,
    /// The query without its window: what stays the same when the command runs again.
    timeless: String,
}

/// Something that happens while a load runs.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A query was started.
    Started {
        /// Its id.
        id: &'a str,
    },
    /// The query that the same command began before goes on.
    PickedUp {
        /// Its id.
        id: &'a str,
        /// When it was begun, RFC 3339.
        started_at: &'a str,
    },
    /// How far the query is.
    Running(&'a Execution),
    /// Rows of the result read so far.
    Reading {
        /// Rows.
        rows: u64,
    },
    /// Something to know.
    Note(&'a str),
    /// A row that is no record.
    Broken(&'a str),
}

/// What a load came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// The query's id.
    pub query_id: String,
    /// The query was loaded before, with this map and filter: nothing was read.
    pub already_loaded: bool,
    /// Bytes that Athena read.
    pub scanned_bytes: u64,
    /// How long the query took, in seconds.
    pub query_seconds: f64,
    /// Rows of the result.
    pub rows: u64,
    /// Rows whose call touched resources.
    pub matched: u64,
    /// Rows whose call the map knows but whose ids it didn't find, by `eventSource:eventName`.
    pub without_ids: std::collections::BTreeMap<String, u64>,
    /// Rows that are no records.
    pub broken: u64,
    /// Creations and deletions that are new in the database.
    pub added: u64,
}

impl Execution {
    /// What the query costs by the price of most regions: an estimate.
    pub fn estimated_dollars(&self) -> f64 {
        estimated_dollars(self.scanned_bytes)
    }
}

/// What a query that read so much costs by the price of most regions: an estimate.
pub fn estimated_dollars(scanned_bytes: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    let terabytes = scanned_bytes.max(LEAST_CHARGED_BYTES) as f64 / 1e12;
    terabytes * DOLLARS_A_TERABYTE
}

/// Finds the table and builds the query. Starts nothing.
///
/// # Errors
/// There is no such table, or not exactly one; or it wants values that there are none of.
pub async fn plan(athena: &Athena, map: &ResourceMap, request: &Request) -> Result<Plan, LoadError> {
    let table = find_table(athena, request).await?;
    let injected = partition::unfilled(&table, &request.filter.accounts);
    if !injected.is_empty() {
        return Err(LoadError::Injected {
            table: table.name.clone(),
            keys: injected.into_iter().map(str::to_owned).collect(),
        });
    }
    let wanted = row::wanted_fields(map, &table);
    let query = sql::query(map, &request.filter, &table, &wanted.fields);
    let timeless = RecordFilter { window: Default::default(), ..request.filter.clone() };
    let timeless = sql::query(map, &timeless, &table, &wanted.fields).sql;
    let days = request.filter.window.delivery_days();
    let reads_all_days = days != (None, None) && partition::conditions(&table, days, &BTreeSet::new()).is_empty();
    Ok(Plan { table, sql: query.sql, names: query.names, reads_all_days, missing: wanted.missing, timeless })
}

async fn find_table(athena: &Athena, request: &Request) -> Result<Table, LoadError> {
    let Request { database, workgroup, .. } = request;
    if let Some(name) = &request.table {
        let metadata = athena.table(database, name, workgroup).await?;
        return Ok(Table::read(database, &metadata)?);
    }
    let tables = athena.tables(database, workgroup).await?;
    Ok(Table::discover(database, &tables)?)
}

/// A load under way: what it works with.
pub struct Load<'a> {
    /// Into AWS.
    pub session: &'a Session,
    /// Athena there.
    pub athena: &'a Athena,
    /// Which calls count.
    pub map: &'a ResourceMap,
    /// Where the events go.
    pub store: &'a mut Store,
    /// Tells that the user wants to stop.
    pub interrupt: Interrupt<'a>,
    /// Is told what happens.
    pub tell: &'a mut dyn FnMut(Notice<'_>),
}

impl Load<'_> {
    /// Runs a planned query, or goes on with it, and loads its result.
    ///
    /// # Errors
    /// The query can't be started, doesn't succeed, or its result can't be read; or the user interrupts.
    pub async fn run(&mut self, request: &Request, plan: &Plan) -> Result<Summary, LoadError> {
        let region = self.session.region().as_str();
        let key = Fingerprint::of(&[
            plan.timeless.as_bytes(),
            request.window.as_bytes(),
            request.workgroup.as_bytes(),
            region.as_bytes(),
        ]);
        let start = StartRequest {
            sql: plan.sql.clone(),
            database: plan.table.database.clone(),
            workgroup: request.workgroup.clone(),
            output: self.output(request).await?,
            token: query::new_token(key),
        };
        let id = query::start(self.athena, self.store, key, &start, self.tell).await?;
        let execution = query::wait(self.athena, &id, true, &mut self.interrupt, self.tell).await;
        if matches!(execution, Err(LoadError::Ended(_) | LoadError::Interrupted { query: AfterInterrupt::Stopped, .. })) {
            self.store.forget_athena_query(&id)?;
        }
        self.load_result(&execution?, &request.filter).await
    }

    /// Loads the result of a query that was started elsewhere; waits for it where it still runs.
    ///
    /// # Errors
    /// There is no such query, it didn't succeed, or its result can't be read; or the user interrupts.
    pub async fn run_query(&mut self, id: &str, filter: &RecordFilter) -> Result<Summary, LoadError> {
        let execution = query::wait(self.athena, id, false, &mut self.interrupt, self.tell).await?;
        self.load_result(&execution, filter).await
    }

    /// Where the result is to go; `None` leaves it to the workgroup.
    async fn output(&mut self, request: &Request) -> Result<Option<String>, LoadError> {
        let configured = match self.athena.workgroup_output(&request.workgroup).await {
            Err(error) if error.class == ErrorClass::AccessDenied => {
                (self.tell)(Notice::Note(&format!("{error}; the query says itself where its result goes")));
                WorkgroupOutput::None
            }
            configured => configured?,
        };
        match (configured, &request.output) {
            (WorkgroupOutput::Managed, None) | (WorkgroupOutput::Enforced(_), None) | (WorkgroupOutput::Own(_), None) => {
                Ok(None)
            }
            (WorkgroupOutput::Managed | WorkgroupOutput::Enforced(_), Some(output)) => {
                let workgroup = &request.workgroup;
                let note = format!("workgroup {workgroup} decides where results go: {output} is not used");
                (self.tell)(Notice::Note(&note));
                Ok(None)
            }
            (_, Some(output)) => Ok(Some(output.clone())),
            (WorkgroupOutput::None, None) => {
                let account = self.session.account().await?;
                Ok(Some(default_output(&account, self.session.region().as_str())))
            }
        }
    }

    /// Reads a result to its end.
    async fn load_result(&mut self, execution: &Execution, filter: &RecordFilter) -> Result<Summary, LoadError> {
        let mut summary = Summary {
            query_id: execution.id.clone(),
            scanned_bytes: execution.scanned_bytes,
            query_seconds: execution.elapsed.as_secs_f64(),
            ..Summary::default()
        };
        let version = Fingerprint::of(&[&self.map.fingerprint(), format!("{filter:?}").as_bytes()]);
        if self.store.ledger()?.version(LEDGER_PREFIX, &execution.id)? == Some(version) {
            self.store.forget_athena_query(&execution.id)?;
            return Ok(Summary { already_loaded: true, ..summary });
        }
        let mut batch = Batch::default();
        self.read_rows(execution, filter, &mut batch, &mut summary).await?;
        if summary.broken == 0 {
            batch.units.push(ReadUnit { prefix: LEDGER_PREFIX.to_owned(), name: execution.id.clone(), version });
        }
        summary.added += self.store.add(&batch)?;
        self.store.forget_athena_query(&execution.id)?;
        Ok(summary)
    }

    async fn read_rows(
        &mut self,
        execution: &Execution,
        filter: &RecordFilter,
        batch: &mut Batch,
        summary: &mut Summary,
    ) -> Result<(), LoadError> {
        let region = self.session.region().clone();
        let opened = Results::open(self.athena, self.session.s3(&region), &region, execution).await;
        let (mut results, note) = opened.map_err(|error| self.unreadable(execution, error))?;
        if let Some(note) = note {
            (self.tell)(Notice::Note(&note));
        }
        let mut layout: Option<Layout> = None;
        let mut text = String::new();
        loop {
            let rows = tokio::select! {
                () = self.interrupt.as_mut() => {
                    return Err(LoadError::Interrupted { id: execution.id.clone(), query: AfterInterrupt::Succeeded });
                }
                rows = results.next() => rows.map_err(|error| self.unreadable(execution, error))?,
            };
            let Some(rows) = rows else { break };
            let mut rows = rows.iter();
            if layout.is_none()
                && let Some(header) = rows.next()
            {
                let names: Vec<String> = header.iter().map(|name| name.clone().unwrap_or_default()).collect();
                layout = Some(Layout::new(&names)?);
            }
            let Some(layout) = &layout else { continue };
            for row in rows {
                self.take(layout, row, filter, &mut text, batch, summary)?;
            }
            (self.tell)(Notice::Reading { rows: summary.rows });
        }
        Ok(())
    }

    /// One row: what it comes to is counted, and an event added to the batch.
    fn take(
        &mut self,
        layout: &Layout,
        row: &Row,
        filter: &RecordFilter,
        text: &mut String,
        batch: &mut Batch,
        summary: &mut Summary,
    ) -> Result<(), LoadError> {
        summary.rows += 1;
        let reading = match layout.record(row, text).and_then(|()| Fields::parse(text).map_err(|error| error.to_string())) {
            Ok(fields) => extract::read(self.map, filter, &fields),
            Err(reason) => Reading::Broken(reason),
        };
        match reading {
            Reading::Touched(event) => {
                summary.matched += 1;
                batch.events.push(event);
            }
            Reading::WithoutIds { call } => *summary.without_ids.entry(call).or_default() += 1,
            Reading::Broken(reason) => {
                summary.broken += 1;
                (self.tell)(Notice::Broken(&reason));
            }
            Reading::Unmatched | Reading::Insight | Reading::Filtered => {}
        }
        if batch.events.len() >= BATCH_EVENTS {
            summary.added += self.store.add(batch)?;
            batch.events.clear();
        }
        Ok(())
    }

    /// A result that can't be read. One that is gone is forgotten, so that the command starts a new query next time.
    fn unreadable(&mut self, execution: &Execution, error: results::ResultsError) -> LoadError {
        let gone = matches!(&error, results::ResultsError::Call(call) if call.class == ErrorClass::NotFound);
        if gone && let Err(error) = self.store.forget_athena_query(&execution.id) {
            return error.into();
        }
        LoadError::Results { id: execution.id.clone(), gone, error: Box::new(error) }
    }
}

/// The bucket that Athena's console makes for results.
fn default_output(account: &AccountId, region: &str) -> String {
    format!("s3://aws-athena-query-results-{account}-{region}/")
}
