//! `undo`: reverts the writes of a run, except for tags that were changed since.

use super::allow_updates::AllowArgs;
use super::groups_of_rows::ExtentArgs;
use super::organization::{self, AccountsAccess, AccountsArgs, DisplayArgs};
use super::run_output::{self, NothingToDo, RunOutput};
use super::runs::RunName;
use super::tagging;
use super::{AwsArgs, CommandError, Context, Outcome};
use crate::cli::call_stats::StatsArgs;
use crate::model::AccountRegion;
use crate::model::RunId;
use crate::packed_list::PackedList;
use crate::store::Store;
use crate::store::journal::{Run, RunKind, RunWrite};
use crate::tag::run::{self, Runner, Target};

const EXAMPLES: &str = "\
Examples:
  Show what undoing run 3 would change:
    trailcreator undo 3 --dry-run
  Undo run 3:
    trailcreator undo 3
  Undo a run of tag-org, in all its accounts:
    trailcreator undo org-3 --config accounts.yml";

/// Undo a run
///
/// Removes the tags that the run wrote, and restores the values that it replaced. A tag that was changed since the run is
/// skipped, with a message. A write is undone only once. If removing a tag would update its resource (CloudFormation stacks,
/// for example), the tag is kept unless --allow-updates names the type. A run of tag-org (org-3) is undone in all its
/// accounts, with the roles from the accounts file (--config).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Number of the run, as listed by `runs`; org-3 for a run of tag-org
    #[arg(value_name = "RUN")]
    run: RunName,
    /// Print what would be undone; write nothing to AWS
    #[arg(long, alias = "dryrun")]
    dry_run: bool,
    #[command(flatten)]
    extent: ExtentArgs,
    #[command(flatten)]
    stats: StatsArgs,
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
    let store = context.open_store_for_journal()?;
    let number = match args.run {
        RunName::Single(number) => number,
        RunName::Organization(number) => {
            let way = AccountsAccess {
                accounts: &args.accounts,
                display: &args.display,
                stats: args.stats,
                allow: &args.allow,
                access: args.aws.access,
                extent: args.extent.into(),
            };
            return organization::undo(number, args.dry_run, way, &store, context).await;
        }
    };
    let run = tagging::find_run(context, &store, number)?;
    let rows = still_there(context, &store, &run)?;
    if rows.is_empty() {
        run_output::show_nothing(context, &NothingToDo::of_run(RunKind::Undo, args.dry_run, &run));
        context.console.message(format_args!("run {} has nothing to undo", run.run_id));
        return Ok(Outcome::Done);
    }
    let map = context.resource_map()?;
    let updates = args.allow.updates(context, &map, &store)?;
    let what = format!("run {}", run.run_id);
    let (session, caller) = tagging::open_same_account(args.aws, &run.region, &run.account_id, &what).await?;
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
    let prepared = tagging::or_interrupted(context, runner.prepare_undo(rows)).await;
    let Some(prepared) = prepared else { return Ok(Outcome::Interrupted) };
    let report = if args.dry_run {
        prepared.into_report()
    } else {
        tagging::execute(context, &runner, Target::UndoOf(run.run_id), prepared).await?
    };
    let (kind, dry_run) = (RunKind::Undo, args.dry_run);
    let extent = args.extent.into();
    let output = RunOutput { runner: &runner, report: &report, kind, plan: None, dry_run, extent, stats: args.stats };
    Ok(run_output::show_run(context, &output))
}

/// The run's writes that can be undone. Prints how many already were.
fn still_there(context: &Context, store: &Store, run: &Run) -> Result<PackedList<RunWrite>, CommandError> {
    let standing = run::standing(store, run.run_id).map_err(|error| context.store_error(&error))?;
    if standing.undone > 0 {
        let by = standing.by.iter().map(RunId::to_string).collect::<Vec<_>>().join(", ");
        context.console.message(format_args!("{} already undone, by run {by}", standing.undone));
    }
    Ok(standing.writes)
}
