//! `load-logs`: a trail's log group in CloudWatch Logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::interrupt::stop_on_interrupt;
use super::load_summary::{Logs, Summary};
use super::loading::{RESUME, show_days};
use super::options::ChainsArgs;
use super::{AwsAccessArgs, CommandError, Context, Outcome, WindowArgs, nothing};
use crate::aws::{AwsOptions, CallError, ErrorClass, Session};
use crate::load::Figures;
use crate::load::api::{ApiLoad, ApiLoadError};
use crate::load::logs::{Group, Loaded};
use crate::model::{AccountId, Region};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;
use tokio_util::sync::CancellationToken;

const EXAMPLES: &str = "\
Examples:
  Load all events that a trail's log group has:
    trailcreator load-logs --log-group aws-cloudtrail-logs-111122223333
  Load the last 7 days of a log group in another region:
    trailcreator load-logs --log-group my-trail --region eu-west-1 --since 7d
  Load one month, with the sessions that --resolve-chains follows:
    trailcreator load-logs --log-group my-trail --month 2026/03 --chains";

/// Load a trail from its CloudWatch Logs log group
///
/// Use this command if you can't read the trail's bucket. CloudWatch Logs filters the events by name, so that few
/// events besides create, delete and rename events are transferred. AWS allows 5 requests per second. Days that are
/// already loaded are not requested again. You can stop a load at any time; run the same command again to resume it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Log group of the trail: its name or its ARN
    #[arg(long, value_name = "NAME", value_parser = str::parse::<Group>)]
    log_group: Group,
    /// Region of the log group [default: the region in its ARN, else from the environment or profile]
    #[arg(long, env = "TRAILCREATOR_REGION", value_parser = str::parse::<Region>)]
    region: Option<Region>,
    /// Load only records of this account; repeatable
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    account: Vec<AccountId>,
    #[command(flatten)]
    chains: ChainsArgs,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let accounts = args.account.iter().cloned().collect();
    let filter = RecordFilter { window: args.window.window()?, accounts, ..RecordFilter::default() };
    let region = args.log_group.region.clone().or(args.region);
    let options = AwsOptions { default_region: region.clone(), ..args.aws.into() };
    let session = Session::open(&options).await.map_err(|error| call_error("opening an AWS session", &error))?;
    let region = region.unwrap_or_else(|| session.region().clone());
    let map = args.chains.map(context.resource_map()?);
    let scanner = Scanner::new(Arc::new(map), filter.clone());
    let mut store = context.open_store()?;
    let stop = CancellationToken::default();
    let interrupt = stop_on_interrupt(&stop);
    let progress = context.console.progress("log group: days", Some(0));
    let mut watch = |figures: &Figures| show_days(&progress, figures);
    let load = ApiLoad { session: &session, scanner: &scanner, store: &mut store, stop: &stop, watch: &mut watch };
    let loaded = load.read_logs(&region, &args.log_group, Timestamp::now()).await;
    interrupt.abort();
    drop(progress);
    let loaded = loaded.map_err(|error| load_error(context, &args.log_group, &error))?;
    let outcome = finish(context, &session, (&args.log_group, region), &loaded, stop.is_cancelled())?;
    nothing::warn_of_filter(context, &loaded.figures, &filter);
    warn_of_nothing(context, &args.log_group, &loaded);
    Ok(outcome)
}

/// Warns of a group without any create, delete or rename event. Where days were loaded before, that is normal.
fn warn_of_nothing(context: &Context, group: &Group, loaded: &Loaded) {
    let Figures { read, already_loaded, counts, .. } = &loaded.figures;
    if *read > 0 && *already_loaded == 0 && counts.records == 0 && loaded.failed.is_none() {
        context.console.warning_with_hints(
            format_args!(
                "log group {} has no create, delete or rename events of CloudTrail from {} to {}",
                group.name, loaded.since, loaded.until
            ),
            ["check that a trail sends its events to this log group"],
        );
    }
}

/// Prints the summary, and returns the error that ended the load.
fn finish(
    context: &Context,
    session: &Session,
    (group, region): (&Group, Region),
    loaded: &Loaded,
    interrupted: bool,
) -> Result<Outcome, CommandError> {
    let error = loaded.failed.as_ref().map(|error| call_error("reading the log group", error).hint(RESUME));
    if let Some(error) = error {
        return Err(error);
    }
    let requests: BTreeMap<String, u64> = session.counts().by_operation();
    let (since, until) = (loaded.since.to_string(), loaded.until.to_string());
    let logs = Logs { log_group: group.name.clone(), region, since, until };
    let summary = Summary { requests, logs: Some(logs), ..Summary::new(&loaded.figures, interrupted) };
    summary.print(&context.console);
    Ok(summary.outcome())
}

fn load_error(context: &Context, group: &Group, error: &ApiLoadError) -> CommandError {
    match error {
        ApiLoadError::Call(error) if error.class == ErrorClass::NotFound => {
            call_error(&format!("log group {}", group.name), error)
                .hint("check --log-group and --region; the trail's settings show its log group")
        }
        ApiLoadError::Call(error) => call_error(&format!("log group {}", group.name), error),
        ApiLoadError::Store(error) => context.store_error(error).hint(RESUME),
    }
}

fn call_error(doing: &str, error: &CallError) -> CommandError {
    let mut command_error = CommandError::while_doing(doing, error);
    command_error.hints.extend(error.hint());
    command_error
}
