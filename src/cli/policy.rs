//! `policy`: the IAM policy that a command needs.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::population::Population;
use super::{CommandError, Context, Outcome, allow_updates, types};
use crate::console::OutputFormat;
use crate::model::ResourceType;
use crate::plan::updates::Updates;
use crate::policy::{MAX_CHARACTERS, Needs, Work, documents, needs};
use crate::resource_map::{ResourceMap, TypeDefinition};

/// The version of the JSON document's form.
const FORMAT_VERSION: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  Print the policy for tagging two types:
    trailcreator policy tag --type ec2 --type ebs
  Print the policy for loading a trail from S3:
    trailcreator policy load-s3
  Write the policies of a report to files:
    trailcreator policy report --output-dir policies";

/// Print the least-privilege IAM policy for a command
///
/// The policy has an action for each AWS call that the command makes. If one policy would exceed IAM's limit of 6,144
/// characters, prints a list of policies; attach all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Command that the policy is for
    #[arg(value_enum, value_name = "COMMAND")]
    command: Command,
    /// Include only actions for this type (iam-role, AWS::IAM::Role); repeatable
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>)]
    types: Vec<ResourceType>,
    /// Include only actions for the types of this service, by its botocore name (iam, elbv2); repeatable
    #[arg(long = "service", value_name = "SERVICE")]
    services: Vec<String>,
    /// Include the actions for --allow-updates with this type (cfn); --type must include the type too; repeatable
    #[arg(long, value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>, env = "TRAILCREATOR_ALLOW_UPDATES")]
    allow_updates: Vec<ResourceType>,
    /// Include the actions that --inherit needs to read parents (tag, tag-org and report)
    #[arg(long)]
    inherit: bool,
    /// Include the actions for --population with this source: config, or config:AGGREGATOR (tag, tag-org, report and list)
    #[arg(long, value_name = "SOURCE", value_parser = str::parse::<Population>, env = "TRAILCREATOR_POPULATION")]
    population: Option<Population>,
    /// Write policy-1.json, policy-2.json… to this folder instead
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Command {
    LoadAthena,
    LoadFiles,
    LoadHistory,
    LoadLogs,
    LoadS3,
    /// For the process that watches; the role in each account of -c takes the policy of tag-org
    Watch,
    Import,
    /// For --live
    Who,
    Tag,
    /// For the role in each account
    TagOrg,
    Apply,
    Undo,
    Runs,
    Accounts,
    Report,
    /// For --live
    List,
    Count,
    ResourceMap,
}

impl Command {
    fn work(self) -> Work {
        match self {
            Self::LoadAthena => Work::Athena,
            Self::LoadHistory => Work::History,
            Self::LoadLogs => Work::Logs,
            Self::LoadS3 | Self::Count => Work::ReadTrail,
            Self::Watch => Work::Watch,
            Self::Who => Work::Lookup,
            Self::Tag => Work::Tag,
            // Before a plan is applied its resources are listed again. To resume an undo takes the policy of undo.
            Self::Apply => Work::Apply,
            Self::TagOrg => Work::TagAccount,
            Self::Undo => Work::Undo,
            Self::Accounts => Work::Organization,
            Self::Report | Self::List => Work::Report,
            Self::LoadFiles | Self::Import | Self::Runs | Self::ResourceMap => Work::Nothing,
        }
    }
}

#[derive(Serialize)]
struct Document {
    format_version: u32,
    policies: Vec<Value>,
    unknown: Vec<UnknownCall>,
}

/// A call of a user's map that says no action.
#[derive(Serialize)]
struct UnknownCall {
    #[serde(rename = "type")]
    resource_type: ResourceType,
    call: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    let map = context.resource_map()?;
    let mut types = allow_updates::resolve(&args.allow_updates, context, &map)?;
    types.extend(types::resolve(&map, &args.types)?);
    let allowed = Updates::of(types, []);
    let may_write = |definition: &TypeDefinition| allowed.allow(definition);
    let work = args.command.work();
    let mut needs = needs(&map, work, args.inherit, chosen(args, &map)?, &may_write);
    if let Some(Population::Config(aggregator)) = &args.population {
        needs.add_config(work, aggregator.is_some());
    }
    let Needs { actions, unknown } = needs;
    let policies = documents(&actions);
    for (resource_type, call) in &unknown {
        context.console.warning(format_args!(
            "the resource map has no IAM action for {call} of {resource_type}: add `action` to it"
        ));
    }
    let outcome = if unknown.is_empty() { Outcome::Done } else { Outcome::ItemFailures };
    match policies.len() {
        0 => context.console.message("the command needs no AWS permissions"),
        1 => {}
        count => context.console.message(format_args!(
            "{count} policies: one would exceed IAM's {MAX_CHARACTERS} characters; attach all of them"
        )),
    }
    if let Some(folder) = &args.output_dir {
        write(folder, &policies, context)?;
    } else if context.console.format == OutputFormat::Json {
        let unknown = unknown.into_iter().map(|(resource_type, call)| UnknownCall { resource_type, call }).collect();
        context.console.json(&Document { format_version: FORMAT_VERSION, policies, unknown });
    } else if let [policy] = policies.as_slice() {
        context.console.json(policy);
    } else {
        context.console.json(&policies);
    }
    Ok(outcome)
}

/// The types asked for; without any, all that can be tagged.
fn chosen<'m>(args: &Args, map: &'m ResourceMap) -> Result<Vec<&'m TypeDefinition>, CommandError> {
    let types = types::resolve(map, &args.types)?;
    map.check_services(&args.services).map_err(CommandError::usage)?;
    let is_asked = |definition: &&TypeDefinition| {
        let is_taggable = definition.access.as_ref().is_some_and(|access| access.write.is_some());
        if types.is_empty() && args.services.is_empty() {
            return is_taggable;
        }
        let by_service = definition.service_name().is_some_and(|name| args.services.iter().any(|asked| asked == name));
        types.contains(&definition.resource_type) || (by_service && is_taggable)
    };
    Ok(map.types.values().filter(is_asked).collect())
}

fn write(folder: &PathBuf, policies: &[Value], context: &Context) -> Result<(), CommandError> {
    let failed = |what: &PathBuf, error: &std::io::Error| {
        CommandError::while_doing(format_args!("writing {}", what.display()), error)
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for (number, policy) in (1..).zip(policies) {
        let path = folder.join(format!("policy-{number}.json"));
        let text = format!("{policy:#}\n");
        fs::write(&path, text).map_err(|error| failed(&path, &error))?;
        context.console.message(format_args!("wrote {}", path.display()));
    }
    Ok(())
}
