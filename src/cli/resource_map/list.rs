//! `resource-map list`: one line per type.

use serde::Serialize;

use super::FORMAT_VERSION;
use crate::cli::{CommandError, Context, Outcome, types};
use crate::console::{Lines, OutputFormat, counted};
use crate::model::ResourceType;
use crate::resource_map::{TypeSummary, omitted_types};

/// Placeholder for an empty cell.
const NOTHING: &str = "-";

const EXAMPLES: &str = "\
Examples:
  List all types:
    trailcreator resource-map list
  List the types of one service, as JSON:
    trailcreator resource-map list --service iam --output json
  List the types that are not included, with the reasons:
    trailcreator resource-map list --omitted";

/// List the resource types, with their events, list calls, tag calls and known doubts
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// List only this type (iam-role, AWS::IAM::Role); repeatable
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>)]
    types: Vec<ResourceType>,
    /// List only types of this service, by its botocore name (iam, elbv2); repeatable
    #[arg(long = "service", value_name = "SERVICE")]
    services: Vec<String>,
    /// List the Cloud Custodian types that are not included, with the reasons
    #[arg(long, conflicts_with_all = ["types", "services"])]
    omitted: bool,
}

#[derive(Serialize)]
struct Document<'m> {
    format_version: u32,
    resource_types: Vec<TypeSummary<'m>>,
}

#[derive(Serialize)]
struct OmittedDocument {
    format_version: u32,
    omitted: Vec<Omitted>,
}

#[derive(Serialize)]
struct Omitted {
    #[serde(rename = "type")]
    resource_type: ResourceType,
    reason: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    if args.omitted {
        list_omitted(context);
        return Ok(Outcome::Done);
    }
    let map = context.resource_map()?;
    let types = types::resolve(&map, &args.types)?;
    map.check_services(&args.services).map_err(CommandError::usage)?;
    let mut summaries = map.summaries();
    summaries.retain(|summary| is_asked(args, &types, summary));
    match context.console.format {
        OutputFormat::Json => {
            context.console.json(&Document { format_version: FORMAT_VERSION, resource_types: summaries });
        }
        OutputFormat::Text => {
            context.console.lines(&table(&summaries));
            context.console.message(figures(&summaries));
        }
    }
    Ok(Outcome::Done)
}

fn is_asked(args: &Args, types: &[ResourceType], summary: &TypeSummary<'_>) -> bool {
    let by_service = summary.service.is_some_and(|service| args.services.iter().any(|asked| asked == service));
    (types.is_empty() || types.contains(summary.resource_type)) && (args.services.is_empty() || by_service)
}

fn table(summaries: &[TypeSummary<'_>]) -> Lines {
    let titles =
        ["type", "CloudFormation", "events", "listed by", "tags read by", "tags written by", "writing also", "doubts"];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    rows.extend(summaries.iter().map(row));
    Lines::table(&rows, 0)
}

fn row(summary: &TypeSummary<'_>) -> Vec<String> {
    let events: Vec<&str> = summary.events.iter().map(|event| event.event).collect();
    let below = summary.parent.map(|parent| format!(" below {parent}")).unwrap_or_default();
    let listed = if summary.listed_by.is_empty() { String::new() } else { summary.listed_by.join(", ") + &below };
    let cells = [
        summary.resource_type.to_string(),
        summary.cloudformation.unwrap_or_default().to_owned(),
        events.join(", "),
        listed,
        summary.tags_read_by.join(", "),
        summary.tags_written_by.join(", "),
        summary.updates.map(|updates| updates.what.clone()).unwrap_or_default(),
        doubts(summary).join("; "),
    ];
    cells.map(|cell| if cell.is_empty() { NOTHING.to_owned() } else { cell }).to_vec()
}

/// The type's own, then its events'.
fn doubts(summary: &TypeSummary<'_>) -> Vec<String> {
    let of_events = summary.events.iter().filter_map(|event| Some(format!("{}: {}", event.event, event.doubts?)));
    summary.doubts.map(str::to_owned).into_iter().chain(of_events).collect()
}

fn figures(summaries: &[TypeSummary<'_>]) -> String {
    let count = |is_so: fn(&TypeSummary<'_>) -> bool| summaries.iter().filter(|summary| is_so(summary)).count();
    let allowed = match count(|summary| summary.updates.is_some()) {
        0 => String::new(),
        some => format!(" ({some} of them only with --allow-updates)"),
    };
    format!(
        "{}: {} can be listed, {} can be tagged{allowed}, {} with doubts",
        counted(summaries.len() as u64, "type"),
        count(|summary| !summary.listed_by.is_empty()),
        count(|summary| !summary.tags_written_by.is_empty()),
        count(|summary| !doubts(summary).is_empty())
    )
}

fn list_omitted(context: &Context) {
    let omitted: Vec<Omitted> =
        omitted_types().into_iter().map(|(resource_type, reason)| Omitted { resource_type, reason }).collect();
    match context.console.format {
        OutputFormat::Json => context.console.json(&OmittedDocument { format_version: FORMAT_VERSION, omitted }),
        OutputFormat::Text => {
            let row = |one: &Omitted| vec![one.resource_type.to_string(), one.reason.clone()];
            context.console.lines(&Lines::table(&omitted.iter().map(row).collect::<Vec<_>>(), 0));
        }
    }
}
