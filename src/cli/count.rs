//! `count`: the most frequent API calls in log files, on disk or in a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;

use super::archived::{self, ArchivedEntry};
use super::bucket::BucketPlace;
use super::interrupt::stop_on_interrupt;
use super::load_s3::{self, session};
use super::load_summary::{FailureEntry, size};
use super::other_files::{self, OtherEntry};
use super::{AwsAccessArgs, CommandError, Context, Outcome, WindowArgs, nothing};
use crate::aws::Session;
use crate::console::{Lines, OutputFormat, counted, number};
use crate::load::count::Counted;
use crate::load::files::Root;
use crate::load::s3::{Engine, ReadOptions};
use crate::load::{Figures, Queue, Versions, count, files, queue, s3};
use crate::resource_map::ResourceMap;
use crate::store::StoreError;
use crate::store::ledger::Ledger;
use crate::trail::count::{Calls, Counter, FIELDS, Field, Key};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;
use crate::trail::window::TimeWindow;
use tokio_util::sync::CancellationToken;

/// The beginning of an S3 URI.
const S3: &str = "s3://";

/// Shown for a field that a record does not have.
const NOTHING: &str = "-";

/// The number of leading columns that hold numbers, which are right-aligned.
const NUMBERS: usize = 2;

const EXAMPLES: &str = "\
Examples:
  Show the five most frequent API calls in a folder of log files:
    trailcreator count logs/
  Count one day of a bucket by principal and error code:
    trailcreator count s3://my-trail-bucket --day 2026/03/01 --by userIdentity.arn,errorCode
  Count all calls by source IP address, as JSON:
    trailcreator count logs/ --by sourceIPAddress --top 0 --output json";

/// Show the most frequent API calls in a trail
///
/// Reads log files from disk as load-files does, or from a bucket as load-s3 does. Needs no database and stores nothing.
/// Failed calls are counted too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("Fields for --by:\n  {}\n\n{EXAMPLES}", FIELDS.join("\n  ")))]
pub(super) struct Args {
    /// Folders, files, - for stdin, or s3://BUCKET/PREFIX
    #[arg(required = true, value_name = "PATH")]
    places: Vec<PathBuf>,
    /// Record fields to count by, separated by commas (listed by --help)
    #[arg(long, value_name = "FIELD", value_delimiter = ',', default_value = "eventSource,eventName")]
    by: Vec<Field>,
    /// Number of rows to show; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", env = "TRAILCREATOR_JOBS")]
    jobs: Option<NonZeroUsize>,
    /// Accept the request charges of a Requester Pays bucket
    #[arg(long)]
    request_payer: bool,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let window = args.window.window()?;
    let (buckets, paths): (Vec<_>, Vec<_>) = args.places.into_iter().partition(|place| place.starts_with(S3_PATH));
    let requests =
        buckets.iter().map(|place| s3_request(place, window, args.request_payer)).collect::<Result<Vec<_>, _>>()?;
    let roots = files::roots(&paths)
        .map_err(|error| CommandError::usage(error).hint("check the path and its permissions; nothing was counted"))?;
    let session = if requests.is_empty() { None } else { Some(session(args.aws).await?) };
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let places: Vec<PathBuf> = paths.into_iter().chain(buckets).collect();
    let source = Source { roots, requests, session: session.as_ref() };
    let counting = Counting { context, counter: Arc::new(Counter::new(args.by, window)), jobs };
    let (counted, interrupted) = counting.run(&source).await?;
    let figures = &counted.figures;
    if !interrupted && figures.is_nothing() && !figures.has_failures() {
        return Err(nothing::no_files_to_count(&places, window, figures));
    }
    if figures.counts.matched == 0 && figures.counts.filtered > 0 {
        let filter = RecordFilter { window, ..RecordFilter::default() };
        let phrase = nothing::filter_phrase(&filter);
        context.console.warning(format_args!("no event matches {phrase}"));
    }
    let requests = session.as_ref().map(load_s3::requests).unwrap_or_default();
    let report = Report { counter: &counting.counter, counted: &counted, top: args.top, requests, interrupted };
    report.print(context);
    Ok(report.outcome())
}

/// The first path component of an S3 URI. `Path` merges repeated slashes, so only this part can be compared.
const S3_PATH: &str = "s3:";

/// The request that lists the log files below `s3://BUCKET/PREFIX`.
fn s3_request(place: &std::path::Path, window: TimeWindow, request_payer: bool) -> Result<s3::Request, CommandError> {
    let bucket = place.to_str().filter(|text| text.starts_with(S3)).and_then(|text| text.parse::<BucketPlace>().ok());
    let Some(BucketPlace { name: bucket, prefix }) = bucket else {
        let place = place.display();
        return Err(CommandError::usage(format_args!("{place} has no bucket name: expected s3://BUCKET/PREFIX"))
            .hint("to read a local file with such a name, write ./s3:…"));
    };
    Ok(s3::Request {
        bucket,
        prefix,
        organization: None,
        accounts: BTreeSet::new(),
        regions: BTreeSet::new(),
        window,
        today: Offset::UTC.to_datetime(Timestamp::now()).date(),
        relist: true,
        request_payer,
    })
}

/// The places to read records from.
struct Source<'s> {
    roots: Vec<Root>,
    requests: Vec<s3::Request>,
    session: Option<&'s Session>,
}

impl Source<'_> {
    async fn find(&self, context: &Context, queue: Queue, stop: &CancellationToken) -> Result<(), CommandError> {
        let known = Known::nothing().map_err(|error| context.store_error(&error))?;
        if !self.roots.is_empty() {
            let (roots, queue, stop) = (self.roots.clone(), queue.clone(), stop.clone());
            let Known { versions, ledger, .. } = Known::nothing().map_err(|error| context.store_error(&error))?;
            let finding = tokio::task::spawn_blocking(move || files::find(&roots, &versions, &ledger, &queue, &stop));
            finding.await.expect("walking folders does not panic").map_err(|error| context.store_error(&error))?;
        }
        for (request, session) in self.requests.iter().zip(std::iter::repeat(self.session).flatten()) {
            // S3 Select filters by event name, and a count needs all events.
            let reading = ReadOptions {
                engine: Engine::Get,
                map: Arc::clone(&known.map),
                figures: Arc::default(),
                notify: &|_| (),
            };
            s3::find(request, session, &known.versions, &known.ledger, &queue, reading)
                .await
                .map_err(|error| load_s3::source_error(context, request, &error))?;
        }
        Ok(())
    }
}

/// The state that sources look up what is already loaded in. Empty: a count reads everything.
struct Known {
    map: Arc<ResourceMap>,
    versions: Versions,
    ledger: Ledger,
}

impl Known {
    fn nothing() -> Result<Self, StoreError> {
        let map = Arc::new(ResourceMap::default());
        let scanner = Scanner::new(Arc::clone(&map), RecordFilter::default());
        Ok(Self { map, versions: Versions::of(&scanner), ledger: Ledger::empty()? })
    }
}

/// A count that is ready to start.
struct Counting<'c> {
    context: &'c Context,
    counter: Arc<Counter>,
    jobs: usize,
}

impl Counting<'_> {
    /// Counts, and returns whether the count was interrupted.
    async fn run(&self, source: &Source<'_>) -> Result<(Counted, bool), CommandError> {
        let stop = CancellationToken::default();
        let interrupt = stop_on_interrupt(&stop);
        let (sender, items) = queue();
        let progress = self.context.console.progress("counting", Some(0));
        let (counter, jobs, stop_counting) = (Arc::clone(&self.counter), self.jobs, stop.clone());
        let counting = tokio::task::spawn_blocking(move || {
            let mut watch = |figures: &Figures| {
                progress.set_total(figures.expected);
                progress.update(figures.done(), counted(figures.counts.matched, "call"));
            };
            count::run(&counter, items, jobs, &stop_counting, &mut watch)
        });
        let found = tokio::select! {
            found = source.find(self.context, sender, &stop) => found,
            () = stop.cancelled() => Ok(()),
        };
        let counted = counting.await.expect("counting does not panic");
        interrupt.abort();
        found?;
        let counted = counted.map_err(|error| {
            CommandError::failed(error).hint("count by fewer fields (--by), or over a shorter time range (--day)")
        })?;
        Ok((counted, stop.is_cancelled()))
    }
}

/// The result of a count.
struct Report<'r> {
    counter: &'r Counter,
    counted: &'r Counted,
    top: usize,
    requests: BTreeMap<String, u64>,
    interrupted: bool,
}

/// The JSON document. Keys are only added within a format version.
#[derive(Serialize)]
struct Document<'r> {
    format_version: u32,
    interrupted: bool,
    by: Vec<String>,
    calls: Vec<Row<'r>>,
    distinct: usize,
    counted: u64,
    outside_window: u64,
    records: u64,
    insights: u64,
    broken_records: u64,
    files: Files,
    bytes: u64,
    json_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<ArchivedEntry<'r>>,
    failures: Vec<FailureEntry<'r>>,
    other_files: Vec<OtherEntry<'r>>,
    other_file_kinds: BTreeMap<&'static str, u64>,
    other_values: BTreeMap<&'static str, u64>,
    requests: &'r BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Row<'r> {
    values: BTreeMap<String, Option<&'r str>>,
    count: u64,
    failed: u64,
}

#[derive(Serialize)]
struct Files {
    read: u64,
    skipped: u64,
    broken: u64,
}

fn row<'r>(fields: &[Field], key: &'r Key, calls: Calls) -> Row<'r> {
    let values = fields.iter().map(Field::to_string).zip(key.iter().map(Option::as_deref)).collect();
    Row { values, count: calls.count, failed: calls.failed }
}

impl Report<'_> {
    fn outcome(&self) -> Outcome {
        if self.interrupted {
            Outcome::Interrupted
        } else if self.counted.figures.has_failures() {
            Outcome::ItemFailures
        } else {
            Outcome::Done
        }
    }

    fn print(&self, context: &Context) {
        let console = &context.console;
        match console.format {
            OutputFormat::Json => console.json(&self.document()),
            OutputFormat::Text => console.lines(&self.text()),
        }
        if self.interrupted {
            console.message("interrupted: the counts cover only the log files read so far");
        }
    }

    fn shown(&self) -> &[(Key, Calls)] {
        let ranked = &self.counted.ranked;
        if self.top == 0 { ranked } else { &ranked[..self.top.min(ranked.len())] }
    }

    fn document(&self) -> Document<'_> {
        let figures = &self.counted.figures;
        let Figures { read, skipped, broken, counts, failures, .. } = figures;
        let fields = self.counter.fields();
        Document {
            format_version: 1,
            interrupted: self.interrupted,
            by: fields.iter().map(Field::to_string).collect(),
            calls: self.shown().iter().map(|(key, calls)| row(fields, key, *calls)).collect(),
            distinct: self.counted.ranked.len(),
            counted: counts.matched,
            outside_window: counts.filtered,
            records: counts.records,
            insights: counts.insights,
            broken_records: counts.broken_records,
            files: Files { read: *read, skipped: *skipped, broken: *broken },
            bytes: counts.stored_bytes,
            json_bytes: counts.bytes,
            archived: ArchivedEntry::of(&figures.archived),
            failures: failures.iter().map(FailureEntry::from).collect(),
            other_files: figures.other_files.iter().map(OtherEntry::from).collect(),
            other_file_kinds: other_files::by_kind(&figures.other_kinds),
            other_values: other_files::by_kind(&counts.others),
            requests: &self.requests,
        }
    }

    fn text(&self) -> Lines {
        let mut text = self.table();
        let mut line = |words: std::fmt::Arguments<'_>| text.line(words);
        let Figures { read, skipped, broken, counts, failures, .. } = &self.counted.figures;
        line(format_args!(""));
        let (distinct, shown) = (self.counted.ranked.len(), self.shown().len());
        let hidden = if shown < distinct { format!(", {} shown", number(shown as u64)) } else { String::new() };
        line(format_args!("{} in {}{hidden}", counted(counts.matched, "call"), counted(distinct as u64, "row")));
        let skipped = other_files::skipped_phrase(*skipped).map(|phrase| format!("; {phrase}")).unwrap_or_default();
        let (stored, uncompressed) = (size(counts.stored_bytes), size(counts.bytes));
        line(format_args!("{} read ({stored}, {uncompressed} uncompressed){skipped}", counted(*read, "log file")));
        other_files::named(&self.counted.figures).into_iter().for_each(|file| line(format_args!("{file}")));
        let archived = &self.counted.figures.archived;
        if let Some(phrase) = archived::phrase(archived) {
            line(format_args!("archived: {phrase}; {}", archived::advice(archived)));
        }
        if let Some(ignored) = other_files::ignored_phrase(&self.counted.figures) {
            line(format_args!("ignored: {ignored}"));
        }
        if counts.filtered > 0 {
            line(format_args!("{} outside the time range", counted(counts.filtered, "call")));
        }
        if !self.requests.is_empty() {
            let requests: Vec<String> =
                self.requests.iter().map(|(name, count)| format!("{name} {}", number(*count))).collect();
            line(format_args!("requests: {}", requests.join(", ")));
        }
        if self.counted.figures.has_failures() {
            let failed = [(*broken, "log file"), (counts.broken_records, "record")];
            let failed = failed.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(*count, noun));
            line(format_args!("failed: {}", failed.collect::<Vec<_>>().join(" and ")));
            for failure in failures {
                line(format_args!("  {}: {}", failure.name, failure.reason));
            }
        }
        text
    }

    /// The calls, in columns.
    fn table(&self) -> Lines {
        let titles = ["calls".to_owned(), "failed".to_owned()];
        let mut rows = vec![titles.into_iter().chain(self.counter.fields().iter().map(Field::to_string)).collect()];
        for (key, calls) in self.shown() {
            let values = key.iter().map(|value| value.clone().unwrap_or_else(|| NOTHING.to_owned()));
            rows.push([number(calls.count), number(calls.failed)].into_iter().chain(values).collect());
        }
        Lines::table(&rows, NUMBERS)
    }
}
