//! `undo` and `apply` across an organization: what `tag-org` did or planned, later.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::allow_updates::AllowArgs;
use super::super::groups_of_rows::{ALL, Extent};
use super::super::saved_plans::SavedPlans;
use super::super::saved_plans::store_of_plans;
use super::super::scope::LimitArgs;
use super::super::{AwsAccessArgs, CommandError, Context, Outcome, tagging};
use super::{AccountsArgs, DisplayArgs, RunDisplay, open_base, run};
use crate::cli::call_stats::StatsArgs;
use crate::model::{AccountId, TagKey};
use crate::org::account_job::{Apply, PlanAt, Undo};
use crate::org::{Account, Organization};
use crate::store::Store;
use crate::store::journal::{Run, RunKind};
use crate::store::organization_runs::{NewOrganizationRun, OrganizationRunId};
use tokio_util::sync::CancellationToken;

/// The options that lead to the accounts.
pub(in crate::cli) struct AccountsAccess<'a> {
    pub(in crate::cli) accounts: &'a AccountsArgs,
    pub(in crate::cli) display: &'a DisplayArgs,
    pub(in crate::cli) allow: &'a AllowArgs,
    pub(in crate::cli) access: AwsAccessArgs,
    pub(in crate::cli) extent: Extent,
    pub(in crate::cli) stats: StatsArgs,
}

/// Undoes all runs of a run across an organization.
pub(in crate::cli) async fn undo(
    number: OrganizationRunId,
    only_plan: bool,
    way: AccountsAccess<'_>,
    store: &Store,
    context: &Context,
) -> Result<Outcome, CommandError> {
    let undone = tagging::find_organization_run(context, store, number)?;
    let mut runs: HashMap<AccountId, Vec<Run>> = HashMap::new();
    for run in store.runs_of_organization(number, None).map_err(|error| context.store_error(&error))? {
        runs.entry(run.account_id.clone()).or_default().push(run);
    }
    let accounts = accounts_of(way.accounts, runs.keys())?;
    let display = display(context, &way, RunKind::Undo)?;
    let map = context.resource_map()?;
    let updates = way.allow.updates(context, &map, store)?;
    let new = NewOrganizationRun {
        kind: RunKind::Undo,
        undoes: Some(number),
        key: undone.tag_key.clone(),
        question: String::new(),
    };
    let begun = if only_plan { None } else { Some(begin(context, store, &new)?) };
    let base = open_base(way.access, None).await?;
    let stop = CancellationToken::default();
    let organization = Organization {
        base: &base,
        map: &map,
        store,
        key: undone.tag_key,
        run: begun,
        updates: &updates,
        stop: &stop,
        concurrency: way.accounts.max_concurrency,
    };
    run(context, &organization, &Undo { runs, only_plan }, accounts, display).await
}

/// Applies the plans of several accounts.
pub(in crate::cli) async fn apply(
    saved: &SavedPlans,
    way: AccountsAccess<'_>,
    only_plan: bool,
    limit: LimitArgs,
    context: &Context,
) -> Result<Outcome, CommandError> {
    let key = one_key(saved)?;
    let mut plans: HashMap<AccountId, Vec<PlanAt>> = HashMap::new();
    for plan in &saved.plans {
        plans.entry(plan.account.clone()).or_default().push(plan.at.clone());
    }
    let accounts = accounts_of(way.accounts, plans.keys())?;
    let chosen: HashSet<&AccountId> = accounts.iter().map(|account| &account.id).collect();
    let writes = saved.plans.iter().filter(|plan| chosen.contains(&plan.account)).map(|plan| plan.writes).sum();
    if only_plan {
        limit.note(context, writes)
    } else {
        limit.check(writes, "the plans have")?
    }
    let display = RunDisplay { print_plans: only_plan, ..display(context, &way, RunKind::Tag)? };
    let (map, store) = (context.resource_map()?, store_of_plans(context, only_plan)?);
    let updates = way.allow.updates(context, &map, &store)?;
    let new = NewOrganizationRun { kind: RunKind::Tag, undoes: None, key: key.clone(), question: String::new() };
    let begun = if only_plan { None } else { Some(begin(context, &store, &new)?) };
    let base = open_base(way.access, None).await?;
    let stop = CancellationToken::default();
    let organization = Organization {
        base: &base,
        map: &map,
        store: &store,
        key,
        run: begun,
        updates: &updates,
        stop: &stop,
        concurrency: way.accounts.max_concurrency,
    };
    let job = Apply { plans, read: |at: &PlanAt| saved.read(at), only_plan };
    run(context, &organization, &job, accounts, display).await
}

fn begin(context: &Context, store: &Store, new: &NewOrganizationRun) -> Result<OrganizationRunId, CommandError> {
    store.begin_organization_run(new).map_err(|error| context.store_error(&error))
}

/// The same command resumes: completed writes are skipped.
fn display<'t>(context: &Context, way: &AccountsAccess<'_>, kind: RunKind) -> Result<RunDisplay<'t>, CommandError> {
    let (results, stats) = (way.display.open_results(false)?, way.stats);
    let (resume, accounts_file) = (context.invocation.again().to_string(), way.accounts.config.clone());
    let (extent, all_rows) = (way.extent, ALL);
    Ok(RunDisplay { kind, results, stats, print_plans: false, extent, all_rows, save: None, resume, accounts_file })
}

/// How a run is undone. One that was made without an accounts file needs one now: the first command writes it.
pub(super) fn undo_advice(context: &Context, display: &RunDisplay<'_>, run: OrganizationRunId) -> String {
    let undo = context.suggest("undo").arg(run.to_string()).without("region");
    match &display.accounts_file {
        Some(file) => undo.option("config", file).to_string(),
        None => {
            let file = format!("{run}-accounts.yml");
            let accounts = context.suggest("accounts").option("output-file", &file).without("region");
            format!("{accounts} && {}", undo.option("config", file))
        }
    }
}

/// The accounts of the file that there is something to do in. Without filters the file must have all of them.
fn accounts_of<'i>(
    args: &AccountsArgs,
    wanted: impl Iterator<Item = &'i AccountId>,
) -> Result<Vec<Account>, CommandError> {
    let wanted: BTreeSet<&AccountId> = wanted.collect();
    let mut accounts = args.accounts()?;
    let known: HashSet<AccountId> = accounts.iter().map(|account| account.id.clone()).collect();
    let has_filter = !(args.accounts.is_empty() && args.not_accounts.is_empty() && args.tags.is_empty());
    if let Some(missing) = wanted.iter().find(|id| !known.contains(**id)).filter(|_| !has_filter) {
        return Err(CommandError::usage(format_args!("the accounts file has no account {missing}"))
            .hint("add it with its role, or choose others with --accounts"));
    }
    accounts.retain(|account| wanted.contains(&account.id));
    Ok(accounts)
}

fn one_key(saved: &SavedPlans) -> Result<TagKey, CommandError> {
    let keys: BTreeSet<&TagKey> = saved.plans.iter().map(|plan| &plan.key).collect();
    match keys.into_iter().collect::<Vec<_>>().as_slice() {
        [key] => Ok((*key).clone()),
        _ => Err(CommandError::usage("the plans have different tag keys; apply them one at a time")),
    }
}
