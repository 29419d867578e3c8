//! `report`: tag coverage and the top creators, for an account, for an organization, or offline.

use std::cell::RefCell;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::load_history::{ALL, open_session, region_or_all, wanted_regions};
use super::options::{OwnerKeysArgs, show_unused_rules, with_known_names};
use super::organization::{self, AccountsArgs};
use super::{AwsAccessArgs, CommandError, Context, Outcome, OwnerArgs, nothing, run_output, tagging, types};
use crate::aws::Session;
use crate::console::{Lines, OutputFormat, number};
use crate::model::{AccountId, Region, ResourceType};
use crate::org::{Account, Event, Failure, Organization, RegionChoice, fan_out};
use crate::plan::updates::Updates;
use crate::plan::{FailedType, Question, Scope, SkippedType, TypeProblem};
use crate::report::coverage::{Coverage, Creator, Figures, Row};
use crate::report::csv::{self, Cell};
use crate::report::live::{Of, Report, UnexaminedTypes, look_at_account};
use crate::report::offline;
use crate::report::organization::Cover;
use crate::report::who::Filter;
use crate::resource_map::ResourceMap;
use crate::store::{Store, StoreError};

/// The version of the JSON document's format.
const FORMAT_VERSION: u32 = 1;

/// The CSV columns, in the order of [`numbers`].
const FIGURES: [&str; 8] =
    ["live", "owned", "would_be_owned", "no_record", "no_owner", "service_created", "unknown", "not_taggable"];

/// The column headings of the text table, in the same order.
const HEADINGS: [&str; 8] =
    ["live", "owned", "would be owned", "no record", "no owner", "service", "unknown", "not taggable"];

/// What the options ask for, in messages.
const THESE: &str = "for these accounts, regions and types";

const EXAMPLES: &str = "\
Examples:
  Report on the current account, in its region, with global types:
    trailcreator report
  Report on two types in all enabled regions, as CSV:
    trailcreator report --region all --type ec2,ebs --format csv
  Report on an organization:
    trailcreator report --config accounts.yml";

/// Report tag coverage by account, region and type, and the top creators
///
/// Lists the live resources of each type that has create events in the database, as tag does, and writes nothing to AWS.
/// Every resource is in one class: owned (has the tag); would be owned (tag would write it); no record (no create event in
/// the database); no owner (the rules give its creator no owner); service (created by AWS); unknown (its tags could not be
/// read); not taggable.
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
    /// Also list the types without create events in the database
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
    /// Attribute resources that an AWS service created to the owner of their parent, as tag --inherit does
    #[arg(long, env = "TRAILCREATOR_INHERIT", conflicts_with = "offline")]
    inherit: bool,
    /// Number of creators to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Output format [default: the format of --output]
    #[arg(long, value_enum)]
    format: Option<Format>,
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
struct Form {
    format: Format,
    by: By,
    top: usize,
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    offline: bool,
    tag_key: &'a str,
    totals: Figures,
    rows: Vec<Row>,
    creators: &'a [Creator],
    creator_count: usize,
    skipped_types: &'a [Of<SkippedType>],
    unexamined_types: &'a [Of<UnexaminedTypes>],
    failed_types: &'a [Of<FailedType>],
    problems: &'a [Of<TypeProblem>],
    failed_accounts: &'a [FailedAccount],
}

/// An account, or an account-region, that could not be read.
#[derive(Debug, Serialize)]
struct FailedAccount {
    account_id: AccountId,
    name: String,
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
}

pub(super) async fn run(mut args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let map = context.resource_map()?;
    args.types = types::resolve(&map, &args.types)?;
    let format = args.format.unwrap_or(match context.console.format {
        OutputFormat::Text => Format::Text,
        OutputFormat::Json => Format::Json,
    });
    let form = Form { format, by: args.by, top: args.top };
    if form.by == By::Creator && form.format != Format::Csv {
        return Err(CommandError::usage("--by needs --format csv: the other formats have both tables"));
    }
    match (args.offline, &args.organization.config) {
        (true, _) => of_database(args, context, &map, &form),
        (false, Some(_)) => of_organization(args, context, &map, &form).await,
        (false, None) => of_account(args, context, &map, &form).await,
    }
}

fn of_database(args: Args, context: &Context, map: &ResourceMap, form: &Form) -> Result<Outcome, CommandError> {
    let key = tagging::parse_key(&args.creator_tag)?;
    let rules = args.owner.rules()?;
    let store = context.open_store_to_read()?;
    let rules = with_known_names(context, &store, rules)?;
    // Without AWS calls the enabled regions are unknown: `all` means all regions in the database.
    let regions = if args.region.iter().any(|region| region.as_str() == ALL) { Vec::new() } else { args.region };
    let chosen = if args.organization.config.is_some() { args.organization.accounts()? } else { Vec::new() };
    let accounts = chosen.iter().map(|account| account.id.clone()).chain(args.offline_accounts).collect();
    let filter = Filter { types: args.types, accounts, regions };
    let owner_keys = args.owner_keys.owner_keys;
    let question = offline::Question { key, owner_keys, rules, filter, map };
    let mut coverage = offline::coverage(&store, &question).map_err(|error| context.store_error(&error))?;
    chosen.iter().for_each(|account| coverage.set_name(&account.id, &account.name));
    let report = Report::from(coverage);
    if report.is_empty() {
        nothing::warn_of_database(context, &store, THESE).map_err(|error| context.store_error(&error))?;
    }
    let printed = Printed { report: &report, failed_accounts: &[], tag_key: question.key.as_str(), offline: true };
    show_unused_rules(context, &question.rules);
    print(context, form, &printed);
    context.console.message(
        "no AWS calls were made: the report does not show which resources still exist, or which tags others wrote",
    );
    Ok(Outcome::Done)
}

/// Warns where nothing in the database is about what was asked for.
fn warn_of_nothing(
    context: &Context,
    (store, map): (&Store, &ResourceMap),
    (account, regions): (&AccountId, &[Region]),
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
async fn of_account(args: Args, context: &Context, map: &ResourceMap, form: &Form) -> Result<Outcome, CommandError> {
    let key = tagging::parse_key(&args.creator_tag)?;
    // Before any AWS call: without a database there is nothing to report.
    let rules = args.owner.rules()?;
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
            scope: Scope::default(),
        };
        let progress = context.console.progress("listing types", None);
        let mut note = |done, resource_type: &ResourceType| progress.update(done, resource_type.as_str());
        let report =
            look_at_account((&session, map, &store), &question, &regions, (&args.types, args.all_types), &mut note)
                .await;
        Ok((session, question, regions, report.map_err(|error| context.store_error(&error))?))
    };
    let Some(looked) = tagging::or_interrupted(context, looking).await else { return Ok(Outcome::Interrupted) };
    let (session, question, regions, report) = looked?;
    warn_of_nothing(context, (&store, map), (&question.account, &regions), &args.types, &report)
        .map_err(|error| context.store_error(&error))?;
    let printed = Printed { report: &report, failed_accounts: &[], tag_key: question.key.as_str(), offline: false };
    show_unused_rules(context, &question.rules);
    Ok(print_all(context, form, &printed, &session))
}

/// The accounts of an accounts file.
async fn of_organization(
    args: Args,
    context: &Context,
    map: &ResourceMap,
    form: &Form,
) -> Result<Outcome, CommandError> {
    let key = tagging::parse_key(&args.creator_tag)?;
    let accounts = args.organization.accounts()?;
    let rules = args.owner.rules()?;
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
        report: RefCell::default(),
    };
    let first_region = args.region.into_iter().find(|region| region.as_str() != ALL);
    let base = organization::open_base(args.aws, first_region).await?;
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
    if report.is_empty() && failed_accounts.is_empty() {
        nothing::warn_of_database(context, &store, THESE).map_err(|error| context.store_error(&error))?;
    }
    let tag_key = organization.key.as_str();
    let printed = Printed { report: &report, failed_accounts: &failed_accounts, tag_key, offline: false };
    Ok(print_all(context, form, &printed, &base))
}

fn failed_account(account: &Account, region: Option<&Region>, failure: Failure) -> FailedAccount {
    let Failure { error, hint, .. } = failure;
    FailedAccount { account_id: account.id.clone(), name: account.name.clone(), region: region.cloned(), error, hint }
}

fn print_all(context: &Context, form: &Form, printed: &Printed<'_>, session: &Session) -> Outcome {
    print(context, form, printed);
    print_missing(context, printed.report);
    for FailedAccount { account_id, name, region, error, hint } in printed.failed_accounts {
        let hint = hint.as_ref();
        let region = region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
        context
            .console
            .warning_with_hints(format_args!("account {account_id} {name}{region} could not be read: {error}"), hint);
    }
    let calls = run_output::calls_phrase(session);
    context.console.message(format_args!("{calls}; nothing was written"));
    if printed.failed_accounts.is_empty() { outcome(printed.report) } else { Outcome::ItemFailures }
}

/// A type or a resource that could not be read changes the exit code.
fn outcome(report: &Report) -> Outcome {
    let unknown = report.coverage.totals().unknown.unwrap_or_default();
    let complete = report.failed.is_empty() && report.problems.is_empty() && report.users_unknown.is_empty();
    if complete && unknown == 0 { Outcome::Done } else { Outcome::ItemFailures }
}

fn print_missing(context: &Context, report: &Report) {
    for Of { account_id, region, what } in &report.skipped {
        context.console.message(format_args!("{account_id} {region}: skipped {}: {}", what.resource_type, what.reason));
    }
    types::show_unexamined(context, report.unexamined.iter().map(|of| of.what.resource_types.len()));
    for Of { account_id, region, what } in &report.unexamined {
        types::log_unexamined(account_id, region, &what.resource_types);
    }
    for Of { account_id, region, what } in &report.problems {
        context.console.warning(format_args!("{account_id} {region}: {}: {}", what.resource_type, what.problem));
    }
    for Of { account_id, region, what } in &report.failed {
        let hint = what.hint.as_ref();
        let (resource_type, error) = (&what.resource_type, &what.error);
        context.console.warning_with_hints(
            format_args!("{account_id} {region}: {resource_type} could not be listed: {error}"),
            hint,
        );
    }
    for (account, error) in &report.users_unknown {
        let hint = error.hint();
        context.console.warning_with_hints(
            format_args!(
                "{account}: could not list IAM users, so the report does not show which creators still exist: {error}"
            ),
            hint,
        );
    }
}

fn print(context: &Context, form: &Form, printed: &Printed<'_>) {
    let Printed { report, failed_accounts, tag_key, offline } = *printed;
    let coverage = &report.coverage;
    let creators = coverage.creators();
    let top = &creators[..creators.len().min(form.top)];
    match (form.format, form.by) {
        (Format::Json, _) => context.console.json(&Document {
            format_version: FORMAT_VERSION,
            offline,
            tag_key,
            totals: coverage.totals(),
            rows: coverage.rows().collect(),
            creators: top,
            creator_count: creators.len(),
            skipped_types: &report.skipped,
            unexamined_types: &report.unexamined,
            failed_types: &report.failed,
            problems: &report.problems,
            failed_accounts,
        }),
        (Format::Csv, By::Type) => context.console.document(&csv_of_rows(coverage)),
        (Format::Csv, By::Creator) => context.console.document(&csv_of_creators(top)),
        (Format::Text, _) => print_text(context, coverage, top, creators.len()),
    }
}

fn print_text(context: &Context, coverage: &Coverage, top: &[Creator], creators: usize) {
    let mut rows = vec![texts(HEADINGS.iter().chain(&["account", "region", "type"]))];
    rows.extend(coverage.rows().map(|row| {
        let name = row.account_name.map(|name| format!(" {}", name)).unwrap_or_default();
        let place = [format!("{}{name}", row.account_id), row.region, row.resource_type.to_string()];
        shown(&row.figures).into_iter().chain(place).collect()
    }));
    if rows.len() == 1 {
        context.console.message("no resources to report");
        return;
    }
    rows.push(shown(&coverage.totals()).into_iter().chain(texts(["total", "", ""].iter())).collect());
    context.console.lines(&Lines::table(&rows, HEADINGS.len()));
    if top.is_empty() {
        return;
    }
    context.console.data("");
    let mut rows = vec![texts(["resources", "owned", "would be owned", "creator", ""].iter())];
    rows.extend(top.iter().map(|creator| {
        let numbers = [creator.resources, creator.owned, creator.would_be_owned].map(number);
        let gone = if creator.gone == Some(true) { "IAM user no longer exists" } else { "" };
        numbers.into_iter().chain([creator.owner.clone(), gone.to_owned()]).collect()
    }));
    context.console.lines(&Lines::table(&rows, 3));
    if creators > top.len() {
        context
            .console
            .message(format_args!("and {} more creators (show all with --top {creators})", creators - top.len()));
    }
}

fn csv_of_rows(coverage: &Coverage) -> String {
    let header: Vec<&str> =
        ["account_id", "account_name", "region", "resource_type"].into_iter().chain(FIGURES).collect();
    let rows = coverage.rows().map(|row| {
        let name = row.account_name.unwrap_or_default();
        let place = [row.account_id.to_string(), name, row.region, row.resource_type.to_string()].map(Cell::Text);
        place.into_iter().chain(numbers(&row.figures).map(Cell::Number)).collect()
    });
    csv::table(&header, rows)
}

fn csv_of_creators(creators: &[Creator]) -> String {
    let rows = creators.iter().map(|creator| {
        let Creator { owner, resources, owned, would_be_owned, gone } = creator;
        let gone = gone.map(|gone| gone.to_string()).unwrap_or_default();
        let numbers = [resources, owned, would_be_owned].map(|number| Cell::Number(Some(*number)));
        [Cell::Text(owner.clone())].into_iter().chain(numbers).chain([Cell::Text(gone)]).collect()
    });
    csv::table(&["creator", "resources", "owned", "would_be_owned", "gone"], rows)
}

/// The counts, in the order of [`FIGURES`].
fn numbers(figures: &Figures) -> [Option<u64>; FIGURES.len()] {
    let Figures { live, owned, would_be_owned, no_record, no_owner, service_created, unknown, not_taggable } = figures;
    let known = |figure: &u64| Some(*figure);
    let (owned, would_be_owned) = (known(owned), known(would_be_owned));
    [*live, owned, would_be_owned, *no_record, known(no_owner), known(service_created), *unknown, *not_taggable]
}

fn shown(figures: &Figures) -> Vec<String> {
    numbers(figures).map(|count| count.map_or_else(|| "-".to_owned(), number)).to_vec()
}

fn texts<'t>(texts: impl Iterator<Item = &'t &'t str>) -> Vec<String> {
    texts.map(|text| (*text).to_owned()).collect()
}
