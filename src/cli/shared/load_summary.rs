//! The summary of a load: a few lines of text, or one JSON document.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::Outcome;
use crate::console::{Console, OutputFormat, counted, number};
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
        Self { figures, requests: BTreeMap::new(), interrupted, query: None, history: None, s3: None }
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
            OutputFormat::Text => console.data(self.text().trim_end()),
        }
        if self.interrupted {
            console.message(
                "interrupted: the events counted above are saved; run the same command again to load the rest",
            );
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
        let counts = &self.figures.counts;
        let mut text = String::new();
        let mut line = |title: &str, value: String| {
            writeln!(text, "{title:<12} {value}").expect("writing to a String can't fail");
        };
        self.source(&mut line);
        if counts.records > 0 {
            line("records", number(counts.records));
        }
        line("events", self.events());
        if counts.filtered > 0 {
            let filtered = counted(counts.filtered, "event");
            line("filtered", format!("{filtered} outside the time range, accounts or regions"));
        }
        if let Some(sessions) = Sessions::of(self.figures) {
            line("sessions", sessions.text());
        }
        if !counts.without_ids.is_empty() {
            line("without id", self.without_ids());
        }
        if self.figures.has_failures() {
            line("failed", self.failed());
        }
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
        } else {
            let skipped = (*skipped > 0).then(|| format!("{} skipped", counted(*skipped, "digest or Insights file")));
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
        let Figures { broken, failures, counts, .. } = self.figures;
        let records = counts.broken_records;
        let mut text = match (&self.query, &self.history) {
            (Some(_), _) => counted(records, "row"),
            (None, Some(_)) => retried(&[(*broken, "region"), (records, "event")]),
            (None, None) => retried(&[(*broken, "log file"), (records, "record")]),
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

/// What was read, or that nothing is new. Parts that are `None` are left out.
fn what_was_read(read: u64, noun: &str, others: &[Option<String>]) -> String {
    let others: Vec<&str> = others.iter().flatten().map(String::as_str).collect();
    match (read, others.is_empty()) {
        (0, true) => format!("no {noun}s"),
        (0, false) => format!("no new {noun}s ({})", others.join(", ")),
        (read, true) => counted(read, noun),
        (read, false) => format!("{}; {}", counted(read, noun), others.join(", ")),
    }
}

fn already_loaded_phrase(count: u64) -> Option<String> {
    (count > 0).then(|| format!("{} already loaded", number(count)))
}

/// How many of `total` (more than none) were not in the database before.
pub(in crate::cli) fn how_new(total: u64, new: u64) -> String {
    match new {
        0 => "none new".to_owned(),
        new if new == total => "all new".to_owned(),
        new => format!("{} new", number(new)),
    }
}

/// What failed, without the zeros, and that the next load tries again.
fn retried(failed: &[(u64, &str)]) -> String {
    let failed: Vec<String> =
        failed.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(*count, noun)).collect();
    format!("{}; the next load tries again", failed.join(" and "))
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

/// Athena's estimated cost, as text.
pub(in crate::cli) fn cost(dollars: f64) -> String {
    const CENT: f64 = 0.01;
    let amount = if dollars < CENT { "less than $0.01".to_owned() } else { format!("about ${dollars:.2}") };
    format!("estimated cost {amount} (at $5 per TB)")
}

/// A number of bytes, as text.
pub(in crate::cli) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
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
    fn text_lists_figures_and_every_failure() {
        let figures = figures();
        let requests = BTreeMap::from([("s3:GetObject".to_owned(), 3)]);
        let summary = Summary { requests, ..Summary::new(&figures, false) };
        assert_eq!(
            summary.text(),
            "read         3 log files; 2 already loaded
size         999 bytes, 1.2 MB uncompressed
records      100
events       30 create, delete or rename events (2 identifiers), 1 new
without id   28 events: a.amazonaws.com:Create6 7, a.amazonaws.com:Create5 6, a.amazonaws.com:Create4 5, \
             a.amazonaws.com:Create3 4, a.amazonaws.com:Create2 3, and 2 other event names
failed       1 log file and 1 record; the next load tries again
  a.json: it is empty
  b.json: it is empty
requests     s3:GetObject 3
"
        );
        assert_eq!(summary.outcome(), Outcome::ItemFailures);
    }

    #[test]
    fn query_is_shown_in_place_of_files() {
        let figures = figures();
        let query =
            Query { id: "q-1".to_owned(), scanned_bytes: 3_000_000_000_000, seconds: 61.0, estimated_dollars: 15.0 };
        let summary = Summary { query: Some(query), ..Summary::new(&figures, false) };
        let text = summary.text();
        assert!(
            text.starts_with(
                "query        q-1 already loaded, nothing read
Athena       3.0 TB scanned in 61.0 s, estimated cost about $15.00 (at $5 per TB)
"
            ),
            "{text}"
        );
        assert!(text.contains("failed       1 row\n") && !text.contains("log file"), "{text}");
        assert_eq!(cost(0.001), "estimated cost less than $0.01 (at $5 per TB)");
    }

    #[test]
    fn zeros_are_left_out() {
        let figures = Figures::default();
        let summary = Summary::new(&figures, false);
        assert_eq!(
            summary.text(),
            "read         no log files
events       no create, delete or rename events
"
        );
        let loaded = Figures { already_loaded: 1234, ..Figures::default() };
        let text = Summary::new(&loaded, false).text();
        assert!(text.starts_with("read         no new log files (1,234 already loaded)\n"), "{text}");
        let all_new = Figures { new_ids: 18_000, ..Figures::default() };
        let counts = Counts { matched: 9000, ids: 18_000, ..Counts::default() };
        let text = Summary::new(&Figures { counts, ..all_new }, false).text();
        assert!(text.contains("9,000 create, delete or rename events (18,000 identifiers), all new"), "{text}");
        assert_eq!(summary.outcome(), Outcome::Done);
        assert_eq!(Summary { interrupted: true, ..summary }.outcome(), Outcome::Interrupted);
    }
}
