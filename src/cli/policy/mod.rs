//! `policy`: the IAM policy that a command needs.

mod scope;

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::population::Population;
use super::{CommandError, Context, Outcome, allow_updates, types};
use crate::console::OutputFormat;
use crate::model::ResourceType;
use crate::plan::updates::Updates;
use crate::policy::{
    Fit, MAX_CHARACTERS, MAX_INLINE_CHARACTERS, MAX_POLICIES_OF_ROLE, MAX_TEMPLATE_BYTES, Needs, RoleOf, Work,
    cloudformation, documents, needs, terraform,
};
use crate::resource_map::{ResourceMap, TypeDefinition};
use scope::ScopeArgs;

/// The version of the JSON document's form.
const FORMAT_VERSION: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  Print the policy for tagging two types:
    trailcreator policy tag --type ec2 --type ebs
  Print the policy for loading a trail from a bucket:
    trailcreator policy load-s3 --bucket my-trail
  Write a CloudFormation template with the role in each account of an organization:
    trailcreator policy member --format cloudformation > member.yml";

/// Print the least-privilege IAM policy for a command
///
/// The policy has an action for each AWS call that the command makes. Actions on a trail's bucket, a queue or a log group are
/// limited to the ones that you name. If one policy would exceed IAM's limit of 6,144 characters, prints a list of policies;
/// attach all of them. `policy member` and `policy hub` are for the two roles of an organization.
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
    /// Allow List* and Describe* of a service if several of these actions are needed. This gives fewer policies, with
    /// more permissions to read names and settings, and none to read contents
    #[arg(long)]
    wildcards: bool,
    /// Format of the policies: JSON documents, a CloudFormation template, or Terraform resources
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write policy-1.json, policy-2.json… (or policy.yml, policy.tf) to this folder instead
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
    // Last: a flattened group's heading applies to the options declared after it.
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[default]
    Json,
    /// With `member`, also the role
    Cloudformation,
    /// With `member`, also the role
    Terraform,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Command {
    LoadAthena,
    LoadFiles,
    LoadHistory,
    LoadLogs,
    LoadS3,
    /// For the role that runs watch; the role in each account of -c needs the policy of tag-org
    Watch,
    Import,
    /// For --live
    Who,
    Tag,
    /// For the role in each account
    TagOrg,
    /// For the role in each account: tag-org and its undo; templates also create the role
    Member,
    /// For the role that runs load-s3, accounts and tag-org, and assumes the role in each account
    Hub,
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
            Self::Member => Work::Member,
            Self::Hub => Work::Hub,
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
    if args.wildcards {
        needs.shorten();
    }
    let policies = documents(&needs, &args.scope.scope());
    for (resource_type, call) in &needs.unknown {
        context.console.warning(format_args!(
            "the resource map has no IAM action for {call} of {resource_type}: add `action` to it"
        ));
    }
    let outcome = if needs.unknown.is_empty() { Outcome::Done } else { Outcome::ItemFailures };
    report_fit(&policies, context);
    match template(args, &policies) {
        Some((name, text)) => {
            if context.console.format == OutputFormat::Json {
                return Err(CommandError::usage("--output json prints the policies, not a template")
                    .hint("omit --output, or --format"));
            }
            if text.len() > MAX_TEMPLATE_BYTES && args.format == Format::Cloudformation {
                context.console.message(format_args!(
                    "the template exceeds the {MAX_TEMPLATE_BYTES} bytes of a request: upload it to a bucket, and use --template-url"
                ));
            }
            match &args.output_dir {
                Some(folder) => write(folder, &[(name.to_owned(), text)], context)?,
                None => context.console.document(&text),
            }
        }
        None => print_documents(args, policies, needs, context)?,
    }
    Ok(outcome)
}

/// Prints how the policies fit into a role.
fn report_fit(policies: &[Value], context: &Context) {
    let fit = Fit::of(policies);
    match policies.len() {
        0 => context.console.message("the command needs no AWS permissions"),
        1 => {}
        count => context.console.message(format_args!(
            "{count} policies: one would exceed IAM's {MAX_CHARACTERS} characters; attach all of them"
        )),
    }
    if !fit.is_of_one_role() {
        context.console.warning_with_hints(
            format_args!("a role takes {MAX_POLICIES_OF_ROLE} managed policies, unless its account has a higher quota"),
            ["shorten the policies with --wildcards, or narrow them with --type or --service"],
        );
    } else if fit.policies > 1 && fit.is_inline() {
        context.console.message(format_args!(
            "they also fit as inline policies, which may have {MAX_INLINE_CHARACTERS} characters in a role"
        ));
    }
}

/// The name of the file and the text of a template, if one is asked for.
fn template(args: &Args, policies: &[Value]) -> Option<(&'static str, String)> {
    let role = if matches!(args.command, Command::Member) { RoleOf::Member } else { RoleOf::Existing };
    let command = args.command.to_possible_value()?;
    let about = format!("Permissions of trailcreator {}", command.get_name());
    match args.format {
        Format::Json => None,
        Format::Cloudformation => Some(("policy.yml", cloudformation(policies, role, &about))),
        Format::Terraform => Some(("policy.tf", terraform(policies, role, &about))),
    }
}

fn print_documents(args: &Args, policies: Vec<Value>, needs: Needs, context: &Context) -> Result<(), CommandError> {
    if let Some(folder) = &args.output_dir {
        let file = |(number, policy): (usize, &Value)| (format!("policy-{number}.json"), format!("{policy:#}\n"));
        write(folder, &(1..).zip(&policies).map(file).collect::<Vec<_>>(), context)?;
        if context.console.format == OutputFormat::Text {
            return Ok(());
        }
    }
    if context.console.format == OutputFormat::Json {
        let unknown = needs.unknown.into_iter();
        let unknown = unknown.map(|(resource_type, call)| UnknownCall { resource_type, call }).collect();
        context.console.json(&Document { format_version: FORMAT_VERSION, policies, unknown });
    } else if let [policy] = policies.as_slice() {
        context.console.json(policy);
    } else {
        context.console.json(&policies);
    }
    Ok(())
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
    Ok(map.definitions().filter(is_asked).collect())
}

/// Writes files, by their names, to a folder.
fn write(folder: &Path, files: &[(String, String)], context: &Context) -> Result<(), CommandError> {
    let failed = |what: &Path, error: &std::io::Error| {
        CommandError::while_doing(format_args!("writing {}", what.display()), error)
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, &error))?;
        context.console.message(format_args!("wrote {}", path.display()));
    }
    Ok(())
}
