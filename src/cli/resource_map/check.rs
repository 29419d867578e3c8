//! `resource-map check`: whether maps are right, and what they find in given records.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::FORMAT_VERSION;
use crate::cli::{CommandError, Context, Outcome};
use crate::console::OutputFormat;
use crate::resource_map::{EventSummary, FileError, ResourceMap};
use crate::trail::map_check::{CheckedRecord, FoundResource, try_map};
use crate::trail::scan::Scan;

/// The name of stdin on the command line.
const STDIN: &str = "-";

/// Records shown one by one. The others are only counted, so that a whole trail does not fill memory.
const RECORDS_SHOWN: usize = 10_000;

/// Characters of a record that the text shows; JSON shows all.
const SHOWN_CHARACTERS: usize = 300;

const EXAMPLES: &str = "\
Examples:
  Check a map:
    trailcreator resource-map check my-map.yml
  Check a map, and try it on CloudTrail records:
    trailcreator resource-map check my-map.yml --events records.json";

/// Check resource maps (YAML, or c7n-trailcreator's JSON), and try them on CloudTrail records
///
/// Exit codes: 0 all valid; 2 a map is invalid; 4 a record that matches a map has no identifier, or can't be read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Resource maps to check
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Files with CloudTrail records to try the maps on, as load-files reads them (- for stdin); repeatable
    #[arg(long, value_name = "FILE")]
    events: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    files: Vec<Checked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<&'a CheckSummary>,
}

/// What became of a map.
#[derive(Serialize)]
struct Checked {
    file: String,
    types: usize,
    events: usize,
    error: Option<Wrong>,
}

#[derive(Serialize)]
struct Wrong {
    line: usize,
    column: usize,
    message: String,
}

/// What the maps found.
#[derive(Debug, Default, Serialize)]
struct CheckSummary {
    records: u64,
    matched: u64,
    without_ids: u64,
    broken: Vec<String>,
    /// Files without records, and what they are.
    others: Vec<String>,
    results: Vec<CheckedRecord>,
    /// Events of the maps that no record is of.
    unmatched_events: Vec<Unmatched>,
}

#[derive(Debug, Serialize)]
struct Unmatched {
    service: String,
    event: String,
    #[serde(rename = "type")]
    resource_type: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    let mut files: Vec<Checked> = args.files.iter().map(checked).collect();
    let mut trial = None;
    if files.iter().all(|file| file.error.is_none()) {
        // Together they may still be wrong: a type in two of them.
        match ResourceMap::load(&args.files, &[]) {
            Ok(map) if args.events.is_empty() => drop(map),
            Ok(map) => trial = Some(tried(&map, &args.events)?),
            Err(error) => blame(&mut files, error),
        }
    }
    let outcome = outcome(&files, trial.as_ref());
    match context.console.format {
        OutputFormat::Json => {
            context.console.json(&Document { format_version: FORMAT_VERSION, files, events: trial.as_ref() });
        }
        OutputFormat::Text => {
            files.iter().for_each(|file| context.console.data(file_line(file)));
            trial.iter().flat_map(trial_lines).for_each(|line| context.console.data(line));
        }
    }
    Ok(outcome)
}

fn outcome(files: &[Checked], trial: Option<&CheckSummary>) -> Outcome {
    if files.iter().any(|file| file.error.is_some()) {
        Outcome::Usage
    } else if trial.is_some_and(|trial| trial.without_ids > 0 || !trial.broken.is_empty()) {
        Outcome::ItemFailures
    } else {
        Outcome::Done
    }
}

fn checked(path: &PathBuf) -> Checked {
    let file = path.display().to_string();
    match ResourceMap::load(std::slice::from_ref(path), &[]) {
        Ok(map) => {
            let rules =
                || map.events.iter().flat_map(|(source, name, rules)| rules.iter().map(move |r| (source, name, r)));
            let types: BTreeSet<_> = rules().filter_map(|(_, _, rule)| rule.resource_type()).collect();
            Checked { file, types: types.len(), events: rules().count(), error: None }
        }
        Err(error) => Checked { file, types: 0, events: 0, error: Some(error.into()) },
    }
}

impl From<FileError> for Wrong {
    fn from(FileError { line, column, message, .. }: FileError) -> Self {
        Self { line, column, message }
    }
}

/// Adds an error to the file that it is in.
fn blame(files: &mut [Checked], error: FileError) {
    let at = files.iter().position(|file| file.file == error.file).unwrap_or_default();
    if let Some(file) = files.get_mut(at) {
        file.error = Some(error.into());
    }
}

fn tried(map: &ResourceMap, events: &[PathBuf]) -> Result<CheckSummary, CommandError> {
    let mut trial = CheckSummary::default();
    let mut seen: BTreeMap<(String, String), ()> = BTreeMap::new();
    for path in events {
        let CheckSummary { results, without_ids, .. } = &mut trial;
        let mut each = |tried: CheckedRecord| {
            *without_ids += u64::from(tried.without_ids.is_some());
            seen.insert((tried.service.clone(), tried.event.clone()), ());
            if results.len() < RECORDS_SHOWN {
                results.push(tried);
            }
        };
        let scan = try_map(map, &mut *open(path)?, &mut each);
        trial.add(path, scan);
    }
    let is_seen = |service: &str, event: &str| {
        // A record's name may carry an API version.
        let rules = map.rules(service, event).as_ptr();
        seen.keys().any(|(source, name)| std::ptr::eq(map.rules(source, name).as_ptr(), rules))
    };
    for summary in map.summaries() {
        let unmatched = summary.events.iter().filter(|event| !is_seen(event.service, event.event));
        trial.unmatched_events.extend(unmatched.map(|event| unmatched_event(event, summary.resource_type.as_str())));
    }
    Ok(trial)
}

fn unmatched_event(event: &EventSummary<'_>, resource_type: &str) -> Unmatched {
    Unmatched {
        service: event.service.to_owned(),
        event: event.event.to_owned(),
        resource_type: resource_type.to_owned(),
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, CommandError> {
    if path.as_os_str() == STDIN {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| CommandError::usage(format_args!("{}: {error}", path.display())))?;
    Ok(Box::new(file))
}

impl CheckSummary {
    fn add(&mut self, path: &Path, scan: Scan) {
        self.records += scan.counts.records;
        self.matched += scan.counts.matched;
        let scan = scan.under_name(&path.display().to_string());
        let kind = scan.kind().filter(|_| scan.broken.is_none() && scan.broken_record.is_none());
        self.others.extend(kind.map(|kind| format!("{}: {}", path.display(), kind.phrase())));
        let record = scan.broken_record.map(|reason| reason.to_string());
        let broken = scan.broken.map(|reason| reason.to_string()).or(record);
        self.broken.extend(broken.map(|reason| format!("{}: {reason}", path.display())));
    }
}

fn file_line(file: &Checked) -> String {
    match &file.error {
        None => format!("{}: valid, {} types, {} events", file.file, file.types, file.events),
        Some(Wrong { line: 0, message, .. }) => format!("{}: {message}", file.file),
        Some(Wrong { line, column, message }) => format!("{}:{line}:{column}: {message}", file.file),
    }
}

fn trial_lines(trial: &CheckSummary) -> Vec<String> {
    let CheckSummary { records, matched, without_ids, .. } = trial;
    let mut lines: Vec<String> = trial.results.iter().map(tried_line).collect();
    for Unmatched { service, event, resource_type } in &trial.unmatched_events {
        lines.push(format!("no record of {event} of {service}, for {resource_type}"));
    }
    lines.extend(trial.others.iter().map(|other| format!("no records: {other}")));
    lines.extend(trial.broken.iter().map(|broken| format!("broken: {broken}")));
    lines.push(format!("{records} records, {matched} with events of the maps, {without_ids} without identifiers"));
    lines
}

fn found_text(FoundResource { resource_type, id, action, renamed_to, .. }: &FoundResource) -> String {
    let new_name = renamed_to.as_ref().map(|name| format!(" to {name}")).unwrap_or_default();
    format!("{action} {resource_type} {id}{new_name}")
}

fn tried_line(tried: &CheckedRecord) -> String {
    let id = tried.event_id.as_deref().unwrap_or("without id");
    let head = format!("{} {id}", tried.event);
    if let Some(error) = &tried.failed {
        format!("{head}: failed with {error}, ignored")
    } else if let Some(without) = &tried.without_ids {
        let record: String = without.record.to_string().chars().take(SHOWN_CHARACTERS).collect();
        format!("{head}: no identifier at {}; the record has {record}", without.ids.join(" or "))
    } else {
        let found: Vec<String> = tried.resources.iter().map(found_text).collect();
        format!("{head}: {}", found.join(", "))
    }
}
