//! The report in its format, and what could not be read.

use serde::Serialize;

use super::{By, FailedAccount, Form, Format, Printed, html, tables};
use crate::aws::Session;
use crate::cli::{CommandError, Context, Outcome, population, run_output, types};
use crate::creator::MissingPerson;
use crate::model::AccountId;
use crate::plan::{FailedType, PopulationFailure, SkippedType, TypeProblem};
use crate::report::coverage::{Creator, Figures, GroupBy, Row};
use crate::report::live::{Of, Report, SourceOfType, UnexaminedTypes};
use crate::report::trend::Earlier;

/// The version of the JSON document's format.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    offline: bool,
    tag_key: &'a str,
    taken_at: &'a str,
    totals: Figures,
    /// The previous report with the same options.
    before: Option<&'a Earlier>,
    types: Vec<SumOfType>,
    accounts: Vec<SumOfAccount<'a>>,
    regions: Vec<SumOfRegion>,
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

/// The counts of a type.
#[derive(Serialize)]
struct SumOfType {
    #[serde(rename = "type")]
    resource_type: String,
    #[serde(flatten)]
    figures: Figures,
}

/// The counts of an account.
#[derive(Serialize)]
struct SumOfAccount<'a> {
    account_id: AccountId,
    account_name: Option<&'a str>,
    #[serde(flatten)]
    figures: Figures,
}

/// The counts of a region.
#[derive(Serialize)]
struct SumOfRegion {
    region: String,
    #[serde(flatten)]
    figures: Figures,
}

pub(super) fn print_all(
    context: &Context,
    form: Form<'_>,
    printed: &Printed<'_>,
    session: &Session,
) -> Result<Outcome, CommandError> {
    print(context, form, printed)?;
    print_missing(context, printed.report);
    for FailedAccount { account_id, account_name, region, error, hint } in printed.failed_accounts {
        let hint = hint.as_ref();
        let region = region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
        context.console.warning_with_hints(
            format_args!("account {account_id} {account_name}{region} could not be read: {error}"),
            hint,
        );
    }
    let calls = run_output::calls_phrase(session);
    context.console.message(format_args!("{calls}; nothing was written"));
    // A type or a resource that could not be read changes the exit code.
    let is_complete = printed.report.is_complete() && printed.failed_accounts.is_empty();
    Ok(if is_complete { Outcome::Done } else { Outcome::ItemFailures })
}

/// What could not be listed.
pub(in crate::cli) fn print_missing(context: &Context, report: &Report) {
    for Of { account_id, region, what } in &report.skipped {
        context.console.message(format_args!("{account_id} {region}: skipped {}: {}", what.resource_type, what.reason));
    }
    types::show_unexamined(context, report.unexamined.iter().map(|of| of.what.types.len()));
    for Of { account_id, region, what } in &report.unexamined {
        types::log_unexamined(account_id, region, &what.types);
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

/// Prints the report, without what is missing.
pub(super) fn print(context: &Context, mut form: Form<'_>, printed: &Printed<'_>) -> Result<(), CommandError> {
    let coverage = &printed.report.coverage;
    match (form.format, form.by) {
        (Format::Html, _) => html::print(context, &mut form, printed)?,
        (Format::Json, _) => form.out.json(&document(printed, &coverage.creators(), form.top))?,
        (Format::Csv, By::Type) => form.out.document(&tables::csv_of_rows(coverage))?,
        (Format::Csv, By::Creator) => {
            let creators = coverage.creators();
            form.out.document(&tables::csv_of_creators(&creators[..creators.len().min(form.top)]))?;
        }
        (Format::Text, _) => tables::print_text(context, &mut form, printed)?,
    }
    form.out.finish()
}

fn document<'a>(printed: &'a Printed<'_>, creators: &'a [Creator], top: usize) -> Document<'a> {
    let Printed { report, failed_accounts, tag_key, offline, taken_at, earlier } = printed;
    let coverage = &report.coverage;
    let types = coverage.sums(GroupBy::Type).into_iter();
    let accounts = coverage.sums(GroupBy::Account).into_iter();
    let regions = coverage.sums(GroupBy::Region).into_iter();
    let of_account = |(id, figures): (String, Figures)| {
        let account_id = AccountId::new(id);
        SumOfAccount { account_name: coverage.name(&account_id), account_id, figures }
    };
    Document {
        format_version: FORMAT_VERSION,
        offline: *offline,
        tag_key,
        taken_at,
        totals: coverage.totals(),
        before: earlier.first(),
        types: types.map(|(resource_type, figures)| SumOfType { resource_type, figures }).collect(),
        accounts: accounts.map(of_account).collect(),
        regions: regions.map(|(region, figures)| SumOfRegion { region, figures }).collect(),
        rows: coverage.rows().collect(),
        creators: &creators[..creators.len().min(top)],
        creator_count: creators.len(),
        missing_people: coverage.missing_people(),
        skipped_types: &report.skipped,
        unexamined_types: &report.unexamined,
        failed_types: &report.failed,
        problems: &report.problems,
        failed_accounts,
        sources: &report.sources,
        population_failures: &report.population_failures,
    }
}
