//! `apply`: makes the writes of a saved plan, or the remaining writes of an interrupted run.

use std::path::{Path, PathBuf};

use super::allow_updates::AllowArgs;
use super::groups_of_rows::{Extent, ExtentArgs};
use super::organization::{self, AccountsAccess, AccountsArgs, DisplayArgs};
use super::run_output::{self, NothingToDo, RunOutput};
use super::saved_plans::{PlanHead, SavedPlan, SavedPlans, store_of_plans};
use super::scope::LimitArgs;
use super::tagging;
use super::{AwsArgs, CommandError, Context, Outcome};
use crate::cli::call_stats::StatsArgs;
use crate::model::AccountRegion;
use crate::model::RunId;
use crate::store::journal::RunKind;
use crate::tag::run::{self, Prepared, Runner, Target};

const EXAMPLES: &str = "\
Examples:
  Show which writes of a plan remain:
    trailcreator apply plan.json --dry-run
  Apply a plan:
    trailcreator apply plan.json
  Resume an interrupted run:
    trailcreator apply --resume 3";

/// Apply a saved plan, or resume an interrupted run
///
/// Writes exactly the actions of the plan; owners are not looked up again. The resources are read again before writing: a
/// resource is skipped if its tag changed since the plan was made. Plans for several accounts need the accounts file (--config).
///
/// Exit codes: 0 all done; 1 failed, or more writes than --max-changes allows; 2 usage error; 4 finished, but some writes
/// failed or their resources no longer exist; 130 interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["plan", "resume"])))]
pub(super) struct Args {
    /// Plan, as saved by `tag --save-plan` or `tag-org --save-plan`, or as printed by `tag --dry-run --output json`
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    /// Resume this interrupted run
    #[arg(long, value_name = "RUN")]
    resume: Option<RunId>,
    /// Print the remaining writes; write nothing to AWS
    #[arg(long, alias = "dryrun")]
    dry_run: bool,
    #[command(flatten)]
    extent: ExtentArgs,
    #[command(flatten)]
    stats: StatsArgs,
    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    allow: AllowArgs,
    #[command(flatten)]
    accounts: AccountsArgs,
    #[command(flatten)]
    display: DisplayArgs,
    #[command(flatten)]
    aws: AwsArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let plan = args.plan.clone();
    match (plan, args.resume) {
        (Some(path), _) => apply_plan(&path, args, context).await,
        (None, Some(run)) => resume(run, args, context).await,
        (None, None) => Err(CommandError::usage("neither a plan nor --resume RUN was given")),
    }
}

async fn apply_plan(path: &Path, args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let saved = SavedPlans::open(context, path)?;
    match saved.plans.as_slice() {
        [] => {
            show_nothing(&saved, &args, context)?;
            context.console.message(format_args!("the plan {} has nothing to write", path.display()));
            Ok(Outcome::Done)
        }
        [plan] if args.accounts.config.is_none() => apply_one(&saved, plan, args, context).await,
        _ => {
            let way = AccountsAccess {
                accounts: &args.accounts,
                display: &args.display,
                stats: args.stats,
                allow: &args.allow,
                access: args.aws.access,
                extent: args.extent.into(),
            };
            organization::apply(&saved, way, args.dry_run, args.limit, context).await
        }
    }
}

/// The document of plans without writes: that of a run for one plan, else that of an organization.
fn show_nothing(saved: &SavedPlans, args: &Args, context: &Context) -> Result<(), CommandError> {
    match saved.heads.as_slice() {
        [PlanHead { account, region, key }] if args.accounts.config.is_none() => {
            let (account, region, key) = (account.as_ref(), region.as_ref(), key.as_ref());
            let nothing = NothingToDo { kind: RunKind::Tag, dry_run: args.dry_run, account, region, key };
            run_output::show_nothing(context, &nothing);
            Ok(())
        }
        heads => {
            let key = heads.iter().find_map(|head| head.key.as_ref());
            organization::show_nothing(context, RunKind::Tag, key, &args.display)
        }
    }
}

async fn apply_one(
    saved: &SavedPlans,
    plan: &SavedPlan,
    args: Args,
    context: &Context,
) -> Result<Outcome, CommandError> {
    let map = context.resource_map()?;
    let store = store_of_plans(context, args.dry_run)?;
    let updates = args.allow.updates(context, &map, &store)?;
    let SavedPlan { account, key, at, writes } = plan.clone();
    let how = How { kind: RunKind::Tag, target: Target::Tag, extent: args.extent.into(), stats: args.stats };
    let is_only_printed = check_limit(&args, context, writes, "the plan has")?;
    let (session, caller) = tagging::open_same_account(args.aws, &at.region, &account, "the plan").await?;
    let actions = saved.read(&at).map_err(CommandError::failed)?;
    let place = AccountRegion { account, region: at.region };
    let runner = Runner {
        session: &session,
        map: &map,
        store: &store,
        place,
        key,
        caller,
        organization: None,
        updates: &updates,
    };
    let prepared = tagging::or_interrupted(context, runner.prepare_plan(&actions)).await;
    let Some(prepared) = prepared else { return Ok(Outcome::Interrupted) };
    finish(context, &runner, how, is_only_printed, prepared).await
}

/// Checks the number of writes. Returns whether they are only printed.
fn check_limit(args: &Args, context: &Context, writes: u64, what: &str) -> Result<bool, CommandError> {
    if args.dry_run {
        args.limit.note(context, writes);
    } else {
        args.limit.check(writes, what)?;
    }
    Ok(args.dry_run)
}

async fn resume(run_id: RunId, args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let store = context.open_store_for_journal()?;
    let run = tagging::find_run(context, &store, run_id)?;
    if run.finished_at.is_some() {
        run_output::show_nothing(context, &NothingToDo::of_run(run.kind, args.dry_run, &run));
        context.console.message(format_args!("run {run_id} is finished: there is nothing to resume"));
        return Ok(Outcome::Done);
    }
    let rows = run::open_writes(&store, run_id).map_err(|error| context.store_error(&error))?;
    let how = How { kind: run.kind, target: Target::Resumed(run_id), extent: args.extent.into(), stats: args.stats };
    let left = u64::from(run.counts.open());
    let is_only_printed = check_limit(&args, context, left, &format!("run {run_id} still has"))?;
    let map = context.resource_map()?;
    let updates = args.allow.updates(context, &map, &store)?;
    let (session, caller) =
        tagging::open_same_account(args.aws, &run.region, &run.account_id, &format!("run {run_id}")).await?;
    let place = AccountRegion { account: run.account_id, region: run.region };
    let runner = Runner {
        session: &session,
        map: &map,
        store: &store,
        place,
        key: run.tag_key,
        caller,
        organization: None,
        updates: &updates,
    };
    let prepared = tagging::or_interrupted(context, runner.prepare_rest(rows)).await;
    let Some(prepared) = prepared else { return Ok(Outcome::Interrupted) };
    finish(context, &runner, how, is_only_printed, prepared).await
}

/// What a run is, and how it is printed.
struct How {
    kind: RunKind,
    target: Target,
    extent: Extent,
    stats: StatsArgs,
}

async fn finish(
    context: &Context,
    runner: &Runner<'_>,
    How { kind, target, extent, stats }: How,
    dry_run: bool,
    prepared: Prepared,
) -> Result<Outcome, CommandError> {
    let report =
        if dry_run { prepared.into_report() } else { tagging::execute(context, runner, target, prepared).await? };
    let output = RunOutput { runner, report: &report, kind, plan: None, dry_run, extent, stats };
    Ok(run_output::show_run(context, &output))
}
