//! `load-athena`.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use super::interrupt::stop_on_interrupt;
use super::load_summary::{Query, Summary, cost};
use super::options::ChainsArgs;
use super::{AwsArgs, CommandError, Context, Outcome, WindowArgs, nothing};
use crate::aws::Session;
use crate::console::Progress;
use crate::load::Stop;
use crate::load::athena::{self, Athena, Execution, Load, LoadError, NameFilter, Notice, Plan, Request, State, plan};
use crate::names::AccountId;
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;

/// Load a trail through Athena: for trails too big to read on one machine
///
/// Works with nothing else given: the CloudTrail table is found by its columns, results go where the workgroup says, else
/// to the bucket that Athena's console uses. Athena charges for the bytes that it reads: a window (--year, --month, --day,
/// --since, --until) reads less where the table is partitioned.
///
/// An interrupted load is taken up by the same command; its query is not paid for twice.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The table [default: found by its columns]
    #[arg(long)]
    table: Option<String>,
    /// The database with the table
    #[arg(long, value_name = "DATABASE", default_value = "default")]
    athena_db: String,
    /// The workgroup that the query runs in
    #[arg(long, default_value = "primary")]
    workgroup: String,
    /// Where the result goes: s3://BUCKET/PATH/ [default: the workgroup's place, else the console's bucket]
    #[arg(long, value_name = "LOCATION", value_parser = s3_location)]
    athena_output: Option<String>,
    /// Load the result of this query, which may be one of c7n-trailcreator's; nothing is started
    #[arg(long, value_name = "ID", conflicts_with_all = ["table", "athena_output", "print_query"], value_parser = query_id)]
    query_id: Option<String>,
    /// Only events of this account; repeatable [default: all]
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    account: Vec<AccountId>,
    /// Print the SQL and start nothing
    #[arg(long)]
    print_query: bool,
    #[command(flatten)]
    chains: ChainsArgs,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    aws: AwsArgs,
}

fn s3_location(text: &str) -> Result<String, String> {
    let bucket = text.strip_prefix("s3://").unwrap_or_default().split('/').next().unwrap_or_default();
    if bucket.is_empty() { Err("a location is written s3://BUCKET/PATH/".to_owned()) } else { Ok(text.to_owned()) }
}

fn query_id(text: &str) -> Result<String, String> {
    let well_formed = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if well_formed { Ok(text.to_owned()) } else { Err("a query's id is letters, digits and dashes".to_owned()) }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let window = args.window.window()?;
    let map = args.chains.map(context.resource_map()?);
    let session = Session::open(&args.aws.into()).await.map_err(|error| load_error(context, &error.into()))?;
    let athena = Athena::new(&session);
    let filter = RecordFilter { window, accounts: args.account.iter().cloned().collect(), ..RecordFilter::default() };
    let request = Request {
        database: args.athena_db,
        table: args.table,
        workgroup: args.workgroup,
        output: args.athena_output,
        filter,
        window: format!("{:?}", args.window),
    };
    let plan = match args.query_id {
        Some(_) => None,
        None => Some(plan::make(&athena, &map, &request).await.map_err(|error| load_error(context, &error))?),
    };
    if let Some(plan) = &plan {
        if args.print_query {
            context.console.data(&plan.sql);
            return Ok(Outcome::Done);
        }
        tell_plan(context, plan);
    }
    let mut store = context.open_store()?;
    let scanner = Scanner::new(Arc::new(map), request.filter.clone());
    let stop = Stop::default();
    let watcher = Watcher::new(context);
    let mut tell = |notice: Notice<'_>| watcher.tell(&notice);
    let mut load =
        Load { session: &session, athena: &athena, scanner: &scanner, store: &mut store, stop: &stop, tell: &mut tell };
    let interrupt = stop_on_interrupt(&stop);
    let loaded = match (&plan, &args.query_id) {
        (Some(plan), _) => load.run(&request, plan).await,
        (None, id) => load.run_query(id.as_deref().unwrap_or_default()).await,
    };
    interrupt.abort();
    drop(watcher);
    let loaded = loaded.map_err(|error| load_error(context, &error))?;
    let query = Query {
        id: loaded.query_id,
        scanned_bytes: loaded.scanned_bytes,
        seconds: loaded.elapsed.as_secs_f64(),
        estimated_dollars: athena::estimated_dollars(loaded.scanned_bytes),
    };
    if loaded.figures.counts.records == 0 && loaded.figures.already_loaded == 0 {
        let has_events = store.coverage().map(|coverage| !coverage.places.is_empty());
        // On a schedule, a window without create events is no news.
        if !has_events.map_err(|error| context.store_error(&error))? {
            let wanted = nothing::filter_phrase(&request.filter);
            let wanted = if wanted.is_empty() { String::new() } else { format!(" of {wanted}") };
            context.console.warning(format_args!(
                "the query found no event that the resource map knows{wanted}\n  hint: check the table and the window; --print-query shows \
                 the SQL"
            ));
        }
    }
    let requests = session.counts().by_operation();
    let summary = Summary { requests, query: Some(query), ..Summary::new(&loaded.figures, false) };
    summary.print(&context.console);
    Ok(summary.outcome())
}

/// Says what will be asked, where that is not what one would expect.
fn tell_plan(context: &Context, plan: &Plan) {
    let table = format!("{}.{}", plan.table.database, plan.table.name);
    context.console.message(format_args!("table {table}"));
    if plan.reads_all_days {
        context.console.message(format_args!(
            "table {table} is not partitioned by time: Athena reads, and charges for, the whole trail whatever the window"
        ));
    }
    if plan.names != NameFilter::Nothing && plan.names != NameFilter::Pairs {
        context.console.message("the resource map is too large for one query: event names are checked after it");
    }
    if !plan.missing.is_empty() {
        let missing: Vec<&str> = plan.missing.iter().map(String::as_str).collect();
        context.console.warning(format_args!(
            "table {table} can't give {}: ids that the resource map looks for there are not found",
            missing.join(", ")
        ));
    }
}

/// Tells the person at the terminal what happens.
struct Watcher<'a> {
    context: &'a Context,
    progress: RefCell<Option<(&'static str, Progress)>>,
}

impl<'a> Watcher<'a> {
    fn new(context: &'a Context) -> Self {
        Self { context, progress: RefCell::default() }
    }

    fn tell(&self, notice: &Notice<'_>) {
        let console = &self.context.console;
        match notice {
            Notice::Started { id } => console.message(format_args!(
                "query {id} started; if this is interrupted, the same command goes on with it, or --query-id {id}"
            )),
            Notice::PickedUp { id, started_at } => console.message(format_args!(
                "going on with query {id}, which this command started at {started_at}: it is not paid for twice; run the \
                 command again afterwards for what came later"
            )),
            Notice::Running(execution) => self.progress("Athena: MB read", megabytes(execution), running(execution)),
            Notice::Reading(figures) => {
                let note = format!("{} matched", figures.counts.matched);
                self.progress("result: rows", figures.counts.records, note);
            }
            Notice::Note(text) => console.message(text),
        }
    }

    fn progress(&self, title: &'static str, position: u64, note: String) {
        let mut progress = self.progress.borrow_mut();
        if progress.as_ref().is_none_or(|(shown, _)| *shown != title) {
            *progress = None;
            *progress = Some((title, self.context.console.progress(title, None)));
        }
        if let Some((_, progress)) = &*progress {
            progress.update(position, note);
        }
    }
}

fn megabytes(execution: &Execution) -> u64 {
    const MEGABYTE: u64 = 1_000_000;
    execution.scanned_bytes / MEGABYTE
}

fn running(execution: &Execution) -> String {
    let state = match execution.state {
        State::Queued => "queued",
        State::Running => "running",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
    };
    let elapsed = Duration::from_secs(execution.elapsed.as_secs());
    format!("{state}, {elapsed:?}, {}", cost(athena::estimated_dollars(execution.scanned_bytes)))
}

/// The error as a person sees it.
fn load_error(context: &Context, error: &LoadError) -> CommandError {
    let mut command_error = match error {
        LoadError::Store(error) => return context.store_error(error),
        error => CommandError::failed(error),
    };
    if matches!(error, LoadError::Interrupted { .. }) {
        command_error.outcome = Outcome::Interrupted;
    }
    command_error.hints.extend(error.hint());
    command_error
}
