//! Messages for work that matched nothing. That is likely a mistake, so they name the filter and what exists. A scheduled run without new
//! events prints nothing.

use std::path::PathBuf;

use jiff::civil::Date;

use super::{CommandError, Context, Outcome};
use crate::console::counted;
use crate::load::Figures;
use crate::load::s3::{self, There};
use crate::model::{AccountId, Region, ResourceType};
use crate::resource_map::ResourceMap;
use crate::store::coverage::{Coverage, CoveredPlace, CoveredSource};
use crate::store::recorded::Wanted;
use crate::store::{Store, StoreError};
use crate::trail::envelope::Kind;
use crate::trail::filter::RecordFilter;
use crate::trail::window::{DayRange, TimeWindow};

/// Accounts and regions, or kinds of files, that are named.
const NAMED: usize = 5;

/// Warns where the filter let none of the records pass that were read. Files that were loaded before mean that the load is one of many.
pub(in crate::cli) fn warn_of_filter(context: &Context, figures: &Figures, filter: &RecordFilter) {
    let counts = &figures.counts;
    if counts.matched == 0 && counts.filtered > 0 && figures.already_loaded == 0 {
        let hint = format!("there are events of {}", counts.left_out);
        context.console.warning_with_hints(format_args!("no event matches {}", filter_phrase(filter)), [hint]);
    }
}

/// "the time from 2019-01-01T00:00:00Z, region eu-west-1"
pub(in crate::cli) fn filter_phrase(filter: &RecordFilter) -> String {
    let mut parts = Vec::new();
    match (filter.window.since(), filter.window.until()) {
        (None, None) => {}
        (Some(since), None) => parts.push(format!("the time since {since}")),
        (None, Some(until)) => parts.push(format!("the time before {until}")),
        (Some(since), Some(until)) => parts.push(format!("the time from {since} to {until}")),
    }
    let listed = |names: Vec<&str>| names.join(", ");
    if !filter.accounts.is_empty() {
        parts.push(format!("account {}", listed(filter.accounts.iter().map(|account| account.as_str()).collect())));
    }
    if !filter.regions.is_empty() {
        parts.push(format!("region {}", listed(filter.regions.iter().map(|region| region.as_str()).collect())));
    }
    parts.join(", ")
}

/// Folders without a file that has records. Unless files were loaded before, that is a failure.
pub(in crate::cli) fn no_files(
    context: &Context,
    paths: &[PathBuf],
    figures: &Figures,
    knows_files: bool,
) -> Result<Outcome, CommandError> {
    let (message, there) = (no_files_in(paths), found_in(figures));
    if knows_files {
        context.console.warning_with_hints(message, [there]);
        return Ok(Outcome::Done);
    }
    Err(CommandError::failed(message).hint(there))
}

/// Whether files were loaded before.
pub(in crate::cli) fn knows_files(context: &Context) -> Result<bool, CommandError> {
    Ok(sources(context)?.iter().any(|source| source.source == "files"))
}

/// The error of a count that read nothing. `places`: folders, and `s3://BUCKET/PREFIX`.
pub(in crate::cli) fn no_files_to_count(places: &[PathBuf], window: TimeWindow, figures: &Figures) -> CommandError {
    let phrase = filter_phrase(&RecordFilter { window, ..RecordFilter::default() });
    let of = if phrase.is_empty() { phrase } else { format!(" for {phrase}") };
    CommandError::failed(format_args!("{}{of}", no_files_in(places))).hint(found_in(figures))
}

fn no_files_in(places: &[PathBuf]) -> String {
    let names: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    format!("there are no log files with CloudTrail records in {}", names.join(", "))
}

/// What the files are that were found: "found 12 files: a VPC flow log (a.log), …".
fn found_in(figures: &Figures) -> String {
    if figures.skipped == 0 {
        return "no files were found there".to_owned();
    }
    let first = |kind: &Kind| figures.other_files.iter().find(|file| file.kind == *kind);
    let kinds = figures.other_kinds.keys().take(NAMED).map(|kind| match first(kind) {
        Some(file) => format!("{} ({})", kind.phrase(), file.name),
        None => kind.phrase().to_owned(),
    });
    format!("found {}: {}", counted(figures.skipped, "file"), kinds.collect::<Vec<_>>().join(", "))
}

/// The bucket as the ledger knew it before a load; nothing where there was no database.
pub(in crate::cli) fn known_bucket(context: &Context, bucket: &str) -> Result<Option<CoveredSource>, CommandError> {
    let name = format!("s3://{bucket}");
    Ok(sources(context)?.into_iter().find(|source| source.source == name))
}

fn sources(context: &Context) -> Result<Vec<CoveredSource>, CommandError> {
    if !context.global.db.exists() {
        return Ok(Vec::new());
    }
    let coverage = Store::open_to_read(&context.global.db).and_then(|store| store.coverage());
    coverage.map(|coverage| coverage.sources).map_err(|error| context.store_error(&error))
}

/// Warns that a load found no object in a bucket, unless `known`, what earlier loads read of it, covers the time range.
pub(in crate::cli) fn warn_of_bucket(
    context: &Context,
    request: &s3::Request,
    filter: &RecordFilter,
    known: Option<&CoveredSource>,
    there: &There,
) {
    let is_missing = |region: &&Region| !there.regions.contains(region.as_str());
    let missing: Vec<&str> = request.regions.iter().filter(is_missing).map(|region| region.as_str()).collect();
    if missing.is_empty() && is_known(known, request.window) {
        return;
    }
    let regions: Vec<&str> = there.regions.iter().map(String::as_str).take(NAMED).collect();
    let days = there.days.as_ref().map(|(first, last)| format!(", days from {first} to {last}")).unwrap_or_default();
    let found = if regions.is_empty() { "none".to_owned() } else { format!("region {}{days}", regions.join(", ")) };
    context.console.warning_with_hints(
        format_args!("s3://{}/{} has no log files of {}", request.bucket, request.prefix, filter_phrase(filter)),
        [format!("there are log files of {found}")],
    );
}

/// Whether earlier loads read days of this window.
pub(in crate::cli) fn is_known(known: Option<&CoveredSource>, window: TimeWindow) -> bool {
    known.is_some_and(|known| overlaps(known, window.delivery_days()))
}

fn overlaps(known: &CoveredSource, days: DayRange) -> bool {
    let day = |date: Date| date.strftime("%Y/%m/%d").to_string();
    let begins_in_time =
        known.last_day.as_ref().is_some_and(|known| days.first.is_none_or(|first| day(first) <= *known));
    let ends_late = known.first_day.as_ref().is_none_or(|known| days.last.is_none_or(|last| day(last) >= *known));
    begins_in_time && ends_late
}

/// Warns that the database has no event of what was asked for, and says what it has. `wanted`: "of account 123456789012 in eu-west-1".
///
/// # Errors
/// The database's.
pub(in crate::cli) fn warn_of_database(context: &Context, store: &Store, wanted: &str) -> Result<(), StoreError> {
    let there = places_phrase(&store.coverage()?);
    let hint = format!("it has {there}");
    context.console.warning_with_hints(format_args!("the database has no create events {wanted}"), [hint]);
    Ok(())
}

/// Says that a list is empty; warns where the database has no event of the accounts and regions that it is about.
///
/// # Errors
/// The database's.
pub(in crate::cli) fn warn_of_no_resource(context: &Context, store: &Store, wanted: &Wanted) -> Result<(), StoreError> {
    let coverage = store.coverage()?;
    let is_wanted = |place: &CoveredPlace| {
        (wanted.accounts.is_empty() || wanted.accounts.contains(&place.account_id))
            && (wanted.regions.is_empty() || wanted.regions.contains(&place.region))
    };
    if coverage.places.iter().any(is_wanted) {
        context.console.message("no resource matches");
        return Ok(());
    }
    warn_of_database(context, store, "for these accounts and regions")
}

/// Whether the database has create events of any of these types in these regions of an account; of global types, in any region.
///
/// # Errors
/// The database's.
pub(in crate::cli) fn has_events(
    store: &Store,
    map: &ResourceMap,
    account: &AccountId,
    regions: &[Region],
    types: &[ResourceType],
) -> Result<bool, StoreError> {
    let recorded = store.types_by_region(account)?;
    Ok(recorded.iter().any(|(region, names)| {
        names.iter().any(|name| types.contains(name) && (regions.contains(region) || map.is_global(name)))
    }))
}

/// "ebs, sqs"
pub(in crate::cli) fn names_of(types: &[ResourceType]) -> String {
    types.iter().map(ResourceType::as_str).collect::<Vec<_>>().join(", ")
}

fn places_phrase(coverage: &Coverage) -> String {
    let phrase = |place: &CoveredPlace| {
        let CoveredPlace { account_id, region, first_event, last_event } = place;
        format!("account {account_id} in {region} (from {first_event} to {last_event})")
    };
    let mut places: Vec<String> = coverage.places.iter().take(NAMED).map(phrase).collect();
    let hidden = coverage.places.len().saturating_sub(NAMED);
    if hidden > 0 {
        places.push(format!("{hidden} more accounts and regions"));
    }
    if places.is_empty() {
        "no events at all: load a trail first".to_owned()
    } else {
        format!("events of {}", places.join(", "))
    }
}
