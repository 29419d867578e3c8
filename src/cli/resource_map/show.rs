//! `resource-map show`: all that the maps say of a type, in a form that is a map again.

use serde::Serialize;

use super::FORMAT_VERSION;
use crate::cli::{CommandError, Context, Outcome};
use crate::console::OutputFormat;
use crate::names::ResourceType;
use crate::resource_map::{Description, ResourceMap, descriptions, omitted_types};

/// Show all that is known of a resource type, as YAML that can go into a map of your own
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The type (iam-role)
    #[arg(value_name = "TYPE", value_parser = str::parse::<ResourceType>)]
    resource_type: ResourceType,
}

#[derive(Serialize)]
struct Document {
    format_version: u32,
    #[serde(rename = "type")]
    resource_type: ResourceType,
    descriptions: Vec<Description>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    // Checks the user's files too.
    let map = context.resource_map()?;
    let name = &args.resource_type;
    let files = [context.global.resource_map.as_slice(), &context.global.extend_map].concat();
    let found = descriptions(name, &files).map_err(CommandError::usage)?;
    if found.is_empty() {
        return Err(unknown(&map, name));
    }
    match context.console.format {
        OutputFormat::Json => context.console.json(&Document {
            format_version: FORMAT_VERSION,
            resource_type: name.clone(),
            descriptions: found,
        }),
        OutputFormat::Text => {
            let documents: Vec<String> =
                found.iter().map(|description| format!("# {}\n{}", description.file, description.yaml())).collect();
            context.console.data(documents.join("---\n").trim_end());
        }
    }
    Ok(Outcome::Done)
}

fn unknown(map: &ResourceMap, name: &ResourceType) -> CommandError {
    let error = CommandError::usage(format_args!("there is no resource type {name} in the resource map"));
    if let Some(reason) = omitted_types().remove(name) {
        return error.hint(format!("it is left out: {reason}"));
    }
    match map.nearest_type(name.as_str()) {
        Some(nearest) => error.hint(format!("did you mean {nearest}?")),
        None => error.hint("trailcreator resource-map list shows all types"),
    }
}
