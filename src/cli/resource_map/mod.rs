//! `resource-map`: what is known of resource types, and whether a map of one's own is right.

mod check;
mod list;
mod show;

use super::{CommandError, Context, Outcome};

/// The version of the JSON documents' form.
const FORMAT_VERSION: u32 = 1;

/// Show the resource map, or check one of your own
///
/// The map says which events make a type, how it is listed and how its tags are read and written; docs/resource-maps.md
/// tells its form. --resource-map and --extend-map count here as everywhere.
#[derive(Debug, clap::Args)]
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
