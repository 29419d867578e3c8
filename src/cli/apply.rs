//! `apply`: makes the writes of a saved plan, or what an interrupted run left.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::run_output::{self, RunOutput};
use super::tagging;
use super::{AwsArgs, CommandError, Context, Outcome};
use crate::inventory::Place;
use crate::names::{AccountId, Region, TagKey};
use crate::store::journal::{RunId, RunKind};
use crate::tag::plan::{FORMAT_VERSION, PlannedWrite};
use crate::tag::run::{Prepared, Runner, Target};

/// Apply a saved plan as it is, or go on with an interrupted run
///
/// Nothing is decided anew. Before writing, the resources are read again: one that got the tag, or another value, since the plan
/// was made is left alone.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["plan", "resume"])))]
pub(super) struct Args {
    /// A plan saved by `tag --save-plan`, or printed by `tag --dry-run --output json`
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    /// Go on with this run, which was interrupted
    #[arg(long, value_name = "RUN")]
    resume: Option<RunId>,
    #[command(flatten)]
    aws: AwsArgs,
}

/// A plan's file. What people need and applying doesn't is not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    format_version: u32,
    actions: Vec<PlannedWrite>,
    #[serde(default)]
    region: Option<Region>,
    #[serde(default, rename = "account_id")]
    _account_id: IgnoredAny,
    #[serde(default, rename = "tag_key")]
    _tag_key: IgnoredAny,
    #[serde(default, rename = "left")]
    _left: IgnoredAny,
    #[serde(default, rename = "summary")]
    _summary: IgnoredAny,
}

/// A plan that was understood.
struct SavedPlan {
    account: AccountId,
    region: Region,
    key: TagKey,
    actions: Vec<PlannedWrite>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    match (args.plan, args.resume) {
        (Some(path), _) => apply_plan(&path, args.aws, context).await,
        (None, Some(run)) => resume(run, args.aws, context).await,
        (None, None) => Err(CommandError::usage("neither a plan nor --resume RUN was given")),
    }
}

async fn apply_plan(path: &Path, aws: AwsArgs, context: &Context) -> Result<Outcome, CommandError> {
    let Some(plan) = read_plan(path)? else {
        context.console.message(format_args!("the plan {} has nothing to write", path.display()));
        return Ok(Outcome::Done);
    };
    let map = context.resource_map()?;
    let store = context.open_store()?;
    let (session, caller) = tagging::open_same_account(aws, &plan.region, &plan.account, "the plan").await?;
    let SavedPlan { account, region, key, actions } = plan;
    let runner = Runner {
        session: &session,
        map: &map,
        store: &store,
        place: Place { account, region },
        key,
        caller,
        organization: None,
    };
    let prepared = tagging::or_interrupted(context, runner.prepare_plan(&actions)).await;
    let Some(prepared) = prepared else { return Ok(Outcome::Interrupted) };
    finish(context, &runner, RunKind::Tag, Target::Tag, prepared).await
}

async fn resume(run_id: RunId, aws: AwsArgs, context: &Context) -> Result<Outcome, CommandError> {
    let store = context.open_existing_store()?;
    let run = tagging::find_run(context, &store, run_id)?;
    if run.finished_at.is_some() {
        context.console.message(format_args!("run {run_id} is finished: there is nothing to go on with"));
        return Ok(Outcome::Done);
    }
    let rows = store.writes_of(run_id).map_err(|error| context.store_error(&error))?;
    let map = context.resource_map()?;
    let (session, caller) =
        tagging::open_same_account(aws, &run.region, &run.account_id, &format!("run {run_id}")).await?;
    let place = Place { account: run.account_id, region: run.region };
    let runner =
        Runner { session: &session, map: &map, store: &store, place, key: run.tag_key, caller, organization: None };
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

/// `None`: a plan without writes.
fn read_plan(path: &Path) -> Result<Option<SavedPlan>, CommandError> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| CommandError {
        outcome: Outcome::Usage,
        ..CommandError::while_doing(format_args!("reading the plan {name}"), &error)
    })?;
    let plan: PlanFile = serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        CommandError::usage(format_args!("{name}:{line}:{column}: this is no plan: {error}"))
            .hint("make one with: trailcreator tag --save-plan FILE")
    })?;
    if plan.format_version != FORMAT_VERSION {
        let version = plan.format_version;
        return Err(CommandError::usage(format_args!("{name} has format_version {version}, not {FORMAT_VERSION}"))
            .hint("make the plan again with this version of trailcreator"));
    }
    let Some(first) = plan.actions.first() else { return Ok(None) };
    let (account, key) = (first.account_id.clone(), tagging::parse_key(first.key.as_str())?);
    if let Some(other) = plan.actions.iter().find(|action| action.account_id != account || action.key != key) {
        return Err(CommandError::usage(format_args!(
            "{name}: {} {} is of another account or tag than the first action: a plan has one of each",
            other.resource_type, other.id
        )));
    }
    let region = plan.region.unwrap_or_else(|| first.region.clone());
    Ok(Some(SavedPlan { account, region, key, actions: plan.actions }))
}
