//! Reports on the accounts: a line for each account-region as it finishes, grouped failures, the summary.

mod line;
mod summary;

use std::path::PathBuf;

use serde_json::json;

use line::{place_name, print_place};
use summary::{recorded_run, show_summary};

use super::super::groups_of_rows::{Extent, show_hint};
use super::super::run_output::{counts, failure};
use super::super::{CommandError, Context, Outcome, nothing};
use super::groups::Groups;
use super::later;
use super::results::{self, Kind, Results, ResultsFile};
use super::totals::Totals;
use crate::cli::call_stats::{self, StatsArgs};
use crate::cli::options::show_missing_people;
use crate::cli::tag::outcome_of_plan;
use crate::console::{OutputFormat, Progress};
use crate::creator::MissingPeople;
use crate::model::Region;
use crate::org::{Account, Done, Event, Failure, Organization};
use crate::plan::Plan;
use crate::store::journal::{RunKind, RunWrite};
use crate::tag::apply::StopReason;

/// Takes a plan, to keep it.
pub(in crate::cli) type Save<'a> = dyn FnMut(&Plan) -> Result<(), CommandError> + 'a;

/// What to report, and how.
pub(in crate::cli) struct RunDisplay<'a> {
    /// What the runs are for.
    pub(in crate::cli) kind: RunKind,
    /// The file of results.
    pub(in crate::cli) results: Option<ResultsFile>,
    /// Whether to print the number of calls by operation.
    pub(in crate::cli) stats: StatsArgs,
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
            let Some(why) = failure(self.display.kind, &outcome) else { continue };
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
        let tags = totals.written.get("written").copied().unwrap_or_default();
        if display.stats.stats {
            call_stats::add_to(&mut summary, calls, tags);
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
        if display.stats.stats {
            call_stats::show(context, calls, tags);
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
