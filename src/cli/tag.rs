//! `tag`: survey, plan, and apply unless only the plan is requested.

use std::sync::Arc;

use super::confirm::{self, Replaced};
use super::groups_of_rows::{ALL, Extent, ExtentArgs, WriteRow, print_skipped, print_writes, show_hint};
use super::options::{WantedArgs, show_missing_people, show_missing_sessions, show_unused_rules};
use super::run_output::{self, RunOutput};
use super::scope::{report_missing, types_phrase};
use super::{AwsArgs, CommandError, Context, Outcome, OwnerArgs};
use super::{nothing, population, tagging, types};
use crate::aws::Session;
use crate::cli::call_stats::{self, StatsArgs};
use crate::console::{Lines, OutputFormat, number};
use crate::creator::OwnerRules;
use crate::inventory::config::Wanted;
use crate::load::identity_center;
use crate::model::AccountRegion;
use crate::model::{AccountId, ResourceType};
use crate::plan::{Plan, PlannedWrite, Question, SkipKind, TypeFigures};
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::store::journal::RunKind;
use crate::tag::chosen::{Chosen, TypeChoice, choose_types, recorded_types};
use crate::tag::collect::{Look, Proof, Survey, survey};
use crate::tag::run::{Runner, Target};
use crate::tag::scope::IdHints;

const EXAMPLES: &str = "\
Examples:
  Show what would be tagged, and why other resources are skipped:
    trailcreator tag --dry-run
  Tag two types, unless that takes more than 100 writes:
    trailcreator tag --type ec2 --type ebs --max-changes 100
  Save a plan for review, to apply later:
    trailcreator tag --save-plan plan.json";

/// Tag live resources with their owner, in one account and region
///
/// Lists the live resources of each type that has create events in the database, finds their creators, and tags the
/// resources that don't have the owner tag. Global types (IAM, S3 buckets…) are included, whatever the region. Every
/// write is recorded in a journal: `runs` lists the runs, `undo` reverts one.
///
/// Exit codes: 0 all done; 1 failed, more writes than --max-changes allows, or not confirmed; 2 usage error; 4 finished, but
/// some resources or types failed or an --id was not found; 130 interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    wanted: WantedArgs,
    #[command(flatten)]
    extent: ExtentArgs,
    #[command(flatten)]
    stats: StatsArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    aws: AwsArgs,
}

pub(super) async fn run(mut args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let key = tagging::parse_key(&args.wanted.creator_tag)?;
    let map = context.resource_map()?;
    args.wanted.types = types::resolve(&map, &args.wanted.types)?;
    args.wanted.scope.resolve(&map, &args.wanted.types)?;
    tagging::check_more_tags(&map, &args.wanted.types, &key, &args.wanted.more_tags)?;
    let store = context.open_store_for_journal()?;
    let rules = args.owner.clone().rules(&map, &[])?;
    let updates = args.wanted.allow.updates(context, &map, &store)?;
    let (session, caller) = tagging::open_account(args.aws.clone()).await?;
    let rules = with_names(context, &session, &store, Some(&caller.account), rules).await?;
    let question = Question {
        account: caller.account,
        region: session.region().clone(),
        key,
        owner_keys: args.wanted.owner_keys.owner_keys.clone(),
        more_tags: args.wanted.more_tags.clone(),
        overwrite: args.wanted.overwrite,
        inherit: args.wanted.inherit,
        rules,
        updates,
        scope: args.wanted.scope.scope(),
    };
    let chosen = choose(context, &store, &map, &question, &args.wanted)?;
    let looked_at = types_phrase(chosen.types.iter().map(|one| &one.resource_type), question.region.as_str());
    let population = &args.wanted.population;
    let looking = async {
        let (accounts, regions) = (std::slice::from_ref(&question.account), std::slice::from_ref(&question.region));
        let wanted = Wanted { types: &chosen.types, accounts, regions };
        let config = population.config(context, &session, wanted, true).await?;
        let proof = Proof::Writes;
        let how =
            Look { session: &session, map: &map, store: &store, question: &question, proof, config: config.as_deref() };
        look(context, how, chosen).await
    };
    let Some(survey) = tagging::or_interrupted(context, looking).await else { return Ok(Outcome::Interrupted) };
    let mut survey = survey?;
    if let Some(failure) = &survey.plan.summary.population_failure {
        return Err(population::failed(failure));
    }
    show_figures(context, &survey.plan);
    show_unused_rules(context, &question.rules);
    show_missing_people(context, &survey.plan.summary.missing_people);
    warn_without_records(context, &store, &args.wanted, &question, &survey.plan)?;
    let is_missing = report_missing(context, &question.scope.ids, &survey.found_ids, &looked_at);
    if args.wanted.dry_run || args.wanted.save_plan.is_some() {
        return Ok(with_missing(only_plan(context, &args, &survey.plan, &session)?, is_missing));
    }
    if let Some(outcome) = may_write(context, &args.wanted, &survey.plan).await? {
        return Ok(outcome);
    }
    let place = AccountRegion { account: question.account, region: question.region };
    let runner = Runner {
        session: &session,
        map: &map,
        store: &store,
        place,
        key: question.key,
        caller: caller.arn,
        organization: None,
        updates: &question.updates,
    };
    Ok(with_missing(write(context, &runner, &mut survey, &args).await?, is_missing))
}

/// Warns where the database has no create event of the types that were named: the region may be another one.
fn warn_without_records(
    context: &Context,
    store: &Store,
    wanted: &WantedArgs,
    question: &Question,
    plan: &Plan,
) -> Result<(), CommandError> {
    let types = &plan.summary.types;
    let is_narrowed = !(wanted.types.is_empty() && wanted.scope.not_types.is_empty());
    if !is_narrowed || question.inherit || !plan.actions.is_empty() || types.iter().any(|figures| figures.records > 0) {
        return Ok(());
    }
    let names = nothing::names_of(&wanted.types);
    let names = if names.is_empty() { "the remaining types".to_owned() } else { names };
    let wanted = format!("for {names} in account {} in {}", question.account, question.region);
    nothing::warn_of_database(context, store, &wanted).map_err(|error| context.store_error(&error))
}

/// The types to list, narrowed by the options.
fn choose<'m>(
    context: &Context,
    store: &Store,
    map: &'m ResourceMap,
    question: &Question,
    wanted: &WantedArgs,
) -> Result<Chosen<'m>, CommandError> {
    let Question { account, region, inherit, scope, .. } = question;
    let failed = |error| context.store_error(&error);
    let choice = TypeChoice { named: &wanted.types, all: wanted.all_types, inherit: *inherit };
    let recorded = recorded_types(store, account, choice).map_err(failed)?;
    let mut chosen = choose_types(map, &recorded, region, choice);
    if !scope.ids.are_all() {
        let hints = IdHints::ask(store, map, &scope.ids, Some(account)).map_err(failed)?;
        hints.narrow(account, region, &mut chosen);
        if wanted.types.is_empty() {
            hints.add_types_of_arns(map, account, region, &mut chosen);
        }
    } else if chosen.is_empty() {
        let wanted = format!("for account {account} in {region}");
        nothing::warn_of_database(context, store, &wanted).map_err(|error| context.store_error(&error))?;
    }
    chosen.leave_out(&wanted.scope.not_types);
    Ok(chosen)
}

/// Prints or saves the plan.
fn only_plan(
    context: &Context,
    Args { wanted, extent, stats, .. }: &Args,
    plan: &Plan,
    session: &Session,
) -> Result<Outcome, CommandError> {
    if let Some(path) = &wanted.save_plan {
        tagging::save_plan(path, plan)?;
    }
    print_plan(context, plan, wanted.save_plan.is_none(), (*extent).into());
    show_plan_summary(context, plan, session, wanted.save_plan.as_deref());
    if stats.stats {
        call_stats::show(context, session.counts(), 0);
    }
    wanted.scope.limit.note(context, tagging::count(plan.actions.len()));
    Ok(outcome_of_plan(plan))
}

/// Checks the limit and asks for confirmation. `Some`: the command ends with this outcome, and writes nothing.
async fn may_write(context: &Context, wanted: &WantedArgs, plan: &Plan) -> Result<Option<Outcome>, CommandError> {
    wanted.scope.limit.check(tagging::count(plan.actions.len()), "the plan has")?;
    if !confirm::is_due(context, wanted.overwrite, &wanted.scope) {
        return Ok(None);
    }
    let mut replaced = Replaced::default();
    replaced.add(&plan.actions);
    Ok(replaced.ask(context).await.ends())
}

/// An id that was not found is a failure, even if nothing else is.
pub(super) fn with_missing(outcome: Outcome, is_missing: bool) -> Outcome {
    if is_missing && outcome == Outcome::Done { Outcome::ItemFailures } else { outcome }
}

/// The rules, with the names of Identity Center users from the identity store.
pub(super) async fn with_names(
    context: &Context,
    session: &Session,
    store: &Store,
    account: Option<&AccountId>,
    rules: OwnerRules,
) -> Result<OwnerRules, CommandError> {
    show_missing_sessions(context, store, &rules)?;
    let people = identity_center::names(session, store, account).await;
    let people = people.map_err(|error| context.store_error(&error))?;
    Ok(OwnerRules { people: Arc::new(people), ..rules })
}

async fn look(context: &Context, how: Look<'_, '_>, chosen: Chosen<'_>) -> Result<Survey, CommandError> {
    let progress = context.console.progress("listing types", Some(tagging::count(chosen.types.len())));
    let mut note = |done, resource_type: &ResourceType| progress.update(done, resource_type.as_str());
    survey(how, chosen, &mut note).await.map_err(|error| context.store_error(&error))
}

/// Prints the line for each type, in c7n-trailcreator's format, and the skipped and failed types.
fn show_figures(context: &Context, plan: &Plan) {
    show_types(context, plan);
    let summary = &plan.summary;
    if context.console.shows_messages_on_terminal() && !summary.types.is_empty() {
        context.console.message("");
        context.console.message_lines(&type_table(&summary.types));
        context.console.message("");
    }
    let unexamined = &summary.unexamined_types;
    types::show_unexamined(context, [unexamined.len()]);
    types::log_unexamined(&plan.account_id, &plan.region, unexamined);
    for problem in &summary.problems {
        context.console.warning(format_args!("{}: {}", problem.resource_type, problem.problem));
    }
    for failed in &summary.failed_types {
        let hint = failed.hint.as_ref();
        context
            .console
            .warning_with_hints(format_args!("{} could not be listed: {}", failed.resource_type, failed.error), hint);
    }
}

/// Prints the listed and the skipped types.
pub(super) fn show_types(context: &Context, plan: &Plan) {
    let Plan { account_id, region, summary, .. } = plan;
    for figures in &summary.types {
        let source = figures.source.as_ref().map(|source| format!(" source:{}", source.from.as_str()));
        context.console.message(format_args!(
            "account:{account_id} region:{region} tag {} {} resources users:{} population:{} not-found:{} records:{} \
             untagged:{}{}",
            figures.tag,
            figures.resource_type,
            figures.users,
            figures.population,
            figures.not_found,
            figures.records,
            figures.untagged,
            source.unwrap_or_default(),
        ));
    }
    let sources = summary.types.iter().filter_map(|figures| Some((&figures.resource_type, figures.source.as_ref()?)));
    population::show_sources(context, sources);
    for skipped in &summary.skipped_types {
        context.console.message(format_args!("skipped {}: {}", skipped.resource_type, skipped.reason));
    }
}

/// The same figures for people: the log lines are for logs, and for those who know c7n-trailcreator's.
fn type_table(types: &[TypeFigures]) -> Lines {
    const NUMBERS: [&str; 4] = ["live", "to tag", "owners", "no record"];
    let mut rows = vec![NUMBERS.into_iter().chain(["type"]).map(str::to_owned).collect()];
    for figures in types {
        let TypeFigures { resource_type, tag, users, population, not_found, .. } = figures;
        let numbers = [population, tag, users, not_found].map(|count| number(*count));
        rows.push(numbers.into_iter().chain([resource_type.to_string()]).collect());
    }
    Lines::table(&rows, NUMBERS.len())
}

fn print_plan(context: &Context, plan: &Plan, wanted: bool, extent: Extent) {
    match context.console.format {
        OutputFormat::Json => context.console.json(plan),
        OutputFormat::Text if wanted => {
            let has_more = print_writes(context, extent, plan.actions.iter().map(|action| action_row("", action)));
            let has_more = print_skipped(context, extent, &plan.skipped) || has_more;
            show_hint(context, has_more, ALL);
        }
        OutputFormat::Text => {}
    }
}

/// The line of a planned write. `place`: the account and region before it, where there are several.
pub(super) fn action_row(place: &str, action: PlannedWrite) -> WriteRow<String, impl FnOnce() -> String> {
    let resource_type = action.resource_type.to_string();
    let line = move || format!("tag {place}{}", action_phrase(&action));
    WriteRow { verb: "tag", resource_type, line }
}

/// "ebs vol-1 Owner=alice (IAM user name, CreateVolume 2026-03-01T10:00:00Z)"
pub(super) fn action_phrase(action: &PlannedWrite) -> String {
    let PlannedWrite { resource_type, id, key, value, reason, .. } = action;
    let old_key = action.old_key.as_ref().map(|key| format!("{key}=")).unwrap_or_default();
    let was = action.old_value.as_ref().map(|value| format!(", was {old_key}{value}")).unwrap_or_default();
    format!("{resource_type} {id} {key}={value} ({reason}{was})")
}

fn show_plan_summary(context: &Context, plan: &Plan, session: &Session, saved: Option<&std::path::Path>) {
    let calls = run_output::calls_phrase(session);
    let left = run_output::skipped_phrase(&plan.summary.skipped);
    let more: String = plan.summary.more_tags.iter().map(|(key, count)| format!(", {count} with {key}")).collect();
    context.console.message(format_args!("{} to tag{more}{left}; {calls}; nothing was written", plan.summary.tag));
    if let Some(saved) = saved {
        let path = saved.display();
        let apply = context.suggest("apply").arg(saved);
        context.console.message(format_args!("the plan is in {path}; apply it with: {apply}"));
    }
}

async fn write(
    context: &Context,
    runner: &Runner<'_>,
    survey: &mut Survey,
    args: &Args,
) -> Result<Outcome, CommandError> {
    let prepared = runner.prepare_survey(survey);
    let report = tagging::execute(context, runner, Target::Tag, prepared).await?;
    let (kind, plan) = (RunKind::Tag, Some(&survey.plan));
    let (extent, stats) = (args.extent.into(), args.stats);
    let output = RunOutput { runner, report: &report, kind, plan, dry_run: false, extent, stats };
    let outcome = run_output::show_run(context, &output);
    Ok(if outcome == Outcome::Done { outcome_of_plan(&survey.plan) } else { outcome })
}

/// A type or resource that could not be read is a failure, even if nothing else is.
pub(super) fn outcome_of_plan(plan: &Plan) -> Outcome {
    let unread = plan.summary.skipped.contains_key(&SkipKind::TagsUnknown);
    if plan.summary.failed_types.is_empty() && plan.summary.problems.is_empty() && !unread {
        Outcome::Done
    } else {
        Outcome::ItemFailures
    }
}
