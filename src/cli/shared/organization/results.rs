//! The document of `--output json` and the lines of `--results FILE`: written as results come, so that memory does not grow with the
//! number of accounts. Only failures are kept to the end, for their places in the document.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::super::run_output::{counts, failure_document};
use super::super::{CommandError, Context};
use crate::console::OutputFormat;
use crate::model::Region;
use crate::org::{Account, Done, Failure};
use crate::plan::FORMAT_VERSION;
use crate::store::journal::RunKind;
use crate::text::safe;

/// Where an entry belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Result,
    Exception,
    FailedAssumeRole,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Result => "Result",
            Self::Exception => "Exception",
            Self::FailedAssumeRole => "FailedAssumeRole",
        }
    }
}

/// Where lines of results go.
#[derive(Debug)]
pub(in crate::cli) struct ResultsFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// Writes entries where they are wanted.
#[derive(Debug)]
pub(super) struct Results<'a> {
    context: &'a Context,
    file: Option<ResultsFile>,
    has_first: bool,
    exceptions: Vec<String>,
    failed_roles: Vec<String>,
}

impl<'a> Results<'a> {
    pub(super) fn new(context: &'a Context, file: Option<ResultsFile>) -> Self {
        let results = Self { context, file, has_first: false, exceptions: Vec::new(), failed_roles: Vec::new() };
        if results.is_document() {
            context.console.json_part(&format!("{{\"format_version\":{FORMAT_VERSION},\n\"Results\":["));
        }
        results
    }

    fn is_document(&self) -> bool {
        self.context.console.format == OutputFormat::Json
    }

    /// Whether entries are wanted at all.
    pub(super) fn are_wanted(&self) -> bool {
        self.is_document() || self.file.is_some()
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// The file can't be written.
    pub(super) fn add(&mut self, kind: Kind, entry: Map<String, Value>) -> Result<(), CommandError> {
        if let Some(ResultsFile { path, file }) = &mut self.file {
            let mut line = Map::from_iter([("Kind".to_owned(), json!(kind.name()))]);
            line.extend(entry.clone());
            let line = Value::Object(line).to_string();
            writeln!(file, "{}", safe::json(&line)).map_err(|error| writing(self.context, path, &error))?;
        }
        if self.is_document() {
            let entry = Value::Object(entry).to_string();
            match kind {
                Kind::Result => self.print(&entry),
                Kind::Exception => self.exceptions.push(entry),
                Kind::FailedAssumeRole => self.failed_roles.push(entry),
            }
        }
        Ok(())
    }

    fn print(&mut self, entry: &str) {
        let comma = if self.has_first { "," } else { "" };
        self.has_first = true;
        self.context.console.json_part(&format!("{comma}{entry}"));
    }

    /// Ends the document.
    pub(super) fn finish(&self, summary: &Value) {
        if self.is_document() {
            let (exceptions, roles) = (self.exceptions.join(",\n"), self.failed_roles.join(",\n"));
            self.context.console.json_part(&format!(
                "],\n\"Exceptions\":[{exceptions}],\n\"FailedAssumeRole\":[{roles}],\n\"Summary\":{summary}}}"
            ));
        }
    }
}

fn writing(context: &Context, path: &Path, error: &io::Error) -> CommandError {
    CommandError::while_doing(format_args!("writing results to {}", path.display()), error)
        .hint(context.written_before())
}

/// The entry of an account-region that was processed.
pub(super) fn result(account: &Account, region: &Region, kind: RunKind, done: &Done) -> Map<String, Value> {
    let mut figures = done.plan.as_ref().map_or_else(|| json!({}), |plan| json!(plan.summary));
    if let Some(report) = &done.report {
        figures["run_id"] = json!(report.run);
        figures["results"] = json!(counts(&report.writes));
        let failed = report.writes.iter().filter_map(|row| failure_document(kind, &row));
        figures["failed"] = failed.collect();
    }
    let mut entry = of_account(account, Some(region));
    entry.insert("Result".to_owned(), figures);
    entry
}

/// The entry of an account-region, or an account, that could not be processed. Fields have c7n-org's names and those of all other
/// documents.
pub(super) fn exception(account: &Account, region: Option<&Region>, failure: &Failure) -> Map<String, Value> {
    let mut entry = of_account(account, region);
    for name in ["ExceptionDetails", "error"] {
        entry.insert(name.to_owned(), json!(failure.error));
    }
    for name in ["Hint", "hint"] {
        entry.extend(failure.hint.as_ref().map(|hint| (name.to_owned(), json!(hint))));
    }
    entry
}

/// What is known of the account, and the region.
fn of_account(account: &Account, region: Option<&Region>) -> Map<String, Value> {
    let role = account.roles.last().map(|role| role.rsplit('/').next().unwrap_or(role));
    let known = [
        ("Id", Some(account.id.as_str())),
        ("Name", Some(account.name.as_str())),
        // The names of all other documents, beside c7n-org's.
        ("account_id", Some(account.id.as_str())),
        ("account_name", Some(account.name.as_str())),
        ("Email", account.email.as_deref()),
        ("Arn", account.arn.as_deref()),
        ("Status", account.status.as_deref()),
        ("Region", region.map(Region::as_str)),
        ("region", region.map(Region::as_str)),
        ("RoleName", role),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value?)))).collect()
}
