//! Reports on the accounts: a line for each account-region as it finishes, grouped failures, the summary.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::super::groups_of_rows::{Extent, WriteRow, print_writes, show_hint};
use super::super::run_output::{calls_phrase, counts, dry_phrase, failure, results_phrase, skipped_phrase};
use super::super::{CommandError, Context, Outcome, nothing};
use super::groups::Groups;
use super::later;
use super::results::{self, Kind, Results, ResultsFile};
use super::totals::Totals;
use crate::cli::options::show_missing_people;
use crate::cli::population::warn_of_failure;
use crate::cli::tag::{action_row, outcome_of_plan, show_types};
use crate::console::{OutputFormat, Progress, counted};
use crate::creator::MissingPeople;
use crate::model::Region;
use crate::org::{Account, Done, Event, Failure, Organization};
use crate::plan::{Plan, PopulationSource};
use crate::store::journal::{RunKind, RunWrite, Write, WriteOutcome};
use crate::store::organization_runs::OrganizationRunId;
use crate::tag::apply::StopReason;
use crate::tag::run::RunReport;

/// Takes a plan, to keep it.
pub(in crate::cli) type Save<'a> = dyn FnMut(&Plan) -> Result<(), CommandError> + 'a;

/// What to report, and how.
pub(in crate::cli) struct RunDisplay<'a> {
    /// What the runs are for.
    pub(in crate::cli) kind: RunKind,
    /// The file of results.
    pub(in crate::cli) results: Option<ResultsFile>,
    /// Whether to print the number of calls by operation.
    pub(in crate::cli) stats: bool,
    /// Whether plans are printed.
    pub(in crate::cli) print_plans: bool,
    /// Which rows of the plans.
    pub(in crate::cli) extent: Extent,
    /// The option that prints all rows.
    pub(in crate::cli) all_rows: &'static str,
    /// The receiver of the plans.
    pub(in crate::cli) save: Option<&'a mut Save<'a>>,
    /// How to resume an interrupted run.
    pub(in crate::cli) resume: String,
    /// The accounts file that was given.
    pub(in crate::cli) accounts_file: Option<PathBuf>,
}

/// Gets every event, in order.
pub(in crate::cli) struct Reporter<'a> {
    context: &'a Context,
    display: RunDisplay<'a>,
    progress: Progress,
    results: Results<'a>,
    failures: Groups,
    failed_roles: Groups,
    totals: Totals,
    /// The error of an output file; the run continues.
    broken: Option<CommandError>,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(context: &'a Context, mut display: RunDisplay<'a>, accounts: usize) -> Self {
        let total = accounts.try_into().unwrap_or(u64::MAX);
        Self {
            context,
            results: Results::new(context, display.results.take()),
            progress: context.console.progress("accounts", Some(total)),
            failures: Groups::default(),
            failed_roles: Groups::default(),
            totals: Totals::default(),
            broken: None,
            display,
        }
    }

    pub(super) fn show(&mut self, event: Event<'_>) {
        let written = match event {
            Event::Done(account, region, done) => self.done(account, region, &done),
            Event::Failed(account, region, failure) => self.failed(account, region, &failure),
            Event::AccountOver { had_work } => {
                self.totals.accounts += 1;
                self.totals.without_work += u64::from(!had_work);
                let totals = &self.totals;
                let tagged = totals.written.get("written").copied().unwrap_or(totals.planned);
                let failed = totals.failed_places + totals.failed_roles;
                self.progress.update(totals.accounts, format!("{tagged} to tag or tagged, {failed} failed"));
                Ok(())
            }
        };
        if let Err(error) = written {
            self.broken.get_or_insert(error);
        }
    }

    /// Ends the progress of the survey, before a question.
    pub(super) fn end_progress(&mut self) {
        self.progress = self.context.console.progress("tagging", None);
    }

    /// Prints how to resume a run that has begun.
    pub(super) fn go_on_by(&mut self, resume: String) {
        self.display.resume = resume;
    }

    fn done(&mut self, account: &Account, region: &Region, done: &Done) -> Result<(), CommandError> {
        self.totals.places += 1;
        self.count(done);
        if self.context.console.format == OutputFormat::Text {
            let (context, display) = (self.context, &self.display);
            let mut has_more = false;
            self.progress.suspend(|| has_more = print_place(context, display, account, region, done));
            self.totals.has_more_rows |= has_more;
        }
        self.show_failures(account, region, done);
        if self.results.are_wanted() {
            let entry = results::result(account, region, self.display.kind, done);
            self.results.add(Kind::Result, entry)?;
        }
        match (&mut self.display.save, &done.plan) {
            (Some(save), Some(plan)) if !plan.actions.is_empty() => save(plan),
            _ => Ok(()),
        }
    }

    fn count(&mut self, done: &Done) {
        let totals = &mut self.totals;
        if let Some(plan) = &done.plan {
            totals.planned += plan.summary.tag;
            for (kind, count) in &plan.summary.skipped {
                *totals.left.entry(*kind).or_default() += count;
            }
            let people = totals.missing_people.iter().chain(&plan.summary.missing_people);
            totals.missing_people = MissingPeople::sum(people);
            totals.has_item_failures |= outcome_of_plan(plan) != Outcome::Done;
        }
        if let Some(report) = &done.report {
            for (result, count) in counts(&report.writes) {
                *totals.written.entry(result).or_default() += count;
            }
        }
    }

    /// The failures in an account-region that was processed.
    fn show_failures(&mut self, account: &Account, region: &Region, done: &Done) {
        let place = place_name(account, Some(region));
        let summary = done.plan.as_ref().map(|plan| &plan.summary);
        for failed in summary.into_iter().flat_map(|summary| &summary.failed_types) {
            let error = format!("{} could not be listed: {}", failed.resource_type, failed.error);
            self.failures.add(&error, failed.hint.as_deref(), &place);
        }
        for problem in summary.into_iter().flat_map(|summary| &summary.problems) {
            self.failures.add(&format!("{}: {}", problem.resource_type, problem.problem), None, &place);
        }
        let Some(report) = &done.report else { return };
        for RunWrite { write, outcome, .. } in &report.writes {
            let Some(why) = failure(self.display.kind, outcome) else { continue };
            self.totals.has_item_failures = true;
            let (resource_type, id, result) = (&write.resource_type, &write.id, outcome.state().as_str());
            self.progress.suspend(|| {
                self.context.console.warning(format_args!("{place}: {resource_type} {id} {result}: {why}"));
            });
        }
        if let Some(StopReason::Credentials(why)) = &report.stopped {
            self.totals.has_item_failures = true;
            self.failures.add(&format!("the credentials expired: {why}"), Some("sign in again"), &place);
        }
    }

    fn failed(&mut self, account: &Account, region: Option<&Region>, failure: &Failure) -> Result<(), CommandError> {
        let place = place_name(account, region);
        let (kind, groups, count) = if failure.is_of_role {
            (Kind::FailedAssumeRole, &mut self.failed_roles, &mut self.totals.failed_roles)
        } else {
            (Kind::Exception, &mut self.failures, &mut self.totals.failed_places)
        };
        *count += 1;
        groups.add(&failure.error, failure.hint.as_deref(), &place);
        if self.context.console.format == OutputFormat::Text {
            let id = &account.id;
            let region = region.map(|region| format!(" region:{region}")).unwrap_or_default();
            self.progress.suspend(|| {
                self.context
                    .console
                    .data(format_args!("account:{id}{region} failed: {} name:{}", failure.error, account.name));
            });
        }
        if self.results.are_wanted() {
            self.results.add(kind, results::exception(account, region, failure))?;
        }
        Ok(())
    }

    /// The summary, and the exit code.
    pub(super) fn finish(self, organization: &Organization<'_>, is_left: bool) -> Result<Outcome, CommandError> {
        let Self { context, display, progress, results, failures, failed_roles, totals, broken } = self;
        drop(progress);
        let interrupted = is_left && organization.stop.is_cancelled();
        let run = recorded_run(context, organization)?;
        let calls = organization.base.counts();
        let mut summary = totals.document(run, display.kind, Some(&organization.key), calls);
        summary["interrupted"] = json!(interrupted);
        if display.stats {
            summary["stats"] = json!(calls.by_operation());
        }
        results.finish(&summary);
        failures.show(context, "failed");
        failed_roles.show(context, "role not assumed");
        show_hint(context, totals.has_more_rows, display.all_rows);
        show_missing_people(context, &totals.missing_people);
        show_summary(context, (organization, run), &display, &totals);
        if display.kind == RunKind::Tag && totals.accounts > 0 && totals.without_work == totals.accounts {
            let warned =
                nothing::warn_of_database(context, organization.store, "for these accounts, regions and types");
            warned.map_err(|error| context.store_error(&error))?;
        }
        if display.stats {
            show_stats(context, organization);
        }
        if is_left || ["started", "in-doubt"].iter().any(|state| totals.written.contains_key(state)) {
            context.console.message(format_args!("not finished; resume with: {}", display.resume));
        } else if let Some(run) = organization.run.filter(|_| totals.written.contains_key("written"))
            && display.kind == RunKind::Tag
        {
            let undo = later::undo_advice(context, &display, run);
            context.console.message(format_args!("undo with: {undo}"));
        }
        if let Some(broken) = broken {
            return Err(broken);
        }
        let failed = totals.has_item_failures || totals.failed_places + totals.failed_roles > 0 || is_left;
        Ok(match (interrupted, failed) {
            (true, _) => Outcome::Interrupted,
            (false, true) => Outcome::ItemFailures,
            (false, false) => Outcome::Done,
        })
    }
}

fn place_name(account: &Account, region: Option<&Region>) -> String {
    let region = region.map(|region| format!(" {region}")).unwrap_or_default();
    let name = if account.name == account.id.as_str() { String::new() } else { format!("{} ", account.name) };
    format!("{name}{}{region}", account.id)
}

/// The line of an account-region, in c7n-trailcreator's format; with `-v` also the lines of its types. Returns whether some rows of
/// its plan are not printed.
fn print_place(context: &Context, display: &RunDisplay<'_>, account: &Account, region: &Region, done: &Done) -> bool {
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
fn compared_row(account: &Account, region: &Region, row: &RunWrite) -> Option<WriteRow> {
    let (verb, why) = match &row.outcome {
        WriteOutcome::Unfinished(_) => ("tag", String::new()),
        WriteOutcome::UnderWay(why) => ("under way", format!(" ({why})")),
        WriteOutcome::Skipped(why) => ("skipped", format!(" ({why})")),
        WriteOutcome::Written { .. }
        | WriteOutcome::Failed(_)
        | WriteOutcome::RolledBack(_)
        | WriteOutcome::InDoubt(_)
        | WriteOutcome::Vanished(_) => return None,
    };
    let Write { resource_type, id, key, new_value, .. } = &row.write;
    let value = new_value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
    let account = &account.id;
    let line = format!("{verb} account:{account} region:{region} {resource_type} {id} {key}{value}{why}");
    Some(WriteRow { verb, resource_type: resource_type.to_string(), line })
}

fn push_figures(line: &mut String, plan: &Plan) {
    let sum = |figure: fn(&crate::plan::TypeFigures) -> u64| plan.summary.types.iter().map(figure).sum::<u64>();
    let users: BTreeSet<&str> = plan.actions.iter().map(|action| action.value.as_str()).collect();
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

fn show_summary(
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
fn recorded_run(context: &Context, organization: &Organization<'_>) -> Result<Option<OrganizationRunId>, CommandError> {
    let Some(run) = organization.run else { return Ok(None) };
    let recorded = organization.store.organization_run(run).map_err(|error| context.store_error(&error))?;
    Ok(recorded.map(|run| run.id))
}

/// " (2 skipped: no events in the database)"
fn skipped_accounts(kind: RunKind, count: u64) -> String {
    let why = if kind == RunKind::Tag { "no events in the database" } else { "nothing to undo" };
    if count == 0 { String::new() } else { format!(" ({count} skipped: {why})") }
}

/// Prints the calls by operation, most frequent first.
fn show_stats(context: &Context, organization: &Organization<'_>) {
    let mut operations: Vec<(String, u64)> = organization.base.counts().by_operation().into_iter().collect();
    operations.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (operation, count) in operations {
        context.console.message(format_args!("{count:>8} {operation}"));
    }
}
