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
/// A settings file holds options that are not given as a flag or a TRAILCREATOR_* variable. The file is --settings
/// FILE, else trailcreator.yml in the working directory, else trailcreator/trailcreator.yml in the user's
/// configuration directory (~/.config). The keys of the file are the options' names. Options for one command can be
/// below the command's name.
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
