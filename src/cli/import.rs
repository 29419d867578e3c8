//! `import`: c7n-trailcreator's database.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::interrupt::stop_on_interrupt;
use super::load_summary::FailureEntry;
use super::loading::STOPPING;
use super::{CommandError, Context, Outcome};
use crate::console::OutputFormat;
use crate::load::import::{self, ImportError, Imported};
use crate::load::{Failure, Figures, Stop, Versions};
use crate::store::predecessor::{Predecessor, PredecessorError};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;

/// Rows and types that are named to people; the document has more.
const NAMED: usize = 10;

/// Import a database of c7n-trailcreator
///
/// Its rows go into the database named by --db; the file itself is left as it is. Doubled rows become one, joined ids are
/// taken apart where it is sure that they are several. What a trail tells of the same event, before or later, stands in
/// place of its row. Importing can be stopped at any moment; the same command goes on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The SQLite file that c7n-trailcreator wrote (its --db)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let file = args.file;
    let source = Predecessor::open(&file).map_err(|error| unusable(&error))?;
    refuse_same_file(&file, &context.global.db)?;
    let scanner = Scanner::new(Arc::new(context.resource_map()?), RecordFilter::default());
    let mut store = context.open_store()?;
    let stop = Stop::default();
    let interrupt = stop_on_interrupt(&stop);
    let progress = context.console.progress("importing", source.rows_at_most().ok());
    let (path, stopping) = (file.clone(), stop.clone());
    let mut importing = tokio::task::spawn_blocking(move || {
        let mut watch = |figures: &Figures| {
            progress.update(figures.counts.records, format!("{} ids", figures.counts.ids));
        };
        import::run(&path, &source, &mut store, scanner.map(), &Versions::of(&scanner), &stopping, &mut watch)
    });
    let imported = tokio::select! {
        imported = &mut importing => imported,
        () = stop.wait() => {
            context.console.message(STOPPING);
            importing.await
        }
    };
    let imported = imported.expect("importing does not panic").map_err(|error| broken_off(context, &error))?;
    interrupt.abort();
    let summary = Summary { file: &file, imported: &imported, interrupted: stop.is_set() };
    summary.print(context);
    Ok(summary.outcome())
}

/// A file that isn't what was asked for.
fn unusable(error: &PredecessorError) -> CommandError {
    CommandError::usage(error).hint(error.hint())
}

/// Both tools call their option `--db`, so one name for both files is near at hand.
fn refuse_same_file(file: &Path, db: &Path) -> Result<(), CommandError> {
    match (fs::canonicalize(file), fs::canonicalize(db)) {
        (Ok(file), Ok(db)) if file == db => {
            let message = format!("{} can't be imported into itself", file.display());
            Err(CommandError::usage(message)
                .hint("name the database to import into with --db; it is made where there is none"))
        }
        _ => Ok(()),
    }
}

fn broken_off(context: &Context, error: &ImportError) -> CommandError {
    let kept = "what was committed before is kept; the same command goes on from there";
    match error {
        ImportError::Predecessor(error) => CommandError::failed(error).hint(error.hint()),
        ImportError::Store(error) => context.store_error(error).hint(kept),
    }
}

/// The end of an import.
struct Summary<'i> {
    file: &'i Path,
    imported: &'i Imported,
    interrupted: bool,
}

/// The document's shape. Keys are only added within a format version.
#[derive(Serialize)]
struct Document<'i> {
    format_version: u32,
    interrupted: bool,
    file: String,
    already_imported: bool,
    rows: u64,
    ids: u64,
    new_ids: u64,
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
            OutputFormat::Text => context.console.data(self.text().trim_end()),
        }
        if self.imported.unclear > 0 {
            context.console.message(
                "hint: rows with unclear ids are taken apart by the resource map that they were made with: import again with \
                 --resource-map FILE",
            );
        }
        if self.interrupted {
            context.console.message("interrupted: what is counted above is kept; the same command imports the rest");
        }
    }

    fn document(&self) -> Document<'_> {
        let Imported { figures, unknown_types, unclear, unclear_rows } = self.imported;
        Document {
            format_version: 1,
            interrupted: self.interrupted,
            file: self.file.display().to_string(),
            already_imported: figures.already_loaded > 0,
            rows: figures.counts.records,
            ids: figures.counts.ids,
            new_ids: figures.new_ids,
            without_ids: &figures.counts.without_ids,
            unknown_types,
            unclear_rows: *unclear,
            unclear: unclear_rows.iter().map(FailureEntry::from).collect(),
            broken_rows: figures.counts.broken_records,
            failures: figures.failures.iter().map(FailureEntry::from).collect(),
        }
    }

    fn text(&self) -> String {
        let Imported { figures, unknown_types, unclear, unclear_rows } = self.imported;
        let mut text = String::new();
        let mut line = |title: &str, value: String| {
            writeln!(text, "{title:<14} {value}").expect("writing to a String can't fail");
        };
        let state = if figures.already_loaded > 0 { "is imported already, nothing was read" } else { "is imported" };
        let state = if self.interrupted { "is imported in part" } else { state };
        line("database", format!("{} {state}", self.file.display()));
        line("rows", figures.counts.records.to_string());
        line("ids", format!("{}, {} of them new", figures.counts.ids, figures.new_ids));
        line("without ids", counted(&figures.counts.without_ids));
        line("unknown types", counted(unknown_types));
        if *unclear > 0 {
            line(
                "unclear",
                format!("{unclear} rows, whose ids may be several and were kept as one{}", named(unclear_rows)),
            );
        }
        if figures.has_failures() {
            let broken = figures.counts.broken_records;
            line("broken", format!("{broken} rows; they are tried again next time{}", named(&figures.failures)));
        }
        text
    }
}

/// The total, and the names that count most.
fn counted(counts: &BTreeMap<String, u64>) -> String {
    let mut names: Vec<_> = counts.iter().collect();
    let total: u64 = counts.values().sum();
    names.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut shown: Vec<String> = names.iter().take(NAMED).map(|(name, count)| format!("{name} {count}")).collect();
    if names.len() > NAMED {
        shown.push(format!("and {} others", names.len() - NAMED));
    }
    if shown.is_empty() { total.to_string() } else { format!("{total}: {}", shown.join(", ")) }
}

/// The first rows and what is to say of them, a line each.
fn named(rows: &[Failure]) -> String {
    let mut text = String::new();
    for Failure { name, reason } in rows.iter().take(NAMED) {
        write!(text, "\n  {name}: {reason}").expect("writing to a String can't fail");
    }
    if rows.len() > NAMED {
        text.push_str("\n  … and more; --output json names them");
    }
    text
}
