//! What is printed of an account-region: its line, and the rows of its plan.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::RunDisplay;
use crate::cli::Context;
use crate::cli::groups_of_rows::{WriteRow, print_writes};
use crate::cli::population::warn_of_failure;
use crate::cli::run_output::{counts, dry_phrase, results_phrase};
use crate::cli::tag::{action_row, show_types};
use crate::model::{Region, TagValue};
use crate::org::{Account, Done};
use crate::plan::{Plan, PopulationSource};
use crate::store::journal::{RunKind, RunWrite, Write, WriteOutcome};
use crate::tag::run::RunReport;

pub(super) fn place_name(account: &Account, region: Option<&Region>) -> String {
    let region = region.map(|region| format!(" {region}")).unwrap_or_default();
    let name = if account.name == account.id.as_str() { String::new() } else { format!("{} ", account.name) };
    format!("{name}{}{region}", account.id)
}

/// The line of an account-region, in c7n-trailcreator's format; with `-v` also the lines of its types. Returns whether some rows of
/// its plan are not printed.
pub(super) fn print_place(
    context: &Context,
    display: &RunDisplay<'_>,
    account: &Account,
    region: &Region,
    done: &Done,
) -> bool {
    let mut line = format!("account:{} region:{region}", account.id);
    if let Some(plan) = &done.plan {
        if context.global.verbose > 0 {
            show_types(context, plan);
        }
        push_figures(&mut line, plan);
        push_sources(&mut line, plan);
        if let Some(failure) = &plan.summary.population_failure {
            warn_of_failure(context, &format!("account {} in {region}", account.id), failure);
        }
    }
    if let Some(report) = &done.report {
        push_results(&mut line, display.kind, report);
    }
    if account.name != account.id.as_str() {
        // A String takes everything.
        write!(line, " name:{}", account.name).unwrap_or_default();
    }
    context.console.data(line);
    let mut has_more = false;
    if let Some(plan) = done.plan.as_ref().filter(|_| display.print_plans) {
        let place = format!("account:{} region:{region} ", account.id);
        has_more |= print_writes(context, display.extent, plan.actions.iter().map(|action| action_row(&place, action)));
    }
    if let Some(report) = done.report.as_ref().filter(|_| display.print_plans) {
        let rows = report.writes.iter().filter_map(|row| compared_row(account, region, row));
        has_more |= print_writes(context, display.extent, rows);
    }
    has_more
}

/// How many types are from AWS Config, and how many from their services, if AWS Config was queried.
fn push_sources(line: &mut String, plan: &Plan) {
    let sources: Vec<_> = plan.summary.types.iter().filter_map(|figures| figures.source.as_ref()).collect();
    if sources.is_empty() {
        return;
    }
    let of_config = sources.iter().filter(|source| source.from == PopulationSource::Config).count();
    // A String takes everything.
    write!(line, " config:{of_config} service:{}", sources.len() - of_config).unwrap_or_default();
}

/// A write of a saved plan that was compared with the present state; what failed is a warning.
fn compared_row(
    account: &Account,
    region: &Region,
    row: RunWrite,
) -> Option<WriteRow<String, impl FnOnce() -> String>> {
    let (verb, why) = match row.outcome {
        WriteOutcome::Unfinished(_) => ("tag", None),
        WriteOutcome::UnderWay(why) => ("under way", Some(why)),
        WriteOutcome::Skipped(why) => ("skipped", Some(why)),
        WriteOutcome::Written { .. }
        | WriteOutcome::Failed(_)
        | WriteOutcome::RolledBack(_)
        | WriteOutcome::InDoubt(_)
        | WriteOutcome::Vanished(_) => return None,
    };
    let Write { resource_type, id, key, new_value, .. } = row.write;
    let name = resource_type.to_string();
    let line = move || {
        let value = new_value.map(|value| format!("={value}")).unwrap_or_default();
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{verb} account:{} region:{region} {resource_type} {id} {key}{value}{why}", account.id)
    };
    Some(WriteRow { verb, resource_type: name, line })
}

fn push_figures(line: &mut String, plan: &Plan) {
    let sum = |figure: fn(&crate::plan::TypeFigures) -> u64| plan.summary.types.iter().map(figure).sum::<u64>();
    let users: BTreeSet<TagValue> = plan.actions.iter().map(|action| action.value).collect();
    write!(
        line,
        " tag {} resources users:{} population:{} not-found:{} records:{} untagged:{}",
        plan.summary.tag,
        users.len(),
        sum(|figures| figures.population),
        sum(|figures| figures.not_found),
        sum(|figures| figures.records),
        sum(|figures| figures.untagged),
    )
    .unwrap_or_default();
}

fn push_results(line: &mut String, kind: RunKind, report: &RunReport) {
    match report.run {
        Some(run) => write!(line, " run:{run} {}", results_phrase(kind, &counts(&report.writes))),
        None if kind == RunKind::Undo => write!(line, " {} to undo", report.writes.len()),
        None if report.writes.is_empty() => Ok(()),
        None => write!(line, " {}", dry_phrase(kind, &counts(&report.writes))),
    }
    .unwrap_or_default();
}
