//! `who`: the creator of a resource, by the database, and on request by Event history.

use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;

use super::who_live::Live;
use super::{AwsAccessArgs, CommandError, Context, Outcome, OwnerArgs};
use crate::console::OutputFormat;
use crate::names::{AccountId, Region, ResourceType};
use crate::report::who::{Answer, Evidence, Filter, answers};
use crate::resource_map::ResourceMap;

/// Where an answer is from that is not the database's, in JSON.
const EVENT_HISTORY: &str = "event-history";

/// The version of the JSON document's form.
const FORMAT_VERSION: u32 = 1;

/// How many other events the text lists for one resource; JSON lists all.
const OTHER_EVENTS_SHOWN: usize = 5;

/// Tells who created a resource: when, by which call, from where and with what.
///
/// Exit code 4: nothing is known of some of the ids.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A resource: its id (i-0abc…), name, ARN or URL
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Only resources of this type (iam-role); repeatable
    #[arg(long = "type", value_name = "TYPE", value_parser = str::parse::<ResourceType>)]
    types: Vec<ResourceType>,
    /// Only resources in this account; repeatable
    #[arg(long = "account", value_name = "ID", value_parser = AccountId::parse)]
    accounts: Vec<AccountId>,
    /// Only resources in this region, and global ones; repeatable
    #[arg(long = "region", value_name = "REGION", value_parser = str::parse::<Region>)]
    regions: Vec<Region>,
    /// Ask CloudTrail's Event history (90 days) for what the database doesn't know: in the regions of --region, else in yours
    /// and where global types are recorded. What it tells is not stored
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
    resources: &'a [Told],
}

/// An answer and where it is from.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    answer: Answer,
    /// `None`: the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let map = Arc::new(context.resource_map()?);
    check_types(&args.types, &map)?;
    let store = if args.live && !context.global.db.exists() { None } else { Some(context.open_store_to_read()?) };
    let filter = Filter { types: args.types, accounts: args.accounts, regions: args.regions };
    let rules = args.owner.into();
    let is_global = |resource_type: &ResourceType| map.types.get(resource_type).is_some_and(|known| known.global);
    let answers = |id: &str, events| answers(id, events, &filter, &rules, &is_global);
    let mut told = Vec::new();
    let mut unknown = Vec::new();
    for id in &args.ids {
        let events = store.as_ref().map_or_else(|| Ok(Vec::new()), |store| store.events_of_resource(id));
        let found = answers(id, events.map_err(|error| context.store_error(&error))?);
        if args.live && !found.iter().any(Answer::is_known) {
            unknown.push((id, told.len()));
        }
        told.extend(found.into_iter().map(|answer| Told { answer, source: None }));
    }
    if !unknown.is_empty() {
        let live = Live::open(args.aws.into(), &filter.regions, Arc::clone(&map)).await?;
        // From the last on, so that places before it stay.
        for (id, place) in unknown.into_iter().rev() {
            let found = answers(id, live.events(context, id).await?);
            told.splice(place..=place, found.into_iter().map(of_history));
        }
    }
    print(&told, context);
    Ok(if told.iter().all(|told| told.answer.is_known()) { Outcome::Done } else { Outcome::ItemFailures })
}

fn of_history(answer: Answer) -> Told {
    if answer.is_known() {
        return Told { answer, source: Some(EVENT_HISTORY) };
    }
    let reason = "neither the database nor Event history (90 days) has a fitting event of it".to_owned();
    Told { answer: Answer { reason, ..answer }, source: None }
}

/// A misspelt type would look like a resource that nobody made.
fn check_types(types: &[ResourceType], map: &ResourceMap) -> Result<(), CommandError> {
    let Some(wrong) = types.iter().find(|resource_type| !map.types.contains_key(*resource_type)) else { return Ok(()) };
    let error = CommandError::usage(format_args!("there is no resource type {wrong} in the resource map"));
    Err(match map.nearest_type(wrong.as_str()) {
        Some(nearest) => error.hint(format!("did you mean {nearest}?")),
        None => error,
    })
}

fn print(found: &[Told], context: &Context) {
    match context.console.format {
        OutputFormat::Json => context.console.json(&Document { format_version: FORMAT_VERSION, resources: found }),
        OutputFormat::Text => {
            let paragraphs: Vec<String> = found.iter().map(|told| paragraph(told).join("\n")).collect();
            context.console.data(paragraphs.join("\n\n"));
        }
    }
}

fn paragraph(Told { answer, source }: &Told) -> Vec<String> {
    let mut lines = vec![heading(answer)];
    if source.is_some() {
        lines.push(line("source", "Event history, of the last 90 days; the database doesn't know it"));
    }
    lines.push(match &answer.owner {
        Some(owner) => line("owner", format_args!("{owner} ({})", answer.reason)),
        None => line("owner", format_args!("none: {}", answer.reason)),
    });
    if let Some(event) = &answer.event {
        lines.push(line(
            "created",
            format_args!("{} by {} of {}", event.event_time, event.event_name, event.event_source),
        ));
        lines.push(line("by", principal(event)));
        lines.push(line("from", origin(event)));
        lines.push(line("event", &event.event_id));
    }
    let hidden = answer.evidence.len().saturating_sub(OTHER_EVENTS_SHOWN);
    if hidden > 0 {
        lines.push(line("also", format_args!("{hidden} older events (--output json lists them)")));
    }
    lines.extend(answer.evidence[hidden..].iter().map(|event| line("also", other(event))));
    lines
}

fn heading(answer: &Answer) -> String {
    let places = [
        answer.resource_type.as_ref().map(ToString::to_string),
        answer.account_id.as_ref().map(|id| format!("account {id}")),
        answer.region.as_ref().map(ToString::to_string),
    ];
    let place: Vec<String> = places.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    let heading =
        if place.is_empty() { answer.id.to_string() } else { format!("{} ({})", answer.id, place.join(", ")) };
    printable(&heading)
}

/// The principal as CloudTrail names it, and the service that called for it.
fn principal(event: &Evidence) -> String {
    let name = event.principal_arn.as_ref().or(event.principal_id.as_ref()).or(event.identity_type.as_ref());
    match (name, &event.invoked_by) {
        (Some(name), Some(service)) => format!("{name}, through {service}"),
        (Some(name), None) => name.clone(),
        (None, Some(service)) => service.clone(),
        (None, None) => "an unknown principal".to_owned(),
    }
}

fn origin(event: &Evidence) -> String {
    let address = event.source_ip.as_deref().unwrap_or("an unknown address");
    match &event.tool {
        Some(tool) => format!("{address} with {tool}"),
        None => address.to_owned(),
    }
}

fn other(event: &Evidence) -> String {
    let tool = event.tool.as_ref().map(|tool| format!(" with {tool}")).unwrap_or_default();
    format!("{} {} by {}{tool}", event.event_time, event.event_name, principal(event))
}

fn line(label: &str, text: impl Display) -> String {
    format!("  {label:<8} {}", printable(&text.to_string()))
}

/// A trail holds texts of strangers: user agents, names. None may steer the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }).collect()
}
