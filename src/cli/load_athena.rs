//! `load-athena`: a trail, through one Athena query.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::interrupt::stop_on_interrupt;
use super::load_summary::{Query, Summary, cost};
use super::options::ChainsArgs;
use super::{AwsArgs, CommandError, Context, Outcome, WindowArgs, nothing};
use crate::aws::Session;
use crate::console::{OutputFormat, Progress, counted};
use crate::load::athena::{self, Athena, Execution, Load, LoadError, NameFilter, Notice, Plan, Request, State, plan};
use crate::model::AccountId;
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;
use tokio_util::sync::CancellationToken;

/// The version of the format of the JSON document of `--print-query`.
const FORMAT_VERSION: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  Load one year from the only CloudTrail table in the database `default`:
    trailcreator load-athena --year 2026
  Print the query without starting it:
    trailcreator load-athena --table cloudtrail_logs --since 90d --print-query
  Load from Security Lake:
    trailcreator load-athena --athena-db amazon_security_lake_glue_db_us_east_1 --since 90d";

/// Load a trail with an Athena query, for trails too large to read on one machine
///
/// No option is required. By default, the CloudTrail table is found by its columns, and results go to the workgroup's
/// location, or else to the bucket that the Athena console uses. Athena charges for the bytes that it scans. In a
/// partitioned table, a time range (--year, --month, --day, --since, --until) reduces these bytes.
///
/// If a load is interrupted, run the same command again to resume it. The query is not started or charged a second
/// time.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// CloudTrail table, which can be one of Security Lake [default: found by its columns]
    #[arg(long)]
    table: Option<String>,
    /// Athena database that holds the table
    #[arg(long, value_name = "DATABASE", default_value = "default")]
    athena_db: String,
    /// Workgroup to run the query in
    #[arg(long, default_value = "primary")]
    workgroup: String,
    /// Location for the result: s3://BUCKET/PATH/ [default: the workgroup's location, else the Athena console's bucket]
    #[arg(long, value_name = "LOCATION", value_parser = s3_location)]
    athena_output: Option<String>,
    /// Load the result of an earlier query (of trailcreator or c7n-trailcreator) instead of starting one
    #[arg(long, value_name = "ID", conflicts_with_all = ["table", "athena_output", "print_query"], value_parser = query_id)]
    query_id: Option<String>,
    /// Load only events of this account; repeatable [default: all]
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    account: Vec<AccountId>,
    /// Print the SQL and start no query
    #[arg(long)]
    print_query: bool,
    #[command(flatten)]
    chains: ChainsArgs,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    aws: AwsArgs,
}

/// An option's value in the wrong form.
#[derive(Debug, thiserror::Error)]
enum InvalidOption {
    #[error("expected s3://BUCKET/PATH/")]
    Location,
    #[error("a query ID has only letters, digits and hyphens")]
    QueryId,
}

fn s3_location(text: &str) -> Result<String, InvalidOption> {
    let bucket = text.strip_prefix("s3://").unwrap_or_default().split('/').next().unwrap_or_default();
    if bucket.is_empty() { Err(InvalidOption::Location) } else { Ok(text.to_owned()) }
}

fn query_id(text: &str) -> Result<String, InvalidOption> {
    let well_formed = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if well_formed { Ok(text.to_owned()) } else { Err(InvalidOption::QueryId) }
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
            print_query(context, plan);
            return Ok(Outcome::Done);
        }
        print_plan(context, plan);
    }
    let mut store = context.open_store()?;
    let scanner = Scanner::new(Arc::new(map), request.filter.clone());
    let stop = CancellationToken::default();
    let watcher = Watcher::new(context);
    let mut notify = |notice: Notice<'_>| watcher.show(&notice);
    let mut load = Load {
        session: &session,
        athena: &athena,
        scanner: &scanner,
        store: &mut store,
        stop: &stop,
        notify: &mut notify,
    };
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
            context.console.warning_with_hints(
                format_args!("the query found no event that is in the resource map{wanted}"),
                ["check the table and the time range; --print-query shows the SQL"],
            );
        }
    }
    let requests = session.counts().by_operation();
    let summary = Summary { requests, query: Some(query), ..Summary::new(&loaded.figures, false) };
    summary.print(&context.console);
    Ok(summary.outcome())
}

/// The JSON document of `--print-query`.
#[derive(Serialize)]
struct QueryDocument<'p> {
    format_version: u32,
    database: &'p str,
    table: &'p str,
    sql: &'p str,
}

fn print_query(context: &Context, plan: &Plan) {
    match context.console.format {
        OutputFormat::Text => context.console.document(&plan.sql),
        OutputFormat::Json => context.console.json(&QueryDocument {
            format_version: FORMAT_VERSION,
            database: &plan.table.database,
            table: &plan.table.name,
            sql: &plan.sql,
        }),
    }
}

/// Prints the table, and warns where the query reads more or returns less than expected.
fn print_plan(context: &Context, plan: &Plan) {
    let table = format!("{}.{}", plan.table.database, plan.table.name);
    context.console.message(format_args!("table {table}"));
    if plan.reads_all_days {
        let why = match plan.unused_keys.len() {
            0 => "is not partitioned by time".to_owned(),
            _ => format!("has no partition key that is certainly a time ({})", plan.unused_keys.join(", ")),
        };
        context.console.message(format_args!("table {table} {why}: Athena scans, and charges for, the whole trail"));
    } else if !plan.unused_keys.is_empty() {
        let keys = plan.unused_keys.join(", ");
        context.console.message(format_args!("the query scans all values of partition key {keys}"));
    }
    if plan.names != NameFilter::Nothing && plan.names != NameFilter::Pairs {
        context.console.message("the resource map is too large for one query: the query returns more rows, and event names are checked locally");
    }
    if !plan.missing.is_empty() {
        let missing: Vec<&str> = plan.missing.iter().map(String::as_str).collect();
        context
            .console
            .warning(format_args!("table {table} has no {}; identifiers in it are not found", missing.join(", ")));
    }
}

/// Shows the progress of the query and of reading its result.
struct Watcher<'a> {
    context: &'a Context,
    progress: RefCell<Option<(&'static str, Progress)>>,
}

impl<'a> Watcher<'a> {
    fn new(context: &'a Context) -> Self {
        Self { context, progress: RefCell::default() }
    }

    fn show(&self, notice: &Notice<'_>) {
        let console = &self.context.console;
        match notice {
            Notice::Started { id } => console.message(format_args!(
                "started query {id}; if interrupted, run the same command again, or load-athena --query-id {id}"
            )),
            Notice::PickedUp { id, started_at } => console.message(format_args!(
                "resuming query {id}, started at {started_at}, at no further charge; run the command again \
                 afterwards to load newer events"
            )),
            Notice::Running(execution) => self.progress("Athena: MB scanned", megabytes(execution), running(execution)),
            Notice::Reading(figures) => {
                let note = counted(figures.counts.matched, "event");
                self.progress("query result: rows", figures.counts.records, note);
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

/// Converts an error, with its hint and exit code.
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
