//! `resource-map`: shows the known resource types, and checks a user's map.

mod check;
mod list;
mod show;

use super::{CommandError, Context, Outcome};

/// Version of the format of the JSON documents.
const FORMAT_VERSION: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  List the types of two services:
    trailcreator resource-map list --service iam --service ec2
  Print a built-in type, as a start for your own map:
    trailcreator resource-map show sqs
  Check a map, and try it on CloudTrail records:
    trailcreator resource-map check my-map.yml --events records.json";

/// Show the resource map, or check your own
///
/// The resource map defines, for each resource type, which events create it, how to list it, and how to read and write its
/// tags. --resource-map and --extend-map apply here too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Check(check::Args),
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    match &args.command {
        Command::List(args) => list::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Check(args) => check::run(args, context),
    }
}
