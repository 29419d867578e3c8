//! `list`: the resources themselves, from the database, or live.

mod live;
mod rows;
mod sink;
mod table;

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::ops::ControlFlow;

use super::load_history::{ALL, region_or_all};
use super::options::{show_unused_rules, with_known_names};
use super::organization::AccountsArgs;
use super::population::{Population, PopulationArgs};
use super::{AwsAccessArgs, CommandError, Context, Outcome, OwnerArgs, WindowArgs, nothing, types};
use crate::model::{AccountId, Region, ResourceType};
use crate::org::Account;
use crate::resource::{Condition, CountBy, Describe, NamePattern, Order, Selection};
use crate::resource_map::ResourceMap;
use crate::store::recorded::{RecordedResource, Wanted};
use sink::Sink;

const EXAMPLES: &str = "\
Examples:
  List what Dana created in the AWS console in the last 30 days:
    trailcreator list --creator 'dana*' --tool 'AWS console' --since 30d
  List live resources without an owner tag, with the owners that the rules give them:
    trailcreator list --live --where '!tags.Owner'
  Count the resources in the database by tool:
    trailcreator list --by tool";

/// List resources with their owner, creator, tool and create event
///
/// Lists the resources that have a create event in the database and no later delete event. Orders them by account,
/// region and time of creation. Makes no AWS calls. With --live, lists only resources that still exist, with their
/// tags.
///
/// --output takes text, json, jsonl (one resource per line) and csv. JSON has all fields.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// List only resources that still exist, and read their tags: in the account of the credentials, or with --config
    /// in those of an accounts file
    #[arg(long)]
    live: bool,
    /// With --live: also list resources without a create event in the database
    #[arg(long, requires = "live")]
    unrecorded: bool,
    #[command(flatten)]
    population: PopulationArgs,
    /// List only resources of this creator: creator, owner, session name or principal ARN; wildcards * and ?, or a regular
    /// expression between slashes; ignores case; repeatable
    #[arg(long = "creator", value_name = "NAME", value_delimiter = ',', value_parser = str::parse::<NamePattern>)]
    creators: Vec<NamePattern>,
    /// List only resources of this type (iam-role, AWS::IAM::Role); repeatable
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>)]
    types: Vec<ResourceType>,
    /// List only resources that were created with this tool: Terraform, 'AWS console', 'AWS CLI'; patterns as for --creator;
    /// repeatable
    #[arg(long = "tool", value_name = "TOOL", value_delimiter = ',', value_parser = str::parse::<NamePattern>)]
    tools: Vec<NamePattern>,
    /// List only resources in this account; repeatable
    #[arg(long = "account", value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    of_accounts: Vec<AccountId>,
    /// List only resources in this region, and global resources; repeatable [default: all; with --live the region from the
    /// environment or profile, with `all` all enabled regions]
    #[arg(long, value_name = "REGION", value_delimiter = ',', value_parser = region_or_all)]
    region: Vec<Region>,
    /// List only resources for which this JMESPath expression is true: "tool != 'Terraform'"
    #[arg(long = "where", value_name = "EXPR", value_parser = str::parse::<Condition>)]
    condition: Option<Condition>,
    /// Sort by created, type, id, name, account, region, owner, creator or tool; -created lists the latest first
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, value_parser = str::parse::<Order>)]
    sort: Option<Order>,
    /// List at most this many resources
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Count resources instead of listing them
    #[arg(long, value_enum, value_name = "COLUMN", conflicts_with_all = ["sort", "limit"])]
    by: Option<CountBy>,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    organization: AccountsArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

/// What is listed, and how.
struct Request<'a> {
    map: &'a ResourceMap,
    selection: Selection,
    sink: Sink<'a>,
    /// The accounts of the accounts file, if one was given.
    accounts: Vec<Account>,
}

pub(super) fn run(mut args: Args, context: &Context) -> Result<Outcome, CommandError> {
    if !args.live && matches!(args.population.population, Some(Population::Config(_))) {
        return Err(CommandError::usage("--population config needs --live: without it the database is listed"));
    }
    // Never freed: see the end of `cli::main`.
    let map = ManuallyDrop::new(context.resource_map()?);
    args.types = types::resolve(&map, &args.types)?;
    let selection = Selection {
        creators: std::mem::take(&mut args.creators),
        tools: std::mem::take(&mut args.tools),
        window: args.window.window()?,
        condition: args.condition.take(),
    };
    let accounts = if args.organization.config.is_some() { args.organization.accounts()? } else { Vec::new() };
    let sink = Sink::new(context, &args)?;
    let request = Request { map: &map, selection, sink, accounts };
    if args.live { context.block_on(|| live::run(args, context, request)) } else { of_database(args, context, request) }
}

fn of_database(args: Args, context: &Context, request: Request<'_>) -> Result<Outcome, CommandError> {
    let Request { map, selection, mut sink, accounts } = request;
    let rules = args.owner.rules(map, &accounts)?;
    let store = context.open_store_to_read()?;
    let rules = with_known_names(context, &store, rules)?;
    let names: HashMap<AccountId, String> =
        accounts.iter().map(|account| (account.id.clone(), account.name.clone())).collect();
    // Without AWS calls the enabled regions are unknown: `all` means all regions in the database.
    let regions = if args.region.iter().any(|region| region.as_str() == ALL) { Vec::new() } else { args.region };
    let accounts = accounts.into_iter().map(|account| account.id).chain(args.of_accounts).collect();
    let wanted = Wanted { types: args.types, accounts, regions };
    let describe = Describe { rules: &rules, map };
    sink.begin();
    let mut failed = None;
    let mut each = |RecordedResource { creation, id }| {
        let account_name = names.get(&creation.event.account_id).map(String::as_str);
        let resource = describe.recorded(&creation, &id, account_name);
        if !selection.has(&resource) {
            return ControlFlow::Continue(());
        }
        sink.add(resource).unwrap_or_else(|error| {
            failed = Some(error);
            ControlFlow::Break(())
        })
    };
    store
        .recorded_resources(map, &wanted, rules.resolve_chains, &mut each)
        .map_err(|error| context.store_error(&error))?;
    if let Some(error) = failed {
        return Err(error);
    }
    if sink.finish()? == 0 {
        nothing::warn_of_no_resource(context, &store, &wanted).map_err(|error| context.store_error(&error))?;
    }
    show_unused_rules(context, &rules);
    Ok(Outcome::Done)
}
