//! `load-history`: CloudTrail's Event history.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::interrupt::stop_on_interrupt;
use super::load_summary::{History, Summary};
use super::options::ChainsArgs;
use super::{AwsAccessArgs, CommandError, Context, Outcome, WindowArgs};
use crate::aws::{AwsOptions, CallError, Session, regions};
use crate::load::history::{Failed, Load, Loaded, Span};
use crate::load::{Figures, Stop};
use crate::names::{InvalidRegion, Region};
use crate::store::{Store, StoreError};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;

/// What stands for all regions that are enabled.
pub(super) const ALL: &str = "all";

/// Where the account is asked for its regions when the environment names no region.
const ANY_REGION: &str = "us-east-1";

/// Load CloudTrail's Event history: the last 90 days, without any trail
///
/// Every account has it, in each region for itself. AWS allows 2 requests a second and region, of 50 events each; regions are
/// read at the same time. What was loaded before is not asked for again. Loading can be stopped at any moment; the same
/// command goes on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A region; repeatable; all: those enabled for the account [default: the region of AWS's usual chain]
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
        CommandError::usage(error).hint("older events are in a trail: load-s3, load-athena, load-files")
    })?;
    if span.is_cut {
        context.console.warning(format_args!(
            "Event history holds 90 days: what is before {} is not loaded; a trail has it (load-s3, load-athena)",
            span.since
        ));
    }
    let session = open_session(args.aws, &args.region).await?;
    let regions = wanted_regions(context, &session, &args.region).await?;
    let map = args.chains.map(context.resource_map()?);
    let scanner = Scanner::new(Arc::new(map), RecordFilter { window, ..RecordFilter::default() });
    let mut store = context.open_store()?;
    let stop = Stop::default();
    let interrupt = stop_on_interrupt(&stop);
    let progress = context.console.progress("Event history: days", Some(0));
    let mut watch = |figures: &Figures| {
        progress.set_total(figures.expected);
        progress
            .update(figures.done(), format!("{} events, {} matches", figures.counts.records, figures.counts.matched));
    };
    let load = Load { session: &session, scanner: &scanner, store: &mut store, stop: &stop, watch: &mut watch };
    let loaded = load.run(&regions, span, now).await.map_err(|error| load_error(context, &error))?;
    interrupt.abort();
    drop(progress);
    if !stop.is_set() && loaded.failed.is_empty() {
        warn_of_nothing(context, &store, &regions, span, &loaded).map_err(|error| context.store_error(&error))?;
    }
    tell(context, &session, regions, span, &loaded, stop.is_set())
}

/// Warns where there are no events at all in regions of which the database has none either: an hour in which nothing happened is no news.
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
    context.console.warning(format_args!(
        "Event history has no events in {} from {} to {}\n  hint: check the region and the account; --region all reads every enabled region",
        regions.join(", "),
        span.since,
        span.until
    ));
    Ok(())
}

/// A session for work in these regions, of which one may be [`ALL`].
pub(super) async fn open_session(access: AwsAccessArgs, regions: &[Region]) -> Result<Session, CommandError> {
    let named = regions.iter().find(|region| region.as_str() != ALL);
    let fallback = named.cloned().or_else(|| (!regions.is_empty()).then(|| Region::from(ANY_REGION)));
    let options = AwsOptions { default_region: fallback, ..access.into() };
    Session::open(&options).await.map_err(|error| call_error("opening an AWS session", &error))
}

/// The regions that these stand for: without any the session's, for [`ALL`] those that the account has enabled.
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
        call_error("finding the enabled regions", &error).hint("or name the regions: --region us-east-1 --region …")
    })?;
    if let Some(error) = refusal {
        context.console.message(format_args!("{error}; the enabled regions are EC2's"));
    }
    Ok(regions)
}

/// A load without any region that could be read has failed; else failed regions are items.
fn tell(
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
        let kept = "what was read before is kept; the same command goes on from there";
        return Err(call_error("reading Event history", error).hint(kept));
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

fn load_error(context: &Context, error: &Failed) -> CommandError {
    match error {
        Failed::Call(error) => call_error("finding the account", error),
        Failed::Store(error) => {
            context.store_error(error).hint("what was committed before is kept; the same command goes on from there")
        }
    }
}

fn call_error(doing: &str, error: &CallError) -> CommandError {
    let mut command_error = CommandError::while_doing(doing, error);
    command_error.hints.extend(error.hint());
    command_error
}
