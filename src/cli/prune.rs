//! `prune`: removes old events from the database.

use jiff::Timestamp;
use serde::Serialize;

use super::load_summary::size;
use super::{CommandError, Context, Outcome};
use crate::console::{Lines, OutputFormat, Progress, counted, number};
use crate::store::prune::{FileSize, PruneStep, Pruned, Pruning};
use crate::store::{Store, StoreError};
use crate::trail::window;

const EXAMPLES: &str = "\
Examples:
  Show what would be removed:
    trailcreator prune --before 2y --dry-run
  Remove events of resources that were deleted before 2023:
    trailcreator prune --before 2023/01/01
  Also remove the names, IP addresses and user agents in older events:
    trailcreator prune --before 3y --forget-creators";

/// Remove old events from the database
///
/// Removes the events of resources that were deleted before a date. Events are kept, whatever their age, if their
/// resource was deleted later or still exists according to the database. Owners do not change. The journal of runs is
/// kept, so `undo` works as before. The ledger of what was read is kept too, so later loads read only what is new.
/// After a change of the resource map, a load reads older parts of the trail again, and removed events come back until
/// the next prune. If a prune is interrupted, nothing is lost; run the same command again to finish it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Remove events before a date, an RFC 3339 time or an age (90d, 2w, 3mo, 1y). A date means the start of that day (UTC)
    #[arg(long, value_name = "DATE")]
    before: String,
    /// Also remove principals, IP addresses and user agents from older events of resources that exist. Each resource
    /// keeps its create event, without the creator. Later loads never store events before DATE again
    #[arg(long)]
    forget_creators: bool,
    /// Keep the events of deleted resources from which others can inherit an owner (tag --inherit)
    #[arg(long, conflicts_with = "forget_creators")]
    keep_parents: bool,
    /// Keep the file's size, and use the free space in it for later events
    #[arg(long)]
    no_vacuum: bool,
    /// Show what would be removed; change nothing
    #[arg(long, alias = "dryrun")]
    dry_run: bool,
}

/// The JSON document. Keys are only added within a format version.
#[derive(Serialize)]
struct Document {
    format_version: u32,
    dry_run: bool,
    before: String,
    events_removed: u64,
    events_kept: u64,
    creators_removed: u64,
    sessions_removed: u64,
    people_removed: u64,
    bytes_before: u64,
    bytes_after: u64,
    /// Why the file was not made smaller.
    #[serde(skip_serializing_if = "Option::is_none")]
    vacuum_error: Option<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    let before = time_before(&args.before, Timestamp::now())?;
    let map = context.resource_map()?;
    let pruning =
        Pruning { map: &map, before, keeps_parents: args.keep_parents, forgets_creators: args.forget_creators };
    let failed = |error: StoreError| context.store_error(&error);
    let mut store = if args.dry_run { context.open_store_to_read()? } else { context.open_existing_store()? };
    let size_before = store.size().map_err(failed)?;
    let pruned = if args.dry_run {
        watched(context, |watch| store.prune_dry(&pruning, watch)).map_err(failed)?
    } else {
        watched(context, |watch| store.prune(&pruning, watch))
            .map_err(|error| context.store_error(&error).hint(FINISH))?
    };
    let vacuum = if args.dry_run || args.no_vacuum { Ok(()) } else { vacuum(&mut store, context) };
    let document = Document {
        format_version: 1,
        dry_run: args.dry_run,
        before: format!("{before:.0}"),
        events_removed: pruned.events,
        events_kept: pruned.old_events.saturating_sub(pruned.events),
        creators_removed: pruned.creators,
        sessions_removed: pruned.sessions,
        people_removed: pruned.people,
        bytes_before: size_before.bytes,
        bytes_after: store.size().map_err(failed)?.bytes,
        vacuum_error: vacuum.as_ref().err().map(ToString::to_string),
    };
    match context.console.format {
        OutputFormat::Json => context.console.json(&document),
        OutputFormat::Text => context.console.lines(&document.text()),
    }
    let Err(error) = vacuum else { return Ok(Outcome::Done) };
    context.console.warning_with_hints(
        format_args!("the events are removed, but the file could not be made smaller: {error}"),
        error.hint(),
    );
    Ok(Outcome::ItemFailures)
}

/// The hint when a prune fails midway.
const FINISH: &str = "what was removed stays removed; run the same command again to finish";

fn time_before(text: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    let before = window::point("--before", text, now).map_err(CommandError::usage)?;
    if before > now {
        return Err(CommandError::usage(format_args!("--before {before:.0} is in the future: now is {now:.0}")));
    }
    Ok(before)
}

/// Shows the progress of `prune`.
fn watched(
    context: &Context,
    prune: impl FnOnce(&mut dyn FnMut(PruneStep)) -> Result<Pruned, StoreError>,
) -> Result<Pruned, StoreError> {
    let mut shown: Option<(&str, Progress)> = None;
    prune(&mut |step| {
        let (title, total, position) = match step {
            // Each event is read three times.
            PruneStep::Choosing { read } => ("reading events", None, read),
            PruneStep::Removing { done, total } => ("removing events", Some(total), done),
            PruneStep::RemovingNames { done, total } => ("removing unused names", Some(total), done),
            PruneStep::Tidying => ("removing unused sessions and users", None, 0),
        };
        if shown.as_ref().is_none_or(|(known, _)| *known != title) {
            shown = None;
            shown = Some((title, context.console.progress(title, total)));
        }
        if let Some((_, progress)) = &shown {
            progress.update(position, "");
        }
    })
}

/// Gives the space back that this prune, or an earlier one, left unused.
fn vacuum(store: &mut Store, context: &Context) -> Result<(), StoreError> {
    let FileSize { bytes, unused_bytes } = store.size()?;
    if unused_bytes == 0 {
        return Ok(());
    }
    context.console.message(format_args!(
        "freeing {} of {}; this needs disk space for a copy of the rest",
        size(unused_bytes),
        size(bytes)
    ));
    store.compact()
}

impl Document {
    fn text(&self) -> Lines {
        let mut text = Lines::default();
        let mut line = |title: &str, value: String| text.line(format_args!("{title:<10} {value}"));
        let verb = if self.dry_run { "would be removed" } else { "removed" };
        line("before", self.before.clone());
        let kept = match self.events_kept {
            0 => String::new(),
            count => format!("; {} kept: their resources exist, or were deleted later", number(count)),
        };
        line("events", format!("{} {verb}{kept}", number(self.events_removed)));
        for (title, count, noun) in [
            ("creators", self.creators_removed, "creator"),
            ("sessions", self.sessions_removed, "session"),
            ("people", self.people_removed, "Identity Center user"),
        ] {
            if count > 0 {
                line(title, format!("{} {verb}", counted(count, noun)));
            }
        }
        if !self.dry_run {
            line("file", format!("{} before, {} now", size(self.bytes_before), size(self.bytes_after)));
        }
        text
    }
}
