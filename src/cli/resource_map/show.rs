//! `resource-map show`: prints a type's definition as a valid resource map.

use serde::Serialize;

use super::FORMAT_VERSION;
use crate::cli::{CommandError, Context, Outcome, types};
use crate::console::OutputFormat;
use crate::model::ResourceType;
use crate::resource_map::{Description, descriptions};

const EXAMPLES: &str = "\
Examples:
  Print the definition of SQS queues:
    trailcreator resource-map show sqs
  Print it by its CloudFormation name, as JSON:
    trailcreator resource-map show AWS::SQS::Queue --output json";

/// Print the definition of a resource type, as YAML for your own map
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Resource type (iam-role, AWS::IAM::Role)
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
    let name = &types::resolve(&map, std::slice::from_ref(&args.resource_type))?.remove(0);
    let files = [context.global.resource_map.as_slice(), &context.global.extend_map].concat();
    let found = descriptions(name, &files).map_err(CommandError::usage)?;
    match context.console.format {
        OutputFormat::Json => context.console.json(&Document {
            format_version: FORMAT_VERSION,
            resource_type: name.clone(),
            descriptions: found,
        }),
        OutputFormat::Text => {
            let documents: Vec<String> =
                found.iter().map(|description| format!("# {}\n{}", description.file, description.yaml())).collect();
            context.console.document(documents.join("---\n").trim_end());
        }
    }
    Ok(Outcome::Done)
}
