//! `tag-org`: `tag` across the accounts and regions of an organization.

mod plans;
mod resume;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::groups_of_rows::{ALL_ROWS, Extent};
use super::options::{WantedArgs, set_account_tags, show_unused_rules};
use super::organization::{self, AccountsArgs, DisplayArgs, Gate, ResultsFile, RunDisplay, Save};
use super::scope::report_missing;
use super::suggestion::Suggestion;
use super::{AwsAccessArgs, CommandError, Context, Outcome, OwnerArgs, allow_updates, confirm, tag, tagging, types};
use crate::aws::Session;
use crate::cli::call_stats::StatsArgs;
use crate::creator::OwnerRules;
use crate::inventory::config::ConfigSource;
use crate::model::{Region, TagKey};
use crate::org::account_job::Tag;
use crate::org::{Account, Organization, RegionChoice};
use crate::plan::Plan;
use crate::plan::updates::Updates;
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::store::journal::RunKind;
use crate::store::organization_runs::OrganizationRunId;
use crate::tag::chosen::TypeChoice;
use crate::tag::scope::IdHints;
use tokio_util::sync::CancellationToken;

use plans::Plans;
pub(super) use resume::command_of;
use resume::{LATEST, interrupted, new_run, question, resume_advice};

/// The role that AWS Organizations creates in new accounts.
const DEFAULT_ROLE: &str = "OrganizationAccountAccessRole";

const EXAMPLES: &str = "\
Examples:
  Show what would be tagged in the accounts of a file:
    trailcreator tag-org accounts.yml --dry-run
  Tag the production accounts in two regions:
    trailcreator tag-org accounts.yml --tags stage:prod --region us-east-1,eu-west-1
  Tag all active accounts of the organization, through a role:
    trailcreator tag-org --org --role TrailcreatorTagger";

/// Tag live resources with their owner, across the accounts and regions of an organization
///
/// Reads the accounts from an accounts file in c7n-org's format, or with --org from AWS Organizations. Runs `tag` in each
/// account-region (one account in one region), several at once. A failure in one account does not stop the others; failures
/// are grouped at the end. Only accounts, regions and types with events in the database are included. Global types are
/// tagged once per account.
///
/// Exit codes: 0 all done; 1 failed, more writes than --max-changes allows, or not confirmed; 2 usage error; 4 finished, but
/// some accounts, regions or resources failed or an --id was not found; 130 interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Accounts file, in c7n-org's format
    #[arg(value_name = "ACCOUNTS_FILE", conflicts_with = "config")]
    accounts_file: Option<PathBuf>,
    /// Tag all active accounts of the organization, listed from AWS Organizations, without an accounts file
    #[arg(long, visible_alias = "all", conflicts_with_all = ["config", "accounts_file"])]
    org: bool,
    /// With --org: role to assume in each account, as a name or an ARN template [default: OrganizationAccountAccessRole]
    #[arg(long, value_name = "TEMPLATE")]
    role: Option<String>,
    /// Region, or `all` for all enabled regions of each account; repeatable [default: the regions in the accounts file, or
    /// else all with events in the database]
    #[arg(short = 'r', long, value_name = "REGION", value_delimiter = ',', value_parser = str::parse::<RegionChoice>)]
    region: Vec<RegionChoice>,
    #[command(flatten)]
    wanted: WantedArgs,
    /// Resume an interrupted run: the latest, or this one (org-3); needs the same options as the run
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = LATEST, conflicts_with_all = ["dry_run", "save_plan"])]
    resume: Option<String>,
    /// With --dry-run: print every write, not only the first of each account-region and type
    #[arg(long)]
    all_rows: bool,
    #[command(flatten)]
    stats: StatsArgs,
    /// Process one account-region at a time
    #[arg(long, hide = true)]
    debug: bool,
    // After the options above: a flattened group's heading applies to the options declared after it.
    #[command(flatten)]
    accounts: AccountsArgs,
    #[command(flatten)]
    display: DisplayArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

pub(super) async fn run(mut args: Args, context: &Context) -> Result<Outcome, CommandError> {
    args.accounts.config = args.accounts_file.take().or(args.accounts.config);
    let key = tagging::parse_key(&args.wanted.creator_tag)?;
    let map = context.resource_map()?;
    args.wanted.types = types::resolve(&map, &args.wanted.types)?;
    args.wanted.scope.resolve(&map, &args.wanted.types)?;
    args.wanted.allow.allow_updates = allow_updates::resolve(&args.wanted.allow.allow_updates, context, &map)?;
    tagging::check_more_tags(&map, &args.wanted.types, &key, &args.wanted.more_tags)?;
    // clap's own `requires` gives way to --org's conflict with a file.
    if args.role.is_some() && !args.org {
        return Err(CommandError::usage("--role requires --org: with an accounts file, the roles are in the file"));
    }
    // First, so that an invalid file is reported before anything else.
    let of_file = if args.org { None } else { Some(args.accounts.accounts()?) };
    let store = context.open_store_for_journal()?;
    let mut rules = args.owner.clone().rules(&map, of_file.as_deref().unwrap_or_default())?;
    let updates = args.wanted.allow.updates(context, &map, &store)?;
    let base = organization::open_base(args.aws.clone(), first_region(&args.region)).await?;
    let accounts = match of_file {
        Some(accounts) => accounts,
        None => {
            let needs_tags = rules.identity_map.as_ref().is_some_and(|map| map.needs_account_tags());
            let asking = args.accounts.of_organization(&base, args.role.as_deref().unwrap_or(DEFAULT_ROLE), needs_tags);
            let Some(accounts) = tagging::or_interrupted(context, asking).await else {
                return Ok(Outcome::Interrupted);
            };
            let accounts = accounts?;
            set_account_tags(Arc::make_mut(&mut rules.account_tags), &accounts);
            accounts
        }
    };
    let results = args.display.open_results(args.resume.is_some())?;
    let asking = ask_config(&args, context, Base { session: &base, map: &map, store: &store }, &accounts);
    let Some(config) = tagging::or_interrupted(context, asking).await else { return Ok(Outcome::Interrupted) };
    let rules = Rules {
        key,
        updates,
        config: config?,
        written: question(&args, &rules),
        with_names: tag::with_names(context, &base, &store, None, rules).await?,
    };
    let outcome =
        tag_accounts(&args, context, Base { session: &base, map: &map, store: &store }, &rules, accounts, results)
            .await?;
    show_unused_rules(context, &rules.with_names);
    Ok(outcome)
}

/// The rules of ownership.
struct Rules {
    /// The tag that names the owner.
    key: TagKey,
    /// The options that decide what is written.
    written: Map<String, Value>,
    /// With the names of Identity Center's users.
    with_names: OwnerRules,
    /// Which writes with side effects may be made.
    updates: Updates,
    /// AWS Config, if it is queried before the services.
    config: Option<Arc<ConfigSource>>,
}

/// What all accounts have in common.
#[derive(Clone, Copy)]
struct Base<'a> {
    /// With the credentials that the accounts' roles are assumed with.
    session: &'a Session,
    map: &'a ResourceMap,
    store: &'a Store,
}

/// AWS Config, if it is requested. An aggregator is queried once for all accounts.
async fn ask_config(
    args: &Args,
    context: &Context,
    Base { session, map, store }: Base<'_>,
    accounts: &[Account],
) -> Result<Option<Arc<ConfigSource>>, CommandError> {
    let wanted = &args.wanted;
    let choice = TypeChoice { named: &wanted.types, all: wanted.all_types, inherit: wanted.inherit };
    wanted.population.of_accounts(context, session, (store, map), accounts, (&args.region, choice)).await
}

async fn tag_accounts(
    args: &Args,
    context: &Context,
    Base { session, map, store }: Base<'_>,
    rules: &Rules,
    accounts: Vec<Account>,
    results: Option<ResultsFile>,
) -> Result<Outcome, CommandError> {
    let wanted = &args.wanted;
    let only_plan = wanted.dry_run || wanted.save_plan.is_some();
    let resumed = args.resume.as_deref().map(|run| interrupted(context, store, run, &rules.written)).transpose()?;
    let begin = || resumed.map_or_else(|| new_run(context, store, &rules.key, &rules.written), Ok);
    let asks = confirm::is_due(context, wanted.overwrite, &wanted.scope);
    // All is surveyed before the first write.
    let is_counted = !only_plan && (asks || wanted.scope.limit.max_changes.is_some());
    let run = if only_plan || is_counted { None } else { Some(begin()?) };
    let job = job(args, context, map, store, rules, resumed)?;
    let stop = CancellationToken::default();
    let concurrency = if args.debug { 1 } else { args.accounts.max_concurrency };
    let job = Tag { only_plan: only_plan || is_counted, ..job };
    let organization = Organization {
        base: session,
        map,
        store,
        key: rules.key.clone(),
        run,
        updates: &rules.updates,
        stop: &stop,
        concurrency,
    };
    let mut plans = wanted.save_plan.as_deref().map(Plans::create).transpose()?;
    let mut save = plans.as_mut().map(|plans| |plan: &Plan| plans.add(plan));
    let display = RunDisplay {
        kind: RunKind::Tag,
        results,
        stats: args.stats,
        print_plans: wanted.dry_run && wanted.save_plan.is_none(),
        extent: Extent { all: args.all_rows },
        all_rows: ALL_ROWS,
        save: save.as_mut().map(|save| save as &mut Save<'_>),
        resume: resume_advice(context, run),
        accounts_file: args.accounts.config.clone(),
    };
    let outcome = if is_counted {
        let resume = |run| resume_advice(context, Some(run));
        let gate = Gate { limit: wanted.scope.limit, asks, begin: &begin, resume: &resume };
        organization::run_counted(context, organization, &job, accounts, display, gate).await?
    } else {
        organization::run(context, &organization, &job, accounts, display).await?
    };
    types::show_unexamined(context, job.unexamined.take());
    if only_plan {
        wanted.scope.limit.note(context, job.planned.get());
    }
    if let Some(plans) = plans.filter(|_| outcome != Outcome::Interrupted) {
        plans.finish(context, apply_advice(args, context))?;
    }
    // An interrupted run found some before.
    let is_over = outcome != Outcome::Interrupted && resumed.is_none();
    let found = job.found_ids.borrow();
    let place = "the accounts and regions that can have it";
    Ok(tag::with_missing(outcome, is_over && report_missing(context, &job.scope.ids, &found, place)))
}

fn job<'m>(
    args: &Args,
    context: &Context,
    map: &'m ResourceMap,
    store: &Store,
    rules: &Rules,
    resumed: Option<OrganizationRunId>,
) -> Result<Tag<'m>, CommandError> {
    let wanted = &args.wanted;
    let scope = wanted.scope.scope();
    let hints = IdHints::ask(store, map, &scope.ids, None).map_err(|error| context.store_error(&error))?;
    Ok(Tag {
        map,
        regions: args.region.clone(),
        types: wanted.types.clone(),
        all_types: wanted.all_types,
        unexamined: RefCell::default(),
        owner_keys: wanted.owner_keys.owner_keys.clone(),
        more_tags: wanted.more_tags.clone(),
        overwrite: wanted.overwrite,
        inherit: wanted.inherit,
        rules: rules.with_names.clone(),
        scope,
        not_types: wanted.scope.not_types.clone(),
        hints,
        config: rules.config.clone(),
        account_names: RefCell::default(),
        found_ids: RefCell::default(),
        planned: Cell::default(),
        resumed,
        only_plan: false,
    })
}

fn first_region(regions: &[RegionChoice]) -> Option<Region> {
    regions.iter().find_map(|choice| match choice {
        RegionChoice::One(region) => Some(region.clone()),
        RegionChoice::All => None,
    })
}

fn apply_advice(args: &Args, context: &Context) -> Suggestion {
    let apply = context.suggest("apply").without("region");
    match args.accounts.config.as_deref() {
        Some(file) => apply.option("config", file),
        None => apply,
    }
}
