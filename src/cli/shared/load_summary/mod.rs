//! The summary of a load: a few lines of text, or one JSON document.

mod phrases;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use phrases::{already_loaded_phrase, retried, what_was_read};
pub(in crate::cli) use phrases::{cost, how_new, pruned, size};

use super::Outcome;
use super::archived::{self, ArchivedEntry};
use super::other_files::{self, OtherEntry};
use crate::console::{Console, Lines, OutputFormat, counted, number};
use crate::load::s3::SelectFigures;
use crate::load::{Failure, Figures};
use crate::model::Region;
use crate::store::sessions::MAX_SESSIONS;

/// How many event names without identifiers the text lists. JSON lists all.
const NAMED_EVENTS: usize = 5;

/// The result of a load.
pub(in crate::cli) struct Summary<'f> {
    pub(in crate::cli) figures: &'f Figures,
    /// AWS requests by operation. Empty for a load without AWS calls.
    pub(in crate::cli) requests: BTreeMap<String, u64>,
    pub(in crate::cli) interrupted: bool,
    /// The Athena query, for `load-athena`.
    pub(in crate::cli) query: Option<Query>,
    /// The requested part of Event history, for `load-history`. The file counts are days of a region then.
    pub(in crate::cli) history: Option<History>,
    /// The log group, for `load-logs`. The file counts are days then.
    pub(in crate::cli) logs: Option<Logs>,
    /// The cost of the S3 requests, for `load-s3`.
    pub(in crate::cli) s3: Option<S3>,
}

/// The cost of the S3 requests.
#[derive(Serialize)]
pub(in crate::cli) struct S3 {
    /// At the prices of most regions, without data transfer.
    estimated_dollars: f64,
    /// What S3 Select did, if it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    select: Option<Select>,
}

/// What S3 Select did.
#[derive(Serialize)]
struct Select {
    /// Objects that S3 Select read.
    objects: u64,
    /// Bytes scanned, as stored.
    scanned_bytes: u64,
    /// Bytes returned.
    returned_bytes: u64,
    /// Objects that S3 Select could not read, and that were read by GET instead.
    refused_objects: u64,
}

/// The requested part of Event history.
#[derive(Serialize)]
pub(in crate::cli) struct History {
    pub(in crate::cli) regions: Vec<Region>,
    /// UTC, inclusive.
    pub(in crate::cli) since: String,
    /// UTC, exclusive.
    pub(in crate::cli) until: String,
}

/// The log group that was read.
#[derive(Serialize)]
pub(in crate::cli) struct Logs {
    pub(in crate::cli) log_group: String,
    pub(in crate::cli) region: Region,
    /// UTC, inclusive.
    pub(in crate::cli) since: String,
    /// UTC, exclusive.
    pub(in crate::cli) until: String,
}

/// The Athena query that returned the records.
#[derive(Serialize)]
pub(in crate::cli) struct Query {
    /// Athena's query execution ID.
    pub(in crate::cli) id: String,
    /// Bytes that Athena scanned.
    pub(in crate::cli) scanned_bytes: u64,
    /// Run time of the query.
    pub(in crate::cli) seconds: f64,
    /// At the price of most regions.
    pub(in crate::cli) estimated_dollars: f64,
}

/// The JSON document. Keys are only added within a format version.
#[derive(Serialize)]
struct Document<'f> {
    format_version: u32,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'f Query>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'f History>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<&'f Logs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3: Option<&'f S3>,
    files: Files,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<ArchivedEntry<'f>>,
    bytes: u64,
    json_bytes: u64,
    records: u64,
    matched: u64,
    filtered: u64,
    insights: u64,
    ids: u64,
    new_ids: u64,
    pruned_ids: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<Sessions>,
    without_ids: &'f BTreeMap<String, u64>,
    broken_records: u64,
    failures: Vec<FailureEntry<'f>>,
    other_files: Vec<OtherEntry<'f>>,
    other_file_kinds: BTreeMap<&'static str, u64>,
    other_values: BTreeMap<&'static str, u64>,
    requests: &'f BTreeMap<String, u64>,
}

/// The records of STS calls that created sessions, if `--chains` loaded any.
#[derive(Serialize)]
struct Sessions {
    /// Records that were read.
    read: u64,
    /// Records that were not in the database.
    new: u64,
    /// Records dropped from the database because it keeps a limited number.
    dropped: u64,
}

impl Sessions {
    fn of(figures: &Figures) -> Option<Self> {
        let Figures { new_sessions: new, dropped_sessions: dropped, .. } = *figures;
        let read = figures.counts.sessions;
        (read > 0).then_some(Self { read, new, dropped })
    }

    fn text(&self) -> String {
        let Self { read, new, dropped } = self;
        let mut text = format!("{}, {}", number(*read), how_new(*read, *new));
        if *dropped > 0 {
            let (dropped, kept) = (number(*dropped), number(MAX_SESSIONS));
            write!(
                text,
                "; {dropped} dropped: the database keeps at most {kept} sessions, besides those that lead to a create event"
            )
            .expect("writing to a String can't fail");
        }
        text
    }
}

#[derive(Serialize)]
struct Files {
    read: u64,
    already_loaded: u64,
    skipped: u64,
    broken: u64,
}

#[derive(Serialize)]
pub(in crate::cli) struct FailureEntry<'f> {
    name: &'f str,
    reason: &'f str,
}

impl<'f> From<&'f Failure> for FailureEntry<'f> {
    fn from(failure: &'f Failure) -> Self {
        Self { name: &failure.name, reason: &failure.reason }
    }
}

impl<'f> Summary<'f> {
    /// The summary of a load that made no AWS request.
    pub(in crate::cli) fn new(figures: &'f Figures, interrupted: bool) -> Self {
        Self { figures, requests: BTreeMap::new(), interrupted, query: None, history: None, logs: None, s3: None }
    }

    /// Determines the exit code.
    pub(in crate::cli) fn outcome(&self) -> Outcome {
        if self.interrupted {
            Outcome::Interrupted
        } else if self.figures.has_failures() {
            Outcome::ItemFailures
        } else {
            Outcome::Done
        }
    }

    /// Prints the summary in the requested format.
    pub(in crate::cli) fn print(&self, console: &Console) {
        match console.format {
            OutputFormat::Json => console.json(&self.document()),
            OutputFormat::Text => console.lines(&self.text()),
        }
        if self.interrupted {
            console.message(
                "interrupted: the events counted above are saved; run the same command again to load the rest",
            );
        }
    }

    fn document(&self) -> Document<'_> {
        let Figures { read, already_loaded, skipped, broken, counts, failures, new_ids, .. } = self.figures;
        let Figures { other_files, other_kinds, .. } = self.figures;
        Document {
            format_version: 1,
            interrupted: self.interrupted,
            query: self.query.as_ref(),
            history: self.history.as_ref(),
            logs: self.logs.as_ref(),
            s3: self.s3.as_ref(),
            files: Files { read: *read, already_loaded: *already_loaded, skipped: *skipped, broken: *broken },
            archived: ArchivedEntry::of(&self.figures.archived),
            bytes: counts.stored_bytes,
            json_bytes: counts.bytes,
            records: counts.records,
            matched: counts.matched,
            filtered: counts.filtered,
            insights: counts.insights,
            ids: counts.ids,
            new_ids: *new_ids,
            pruned_ids: self.figures.pruned,
            sessions: Sessions::of(self.figures),
            without_ids: &counts.without_ids,
            broken_records: counts.broken_records,
            failures: failures.iter().map(FailureEntry::from).collect(),
            other_files: other_files.iter().map(OtherEntry::from).collect(),
            other_file_kinds: other_files::by_kind(other_kinds),
            other_values: other_files::by_kind(&counts.others),
            requests: &self.requests,
        }
    }

    fn text(&self) -> Lines {
        let counts = &self.figures.counts;
        let mut text = Lines::default();
        let mut line = |title: &str, value: String| text.line(format_args!("{title:<12} {value}"));
        self.source(&mut line);
        if counts.records > 0 {
            line("records", number(counts.records));
        }
        line("events", self.events());
        if counts.filtered > 0 {
            let filtered = counted(counts.filtered, "event");
            line("filtered", format!("{filtered} outside the time range, accounts or regions"));
        }
        if let Some(not_stored) = pruned(self.figures.pruned) {
            line("pruned", not_stored);
        }
        if let Some(sessions) = Sessions::of(self.figures) {
            line("sessions", sessions.text());
        }
        if !counts.without_ids.is_empty() {
            line("without id", self.without_ids());
        }
        if let Some(ignored) = other_files::ignored_phrase(self.figures) {
            line("ignored", ignored);
        }
        if self.figures.skipped > 0 {
            line("no records", counted(self.figures.skipped, "file"));
            other_files::named(self.figures).into_iter().for_each(|file| text.line(file));
        }
        if let Some(phrase) = archived::phrase(&self.figures.archived) {
            text.line(format_args!("{:<12} {phrase}", "archived"));
            text.line(format_args!("  {}", archived::advice(&self.figures.archived)));
        }
        let mut line = |title: &str, value: String| text.line(format_args!("{title:<12} {value}"));
        if self.figures.has_failures() {
            line("failed", self.failed());
            self.named_failures().into_iter().for_each(|failure| text.line(failure));
        }
        let mut line = |title: &str, value: String| text.line(format_args!("{title:<12} {value}"));
        if !self.requests.is_empty() {
            let requests: Vec<String> =
                self.requests.iter().map(|(name, count)| format!("{name} {}", number(*count))).collect();
            line("requests", requests.join(", "));
        }
        if let Some(s3) = &self.s3 {
            s3.lines(&mut line);
        }
        text
    }

    /// What was read: a query's result, days of Event history, or log files.
    fn source(&self, line: &mut impl FnMut(&str, String)) {
        let Figures { read, already_loaded, skipped, counts, .. } = self.figures;
        if let Some(query) = &self.query {
            let state = if *already_loaded > 0 { "already loaded, nothing read" } else { "loaded" };
            line("query", format!("{} {state}", query.id));
            line(
                "Athena",
                format!("{} scanned in {:.1} s, {}", size(query.scanned_bytes), query.seconds, query.cost()),
            );
        } else if let Some(history) = &self.history {
            let regions: Vec<&str> = history.regions.iter().map(Region::as_str).collect();
            line("history", format!("{}, {} to {}", regions.join(", "), history.since, history.until));
            line("read", what_was_read(*read, "day", &[already_loaded_phrase(*already_loaded)]));
        } else if let Some(Logs { log_group, region, since, until }) = &self.logs {
            line("log group", format!("{log_group} in {region}, {since} to {until}"));
            line("read", what_was_read(*read, "day", &[already_loaded_phrase(*already_loaded)]));
        } else {
            let skipped = other_files::skipped_phrase(*skipped);
            // The ledger does not keep the log files of complete days, so their number is unknown.
            let complete = (self.s3.is_some() && *read == 0).then(|| "complete days are not listed again".to_owned());
            let others = [already_loaded_phrase(*already_loaded), skipped, complete];
            line("read", what_was_read(*read, "log file", &others));
            if counts.stored_bytes > 0 {
                line("size", format!("{}, {} uncompressed", size(counts.stored_bytes), size(counts.bytes)));
            }
        }
    }

    /// The matched events, the identifiers in them, and how many of these are new in the database.
    fn events(&self) -> String {
        let Figures { counts, new_ids, .. } = self.figures;
        if counts.matched == 0 {
            return "no create, delete or rename events".to_owned();
        }
        let events = counted(counts.matched, "create, delete or rename event");
        match counts.ids {
            0 => format!("{events} without identifiers"),
            ids => format!("{events} ({}), {}", counted(ids, "identifier"), how_new(ids, *new_ids)),
        }
    }

    fn without_ids(&self) -> String {
        let mut events: Vec<_> = self.figures.counts.without_ids.iter().collect();
        let total: u64 = events.iter().map(|(_, count)| **count).sum();
        events.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut named: Vec<String> =
            events.iter().take(NAMED_EVENTS).map(|(event, count)| format!("{event} {}", number(**count))).collect();
        if events.len() > NAMED_EVENTS {
            let others = counted((events.len() - NAMED_EVENTS) as u64, "other event name");
            named.push(format!("and {others}"));
        }
        format!("{}: {}", counted(total, "event"), named.join(", "))
    }

    fn failed(&self) -> String {
        let Figures { broken, counts, .. } = self.figures;
        let records = counts.broken_records;
        match (&self.query, &self.history) {
            (Some(_), _) => counted(records, "row"),
            (None, Some(_)) => retried(&[(*broken, "region"), (records, "event")]),
            (None, None) if self.logs.is_some() => retried(&[(records, "event")]),
            (None, None) => retried(&[(*broken, "log file"), (records, "record")]),
        }
    }

    /// The first failures, with their reasons.
    fn named_failures(&self) -> Vec<String> {
        let Figures { broken, failures, counts, .. } = self.figures;
        let mut named: Vec<String> =
            failures.iter().map(|failure| format!("  {}: {}", failure.name, failure.reason)).collect();
        if failures.len() as u64 + counts.broken_records < *broken {
            named.push("  … and more".to_owned());
        }
        named
    }
}

impl S3 {
    /// Summarizes what S3 Select did, with the cost of the requests.
    pub(in crate::cli) fn new(select: &SelectFigures, estimated_dollars: f64) -> Self {
        let (refused_objects, _) = select.unsuitable();
        let figures = Select {
            objects: select.objects(),
            scanned_bytes: select.scanned(),
            returned_bytes: select.returned(),
            refused_objects,
        };
        let select = (figures.objects + refused_objects > 0).then_some(figures);
        Self { estimated_dollars, select }
    }

    fn lines(&self, line: &mut impl FnMut(&str, String)) {
        if let Some(select) = &self.select {
            let Select { objects, scanned_bytes, returned_bytes, .. } = select;
            let objects = counted(*objects, "object");
            let (scanned, returned) = (size(*scanned_bytes), size(*returned_bytes));
            line("S3 Select", format!("{objects} read: {scanned} scanned, {returned} returned"));
        }
        line("cost", format!("estimated ${:.6} for the requests, without data transfer", self.estimated_dollars));
    }
}

impl Query {
    fn cost(&self) -> String {
        cost(self.estimated_dollars)
    }
}

#[cfg(test)]
mod tests;
