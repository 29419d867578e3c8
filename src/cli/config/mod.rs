//! `config`: shows the settings with their origins, and the settings file's schema.

mod schema;
mod show;

use super::{CommandError, Context, Outcome};

const EXAMPLES: &str = "\
Examples:
  Show all settings of tag, and where each comes from:
    trailcreator config show tag
  Show what an option changes:
    trailcreator config show load-s3 --bucket my-trail
  Write the JSON Schema of the settings file, for an editor:
    trailcreator config schema > trailcreator.schema.json";

/// Show the settings, and where each comes from
///
/// Options that are not given as a flag or a TRAILCREATOR_* variable come from a settings file: --settings FILE, else
/// trailcreator.yml in the working directory, else trailcreator/trailcreator.yml in the user's configuration directory
/// (~/.config). Its keys are the options' names; the options of one command can be below the command's name.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Show(show::Args),
    Schema(schema::Args),
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    match &args.command {
        Command::Show(args) => show::run(args, context),
        Command::Schema(args) => {
            schema::run(args, context);
            Ok(Outcome::Done)
        }
    }
}
