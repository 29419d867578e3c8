//! What a load tells in the end: a few lines for people, one document for machines.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::Outcome;
use crate::console::{Console, OutputFormat};
use crate::load::s3::SelectFigures;
use crate::load::{Failure, Figures};
use crate::names::Region;
use crate::store::sessions::MAX_SESSIONS;

/// Calls without ids that are named to people; the document has all.
const NAMED_CALLS: usize = 5;

/// The end of a load.
pub(super) struct Summary<'f> {
    pub(super) figures: &'f Figures,
    /// AWS requests by operation; empty where there are none.
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) interrupted: bool,
    /// The query, where the records came from one.
    pub(super) query: Option<Query>,
    /// What of Event history was asked for, where the records came from it. Files are days of a region then.
    pub(super) history: Option<History>,
    /// What reading from S3 cost, where the records came from there.
    pub(super) s3: Option<S3>,
}

/// What reading from S3 cost.
#[derive(Serialize)]
pub(super) struct S3 {
    /// By the prices of most regions, without transfer.
    estimated_dollars: f64,
    /// What S3 Select did, where it did anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    select: Option<Select>,
}

/// What S3 Select did.
#[derive(Serialize)]
struct Select {
    /// Objects that it read.
    objects: u64,
    /// Bytes of them, as stored.
    scanned_bytes: u64,
    /// Bytes that it sent.
    returned_bytes: u64,
    /// Objects that were read by GET as it couldn't.
    refused_objects: u64,
}

/// What of Event history was asked for.
#[derive(Serialize)]
pub(super) struct History {
    pub(super) regions: Vec<Region>,
    /// UTC, inclusive.
    pub(super) since: String,
    /// UTC, exclusive.
    pub(super) until: String,
}

/// A query whose rows were the records.
#[derive(Serialize)]
pub(super) struct Query {
    /// Athena's id of it.
    pub(super) id: String,
    /// Bytes that Athena read for it.
    pub(super) scanned_bytes: u64,
    /// How long it ran.
    pub(super) seconds: f64,
    /// By the price of most regions.
    pub(super) estimated_dollars: f64,
}

/// The document's shape. Keys are only added within a format version.
#[derive(Serialize)]
struct Document<'f> {
    format_version: u32,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'f Query>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'f History>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3: Option<&'f S3>,
    files: Files,
    bytes: u64,
    json_bytes: u64,
    records: u64,
    matched: u64,
    filtered: u64,
    insights: u64,
    ids: u64,
    new_ids: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<Sessions>,
    without_ids: &'f BTreeMap<String, u64>,
    broken_records: u64,
    failures: Vec<FailureEntry<'f>>,
    requests: &'f BTreeMap<String, u64>,
}

/// Who made which session, where that was loaded.
#[derive(Serialize)]
struct Sessions {
    /// Calls that were read.
    read: u64,
    /// Those that the database did not have.
    new: u64,
    /// Those that the database dropped, as there are too many.
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
        let mut text = format!("{read}, {new} of them new");
        if *dropped > 0 {
            write!(text, "; {dropped} dropped: the database keeps {MAX_SESSIONS}, and what leads to a creation")
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
pub(super) struct FailureEntry<'f> {
    name: &'f str,
    reason: &'f str,
}

impl<'f> From<&'f Failure> for FailureEntry<'f> {
    fn from(failure: &'f Failure) -> Self {
        Self { name: &failure.name, reason: &failure.reason }
    }
}

impl<'f> Summary<'f> {
    /// Of records that came from files, without any request.
    pub(super) fn new(figures: &'f Figures, interrupted: bool) -> Self {
        Self { figures, requests: BTreeMap::new(), interrupted, query: None, history: None, s3: None }
    }

    /// How the command ends.
    pub(super) fn outcome(&self) -> Outcome {
        if self.interrupted {
            Outcome::Interrupted
        } else if self.figures.has_failures() {
            Outcome::ItemFailures
        } else {
            Outcome::Done
        }
    }

    /// Prints it in the form that was asked for.
    pub(super) fn print(&self, console: &Console) {
        match console.format {
            OutputFormat::Json => console.json(&self.document()),
            OutputFormat::Text => console.data(self.text().trim_end()),
        }
        if self.interrupted {
            console.message("interrupted: what is counted above is kept; the same command loads the rest");
        }
    }

    fn document(&self) -> Document<'_> {
        let Figures { read, already_loaded, skipped, broken, counts, failures, new_ids, .. } = self.figures;
        Document {
            format_version: 1,
            interrupted: self.interrupted,
            query: self.query.as_ref(),
            history: self.history.as_ref(),
            s3: self.s3.as_ref(),
            files: Files { read: *read, already_loaded: *already_loaded, skipped: *skipped, broken: *broken },
            bytes: counts.stored_bytes,
            json_bytes: counts.bytes,
            records: counts.records,
            matched: counts.matched,
            filtered: counts.filtered,
            insights: counts.insights,
            ids: counts.ids,
            new_ids: *new_ids,
            sessions: Sessions::of(self.figures),
            without_ids: &counts.without_ids,
            broken_records: counts.broken_records,
            failures: failures.iter().map(FailureEntry::from).collect(),
            requests: &self.requests,
        }
    }

    fn text(&self) -> String {
        let Figures { read, already_loaded, skipped, counts, new_ids, .. } = self.figures;
        let mut text = String::new();
        let mut line = |title: &str, value: String| {
            writeln!(text, "{title:<12} {value}").expect("writing to a String can't fail");
        };
        if let Some(query) = &self.query {
            let state = if *already_loaded > 0 { "is loaded already, nothing was read" } else { "is loaded" };
            line("query", format!("{} {state}", query.id));
            line("Athena", format!("{} read in {:.1} s, {}", size(query.scanned_bytes), query.seconds, query.cost()));
        } else if let Some(history) = &self.history {
            let regions: Vec<&str> = history.regions.iter().map(Region::as_str).collect();
            line("history", format!("{}, {} to {}", regions.join(", "), history.since, history.until));
            line("days", format!("{read} read, {already_loaded} already loaded"));
        } else {
            line(
                "files",
                format!("{read} read, {already_loaded} already loaded, {skipped} digest or Insights files skipped"),
            );
            line("size", format!("{}, {} of JSON", size(counts.stored_bytes), size(counts.bytes)));
        }
        line("records", counts.records.to_string());
        let filtered = match counts.filtered {
            0 => String::new(),
            filtered => format!(", {filtered} more outside the window, accounts or regions"),
        };
        line("matched", format!("{}{filtered}", counts.matched));
        line("ids", format!("{}, {new_ids} of them new", counts.ids));
        if let Some(sessions) = Sessions::of(self.figures) {
            line("sessions", sessions.text());
        }
        line("without ids", self.without_ids());
        if self.figures.has_failures() {
            line("broken", self.broken());
        }
        if !self.requests.is_empty() {
            let requests: Vec<String> = self.requests.iter().map(|(name, count)| format!("{name} {count}")).collect();
            line("requests", requests.join(", "));
        }
        if let Some(s3) = &self.s3 {
            s3.lines(&mut line);
        }
        text
    }

    fn without_ids(&self) -> String {
        let mut calls: Vec<_> = self.figures.counts.without_ids.iter().collect();
        let total: u64 = calls.iter().map(|(_, count)| **count).sum();
        if total == 0 {
            return "0".to_owned();
        }
        calls.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut named: Vec<String> =
            calls.iter().take(NAMED_CALLS).map(|(call, count)| format!("{call} {count}")).collect();
        if calls.len() > NAMED_CALLS {
            named.push(format!("and {} other calls", calls.len() - NAMED_CALLS));
        }
        format!("{total}: {}", named.join(", "))
    }

    fn broken(&self) -> String {
        let Figures { broken, failures, counts, .. } = self.figures;
        let mut text = match (&self.query, &self.history) {
            (Some(_), _) => format!("{} rows", counts.broken_records),
            (None, Some(_)) => {
                format!("{broken} regions, {} events; they are tried again next time", counts.broken_records)
            }
            (None, None) => {
                format!("{broken} files, {} records in others; they are tried again next time", counts.broken_records)
            }
        };
        for failure in failures {
            write!(text, "\n  {}: {}", failure.name, failure.reason).expect("writing to a String can't fail");
        }
        if failures.len() as u64 + counts.broken_records < *broken {
            write!(text, "\n  … and more").expect("writing to a String can't fail");
        }
        text
    }
}

impl S3 {
    /// Of what S3 Select did, and what the requests cost.
    pub(super) fn new(select: &SelectFigures, estimated_dollars: f64) -> Self {
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
            line(
                "S3 Select",
                format!("{objects} objects read: {} scanned, {} returned", size(*scanned_bytes), size(*returned_bytes)),
            );
        }
        line("cost", format!("estimated ${:.6} for the requests, without transfer", self.estimated_dollars));
    }
}

impl Query {
    fn cost(&self) -> String {
        cost(self.estimated_dollars)
    }
}

/// An estimated cost of Athena for people.
pub(super) fn cost(dollars: f64) -> String {
    const CENT: f64 = 0.01;
    let amount = if dollars < CENT { "less than $0.01".to_owned() } else { format!("about ${dollars:.2}") };
    format!("estimated cost {amount} (at $5 a TB)")
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::scan::Counts;

    fn figures() -> Figures {
        let without_ids = (0..7).map(|number| (format!("a.amazonaws.com:Create{number}"), number + 1)).collect();
        let counts = Counts {
            stored_bytes: 999,
            bytes: 1_250_000,
            records: 100,
            matched: 30,
            ids: 2,
            without_ids,
            broken_records: 1,
            ..Counts::default()
        };
        let failure = |name: &str| Failure { name: name.to_owned(), reason: "it is empty".to_owned() };
        let failures = vec![failure("a.json"), failure("b.json")];
        Figures { read: 3, already_loaded: 2, broken: 1, new_ids: 1, failures, counts, ..Figures::default() }
    }

    #[test]
    fn people_read_all_figures_and_every_failure() {
        let figures = figures();
        let requests = BTreeMap::from([("s3:GetObject".to_owned(), 3)]);
        let summary = Summary { requests, ..Summary::new(&figures, false) };
        assert_eq!(
            summary.text(),
            "files        3 read, 2 already loaded, 0 digest or Insights files skipped
size         999 bytes, 1.2 MB of JSON
records      100
matched      30
ids          2, 1 of them new
without ids  28: a.amazonaws.com:Create6 7, a.amazonaws.com:Create5 6, a.amazonaws.com:Create4 5, \
             a.amazonaws.com:Create3 4, a.amazonaws.com:Create2 3, and 2 other calls
broken       1 files, 1 records in others; they are tried again next time
  a.json: it is empty
  b.json: it is empty
requests     s3:GetObject 3
"
        );
        assert_eq!(summary.outcome(), Outcome::ItemFailures);
    }

    #[test]
    fn a_query_stands_in_place_of_files() {
        let figures = figures();
        let query =
            Query { id: "q-1".to_owned(), scanned_bytes: 3_000_000_000_000, seconds: 61.0, estimated_dollars: 15.0 };
        let summary = Summary { query: Some(query), ..Summary::new(&figures, false) };
        let text = summary.text();
        assert!(
            text.starts_with(
                "query        q-1 is loaded already, nothing was read
Athena       3000.0 GB read in 61.0 s, estimated cost about $15.00 (at $5 a TB)
"
            ),
            "{text}"
        );
        assert!(text.contains("broken       1 rows") && !text.contains("files"), "{text}");
        assert_eq!(cost(0.001), "estimated cost less than $0.01 (at $5 a TB)");
    }

    #[test]
    fn nothing_is_said_of_what_there_is_not() {
        let figures = Figures::default();
        let summary = Summary::new(&figures, false);
        assert!(!summary.text().contains("broken") && !summary.text().contains("requests"));
        assert_eq!(summary.outcome(), Outcome::Done);
        assert_eq!(Summary { interrupted: true, ..summary }.outcome(), Outcome::Interrupted);
    }
}
