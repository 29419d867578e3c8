//! `watch`: new records from a queue, as they come.

mod health;
mod output;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches};
use serde_json::Map;
use tokio_util::sync::CancellationToken;

use super::interrupt::stop_on_interrupt;
use super::options::{ChainsArgs, WantedArgs, show_unused_rules};
use super::organization::AccountsArgs;
use super::population::Population;
use super::{AwsAccessArgs, CommandError, Context, Outcome, OwnerArgs, tag, tagging, types};
use crate::aws::{AwsOptions, Session};
use crate::model::{AccountId, Region};
use crate::org::Account;
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;
use crate::watch::message_reader::MessageReader;
use crate::watch::queue::Queue;
use crate::watch::{QueueUrl, Settings, Tagging, Wanted, WatchError, watch};
use health::HealthFile;
use output::Output;

/// The session's region, if neither the URL nor a configuration names one.
const ANY_REGION: &str = "us-east-1";

/// The option that turns tagging on: `tag`'s for further tags, with or without one.
const TAG: &str = "more_tags";

const EXAMPLES: &str = "\
Examples:
  Load new records as CloudTrail delivers them:
    trailcreator watch --queue https://sqs.eu-west-1.amazonaws.com/111122223333/trail
  Also tag the resources that they created, in the accounts of a file:
    trailcreator watch --queue https://sqs.eu-west-1.amazonaws.com/111122223333/trail --tag -c accounts.yml
  Process the queue until it is empty, from cron, and report each event for a log collector:
    trailcreator watch --queue https://sqs.eu-west-1.amazonaws.com/111122223333/trail --tag --until-empty --output jsonl";

/// The queue is required in the first form only.
const USAGE: &str = "trailcreator watch [OPTIONS] --queue <URL>\n       trailcreator watch --check-health[=<SECONDS>] --health-file <FILE>";

/// Load new records from an SQS queue as they arrive, and tag what they created
///
/// The queue can receive S3 event notifications of the trail's bucket, directly or through SNS or EventBridge. It can
/// also receive CloudTrail's own SNS notifications, or EventBridge events `AWS API Call via CloudTrail`. A message is
/// deleted only after its records are in the database and the resources that they created are tagged. A message that
/// can't be read is reported once and stays in the queue, which moves it to its dead-letter queue. With --tag, only the
/// types of the new resources are listed. If a resource does not exist yet or can't be tagged yet, the write is
/// retried.
///
/// The first Ctrl-C or SIGTERM ends the command after the current batch. Exit codes: 0 stopped, or the queue is empty;
/// 1 failed; 2 usage error; 4 stopped, but some messages could not be read or some resources could not be tagged.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
#[command(mut_arg(TAG, |tag| tag.num_args(0..=1).value_name("KEY=TEMPLATE").help(TAG_HELP)))]
#[command(mut_arg("all_types", |arg| arg.hide(true)))]
#[command(mut_arg("ids", |arg| arg.hide(true)))]
#[command(mut_arg("population", |arg| arg.hide(true)))]
#[command(mut_arg("save_plan", |arg| arg.hide(true)))]
#[command(mut_arg("yes", |arg| arg.hide(true)))]
#[command(mut_arg("max_changes", |arg| arg.help(MAX_CHANGES_HELP)))]
pub(super) struct Args {
    /// URL of the SQS queue
    #[arg(long, value_name = "URL", env = "TRAILCREATOR_QUEUE", value_parser = str::parse::<QueueUrl>, required_unless_present = "check_health")]
    queue: Option<QueueUrl>,
    #[command(flatten)]
    follow: FollowArgs,
    #[command(flatten)]
    health: HealthArgs,
    #[command(flatten)]
    chains: ChainsArgs,
    #[command(flatten)]
    tag: TagSwitch,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    wanted: WantedArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    accounts: AccountsArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

const TAG_HELP: &str = "Tag the resources in new create events with their owner. With KEY=TEMPLATE, also write this tag: \
                        CreatedAt={event_time}. Placeholders: {owner}, {event_time}, {event_name}, {creator}, {role}, \
                        {source_ip}, {tool}, {account_id} and more; repeatable";

const MAX_CHANGES_HELP: &str =
    "Write nothing in an account-region if its new resources need more than this many writes at once";

/// How the queue is followed.
#[derive(Debug, Clone, clap::Args)]
struct FollowArgs {
    /// End when the queue is empty and each new resource is tagged or has failed
    #[arg(long)]
    until_empty: bool,
    /// How long one receive call waits for messages, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=20))]
    wait: u32,
    /// How long a received message is invisible to others, in seconds; extended while the message is processed
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(2..=43_200))]
    visibility: u32,
    /// Time between two reports of the totals, in seconds; 0: no reports
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "TRAILCREATOR_HEARTBEAT")]
    heartbeat: u64,
    /// Accept the request charges of a Requester Pays bucket
    #[arg(long)]
    request_payer: bool,
}

/// Health checks.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Health check")]
struct HealthArgs {
    /// File to update whenever messages are received or processed, for --check-health; removed when the command ends
    #[arg(long, value_name = "FILE", env = "TRAILCREATOR_HEALTH_FILE")]
    health_file: Option<PathBuf>,
    /// Only check the health file of another `watch`: exit 1 if it is older than this many seconds (120 if none are given), else 0, also
    /// if there is no file
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "120", requires = "health_file")]
    check_health: Option<u64>,
}

/// When new resources are tagged.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Tagging")]
struct PaceArgs {
    /// How long to gather new resources before they are tagged, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=300))]
    gather: u64,
    /// How long to retry a resource that does not exist yet or can't be tagged yet, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(0..=21_600))]
    retry_for: u64,
}

/// Whether `--tag` was given, with a tag or without one.
#[derive(Debug, Clone, Copy)]
struct TagSwitch(bool);

impl FromArgMatches for TagSwitch {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        // A settings file gives further tags for `tag`, which turn nothing on.
        Ok(Self(matches.value_source(TAG) == Some(ValueSource::CommandLine)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// It has no argument of its own.
impl clap::Args for TagSwitch {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

pub(super) async fn run(mut args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let HealthArgs { health_file, check_health } = args.health.clone();
    if let (Some(file), Some(seconds)) = (&health_file, check_health) {
        return health::check(context, file, Duration::from_secs(seconds));
    }
    let queue_url = args.queue.clone().expect("clap requires it");
    let map = Arc::new(args.chains.map(context.resource_map()?));
    check(&mut args, &map)?;
    let accounts = args.tag.0.then(|| args.accounts.config.is_some().then(|| args.accounts.accounts()).transpose());
    let accounts = accounts.transpose()?;
    let store = context.open_store()?;
    let default_region = queue_url.region().cloned().or_else(|| Some(Region::from(ANY_REGION)));
    let session = Session::open(&AwsOptions { default_region, ..args.aws.clone().into() }).await;
    let session = session.map_err(|error| tagging::aws_error("opening an AWS session", &error))?;
    let queue = Queue::new(&session, queue_url.clone(), args.follow.visibility);
    let tagging = match accounts {
        Some(accounts) => Some(tagging_of(&args, context, (&session, &map, &store), accounts).await?),
        None => None,
    };
    let reading = {
        let scanner = Arc::new(Scanner::new(Arc::clone(&map), RecordFilter::default()));
        // A connection of its own: reading is done in another thread.
        MessageReader::new(&session, scanner, context.open_store()?, args.tag.0, args.follow.request_payer)
            .map_err(|error| context.store_error(&error))?
    };
    let output = Output::new(context);
    warn_without_dead_letters(context, &queue).await;
    let health = health_file.as_deref().map(HealthFile::create).transpose()?;
    output.started(&queue_url, args.tag.0);
    let rules = tagging.as_ref().map(|tagging| tagging.wanted.rules.clone());
    let stop = CancellationToken::default();
    let interrupt = stop_on_interrupt(&stop);
    let stopping = async {
        stop.cancelled().await;
        context.console.message("stopping after the current batch; press Ctrl-C again to stop at once");
        std::future::pending::<()>().await;
    };
    let notify = |notice: &crate::watch::Notice<'_>| {
        output.notice(notice);
        health.iter().for_each(|health| health.notice(notice, context));
    };
    let watched = tokio::select! {
        watched = watch(&queue, reading, tagging, settings(&args), &stop, &notify) => watched,
        () = stopping => unreachable!("it waits for ever"),
    };
    interrupt.abort();
    let totals = watched.map_err(|error| failure(context, &queue_url, &error))?;
    output.finished(&totals);
    if let Some(rules) = rules.filter(|_| totals.tagged > 0) {
        show_unused_rules(context, &rules);
    }
    Ok(if totals.has_failures() { Outcome::ItemFailures } else { Outcome::Done })
}

/// Checks the options, and resolves the names of types.
fn check(args: &mut Args, map: &ResourceMap) -> Result<(), CommandError> {
    let wanted = &mut args.wanted;
    let unknown = [
        ("--all-types", wanted.all_types),
        ("--id", !wanted.scope.ids().are_all()),
        // It lags: what was created just now is not in it.
        ("--population config", matches!(wanted.population.population, Some(Population::Config(_)))),
        ("--save-plan", wanted.save_plan.is_some()),
    ];
    if let Some((option, _)) = unknown.into_iter().find(|(_, is_given)| *is_given) {
        return Err(CommandError::usage(format_args!("watch has no {option}: it tags what new records created"))
            .hint("use it with tag or tag-org"));
    }
    wanted.types = types::resolve(map, &wanted.types)?;
    wanted.scope.resolve(map, &wanted.types)?;
    let key = tagging::parse_key(&wanted.creator_tag)?;
    tagging::check_more_tags(map, &wanted.types, &key, &wanted.more_tags)
}

fn settings(args: &Args) -> Settings {
    Settings {
        wait: args.follow.wait,
        gather: Duration::from_secs(args.pace.gather),
        retry: Duration::from_secs(args.pace.retry_for),
        heartbeat: Duration::from_secs(args.follow.heartbeat),
        until_empty: args.follow.until_empty,
    }
}

/// What is tagged. `accounts`: those of a file; `None`: the session's own.
async fn tagging_of<'t>(
    args: &Args,
    context: &Context,
    (session, map, store): (&'t Session, &'t ResourceMap, &'t Store),
    accounts: Option<Vec<Account>>,
) -> Result<Tagging<'t>, CommandError> {
    let wanted = &args.wanted;
    let updates = wanted.allow.updates(context, map, store)?;
    let accounts = match accounts {
        Some(accounts) => accounts,
        None => {
            let account = session.account().await;
            let account =
                account.map_err(|error| tagging::aws_error("getting the account of the credentials", &error))?;
            vec![own_account(account)]
        }
    };
    let rules = tag::with_names(context, session, store, None, args.owner.clone().rules(map, &accounts)?).await?;
    Ok(Tagging {
        base: session,
        map,
        store,
        accounts: accounts.into_iter().map(|account| (account.id.clone(), account)).collect::<BTreeMap<_, _>>(),
        concurrency: args.accounts.max_concurrency,
        wanted: Wanted {
            key: tagging::parse_key(&wanted.creator_tag)?,
            owner_keys: wanted.owner_keys.owner_keys.clone(),
            more_tags: wanted.more_tags.clone(),
            types: wanted.types.clone(),
            not_types: wanted.scope.not_types.clone(),
            overwrite: wanted.overwrite,
            inherit: wanted.inherit,
            rules,
            scope: wanted.scope.scope(),
            updates,
            max_changes: wanted.scope.limit.max_changes,
            dry_run: wanted.dry_run,
        },
    })
}

/// The account of the credentials themselves.
fn own_account(id: AccountId) -> Account {
    Account {
        name: id.to_string(),
        id,
        display_name: None,
        org_id: None,
        email: None,
        arn: None,
        status: None,
        roles: Vec::new(),
        external_id: None,
        session_name: None,
        profile: None,
        regions: Vec::new(),
        tags: Vec::new(),
        vars: Map::new(),
    }
}

/// A message that can't be read comes back again and again where nothing takes it out.
async fn warn_without_dead_letters(context: &Context, queue: &Queue) {
    // Without permission to know, there is nothing to warn of.
    if let Ok(false) = queue.has_dead_letter_queue().await {
        context.console.warning_with_hints(
            "the queue has no dead-letter queue: a message that can't be read is delivered again until it expires",
            ["set the queue's redrive policy (RedrivePolicy): SQS then moves such messages to a dead-letter queue"],
        );
    }
}

fn failure(context: &Context, queue: &QueueUrl, error: &WatchError) -> CommandError {
    match error {
        WatchError::Call(error) => tagging::aws_error(&format!("watching {queue}"), error)
            .hint("what was loaded is saved, and the queue keeps the rest; run the same command again"),
        WatchError::Store(error) => context.store_error(error),
    }
}
