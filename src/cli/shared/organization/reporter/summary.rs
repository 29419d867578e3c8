//! The last lines: the summary of all accounts, and the calls.

use std::fmt::Write as _;

use super::super::totals::Totals;
use super::RunDisplay;
use crate::cli::run_output::{calls_phrase, dry_phrase, results_phrase, skipped_phrase};
use crate::cli::{CommandError, Context};
use crate::console::counted;
use crate::org::Organization;
use crate::store::journal::RunKind;
use crate::store::organization_runs::OrganizationRunId;

pub(super) fn show_summary(
    context: &Context,
    (organization, run): (&Organization<'_>, Option<OrganizationRunId>),
    display: &RunDisplay<'_>,
    totals: &Totals,
) {
    let run = run.map(|run| format!("run {run}: ")).unwrap_or_default();
    let done = match (&organization.run, display.kind) {
        (None, RunKind::Tag) if !totals.written.is_empty() => {
            format!("{}, nothing was written", dry_phrase(display.kind, &totals.written))
        }
        (None, RunKind::Tag) => format!("{} to tag, nothing was written", totals.planned),
        (None, RunKind::Undo) => format!("{} to undo, nothing was written", totals.written.values().sum::<u64>()),
        (Some(_), kind) => results_phrase(kind, &totals.written),
    };
    let mut failed = String::new();
    for (count, what) in [(totals.failed_roles, "with a failed role"), (totals.failed_places, "failed")] {
        if count > 0 {
            write!(failed, ", {count} {what}").unwrap_or_default();
        }
    }
    context.console.message(format_args!(
        "{run}{}{}, {}{failed}: {done}{}; {}",
        counted(totals.accounts, "account"),
        skipped_accounts(display.kind, totals.without_work),
        counted(totals.places, "account-region"),
        skipped_phrase(&totals.left),
        calls_phrase(organization.base),
    ));
}

/// The organization's run, if it is in the journal: one that wrote nothing was deleted when it ended.
pub(super) fn recorded_run(
    context: &Context,
    organization: &Organization<'_>,
) -> Result<Option<OrganizationRunId>, CommandError> {
    let Some(run) = organization.run else { return Ok(None) };
    let recorded = organization.store.organization_run(run).map_err(|error| context.store_error(&error))?;
    Ok(recorded.map(|run| run.id))
}

/// " (2 skipped: no events in the database)"
fn skipped_accounts(kind: RunKind, count: u64) -> String {
    let why = if kind == RunKind::Tag { "no events in the database" } else { "nothing to undo" };
    if count == 0 { String::new() } else { format!(" ({count} skipped: {why})") }
}
