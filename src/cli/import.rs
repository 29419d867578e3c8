//! `import`: a database of c7n-trailcreator.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::interrupt::stop_on_interrupt;
use super::load_summary::FailureEntry;
use super::load_summary::{self, how_new};
use super::loading::{RESUME, STOPPING};
use super::{CommandError, Context, Outcome};
use crate::console::{Lines, OutputFormat, counted, number};
use crate::load::import::{self, ImportError, Imported};
use crate::load::{Failure, Figures, Versions};
use crate::store::c7n_db::{C7nDbError, Predecessor};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;
use tokio_util::sync::CancellationToken;

/// How many rows and names the text lists. JSON lists more.
const NAMED: usize = 10;

const EXAMPLES: &str = "\
Examples:
  Import into creators.db:
    trailcreator import c7n.db
  Import with the resource map that the database was created with:
    trailcreator import c7n.db --resource-map resource_map.json --db creators.db";

/// Import a database of c7n-trailcreator
///
/// Copies the file's rows into the database named by --db, and does not change the file. Duplicate rows become one
/// event. Joined identifiers are split if the split is certain. An event loaded from a trail, before or after the
/// import, replaces its imported row. You can stop an import at any time; run the same command again to resume it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// SQLite file that c7n-trailcreator wrote (its --db)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let file = args.file;
    let source = Predecessor::open(&file).map_err(|error| unusable(&error))?;
    refuse_same_file(&file, &context.global.db)?;
    let scanner = Scanner::new(Arc::new(context.resource_map()?), RecordFilter::default());
    let mut store = context.open_store()?;
    let stop = CancellationToken::default();
    let interrupt = stop_on_interrupt(&stop);
    let progress = context.console.progress("importing", source.rows_at_most().ok());
    let (path, stopping) = (file.clone(), stop.clone());
    let mut importing = tokio::task::spawn_blocking(move || {
        let mut watch = |figures: &Figures| {
            progress.update(figures.counts.records, counted(figures.counts.ids, "identifier"));
        };
        import::run(&path, &source, &mut store, scanner.map(), &Versions::of(&scanner), &stopping, &mut watch)
    });
    let imported = tokio::select! {
        imported = &mut importing => imported,
        () = stop.cancelled() => {
            context.console.message(STOPPING);
            importing.await
        }
    };
    let imported = imported.expect("importing does not panic").map_err(|error| import_error(context, &error))?;
    interrupt.abort();
    let summary = Summary { file: &file, imported: &imported, interrupted: stop.is_cancelled() };
    summary.print(context);
    Ok(summary.outcome())
}

/// The file is not a database of c7n-trailcreator, or can't be read.
fn unusable(error: &C7nDbError) -> CommandError {
    CommandError::usage(error).hint(error.hint())
}

/// Both tools name their option `--db`, so it is easy to name the same file twice.
fn refuse_same_file(file: &Path, db: &Path) -> Result<(), CommandError> {
    match (fs::canonicalize(file), fs::canonicalize(db)) {
        (Ok(file), Ok(db)) if file == db => {
            let message = format!("{} can't be imported into itself", file.display());
            Err(CommandError::usage(message)
                .hint("name the database to import into with --db; it is created if it does not exist"))
        }
        _ => Ok(()),
    }
}

fn import_error(context: &Context, error: &ImportError) -> CommandError {
    match error {
        ImportError::Predecessor(error) => CommandError::failed(error).hint(error.hint()),
        ImportError::Store(error) => context.store_error(error).hint(RESUME),
    }
}

/// The result of an import.
struct Summary<'i> {
    file: &'i Path,
    imported: &'i Imported,
    interrupted: bool,
}

/// The JSON document. Keys are only added within a format version.
#[derive(Serialize)]
struct Document<'i> {
    format_version: u32,
    interrupted: bool,
    file: String,
    already_imported: bool,
    /// The first row that was read, where an earlier import had read those before it.
    resumed_at_row: Option<i64>,
    rows: u64,
    ids: u64,
    new_ids: u64,
    pruned_ids: u64,
    without_ids: &'i BTreeMap<String, u64>,
    unknown_types: &'i BTreeMap<String, u64>,
    unclear_rows: u64,
    unclear: Vec<FailureEntry<'i>>,
    broken_rows: u64,
    failures: Vec<FailureEntry<'i>>,
}

impl Summary<'_> {
    fn outcome(&self) -> Outcome {
        if self.interrupted {
            Outcome::Interrupted
        } else if self.imported.figures.has_failures() {
            Outcome::ItemFailures
        } else {
            Outcome::Done
        }
    }

    fn print(&self, context: &Context) {
        match context.console.format {
            OutputFormat::Json => context.console.json(&self.document()),
            OutputFormat::Text => context.console.lines(&self.text()),
        }
        if self.imported.unclear > 0 {
            context.console.message(
                "hint: import again with the resource map that the database was created with (--resource-map FILE): it \
                 decides how unclear rows are split",
            );
        }
        if self.interrupted {
            context.console.message(
                "interrupted: the events counted above are saved; run the same command again to import the rest",
            );
        }
    }

    fn document(&self) -> Document<'_> {
        let Imported { figures, unknown_types, unclear, unclear_rows, resumed_at } = self.imported;
        Document {
            format_version: 1,
            interrupted: self.interrupted,
            file: self.file.display().to_string(),
            already_imported: figures.already_loaded > 0,
            resumed_at_row: *resumed_at,
            rows: figures.counts.records,
            ids: figures.counts.ids,
            new_ids: figures.new_ids,
            pruned_ids: figures.pruned,
            without_ids: &figures.counts.without_ids,
            unknown_types,
            unclear_rows: *unclear,
            unclear: unclear_rows.iter().map(FailureEntry::from).collect(),
            broken_rows: figures.counts.broken_records,
            failures: figures.failures.iter().map(FailureEntry::from).collect(),
        }
    }

    fn text(&self) -> Lines {
        let Imported { figures, unknown_types, unclear, unclear_rows, resumed_at } = self.imported;
        let mut text = Lines::default();
        let mut line = |title: &str, value: String| text.line(format_args!("{title:<14} {value}"));
        let file = self.file.display();
        let state = match (self.interrupted, figures.already_loaded) {
            (true, _) => "partly imported",
            (false, 0) => "imported",
            (false, _) => "already imported, nothing read",
        };
        line("database", format!("{file} {state}"));
        if let Some(row) = resumed_at {
            line("resumed", format!("at row {row}; an earlier import read the rows before it"));
        }
        if figures.counts.records > 0 {
            line("rows", number(figures.counts.records));
            line("events", events(figures));
        }
        if let Some(pruned) = load_summary::pruned(figures.pruned) {
            line("pruned", pruned);
        }
        if !figures.counts.without_ids.is_empty() {
            line("without id", ranked(&figures.counts.without_ids, "row"));
        }
        if !unknown_types.is_empty() {
            line("unknown types", ranked(unknown_types, "row"));
        }
        if *unclear > 0 {
            let rows = counted(*unclear, "row");
            line("unclear", format!("{rows} kept as one identifier, but may hold several"));
            named(unclear_rows).into_iter().for_each(|row| text.line(row));
        }
        if figures.has_failures() {
            let rows = counted(figures.counts.broken_records, "row");
            text.line(format_args!("{:<14} {rows}; the next import tries again", "failed"));
            named(&figures.failures).into_iter().for_each(|row| text.line(row));
        }
        text
    }
}

fn events(figures: &Figures) -> String {
    match figures.counts.ids {
        0 => "none".to_owned(),
        ids => format!("{}, {}", counted(ids, "identifier"), how_new(ids, figures.new_ids)),
    }
}

/// The total, and the names with the highest counts.
fn ranked(counts: &BTreeMap<String, u64>, noun: &str) -> String {
    let mut names: Vec<_> = counts.iter().collect();
    let total: u64 = counts.values().sum();
    names.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut shown: Vec<String> =
        names.iter().take(NAMED).map(|(name, count)| format!("{name} {}", number(**count))).collect();
    if names.len() > NAMED {
        shown.push(format!("and {} others", names.len() - NAMED));
    }
    format!("{}: {}", counted(total, noun), shown.join(", "))
}

/// The first rows with their reasons, one per line.
fn named(rows: &[Failure]) -> Vec<String> {
    let named = rows.iter().take(NAMED).map(|Failure { name, reason }| format!("  {name}: {reason}"));
    let more = (rows.len() > NAMED).then(|| "  … and more; --output json lists them".to_owned());
    named.chain(more).collect()
}
