//! `tag-org`: `tag` across the accounts and regions of an organization.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::groups_of_rows::{ALL_ROWS, Extent};
use super::options::{WantedArgs, owner_options, set_account_tags, show_unused_rules};
use super::organization::{self, AccountsArgs, DisplayArgs, Gate, ResultsFile, RunDisplay, Save};
use super::private_file::NewFile;
use super::scope::report_missing;
use super::suggestion::Suggestion;
use super::{AwsAccessArgs, CommandError, Context, Outcome, OwnerArgs, allow_updates, confirm, tag, tagging, types};
use crate::aws::Session;
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
use crate::store::organization_runs::{NewOrganizationRun, OrganizationRun, OrganizationRunId};
use crate::tag::chosen::TypeChoice;
use crate::tag::scope::IdHints;
use tokio_util::sync::CancellationToken;

/// The role that AWS Organizations creates in new accounts.
const DEFAULT_ROLE: &str = "OrganizationAccountAccessRole";

/// Key of the command in the stored question; no option has this name.
const COMMAND: &str = "command";

/// Placeholder for the run's number, before the run exists.
const THIS_RUN: &str = "@RUN@";

/// Value of `--resume` without a number.
const LATEST: &str = "latest";

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
    let store = context.open_existing_store()?;
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
        stats: args.display.stats,
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

/// The same command again; resumes the run if it writes.
fn resume_advice(context: &Context, run: Option<OrganizationRunId>) -> String {
    let again = context.invocation.again();
    match run {
        Some(run) => again.option("resume", run.to_string()),
        None => again,
    }
    .to_string()
}

fn apply_advice(args: &Args, context: &Context) -> Suggestion {
    let apply = context.suggest("apply").without("region");
    match args.accounts.config.as_deref() {
        Some(file) => apply.option("config", file),
        None => apply,
    }
}

fn new_run(
    context: &Context,
    store: &Store,
    key: &TagKey,
    question: &Map<String, Value>,
) -> Result<OrganizationRunId, CommandError> {
    let question = with_command(context, question.clone());
    let run = NewOrganizationRun { kind: RunKind::Tag, undoes: None, key: key.clone(), question };
    store.begin_organization_run(&run).map_err(|error| context.store_error(&error))
}

/// The run to resume.
fn interrupted(
    context: &Context,
    store: &Store,
    wanted: &str,
    question: &Map<String, Value>,
) -> Result<OrganizationRunId, CommandError> {
    let runs = store.organization_runs().map_err(|error| context.store_error(&error))?;
    let run = find(context, &runs, wanted)?;
    if run.question.is_empty() {
        return Err(CommandError::usage(format_args!("run {} is not a tag-org run", run.id))
            .hint("run the same command again: apply PLAN and undo RUN skip what is already done"));
    }
    if run.finished_at.is_some() {
        return Err(CommandError::usage(format_args!("run {} is finished: there is nothing to resume", run.id))
            .hint("start a new one without --resume: resources that already have the tag are skipped"));
    }
    same_question(run, question)?;
    Ok(run.id)
}

/// The question with the command that resumes the run: [`command_of`] returns it to `runs`.
fn with_command(context: &Context, mut question: Map<String, Value>) -> String {
    let command = context.invocation.again().option("resume", THIS_RUN).to_string();
    question.insert(COMMAND.to_owned(), json!(command));
    Value::Object(question).to_string()
}

/// The command that resumes an interrupted run, as it was typed; `None` for a run of another command.
pub(super) fn command_of(run: &OrganizationRun) -> Option<String> {
    let question: Map<String, Value> = serde_json::from_str(&run.question).ok()?;
    Some(question.get(COMMAND)?.as_str()?.replace(THIS_RUN, &run.id.to_string()))
}

fn find<'r>(context: &Context, runs: &'r [OrganizationRun], wanted: &str) -> Result<&'r OrganizationRun, CommandError> {
    let found = if wanted == LATEST {
        runs.iter().find(|run| run.finished_at.is_none() && !run.question.is_empty())
    } else {
        let wanted: OrganizationRunId = wanted.parse().map_err(CommandError::usage)?;
        runs.iter().find(|run| run.id == wanted)
    };
    found.ok_or_else(|| {
        CommandError::usage(format_args!("there is no tag-org run to resume ({wanted})")).hint(context.list_runs())
    })
}

/// The options that decide what is written: to resume with others would mix two runs.
fn question(args: &Args, rules: &OwnerRules) -> Map<String, Value> {
    let AccountsArgs { accounts, not_accounts, tags, .. } = &args.accounts;
    let fields = [
        ("--creator-tag", json!(args.wanted.creator_tag)),
        ("--owner-keys", json!(args.wanted.owner_keys.owner_keys.iter().collect::<BTreeSet<_>>())),
        ("--tag", json!(args.wanted.more_tags.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ("--type", json!(args.wanted.types)),
        ("--all-types", json!(args.wanted.all_types)),
        ("--overwrite", json!(args.wanted.overwrite)),
        ("--inherit", json!(args.wanted.inherit)),
        ("--allow-updates", json!(args.wanted.allow.allow_updates.iter().collect::<BTreeSet<_>>())),
        ("--region", json!(args.region)),
        ("--accounts", json!(accounts)),
        ("--not-accounts", json!(not_accounts)),
        ("--tags", json!(tags)),
    ];
    let fields = fields.into_iter().chain(args.wanted.scope.question()).chain(owner_options(rules));
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What an option was in a run of a version that did not have it.
fn absent(value: &Value) -> &Value {
    static OFF: LazyLock<[Value; 3]> = LazyLock::new(|| [json!(false), json!([]), Value::Null]);
    match value {
        Value::Bool(_) => &OFF[0],
        Value::Array(_) => &OFF[1],
        _ => &OFF[2],
    }
}

fn same_question(run: &OrganizationRun, question: &Map<String, Value>) -> Result<(), CommandError> {
    let before: Map<String, Value> = serde_json::from_str(&run.question).unwrap_or_default();
    let other: Vec<String> = question
        .iter()
        .filter(|(name, value)| before.get(*name).unwrap_or_else(|| absent(value)) != *value)
        .map(|(name, _)| format!("{name} was {}", before.get(name).unwrap_or(&Value::Null)))
        .collect();
    if other.is_empty() {
        return Ok(());
    }
    Err(CommandError::usage(format_args!("run {} was started with different options: {}", run.id, other.join("; ")))
        .hint("use the same options, or start a new run without --resume"))
}

/// The file of plans: one line each, so that it can be written and read piece by piece. It has its name when it is whole.
struct Plans {
    path: PathBuf,
    file: NewFile,
    count: u64,
}

impl Plans {
    fn create(path: &Path) -> Result<Self, CommandError> {
        let file = NewFile::create(path).map_err(|error| saving(path, &error))?;
        Ok(Self { path: path.to_owned(), file, count: 0 })
    }

    fn add(&mut self, plan: &Plan) -> Result<(), CommandError> {
        let mut line = serde_json::to_string(plan).expect("a plan holds text keys only");
        line.push('\n');
        self.count += 1;
        self.file.write(&line).map_err(|error| saving(&self.path, &error))
    }

    fn finish(self, context: &Context, apply: Suggestion) -> Result<(), CommandError> {
        self.file.finish().map_err(|error| saving(&self.path, &error))?;
        let (count, path) = (self.count, self.path.display());
        context
            .console
            .message(format_args!("{count} plans are in {path}; apply them with: {}", apply.arg(&self.path)));
        Ok(())
    }
}

fn saving(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::while_doing(format_args!("saving the plans to {}", path.display()), error)
}
