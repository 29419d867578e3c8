//! The report as text, JSON and CSV, and what could not be read.

use serde::Serialize;

use super::{By, FailedAccount, Form, Format, Printed};
use crate::aws::Session;
use crate::cli::{Context, Outcome, population, run_output, types};
use crate::console::{Lines, number};
use crate::creator::MissingPerson;
use crate::plan::{FailedType, PopulationFailure, SkippedType, TypeProblem};
use crate::report::coverage::{Coverage, Creator, Figures, Row};
use crate::report::csv::{self, Cell};
use crate::report::live::{Of, Report, SourceOfType, UnexaminedTypes};

/// The version of the JSON document's format.
const FORMAT_VERSION: u32 = 1;

/// The CSV columns, in the order of [`numbers`].
const FIGURES: [&str; 8] =
    ["live", "owned", "would_be_owned", "no_record", "no_owner", "service_created", "unknown", "not_taggable"];

/// The column headings of the text table, in the same order.
const HEADINGS: [&str; 8] =
    ["live", "owned", "would be owned", "no record", "no owner", "service", "unknown", "not taggable"];

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    offline: bool,
    tag_key: &'a str,
    totals: Figures,
    rows: Vec<Row>,
    creators: &'a [Creator],
    creator_count: usize,
    missing_people: Vec<MissingPerson>,
    skipped_types: &'a [Of<SkippedType>],
    unexamined_types: &'a [Of<UnexaminedTypes>],
    failed_types: &'a [Of<FailedType>],
    problems: &'a [Of<TypeProblem>],
    failed_accounts: &'a [FailedAccount],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    sources: &'a [Of<SourceOfType>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    population_failures: &'a [Of<PopulationFailure>],
}

pub(super) fn print_all(context: &Context, form: &Form, printed: &Printed<'_>, session: &Session) -> Outcome {
    print(context, form, printed);
    print_missing(context, printed.report);
    for FailedAccount { account_id, name, region, error, hint, .. } in printed.failed_accounts {
        let hint = hint.as_ref();
        let region = region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
        context
            .console
            .warning_with_hints(format_args!("account {account_id} {name}{region} could not be read: {error}"), hint);
    }
    let calls = run_output::calls_phrase(session);
    context.console.message(format_args!("{calls}; nothing was written"));
    if printed.failed_accounts.is_empty() { outcome(printed.report) } else { Outcome::ItemFailures }
}

/// A type or a resource that could not be read changes the exit code.
fn outcome(report: &Report) -> Outcome {
    let unknown = report.coverage.totals().unknown.unwrap_or_default();
    let complete = report.failed.is_empty() && report.problems.is_empty() && report.users_unknown.is_empty();
    if complete && unknown == 0 { Outcome::Done } else { Outcome::ItemFailures }
}

/// What could not be listed.
pub(in crate::cli) fn print_missing(context: &Context, report: &Report) {
    for Of { account_id, region, what } in &report.skipped {
        context.console.message(format_args!("{account_id} {region}: skipped {}: {}", what.resource_type, what.reason));
    }
    types::show_unexamined(context, report.unexamined.iter().map(|of| of.what.resource_types.len()));
    for Of { account_id, region, what } in &report.unexamined {
        types::log_unexamined(account_id, region, &what.resource_types);
    }
    population::show_sources(context, report.sources.iter().map(|of| (&of.what.resource_type, &of.what.source)));
    for Of { account_id, region, what } in &report.population_failures {
        population::warn_of_failure(context, &format!("{account_id} {region}"), what);
    }
    for Of { account_id, region, what } in &report.problems {
        context.console.warning(format_args!("{account_id} {region}: {}: {}", what.resource_type, what.problem));
    }
    for Of { account_id, region, what } in &report.failed {
        let hint = what.hint.as_ref();
        let (resource_type, error) = (&what.resource_type, &what.error);
        context.console.warning_with_hints(
            format_args!("{account_id} {region}: {resource_type} could not be listed: {error}"),
            hint,
        );
    }
    for (account, error) in &report.users_unknown {
        let hint = error.hint();
        context.console.warning_with_hints(
            format_args!(
                "{account}: could not list IAM users, so the report does not show which creators still exist: {error}"
            ),
            hint,
        );
    }
}

pub(super) fn print(context: &Context, form: &Form, printed: &Printed<'_>) {
    let Printed { report, failed_accounts, tag_key, offline } = *printed;
    let coverage = &report.coverage;
    let creators = coverage.creators();
    let top = &creators[..creators.len().min(form.top)];
    match (form.format, form.by) {
        (Format::Json, _) => context.console.json(&Document {
            format_version: FORMAT_VERSION,
            offline,
            tag_key,
            totals: coverage.totals(),
            rows: coverage.rows().collect(),
            creators: top,
            creator_count: creators.len(),
            missing_people: coverage.missing_people(),
            skipped_types: &report.skipped,
            unexamined_types: &report.unexamined,
            failed_types: &report.failed,
            problems: &report.problems,
            failed_accounts,
            sources: &report.sources,
            population_failures: &report.population_failures,
        }),
        (Format::Csv, By::Type) => context.console.document(&csv_of_rows(coverage)),
        (Format::Csv, By::Creator) => context.console.document(&csv_of_creators(top)),
        (Format::Text, _) => print_text(context, coverage, top, creators.len()),
    }
}

fn print_text(context: &Context, coverage: &Coverage, top: &[Creator], creators: usize) {
    let mut rows = vec![texts(HEADINGS.iter().chain(&["account", "region", "type"]))];
    rows.extend(coverage.rows().map(|row| {
        let name = row.account_name.map(|name| format!(" {}", name)).unwrap_or_default();
        let place = [format!("{}{name}", row.account_id), row.region, row.resource_type.to_string()];
        shown(&row.figures).into_iter().chain(place).collect()
    }));
    if rows.len() == 1 {
        context.console.message("no resources to report");
        return;
    }
    rows.push(shown(&coverage.totals()).into_iter().chain(texts(["total", "", ""].iter())).collect());
    context.console.lines(&Lines::table(&rows, HEADINGS.len()));
    if top.is_empty() {
        return;
    }
    context.console.data("");
    let mut rows = vec![texts(["resources", "owned", "would be owned", "creator", ""].iter())];
    rows.extend(top.iter().map(|creator| {
        let numbers = [creator.resources, creator.owned, creator.would_be_owned].map(number);
        let gone = if creator.gone == Some(true) { "IAM user no longer exists" } else { "" };
        numbers.into_iter().chain([creator.owner.clone(), gone.to_owned()]).collect()
    }));
    context.console.lines(&Lines::table(&rows, 3));
    if creators > top.len() {
        context
            .console
            .message(format_args!("and {} more creators (show all with --top {creators})", creators - top.len()));
    }
}

fn csv_of_rows(coverage: &Coverage) -> String {
    let header: Vec<&str> =
        ["account_id", "account_name", "region", "resource_type"].into_iter().chain(FIGURES).collect();
    let rows = coverage.rows().map(|row| {
        let name = row.account_name.unwrap_or_default();
        let place = [row.account_id.to_string(), name, row.region, row.resource_type.to_string()].map(Cell::Text);
        place.into_iter().chain(numbers(&row.figures).map(Cell::Number)).collect()
    });
    csv::table(&header, rows)
}

fn csv_of_creators(creators: &[Creator]) -> String {
    let rows = creators.iter().map(|creator| {
        let Creator { owner, resources, owned, would_be_owned, gone } = creator;
        let gone = gone.map(|gone| gone.to_string()).unwrap_or_default();
        let numbers = [resources, owned, would_be_owned].map(|number| Cell::Number(Some(*number)));
        [Cell::Text(owner.clone())].into_iter().chain(numbers).chain([Cell::Text(gone)]).collect()
    });
    csv::table(&["creator", "resources", "owned", "would_be_owned", "gone"], rows)
}

/// The counts, in the order of [`FIGURES`].
fn numbers(figures: &Figures) -> [Option<u64>; FIGURES.len()] {
    let Figures { live, owned, would_be_owned, no_record, no_owner, service_created, unknown, not_taggable } = figures;
    let known = |figure: &u64| Some(*figure);
    let (owned, would_be_owned) = (known(owned), known(would_be_owned));
    [*live, owned, would_be_owned, *no_record, known(no_owner), known(service_created), *unknown, *not_taggable]
}

fn shown(figures: &Figures) -> Vec<String> {
    numbers(figures).map(|count| count.map_or_else(|| "-".to_owned(), number)).to_vec()
}

fn texts<'t>(texts: impl Iterator<Item = &'t &'t str>) -> Vec<String> {
    texts.map(|text| (*text).to_owned()).collect()
}
