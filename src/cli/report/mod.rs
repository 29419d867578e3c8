//! `report`: tag coverage and the top creators, for an account, for an organization, or offline.

mod html;
mod out;
mod print;
mod tables;
mod trend;

use std::cell::RefCell;
use std::path::PathBuf;

use jiff::{Timestamp, Unit};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use out::Out;
pub(in crate::cli) use print::print_missing;
use print::{print, print_all};
use trend::ReportScope;

use super::load_history::{ALL, open_session, region_or_all, wanted_regions};
use super::options::{OwnerKeysArgs, show_missing_people, show_unused_rules, with_known_names};
use super::organization::{self, AccountsArgs};
use super::population::{self, PopulationArgs};
use super::{AwsAccessArgs, CommandError, Context, Outcome, Output, OwnerArgs, nothing, tagging, types};
use crate::inventory::config::Wanted;
use crate::model::{AccountId, Region, ResourceType};
use crate::org::{Account, Event, Failure, Organization, RegionChoice, fan_out};
use crate::plan::updates::Updates;
use crate::plan::{Question, Scope};
use crate::report::coverage::Coverage;
use crate::report::live::{Report, look_at_account};
use crate::report::offline;
use crate::report::organization::Cover;
use crate::report::trend::Earlier;
use crate::report::who::Filter;
use crate::resource::Condition;
use crate::resource_map::ResourceMap;
use crate::store::{Store, StoreError};
use crate::tag::chosen::{TypeChoice, types_in_accounts};
use crate::tag::collect::{Look, Proof};

/// What the options ask for, in messages.
const THESE: &str = "for these accounts, regions and types";

const EXAMPLES: &str = "\
Examples:
  Report on the current account, in its region, with global types:
    trailcreator report
  Report on two types in all enabled regions, as CSV:
    trailcreator report --region all --type ec2,ebs --format csv
  Report on an organization as a page for the browser, with charts and a table of all resources:
    trailcreator report --config accounts.yml --format html --output-file report.html";

/// Report tag coverage by type, account and region, and the top creators
///
/// Lists the live resources of each type that has create events in the database, as tag does, and writes nothing to AWS.
/// Every resource is in one class: owned (has the tag); would be owned (tag would write it); no record (no create event in
/// the database); no owner (the rules give its creator no owner); service (created by AWS); unknown (its tags could not be
/// read); not taggable.
///
/// Coverage is the number of owned resources divided by the number of resources that can be tagged. The totals are kept in the database,
/// and the next report with the same options shows the change.
///
/// Covers the account of the credentials, or with --config the accounts of an accounts file, as tag-org does.
///
/// Exit codes: 0 all done, 1 failed, 2 usage, 4 some accounts, types or tags could not be read, 130 interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Key of the tag that holds the owner
    #[arg(long, value_name = "KEY", default_value = "Owner", env = "TRAILCREATOR_CREATOR_TAG")]
    creator_tag: String,
    #[command(flatten)]
    owner_keys: OwnerKeysArgs,
    /// Report only these resource types (Cloud Custodian or CloudFormation names: ebs, AWS::EC2::Volume); repeatable
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>)]
    types: Vec<ResourceType>,
    /// Also examine the types without create events in the database
    #[arg(long, conflicts_with_all = ["types", "offline"])]
    all_types: bool,
    /// Region, or `all` for all enabled regions; repeatable. Global types are always included [default: the region from the
    /// environment or profile; with --config the regions in the file, or else all with events in the database; with
    /// --offline all regions]
    #[arg(long, env = "TRAILCREATOR_REGION", value_delimiter = ',', value_parser = region_or_all)]
    region: Vec<Region>,
    /// Make no AWS calls: report from the events in the database and the tags that earlier runs wrote. The report then can't
    /// show which resources still exist, or which tags others wrote
    #[arg(long)]
    offline: bool,
    /// With --offline: report only this account; repeatable [default: all accounts in the database]
    #[arg(long = "account", value_name = "ID", value_parser = AccountId::parse, requires = "offline",
          conflicts_with = "config")]
    offline_accounts: Vec<AccountId>,
    /// For resources that an AWS service created, use the owner of the parent, as tag --inherit does
    #[arg(long, env = "TRAILCREATOR_INHERIT", conflicts_with = "offline")]
    inherit: bool,
    #[command(flatten)]
    population: PopulationArgs,
    /// Report only resources for which this JMESPath expression is true: "tool != 'Terraform'" (on the fields of list --output json)
    #[arg(long = "where", value_name = "EXPR", value_parser = str::parse::<Condition>)]
    condition: Option<Condition>,
    /// Number of creators to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Output format [default: the format of --output]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to write, readable by you only [default: stdout]
    #[arg(short = 'f', short_alias = 'o', long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// With --format csv: the table to print
    #[arg(long, value_enum, default_value_t)]
    by: By,
    #[command(flatten)]
    organization: AccountsArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text tables
    Text,
    /// One JSON document with format_version
    Json,
    /// One CSV table with a header row, safe to open in a spreadsheet
    Csv,
    /// One HTML page with charts and a table of all resources. It loads nothing from the network
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum By {
    /// One row per account, region and type
    #[default]
    Type,
    /// One row per creator
    Creator,
}

/// Options for printing the report.
struct Form<'a> {
    format: Format,
    by: By,
    top: usize,
    out: Out<'a>,
    scope: ReportScope,
}

/// An account, or an account-region, that could not be read.
#[derive(Debug, Serialize)]
struct FailedAccount {
    account_id: AccountId,
    account_name: String,
    region: Option<Region>,
    error: String,
    hint: Option<String>,
}

/// The report and what the output needs beside it.
struct Printed<'a> {
    report: &'a Report,
    failed_accounts: &'a [FailedAccount],
    tag_key: &'a str,
    offline: bool,
    /// When it was taken, UTC.
    taken_at: String,
    /// Earlier reports with the same options, the latest first.
    earlier: Vec<Earlier>,
}

impl Form<'_> {
    /// An empty report. The resources themselves are kept for HTML only.
    fn new_report(&self, context: &Context) -> Result<Report, CommandError> {
        if self.format != Format::Html {
            return Ok(Report::default());
        }
        Coverage::with_resources().map(Report::from).map_err(|error| context.store_error(&error))
    }
}

pub(super) async fn run(mut args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let map = context.resource_map()?;
    args.types = types::resolve(&map, &args.types)?;
    let format = args.format.unwrap_or(match context.global.output {
        Output::Text => Format::Text,
        Output::Json | Output::Jsonl => Format::Json,
        Output::Csv => Format::Csv,
    });
    if args.by == By::Creator && format != Format::Csv {
        return Err(CommandError::usage("--by needs --format csv: the other formats have both tables"));
    }
    let out = Out::open(context, args.output_file.as_deref(), format)?;
    let scope = ReportScope::of(&args);
    let form = Form { format, by: args.by, top: args.top, out, scope };
    match (args.offline, &args.organization.config) {
        (true, _) => of_database(args, context, &map, form),
        (false, Some(_)) => of_organization(args, context, &map, form).await,
        (false, None) => of_account(args, context, &map, form).await,
    }
}

/// The current time as the database writes it.
fn now() -> String {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now).to_string()
}

fn of_database(args: Args, context: &Context, map: &ResourceMap, form: Form<'_>) -> Result<Outcome, CommandError> {
    let key = tagging::parse_key(&args.creator_tag)?;
    let chosen = if args.organization.config.is_some() { args.organization.accounts()? } else { Vec::new() };
    let rules = args.owner.rules(map, &chosen)?;
    let store = context.open_store_to_read()?;
    let rules = with_known_names(context, &store, rules)?;
    // Without AWS calls the enabled regions are unknown: `all` means all regions in the database.
    let regions = if args.region.iter().any(|region| region.as_str() == ALL) { Vec::new() } else { args.region };
    let accounts = chosen.iter().map(|account| account.id.clone()).chain(args.offline_accounts).collect();
    let filter = Filter { types: args.types, accounts, regions };
    let owner_keys = args.owner_keys.owner_keys;
    let question = offline::Question { key, owner_keys, rules, filter, condition: args.condition, map };
    let mut report = form.new_report(context)?;
    offline::add_coverage(&store, &question, &mut report.coverage).map_err(|error| context.store_error(&error))?;
    chosen.iter().for_each(|account| report.coverage.set_name(&account.id, &account.name));
    if report.is_empty() {
        nothing::warn_of_database(context, &store, THESE).map_err(|error| context.store_error(&error))?;
    }
    let tag_key = question.key.as_str();
    let (taken_at, earlier) = (now(), form.scope.earlier(context, &store));
    let printed = Printed { report: &report, failed_accounts: &[], tag_key, offline: true, taken_at, earlier };
    show_unused_rules(context, &question.rules);
    show_missing_people(context, &report.coverage.missing_people());
    let scope = form.scope.clone();
    print(context, form, &printed)?;
    scope.keep(context, &store, &printed);
    context.console.message(
        "no AWS calls were made: the report does not show which resources still exist, or which tags others wrote",
    );
    Ok(Outcome::Done)
}

/// Warns where nothing in the database is about what was asked for.
fn warn_of_nothing(
    context: &Context,
    store: &Store,
    map: &ResourceMap,
    account: &AccountId,
    regions: &[Region],
    types: &[ResourceType],
    report: &Report,
) -> Result<(), StoreError> {
    let places = regions.iter().map(Region::as_str).collect::<Vec<_>>().join(", ");
    if types.is_empty() && report.is_empty() {
        return nothing::warn_of_database(context, store, &format!("for account {account} in {places}"));
    }
    if !types.is_empty() && !nothing::has_events(store, map, account, regions, types)? {
        let names = nothing::names_of(types);
        return nothing::warn_of_database(context, store, &format!("for {names} in account {account} in {places}"));
    }
    Ok(())
}

/// The account of the credentials.
async fn of_account(args: Args, context: &Context, map: &ResourceMap, form: Form<'_>) -> Result<Outcome, CommandError> {
    let key = tagging::parse_key(&args.creator_tag)?;
    // Before any AWS call: without a database there is nothing to report.
    let rules = args.owner.rules(map, &[])?;
    let store = context.open_store_to_read()?;
    let rules = with_known_names(context, &store, rules)?;
    let looking = async {
        let session = open_session(args.aws, &args.region).await?;
        let account = session.account().await;
        let account = account.map_err(|error| tagging::aws_error("looking up the account ID", &error))?;
        let regions = wanted_regions(context, &session, &args.region).await?;
        let region = session.region().clone();
        let question = Question {
            account,
            region,
            key,
            owner_keys: args.owner_keys.owner_keys,
            more_tags: Vec::new(),
            overwrite: false,
            inherit: args.inherit,
            rules,
            // What could have an owner; a report writes nothing.
            updates: Updates::all(),
            scope: Scope { condition: args.condition, ..Scope::default() },
        };
        let progress = context.console.progress("listing types", None);
        let mut note = |done, resource_type: &ResourceType| progress.update(done, resource_type.as_str());
        let choice = TypeChoice { named: &args.types, all: args.all_types, inherit: question.inherit };
        let accounts = std::slice::from_ref(&question.account);
        let types = types_in_accounts(&store, map, accounts, choice).map_err(|error| context.store_error(&error))?;
        let wanted = Wanted { types: &types, accounts, regions: &regions };
        let config = args.population.config(context, &session, wanted, regions.len() == 1).await?;
        let config = config.as_deref();
        let how = Look { session: &session, map, store: &store, question: &question, proof: Proof::All, config };
        let mut report = form.new_report(context)?;
        let looking = look_at_account(how, &regions, choice, &mut report, &mut note);
        looking.await.map_err(|error| context.store_error(&error))?;
        population::check(&report, config)?;
        Ok((session, question, regions, report))
    };
    let Some(looked) = tagging::or_interrupted(context, looking).await else { return Ok(Outcome::Interrupted) };
    let (session, question, regions, report) = looked?;
    warn_of_nothing(context, &store, map, &question.account, &regions, &args.types, &report)
        .map_err(|error| context.store_error(&error))?;
    let scope = form.scope.clone().with_account(&question.account, &regions);
    let (taken_at, earlier, tag_key) = (now(), scope.earlier(context, &store), question.key.as_str());
    let printed = Printed { report: &report, failed_accounts: &[], tag_key, offline: false, taken_at, earlier };
    show_unused_rules(context, &question.rules);
    show_missing_people(context, &report.coverage.missing_people());
    let outcome = print_all(context, form, &printed, &session)?;
    scope.keep(context, &store, &printed);
    Ok(outcome)
}

/// The accounts of an accounts file.
async fn of_organization(
    args: Args,
    context: &Context,
    map: &ResourceMap,
    form: Form<'_>,
) -> Result<Outcome, CommandError> {
    let key = tagging::parse_key(&args.creator_tag)?;
    let accounts = args.organization.accounts()?;
    let rules = args.owner.rules(map, &accounts)?;
    let store = context.open_store_to_read()?;
    let rules = with_known_names(context, &store, rules)?;
    let choice = |region: &Region| {
        if region.as_str() == ALL { RegionChoice::All } else { RegionChoice::One(region.clone()) }
    };
    let cover = Cover {
        map,
        regions: args.region.iter().map(choice).collect(),
        types: args.types,
        all_types: args.all_types,
        owner_keys: args.owner_keys.owner_keys,
        inherit: args.inherit,
        rules,
        condition: args.condition,
        config: None,
        report: RefCell::new(form.new_report(context)?),
    };
    let first_region = args.region.into_iter().find(|region| region.as_str() != ALL);
    let base = organization::open_base(args.aws, first_region).await?;
    let choice = TypeChoice { named: &cover.types, all: cover.all_types, inherit: cover.inherit };
    let asking = args.population.of_accounts(context, &base, (&store, map), &accounts, (&cover.regions, choice));
    let Some(config) = tagging::or_interrupted(context, asking).await else { return Ok(Outcome::Interrupted) };
    let cover = Cover { config: config?, ..cover };
    let (stop, concurrency) = (CancellationToken::default(), args.organization.max_concurrency);
    let updates = Updates::default();
    let organization =
        Organization { base: &base, map, store: &store, key, run: None, updates: &updates, stop: &stop, concurrency };
    let progress = context.console.progress("accounts", Some(tagging::count(accounts.len())));
    let (mut failed_accounts, mut done) = (Vec::new(), 0);
    let mut listen = |event: Event<'_>| match event {
        Event::Done(..) => {}
        Event::Failed(account, region, failure) => failed_accounts.push(failed_account(account, region, failure)),
        Event::AccountOver { .. } => {
            done += 1;
            progress.update(done, "");
        }
    };
    let looking = fan_out(&organization, &cover, accounts, &mut listen);
    let Some(looked) = tagging::or_interrupted(context, looking).await else { return Ok(Outcome::Interrupted) };
    looked.map_err(|error| context.store_error(&error))?;
    drop(progress);
    show_unused_rules(context, &cover.rules);
    let report = cover.report.into_inner();
    show_missing_people(context, &report.coverage.missing_people());
    if report.is_empty() && failed_accounts.is_empty() {
        nothing::warn_of_database(context, &store, THESE).map_err(|error| context.store_error(&error))?;
    }
    let tag_key = organization.key.as_str();
    let scope = form.scope.clone();
    let (taken_at, earlier) = (now(), scope.earlier(context, &store));
    let failed_accounts = &failed_accounts;
    let printed = Printed { report: &report, failed_accounts, tag_key, offline: false, taken_at, earlier };
    let outcome = print_all(context, form, &printed, &base)?;
    scope.keep(context, &store, &printed);
    Ok(outcome)
}

fn failed_account(account: &Account, region: Option<&Region>, failure: Failure) -> FailedAccount {
    let Failure { error, hint, .. } = failure;
    let (account_id, account_name) = (account.id.clone(), account.name.clone());
    FailedAccount { account_id, account_name, region: region.cloned(), error, hint }
}
