//! `apply`: makes the writes of a saved plan, or what an interrupted run left.

use std::path::{Path, PathBuf};

use super::allow_updates::AllowArgs;
use super::organization::{self, AccountsArgs, TellingArgs, Way};
use super::run_output::{self, RunOutput};
use super::saved_plans::{SavedPlan, SavedPlans};
use super::tagging;
use super::{AwsArgs, CommandError, Context, Outcome};
use crate::inventory::Place;
use crate::store::journal::{RunId, RunKind};
use crate::tag::run::{Prepared, Runner, Target};

/// Apply a saved plan as it is, or go on with an interrupted run
///
/// Nothing is decided anew. Before writing, the resources are read again: one that got the tag, or another value, since the plan
/// was made is left alone. Plans of several accounts want the accounts file (--config).
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["plan", "resume"])))]
pub(super) struct Args {
    /// A plan saved by `tag --save-plan`, or printed by `tag --dry-run --output json`; or the plans saved by `tag-org --save-plan`
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    /// Go on with this run, which was interrupted
    #[arg(long, value_name = "RUN")]
    resume: Option<RunId>,
    #[command(flatten)]
    allow: AllowArgs,
    #[command(flatten)]
    accounts: AccountsArgs,
    #[command(flatten)]
    telling: TellingArgs,
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
            context.console.message(format_args!("the plan {} has nothing to write", path.display()));
            Ok(Outcome::Done)
        }
        [plan] if args.accounts.config.is_none() => apply_one(&saved, plan, args, context).await,
        _ => {
            let way =
                Way { accounts: &args.accounts, telling: &args.telling, allow: &args.allow, access: args.aws.access };
            organization::apply(&saved, way, context).await
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
    let store = context.open_store()?;
    let updates = args.allow.updates(context, &map, &store)?;
    let SavedPlan { account, key, at } = plan.clone();
    let (session, caller) = tagging::open_same_account(args.aws, &at.region, &account, "the plan").await?;
    let actions = saved.read(&at).map_err(CommandError::failed)?;
    let place = Place { account, region: at.region };
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
    finish(context, &runner, RunKind::Tag, Target::Tag, prepared).await
}

async fn resume(run_id: RunId, args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let store = context.open_existing_store()?;
    let run = tagging::find_run(context, &store, run_id)?;
    if run.finished_at.is_some() {
        context.console.message(format_args!("run {run_id} is finished: there is nothing to go on with"));
        return Ok(Outcome::Done);
    }
    let rows = store.writes_of(run_id).map_err(|error| context.store_error(&error))?;
    let map = context.resource_map()?;
    let updates = args.allow.updates(context, &map, &store)?;
    let (session, caller) =
        tagging::open_same_account(args.aws, &run.region, &run.account_id, &format!("run {run_id}")).await?;
    let place = Place { account: run.account_id, region: run.region };
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
    finish(context, &runner, run.kind, Target::Resumed(run_id), prepared).await
}

async fn finish(
    context: &Context,
    runner: &Runner<'_>,
    kind: RunKind,
    target: Target,
    prepared: Prepared<'_>,
) -> Result<Outcome, CommandError> {
    let report = tagging::execute(context, runner, target, prepared).await?;
    Ok(run_output::tell_run(context, &RunOutput { runner, report: &report, kind, plan: None }))
}
