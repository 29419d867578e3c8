//! `load-history`: CloudTrail's Event history.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::interrupt::stop_on_interrupt;
use super::load_summary::{History, Summary};
use super::loading::{RESUME, show_days};
use super::options::ChainsArgs;
use super::{AwsAccessArgs, CommandError, Context, Outcome, WindowArgs};
use crate::aws::{AwsOptions, CallError, Session, regions};
use crate::load::Figures;
use crate::load::api::{ApiLoad, ApiLoadError};
use crate::load::history::{Loaded, Span};
use crate::model::{InvalidRegion, Region};
use crate::store::{Store, StoreError};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;
use tokio_util::sync::CancellationToken;

/// The value of `--region` for all enabled regions.
pub(super) const ALL: &str = "all";

/// The region to list the enabled regions in, if no region is configured.
const ANY_REGION: &str = "us-east-1";

const EXAMPLES: &str = "\
Examples:
  Load the last 90 days of the current region:
    trailcreator load-history
  Load all enabled regions:
    trailcreator load-history --region all
  Load the last 7 days of two regions:
    trailcreator load-history --region us-east-1 --region eu-west-1 --since 7d";

/// Load the last 90 days from CloudTrail Event history; needs no trail
///
/// Every account has an Event history in each region. AWS allows 2 requests per second in each region, with 50 events
/// per request; regions are read in parallel. Days that are already loaded are not read again. You can stop a load at
/// any time; run the same command again to resume it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Region to read, or `all` for all enabled regions; repeatable [default: the region from the environment or profile]
    #[arg(long, env = "TRAILCREATOR_REGION", value_delimiter = ',', value_parser = region_or_all)]
    region: Vec<Region>,
    #[command(flatten)]
    chains: ChainsArgs,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

/// A region, or [`ALL`].
pub(super) fn region_or_all(text: &str) -> Result<Region, InvalidRegion> {
    if text == ALL { Ok(Region::from(ALL)) } else { text.parse() }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let window = args.window.window()?;
    let now = Timestamp::now();
    let span = Span::of(window, now).map_err(|error| {
        CommandError::usage(error).hint("load older events from a trail: load-s3, load-athena or load-files")
    })?;
    if span.is_cut {
        context.console.warning(format_args!(
            "Event history holds 90 days: events before {} are not loaded; load them from a trail (load-s3, load-athena)",
            span.since
        ));
    }
    let session = open_session(args.aws, &args.region).await?;
    let regions = wanted_regions(context, &session, &args.region).await?;
    let map = args.chains.map(context.resource_map()?);
    let scanner = Scanner::new(Arc::new(map), RecordFilter { window, ..RecordFilter::default() });
    let mut store = context.open_store()?;
    let stop = CancellationToken::default();
    let interrupt = stop_on_interrupt(&stop);
    let progress = context.console.progress("Event history: days", Some(0));
    let mut watch = |figures: &Figures| show_days(&progress, figures);
    let load = ApiLoad { session: &session, scanner: &scanner, store: &mut store, stop: &stop, watch: &mut watch };
    let loaded = load.read_history(&regions, span, now).await.map_err(|error| load_error(context, &error))?;
    interrupt.abort();
    drop(progress);
    if !stop.is_cancelled() && loaded.failed.is_empty() {
        warn_of_nothing(context, &store, &regions, span, &loaded).map_err(|error| context.store_error(&error))?;
    }
    finish(context, &session, regions, span, &loaded, stop.is_cancelled())
}

/// Warns if Event history has no events in regions without events in the database. An hour without events is normal.
fn warn_of_nothing(
    context: &Context,
    store: &Store,
    regions: &[Region],
    span: Span,
    loaded: &Loaded,
) -> Result<(), StoreError> {
    if loaded.figures.counts.records > 0 || loaded.figures.already_loaded > 0 {
        return Ok(());
    }
    let places = store.coverage()?.places;
    if places.iter().any(|place| regions.contains(&place.region)) {
        return Ok(());
    }
    let regions: Vec<&str> = regions.iter().map(Region::as_str).collect();
    context.console.warning_with_hints(
        format_args!("Event history has no events in {} from {} to {}", regions.join(", "), span.since, span.until),
        ["check the region and the account; --region all reads every enabled region"],
    );
    Ok(())
}

/// Opens a session for these regions. One of them may be [`ALL`].
pub(super) async fn open_session(access: AwsAccessArgs, regions: &[Region]) -> Result<Session, CommandError> {
    let named = regions.iter().find(|region| region.as_str() != ALL);
    let fallback = named.cloned().or_else(|| (!regions.is_empty()).then(|| Region::from(ANY_REGION)));
    let options = AwsOptions { default_region: fallback, ..access.into() };
    Session::open(&options).await.map_err(|error| call_error("opening an AWS session", &error))
}

/// Resolves the given regions: none means the session's region, [`ALL`] the regions enabled for the account.
pub(super) async fn wanted_regions(
    context: &Context,
    session: &Session,
    given: &[Region],
) -> Result<Vec<Region>, CommandError> {
    if !given.iter().any(|region| region.as_str() == ALL) {
        let mut regions = given.to_vec();
        regions.sort();
        regions.dedup();
        return Ok(if regions.is_empty() { vec![session.region().clone()] } else { regions });
    }
    let enabled = regions::enabled(session).await;
    let (regions, refusal) = enabled.map_err(|error| {
        call_error("listing the enabled regions", &error).hint("or name the regions: --region us-east-1 --region …")
    })?;
    if let Some(error) = refusal {
        context.console.message(format_args!("{error}; using the enabled regions that EC2 reports"));
    }
    Ok(regions)
}

/// Prints the summary. If no region could be read, the load has failed; otherwise failed regions are item failures.
fn finish(
    context: &Context,
    session: &Session,
    regions: Vec<Region>,
    span: Span,
    loaded: &Loaded,
    interrupted: bool,
) -> Result<Outcome, CommandError> {
    if let Some((_, error)) = loaded.failed.first()
        && loaded.failed.len() == regions.len()
    {
        return Err(call_error("reading Event history", error).hint(RESUME));
    }
    for (_, error) in &loaded.failed {
        if let Some(hint) = error.hint() {
            context.console.warning(format_args!("{error}: {hint}"));
        }
    }
    let requests: BTreeMap<String, u64> = session.counts().by_operation();
    let history = History { regions, since: span.since.to_string(), until: span.until.to_string() };
    let summary = Summary { requests, history: Some(history), ..Summary::new(&loaded.figures, interrupted) };
    summary.print(&context.console);
    Ok(summary.outcome())
}

fn load_error(context: &Context, error: &ApiLoadError) -> CommandError {
    match error {
        ApiLoadError::Call(error) => call_error("looking up the account ID", error),
        ApiLoadError::Store(error) => context.store_error(error).hint(RESUME),
    }
}

fn call_error(doing: &str, error: &CallError) -> CommandError {
    let mut command_error = CommandError::while_doing(doing, error);
    command_error.hints.extend(error.hint());
    command_error
}
