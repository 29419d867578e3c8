//! `list --live`: resources that exist now, with their tags.

use std::cell::{OnceCell, RefCell};
use std::ops::ControlFlow;

use tokio_util::sync::CancellationToken;

use super::sink::Sink;
use super::{ALL, Args, CommandError, Context, Outcome, Request};
use crate::aws::Session;
use crate::cli::load_history::{open_session, wanted_regions};
use crate::cli::options::{show_unused_rules, with_known_names};
use crate::cli::{nothing, organization, population, report, run_output, tagging};
use crate::inventory::config::Wanted as PopulationWanted;
use crate::model::{Region, ResourceType, TagKey};
use crate::org::{Event, Organization, RegionChoice, fan_out};
use crate::plan::updates::Updates;
use crate::report::list::List;
use crate::report::live::Report;
use crate::resource::Selection;
use crate::store::Store;
use crate::store::recorded::Wanted;
use crate::tag::chosen::{recorded_types, types_in_accounts};

pub(super) async fn run(mut args: Args, context: &Context, request: Request<'_>) -> Result<Outcome, CommandError> {
    // Before any AWS call: without a database there is nothing to list.
    let rules = std::mem::take(&mut args.owner).rules(request.map, &request.accounts)?;
    let store = context.open_store_to_read()?;
    let rules = with_known_names(context, &store, rules)?;
    let choice = |region: &Region| {
        if region.as_str() == ALL { RegionChoice::All } else { RegionChoice::One(region.clone()) }
    };
    let list = List {
        map: request.map,
        regions: args.region.iter().map(choice).collect(),
        types: args.types.clone(),
        unrecorded: args.unrecorded,
        rules,
        config: OnceCell::new(),
        account_names: RefCell::default(),
        report: RefCell::default(),
        found: RefCell::default(),
    };
    let wanted = Wanted { types: args.types.clone(), accounts: args.of_accounts.clone(), regions: Vec::new() };
    let listing = async {
        if request.accounts.is_empty() {
            of_account(args, context, request, &store, &list).await
        } else {
            of_organization(args, context, request, &store, &list).await
        }
    };
    let Some(listed) = tagging::or_interrupted(context, listing).await else { return Ok(Outcome::Interrupted) };
    let Listed { count, session, failed_accounts } = listed?;
    if count == 0 && !failed_accounts {
        nothing::warn_of_no_resource(context, &store, &wanted).map_err(|error| context.store_error(&error))?;
    }
    show_unused_rules(context, &list.rules);
    let report = list.report.into_inner();
    report::print_missing(context, &report);
    context.console.message(format_args!("{}; nothing was written", run_output::calls_phrase(&session)));
    Ok(outcome(&report, failed_accounts))
}

/// What came of it.
struct Listed {
    count: u64,
    session: Session,
    failed_accounts: bool,
}

fn outcome(report: &Report, failed_accounts: bool) -> Outcome {
    let is_complete = report.failed.is_empty() && report.problems.is_empty() && !failed_accounts;
    if is_complete { Outcome::Done } else { Outcome::ItemFailures }
}

/// Passes what was found to the output.
fn take(list: &List<'_>, selection: &Selection, sink: &mut Sink<'_>) -> Result<ControlFlow<()>, CommandError> {
    for resource in list.found.take() {
        if selection.has(&resource) && sink.add(resource)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The account of the credentials.
async fn of_account(
    args: Args,
    context: &Context,
    request: Request<'_>,
    store: &Store,
    list: &List<'_>,
) -> Result<Listed, CommandError> {
    let Request { selection, mut sink, .. } = request;
    let session = open_session(args.aws, &args.region).await?;
    let account = session.account().await;
    let account = account.map_err(|error| tagging::aws_error("looking up the account ID", &error))?;
    if !args.of_accounts.is_empty() && !args.of_accounts.contains(&account) {
        let message = format_args!("--account: the credentials are of account {account}");
        return Err(CommandError::usage(message).hint("name an accounts file with --config, or leave out --live"));
    }
    let regions = wanted_regions(context, &session, &args.region).await?;
    let accounts = std::slice::from_ref(&account);
    let types = types_in_accounts(store, list.map, accounts, list.choice());
    let types = types.map_err(|error| context.store_error(&error))?;
    let wanted = PopulationWanted { types: &types, accounts, regions: &regions };
    let config = args.population.config(context, &session, wanted, regions.len() == 1).await?;
    list.set_config(config.clone());
    let progress = context.console.progress("listing types", None);
    let mut note = |done, resource_type: &ResourceType| progress.update(done, resource_type.as_str());
    let recorded = recorded_types(store, &account, list.choice()).map_err(|error| context.store_error(&error))?;
    sink.begin();
    for (at, region) in regions.iter().enumerate() {
        let reading = list.read_region((&session, store), (&account, region), &recorded, at == 0, &mut note);
        reading.await.map_err(|error| context.store_error(&error))?;
        population::check(&list.report.borrow(), config.as_deref())?;
        if take(list, &selection, &mut sink)?.is_break() {
            break;
        }
    }
    drop(progress);
    Ok(Listed { count: sink.finish_with(&list.report.borrow().sources)?, session, failed_accounts: false })
}

/// The accounts of an accounts file.
async fn of_organization(
    args: Args,
    context: &Context,
    request: Request<'_>,
    store: &Store,
    list: &List<'_>,
) -> Result<Listed, CommandError> {
    let Request { map, selection, mut sink, mut accounts } = request;
    if !args.of_accounts.is_empty() {
        accounts.retain(|account| args.of_accounts.contains(&account.id));
    }
    let first_region = args.region.into_iter().find(|region| region.as_str() != ALL);
    let base = organization::open_base(args.aws, first_region).await?;
    let wanted = (&list.regions[..], list.choice());
    list.set_config(args.population.of_accounts(context, &base, (store, map), &accounts, wanted).await?);
    let (stop, concurrency) = (CancellationToken::default(), args.organization.max_concurrency);
    let updates = Updates::default();
    let key = TagKey::default();
    let organization =
        Organization { base: &base, map, store, key, run: None, updates: &updates, stop: &stop, concurrency };
    let progress = context.console.progress("accounts", Some(tagging::count(accounts.len())));
    sink.begin();
    let (mut failed_accounts, mut done, mut failed) = (false, 0, None);
    let mut listen = |event: Event<'_>| {
        match event {
            Event::Done(..) => {}
            Event::Failed(account, region, failure) => {
                failed_accounts = true;
                let region = region.map(|region| format!(" in {region}")).unwrap_or_default();
                context.console.warning_with_hints(
                    format_args!(
                        "account {} {}{region} could not be read: {}",
                        account.id, account.name, failure.error
                    ),
                    failure.hint,
                );
            }
            Event::AccountOver { .. } => {
                done += 1;
                progress.update(done, "");
            }
        }
        match take(list, &selection, &mut sink) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => stop.cancel(),
            Err(error) => {
                failed = Some(error);
                stop.cancel();
            }
        }
    };
    let looked = fan_out(&organization, list, accounts, &mut listen).await;
    looked.map_err(|error| context.store_error(&error))?;
    drop(progress);
    match failed {
        Some(error) => Err(error),
        None => Ok(Listed { count: sink.finish_with(&list.report.borrow().sources)?, session: base, failed_accounts }),
    }
}
