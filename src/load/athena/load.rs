//! Loads the result of a query into the store.

use super::client::{Athena, Execution, StartRequest, WorkgroupOutput};
use super::error::LoadError;
use super::plan::{Plan, Request};
use super::query::{self, AfterInterrupt};
use super::results::{Results, ResultsError};
use super::row::{Layout, Row};
use super::{Loaded, Notice};
use crate::aws::{CallError, ErrorClass, Session};
use crate::load::unit::Identity;
use crate::load::{Failure, Figures, Versions};
use crate::model::AccountId;
use crate::store::Store;
use crate::store::ledger::ReadUnit;
use crate::store::{Batch, Fingerprint};
use crate::trail::broken::BrokenRecord;
use crate::trail::extract::{self, Extraction};
use crate::trail::scan::Scanner;
use tokio_util::sync::CancellationToken;

/// The maximum number of events in a transaction.
const BATCH_EVENTS: usize = 4_096;

/// The prefix of queries in the ledger.
const LEDGER_PREFIX: &str = "athena:";

/// The parts that a load works with.
pub struct Load<'a> {
    /// The AWS session.
    pub session: &'a Session,
    /// The Athena client.
    pub athena: &'a Athena,
    /// Selects the records and events to load.
    pub scanner: &'a Scanner,
    /// The destination of the events.
    pub store: &'a mut Store,
    /// Set when the user wants to stop.
    pub stop: &'a CancellationToken,
    /// Receives notices about the progress.
    pub notify: &'a mut dyn FnMut(Notice<'_>),
}

impl Load<'_> {
    /// Starts a planned query, or resumes it, and loads its result.
    ///
    /// # Errors
    /// The query can't be started, does not succeed, or its result can't be read; or the user interrupts.
    pub async fn run(&mut self, request: &Request, plan: &Plan) -> Result<Loaded, LoadError> {
        let key = plan.key(request, self.session.region());
        let start = StartRequest {
            sql: plan.sql.clone(),
            database: plan.table.database.clone(),
            workgroup: request.workgroup.clone(),
            output: self.output(request).await?,
            token: query::new_token(key),
        };
        let id = query::start(self.athena, self.store, key, &start, self.notify).await?;
        let execution = query::wait(self.athena, &id, true, self.stop, self.notify).await;
        if matches!(execution, Err(LoadError::Ended(_) | LoadError::Interrupted { query: AfterInterrupt::Stopped, .. }))
        {
            self.store.forget_athena_query(&id)?;
        }
        self.load_result(&execution?).await
    }

    /// Loads the result of an existing query. Waits for the query if it is still running.
    ///
    /// # Errors
    /// The query does not exist, did not succeed, or its result can't be read; or the user interrupts.
    pub async fn run_query(&mut self, id: &str) -> Result<Loaded, LoadError> {
        let execution = query::wait(self.athena, id, false, self.stop, self.notify).await?;
        self.load_result(&execution).await
    }

    /// The result location. `None` uses the location of the workgroup.
    async fn output(&mut self, request: &Request) -> Result<Option<String>, LoadError> {
        let configured = match self.athena.workgroup_output(&request.workgroup).await {
            Err(error) if error.class == ErrorClass::AccessDenied => {
                (self.notify)(Notice::Note(&format!("{error}; setting the result location in the query")));
                WorkgroupOutput::None
            }
            configured => configured?,
        };
        match (configured, &request.output) {
            (WorkgroupOutput::Managed, None)
            | (WorkgroupOutput::Enforced(_), None)
            | (WorkgroupOutput::Own(_), None) => Ok(None),
            (WorkgroupOutput::Managed | WorkgroupOutput::Enforced(_), Some(output)) => {
                let workgroup = &request.workgroup;
                let note = format!("workgroup {workgroup} enforces its own result location: ignoring {output}");
                (self.notify)(Notice::Note(&note));
                Ok(None)
            }
            (_, Some(output)) => Ok(Some(output.clone())),
            (WorkgroupOutput::None, None) => {
                let account = self.session.account().await?;
                Ok(Some(default_output(&account, self.session.region().as_str())))
            }
        }
    }

    /// Reads a result to its end, unless the ledger has it.
    async fn load_result(&mut self, execution: &Execution) -> Result<Loaded, LoadError> {
        let versions = Versions::of(self.scanner);
        // A result never changes, so its ID identifies its content.
        let content = Fingerprint::of(&[execution.id.as_bytes()]);
        let identity = Identity { prefix: LEDGER_PREFIX.to_owned(), name: execution.id.clone(), content };
        let mut figures = Figures { expected: 1, ..Figures::default() };
        if versions.is_loaded(&self.store.ledger()?, &identity)? {
            figures.already_loaded = 1;
        } else {
            let mut batch = Batch::default();
            self.read_rows(execution, &mut batch, &mut figures).await?;
            if figures.counts.broken_records == 0 {
                let version = versions.version(&identity.content, figures.counts.filtered > 0);
                batch.units.push(ReadUnit { prefix: identity.prefix, name: identity.name, version });
            }
            figures.added(self.store.add(&batch)?);
            figures.read = 1;
        }
        self.store.forget_athena_query(&execution.id)?;
        let Execution { id, scanned_bytes, elapsed, .. } = execution.clone();
        Ok(Loaded { query_id: id, scanned_bytes, elapsed, figures })
    }

    async fn read_rows(
        &mut self,
        execution: &Execution,
        batch: &mut Batch,
        figures: &mut Figures,
    ) -> Result<(), LoadError> {
        let region = self.session.region().clone();
        let opened = Results::open(self.athena, self.session.s3(&region), &region, execution).await;
        let (mut results, note) = opened.map_err(|error| self.unreadable(execution, error))?;
        if let Some(note) = note {
            (self.notify)(Notice::Note(&note));
        }
        let mut layout: Option<Layout> = None;
        loop {
            let rows = tokio::select! {
                () = self.stop.cancelled() => {
                    return Err(LoadError::Interrupted { id: execution.id.clone(), query: AfterInterrupt::Succeeded });
                }
                rows = results.next() => rows.map_err(|error| self.unreadable(execution, error))?,
            };
            let Some(rows) = rows else {
                let location = execution.output.clone().unwrap_or_else(|| format!("query {}", execution.id));
                return layout.map(drop).ok_or_else(|| self.unreadable(execution, ResultsError::Empty { location }));
            };
            let mut rows = rows.iter();
            if layout.is_none()
                && let Some(header) = rows.next()
            {
                let names: Vec<String> = header.iter().map(|name| name.clone().unwrap_or_default()).collect();
                layout = Some(Layout::new(&names)?);
            }
            if let Some(layout) = &layout {
                self.take(layout, rows, batch, figures)?;
            }
            (self.notify)(Notice::Reading(figures));
        }
    }

    /// Counts rows, and adds their events to the batch.
    fn take<'r>(
        &mut self,
        layout: &Layout,
        rows: impl Iterator<Item = &'r Row>,
        batch: &mut Batch,
        figures: &mut Figures,
    ) -> Result<(), LoadError> {
        let mut text = String::new();
        for row in rows {
            figures.counts.records += 1;
            match figures.counts.take(self.read(layout, row, &mut text)) {
                Ok(event) => batch.events.extend(event),
                Err(reason) => {
                    let name = format!("row {}", figures.counts.records);
                    figures.fail(Failure { name, reason: reason.to_string() });
                }
            }
            if batch.events.len() >= BATCH_EVENTS {
                figures.added(self.store.add(batch)?);
                batch.events.clear();
            }
        }
        Ok(())
    }

    fn read(&self, layout: &Layout, row: &Row, text: &mut String) -> Extraction {
        if let Err(reason) = layout.record(row, text) {
            return Extraction::Broken(BrokenRecord::NotDelivered(reason.to_string()));
        }
        extract::read_record(self.scanner.map(), self.scanner.filter(), text)
    }

    /// Handles a result that can't be read. If it was deleted, the query is removed, so that the command starts a new one next time.
    fn unreadable(&mut self, execution: &Execution, error: ResultsError) -> LoadError {
        // Athena has no error code of its own for a page of a deleted result.
        let gone = |call: &CallError| matches!(call.class, ErrorClass::NotFound | ErrorClass::Refused);
        let gone = matches!(&error, ResultsError::Call(call) if gone(call));
        if gone && let Err(error) = self.store.forget_athena_query(&execution.id) {
            return error.into();
        }
        LoadError::Results { id: execution.id.clone(), gone, error: Box::new(error) }
    }
}

/// The bucket that Athena's console creates for results.
fn default_output(account: &AccountId, region: &str) -> String {
    format!("s3://aws-athena-query-results-{account}-{region}/")
}
