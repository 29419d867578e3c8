//! `who`: shows the creator of a resource, from the database and optionally from Event history.

mod live;

use std::fmt::Display;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use futures::FutureExt;
use serde::Serialize;

use super::options::{show_missing_sessions, show_unused_rules};
use super::{AwsAccessArgs, CommandError, Context, Outcome, OwnerArgs, types};
use crate::console::{Lines, OutputFormat};
use crate::creator::{OwnerRules, People, Rule, Step};
use crate::load::identity_center;
use crate::model::{AccountId, Region, ResourceType};
use crate::report::who::{Answer, EventFacts, Filter, PrincipalFacts, answers};
use crate::resource_map::ResourceMap;
use crate::store::coverage::{Coverage, CoveredPlace, CoveredSource};
use crate::store::renames::ResourceHistory;
use crate::store::{Store, StoreError};
use live::Live;

/// The `source` of an answer that comes from Event history, in JSON.
const EVENT_HISTORY: &str = "event-history";

/// The version of the JSON document's format.
const FORMAT_VERSION: u32 = 1;

/// How many other events the text lists for each resource. JSON lists all.
const OTHER_EVENTS_SHOWN: usize = 5;

/// How many account-regions of the database the text lists. JSON lists all.
const PLACES_SHOWN: usize = 10;

const EXAMPLES: &str = "\
Examples:
  Show who created an instance:
    trailcreator who i-0123456789abcdef0
  Show who created a role, given by name, in one account:
    trailcreator who deploy --type iam-role --account 111122223333
  Look in CloudTrail Event history too, if the database has no event of the bucket:
    trailcreator who my-bucket --live --region eu-west-1";

/// Show who created a resource, when, and with which tool
///
/// Exit codes: 0 all resources found, 1 failed, 2 usage, 4 some resources have no recorded creator.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Resource ID (i-0abc…), name, ARN, URL, or page of the AWS console
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Show only resources of this type (iam-role, AWS::IAM::Role); repeatable
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>)]
    types: Vec<ResourceType>,
    /// Show only resources in this account; repeatable
    #[arg(long = "account", value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    accounts: Vec<AccountId>,
    /// Show only resources in this region, and global resources; repeatable
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = str::parse::<Region>)]
    regions: Vec<Region>,
    /// Also look in CloudTrail Event history (90 days) for resources without events in the database. Looks in the regions of
    /// --region, or else the current region, and in the regions that record events of global types. Stores nothing
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    resources: &'a [SourcedAnswer],
    /// The accounts, regions and times in the database. Present if a resource was not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    loaded: Option<&'a Coverage>,
}

/// An answer and its source.
#[derive(Serialize)]
struct SourcedAnswer {
    #[serde(flatten)]
    answer: Answer,
    /// `None`: the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
}

/// What applies to every resource in the command.
struct Question<'a> {
    filter: Filter,
    rules: OwnerRules,
    map: &'a ResourceMap,
}

impl Question<'_> {
    fn answers(&self, id: &str, history: ResourceHistory) -> Vec<Answer> {
        answers(id, history, &self.filter, &self.rules, self.map)
    }

    /// Adds the principals that created the sessions behind the events, if chains are resolved and the database has them.
    fn with_makers(&self, store: Option<&Store>, mut history: ResourceHistory) -> Result<ResourceHistory, StoreError> {
        if let Some(store) = store.filter(|_| self.rules.resolve_chains) {
            let events = history.events.iter_mut().chain(&mut history.related).chain(&mut history.of_earlier_names);
            store.fill_makers(events.map(|stored| &mut stored.event))?;
        }
        Ok(history)
    }
}

pub(super) fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    if args.live {
        return context.block_on_this_thread(|| answer(args, context));
    }
    // Nothing waits then, and no async runtime has to start.
    answer(args, context).now_or_never().expect("only --live calls AWS, and waits")
}

async fn answer(mut args: Args, context: &Context) -> Result<Outcome, CommandError> {
    // Never freed: see the end of `cli::main`.
    let map = ManuallyDrop::new(Arc::new(context.resource_map()?));
    args.types = types::resolve(&map, &args.types)?;
    let rules = args.owner.rules(&map, &[])?;
    let store = if args.live && !context.global.db.exists() { None } else { Some(context.open_store_to_read()?) };
    if let Some(store) = &store {
        show_missing_sessions(context, store, &rules)?;
    }
    let filter = Filter { types: args.types, accounts: args.accounts, regions: args.regions };
    let mut question = Question { filter, rules, map: &map };
    let mut asking = Asking { context, aws: args.aws, map: &map, live: None };
    question.rules.people = Arc::new(people(&mut asking, store.as_ref(), args.live, &question.filter).await?);
    let mut answers = Vec::new();
    let mut unknown = Vec::new();
    for id in &args.ids {
        let history = store
            .as_ref()
            .map(|store| store.history_of_resource(map.naming(), id))
            .transpose()
            .map(Option::unwrap_or_default);
        let history = history.and_then(|history| question.with_makers(store.as_ref(), history));
        let found = question.answers(id, history.map_err(|error| context.store_error(&error))?);
        if args.live && !found.iter().any(Answer::is_known) {
            unknown.push((id, answers.len()));
        }
        answers.extend(found.into_iter().map(|answer| SourcedAnswer { answer, source: None }));
    }
    // From last to first, so that earlier positions stay valid.
    for (id, place) in unknown.into_iter().rev() {
        let live = asking.open(&question.filter).await?;
        let history = question.with_makers(store.as_ref(), live.history(context, id).await?);
        let found = question.answers(id, history.map_err(|error| context.store_error(&error))?);
        answers.splice(place..=place, found.into_iter().map(of_history));
    }
    finish(&answers, store.as_ref(), &question, context)
}

/// Prints the answers, with the contents of the database if one is missing.
fn finish(
    answers: &[SourcedAnswer],
    store: Option<&Store>,
    question: &Question<'_>,
    context: &Context,
) -> Result<Outcome, CommandError> {
    let all_known = answers.iter().all(|one| one.answer.is_known());
    let loaded = store.filter(|_| !all_known).map(Store::coverage).transpose();
    let loaded = loaded.map_err(|error| context.store_error(&error))?;
    print(answers, loaded.as_ref(), &question.filter, context);
    show_unused_rules(context, &question.rules);
    Ok(if all_known { Outcome::Done } else { Outcome::ItemFailures })
}

/// The AWS session, opened on first use.
struct Asking<'a> {
    context: &'a Context,
    aws: AwsAccessArgs,
    map: &'a Arc<ResourceMap>,
    live: Option<Live>,
}

impl Asking<'_> {
    async fn open(&mut self, filter: &Filter) -> Result<&Live, CommandError> {
        let live = match self.live.take() {
            Some(live) => live,
            None => Live::open(self.aws.clone().into(), &filter.regions, Arc::clone(self.map)).await?,
        };
        Ok(self.live.insert(live))
    }
}

/// The names of Identity Center users: from the database, and with `--live` also from the identity store.
async fn people(
    asking: &mut Asking<'_>,
    store: Option<&Store>,
    live: bool,
    filter: &Filter,
) -> Result<People, CommandError> {
    let context = asking.context;
    let failed = |error| context.store_error(&error);
    let Some(store) = store else { return Ok(People::default()) };
    if !live || store.unnamed_users(None).map_err(failed)?.is_empty() {
        return store.people().map_err(failed);
    }
    let session = asking.open(filter).await?.session();
    identity_center::names(session, store, None).await.map_err(failed)
}

fn of_history(answer: Answer) -> SourcedAnswer {
    if answer.is_known() {
        return SourcedAnswer { answer, source: Some(EVENT_HISTORY) };
    }
    let owner_reason = "no matching event in the database or in Event history (90 days)".to_owned();
    let advice = answer.advice.into_iter().filter(|advice| !advice.contains("--live")).collect();
    SourcedAnswer { answer: Answer { owner_reason, advice, ..answer }, source: None }
}

fn print(found: &[SourcedAnswer], loaded: Option<&Coverage>, filter: &Filter, context: &Context) {
    match context.console.format {
        OutputFormat::Json => {
            context.console.json(&Document { format_version: FORMAT_VERSION, resources: found, loaded });
        }
        OutputFormat::Text => {
            let paragraphs = found.iter().map(paragraph).chain(loaded.map(|loaded| coverage(loaded, filter)));
            let mut text = Lines::default();
            for (number, paragraph) in paragraphs.enumerate() {
                if number > 0 {
                    text.line("");
                }
                text.append(&paragraph.iter().collect());
            }
            context.console.lines(&text);
        }
    }
}

/// The accounts, regions and times in the database: they show whether it can have the resource's create event.
fn coverage(loaded: &Coverage, filter: &Filter) -> Vec<String> {
    let mut lines = vec!["Loaded in the database:".to_owned()];
    let is_meant = |place: &&CoveredPlace| {
        (filter.accounts.is_empty() || filter.accounts.contains(&place.account_id))
            && (filter.regions.is_empty() || filter.regions.contains(&place.region))
    };
    let places: Vec<&CoveredPlace> = loaded.places.iter().filter(is_meant).collect();
    if places.is_empty() {
        lines.push(line("events", "none for the given accounts and regions"));
    }
    lines.extend(places.iter().take(PLACES_SHOWN).map(|place| {
        let CoveredPlace { account_id, region, first_event, last_event } = place;
        line("events", format_args!("account {account_id} in {region}, from {first_event} to {last_event}"))
    }));
    let hidden = places.len().saturating_sub(PLACES_SHOWN);
    if hidden > 0 {
        lines.push(line("events", format_args!("and {hidden} more account-regions (--output json lists them)")));
    }
    let source = |source: &CoveredSource| match (&source.first_day, &source.last_day) {
        (Some(first), Some(last)) => format!("{}, days from {first} to {last}", source.source),
        (None, Some(last)) => format!("{}, days up to {last}", source.source),
        _ => source.source.clone(),
    };
    lines.extend(loaded.sources.iter().map(|found| line("read", source(found))));
    lines
}

fn paragraph(SourcedAnswer { answer, source }: &SourcedAnswer) -> Vec<String> {
    let mut lines = vec![heading(answer)];
    if source.is_some() {
        lines.push(line("source", "Event history of the last 90 days; not in the database"));
    }
    lines.push(match &answer.owner {
        Some(owner) => line("owner", format_args!("{owner} ({})", answer.owner_reason)),
        None => line("owner", format_args!("none: {}", answer.owner_reason)),
    });
    if let Some(event) = &answer.event {
        lines.push(line("created", format_args!("{} by {} of {}", event.time, event.name, event.source)));
        lines.push(line("by", principal(event)));
        lines.push(line("from", origin(event)));
        lines.push(line("event", &event.id));
    }
    // The lines above already show what these rules say.
    let is_news = |step: &&Step| !matches!(step.rule, Rule::Caller | Rule::CreatorValue);
    lines.extend(answer.evidence.iter().filter(is_news).map(|step| line("why", &step.says)));
    let hidden = answer.other_events.len().saturating_sub(OTHER_EVENTS_SHOWN);
    if hidden > 0 {
        lines.push(line("also", format_args!("{hidden} older events (--output json lists them)")));
    }
    lines.extend(answer.other_events[hidden..].iter().map(|event| line("also", other(event))));
    lines.extend(answer.advice.iter().map(|advice| line("next", advice)));
    lines
}

fn heading(answer: &Answer) -> String {
    let places = [
        answer.resource_type.as_ref().map(ToString::to_string),
        answer.account_id.as_ref().map(|id| format!("account {id}")),
        answer.region.as_ref().map(ToString::to_string),
    ];
    let place: Vec<String> = places.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    if place.is_empty() { answer.id.to_string() } else { format!("{} ({})", answer.id, place.join(", ")) }
}

/// The principal as CloudTrail names it, and the service that made the call on its behalf.
fn principal(event: &EventFacts) -> String {
    let PrincipalFacts { known, id, invoked_by, .. } = &event.principal;
    let name = known.arn.as_ref().or(id.as_ref()).or(known.kind.as_ref());
    match (name, invoked_by) {
        (Some(name), Some(service)) => format!("{name}, through {service}"),
        (Some(name), None) => name.to_string(),
        (None, Some(service)) => service.to_string(),
        (None, None) => "an unknown principal".to_owned(),
    }
}

fn origin(event: &EventFacts) -> String {
    let address = event.source_ip.as_deref().unwrap_or("an unknown address");
    match &event.tool {
        Some(tool) => format!("{address} with {tool}"),
        None => address.to_owned(),
    }
}

fn other(event: &EventFacts) -> String {
    let tool = event.tool.as_ref().map(|tool| format!(" with {tool}")).unwrap_or_default();
    let renamed = event.renamed_to.as_ref().map(|name| format!(" (renamed to {name})")).unwrap_or_default();
    format!("{} {}{renamed} by {}{tool}", event.time, event.name, principal(event))
}

fn line(label: &str, text: impl Display) -> String {
    format!("  {label:<8} {text}")
}
