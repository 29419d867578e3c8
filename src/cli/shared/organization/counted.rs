//! `tag-org` where all is surveyed before the first write: to count the writes, or to ask before values are replaced.
//!
//! The plans are held back in a file. The reporter gets the same calls as without counting: each account-region once, with its plan, and
//! what was written.

use super::super::confirm::Answer;
use super::super::scope::LimitArgs;
use super::super::{CommandError, Context, Outcome};
use super::held_plans::HeldPlans;
use super::reporter::{Reporter, RunDisplay};
use super::work;
use crate::org::account_job::{Held, Tag};
use crate::org::{Account, Done, Event, Organization};
use crate::store::organization_runs::OrganizationRunId;

/// What decides whether the plans are written.
pub(in crate::cli) struct Gate<'g> {
    /// How many writes may be made in all.
    pub(in crate::cli) limit: LimitArgs,
    /// Whether to ask before values are replaced.
    pub(in crate::cli) asks: bool,
    /// Starts the run, or resumes the interrupted one.
    pub(in crate::cli) begin: &'g dyn Fn() -> Result<OrganizationRunId, CommandError>,
    /// How to resume an interrupted run.
    pub(in crate::cli) resume: &'g dyn Fn(OrganizationRunId) -> String,
}

/// Surveys all accounts, and writes the plans if the gate lets them pass. `survey` only plans, and `organization` has no run.
pub(in crate::cli) async fn run_counted<'m, 't>(
    context: &'t Context,
    organization: Organization<'m>,
    survey: &Tag<'m>,
    accounts: Vec<Account>,
    display: RunDisplay<'t>,
    gate: Gate<'_>,
) -> Result<Outcome, CommandError> {
    let mut reporter = Reporter::new(context, display, accounts.len());
    let mut held = HeldPlans::create(&context.global.db)?;
    let is_left = hold(context, &organization, survey, &accounts, &mut reporter, &mut held).await?;
    if is_left {
        release(&mut reporter, &held, &accounts);
        return reporter.finish(&organization, true);
    }
    let rest = writes_left(context, &organization, survey.resumed, &accounts)?;
    let writes = held.writes + rest;
    let what = format!("the plans of {} account-regions have", held.at.values().map(Vec::len).sum::<usize>());
    let refused = gate.limit.check(writes, &what).err();
    reporter.end_progress();
    let answer = match (&refused, gate.asks) {
        (None, true) => held.replaced.ask(context).await,
        _ => Answer::Yes,
    };
    let ends = answer.ends();
    if refused.is_some() || ends.is_some() || (writes == 0 && survey.resumed.is_none()) {
        release(&mut reporter, &held, &accounts);
        let outcome = reporter.finish(&organization, false)?;
        return refused.map_or(Ok(ends.unwrap_or(outcome)), Err);
    }
    let run = (gate.begin)()?;
    reporter.go_on_by((gate.resume)(run));
    let organization = Organization { run: Some(run), ..organization };
    let job = Held { plans: &held.at, resumed: survey.resumed, read: |at: &_| held.read(at) };
    let mut report = |event: Event<'_>| match event {
        // Counted by the survey.
        Event::AccountOver { .. } => {}
        event => reporter.show(event),
    };
    let is_left = work(context, &organization, &job, accounts, &mut report).await?;
    reporter.finish(&organization, is_left)
}

/// Surveys, and holds back the plans that have something to write. Says whether something is left to survey.
async fn hold<'m>(
    context: &Context,
    organization: &Organization<'m>,
    survey: &Tag<'m>,
    accounts: &[Account],
    reporter: &mut Reporter<'_>,
    held: &mut HeldPlans,
) -> Result<bool, CommandError> {
    let mut broken = None;
    let mut report = |event: Event<'_>| match event {
        Event::Done(account, region, done) => match &done.plan {
            Some(plan) if !plan.actions.is_empty() => {
                if let Err(error) = held.add(plan) {
                    broken.get_or_insert(error);
                    organization.stop.cancel();
                }
            }
            _ => reporter.show(Event::Done(account, region, done)),
        },
        event => reporter.show(event),
    };
    let is_left = work(context, organization, survey, accounts.to_vec(), &mut report).await?;
    broken.map_or(Ok(is_left), Err)
}

/// Reports plans that are not written.
fn release(reporter: &mut Reporter<'_>, held: &HeldPlans, accounts: &[Account]) {
    for account in accounts {
        for at in held.at.get(&account.id).into_iter().flatten() {
            let done = match held.read(at) {
                Ok(plan) => Done { plan: Some(plan), ..Done::default() },
                Err(error) => Done::failed(error.to_string()),
            };
            reporter.show(Event::Done(account, &at.region, Box::new(done)));
        }
    }
}

/// The writes that an interrupted run left in these accounts.
fn writes_left(
    context: &Context,
    organization: &Organization<'_>,
    resumed: Option<OrganizationRunId>,
    accounts: &[Account],
) -> Result<u64, CommandError> {
    let Some(run) = resumed else { return Ok(0) };
    let runs = organization.store.runs_of_organization(run, None).map_err(|error| context.store_error(&error))?;
    let is_ours = |account: &crate::model::AccountId| accounts.iter().any(|one| one.id == *account);
    let left = runs.iter().filter(|run| is_ours(&run.account_id));
    Ok(left.map(|run| u64::from(run.counts.open())).sum())
}
