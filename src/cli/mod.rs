//! The command line: one file per command. The doc comments of its `Args` are its help.
//!
//! A command turns arguments into a call of the library, and its result into text or JSON. Precedence of a setting:
//! flag, `TRAILCREATOR_*` variable, settings file, default.

mod accounts;
mod apply;
mod command_line;
mod completions;
mod config;
mod count;
mod environment;
#[cfg(test)]
mod help_examples;
mod import;
mod list;
mod load_athena;
mod load_files;
mod load_history;
mod load_logs;
mod load_s3;
mod man;
mod policy;
mod prune;
mod report;
mod resource_map;
mod runs;
mod settings;
mod shared;
mod tag;
mod tag_org;
mod undo;
#[cfg(test)]
mod version;
mod watch;
mod who;

pub(crate) use shared::saved_plans::{PlanDocument, check_writes};

use std::mem;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::parser::ValueSource;

use command_line::{Cli, Command};
pub use shared::context::Context;
pub use shared::error::{CommandError, Outcome, with_causes};
pub use shared::options::{AwsAccessArgs, AwsArgs, GlobalArgs, Output, OwnerArgs, WindowArgs};
pub use shared::suggestion::Invocation;
use shared::{
    allow_updates, archived, bucket, call_stats, confirm, context, groups_of_rows, interrupt, load_summary, loading,
    nothing, options, organization, other_files, population, private_file, regions, run_output, saved_plans, scope,
    suggestion, tagging, types,
};

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    completions::answer();
    let (command, matches, settings) = environment::matches(command_line::named, command_line::whole);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| environment::exit(&error));
    context::start_logging(&cli.global);
    let context = Context::new(cli.global, Invocation::of(&command, &matches), settings);
    environment::check(&context, &command);
    regions::check_given(&context, &matches);
    let format = matches.value_source("output").filter(|source| *source == ValueSource::CommandLine);
    let outcome = match check_output(&cli.command, context.global.output, format.is_some())
        .and_then(|()| run(cli.command, &context))
    {
        Ok(outcome) => outcome,
        Err(error) => {
            context.remove_new_database();
            context.report(&error);
            error.outcome
        }
    };
    // What a script reads is incomplete, whatever else went well.
    let outcome = if outcome == Outcome::Done && context.console.has_lost_data() { Outcome::Failed } else { outcome };
    // The process ends here. Freeing these values would only cost time, and memory for the code that frees them. None has to be closed.
    mem::forget((context, matches, command));
    ExitCode::from(outcome.code())
}

/// The whole command line, with the global options in each command.
fn command() -> clap::Command {
    let mut command = command_line::whole();
    command.build();
    command
}

/// Checks that the command can print what `--output` asks for. `is_typed`: the format is from the command line, and not from the
/// environment or the settings file, where it is for the other commands: a shell that starts runs `completions`.
fn check_output(command: &Command, output: Output, is_typed: bool) -> Result<(), CommandError> {
    let refused = |message: &str| Err(CommandError::usage(message).hint("use --output json"));
    match (output, command) {
        (_, Command::Completions(_) | Command::Man(_)) if is_typed && output != Output::Text => {
            Err(CommandError::usage("completions and man print text only").hint("leave out --output"))
        }
        (_, Command::Completions(_) | Command::Man(_)) => Ok(()),
        (Output::Text | Output::Json, _) | (_, Command::List(_)) => Ok(()),
        (Output::Jsonl, Command::Watch(_)) | (Output::Csv, Command::Report(_)) => Ok(()),
        (Output::Jsonl, _) => refused("--output jsonl is a format of list and watch only"),
        (Output::Csv, _) => refused("--output csv is a format of list and report only"),
    }
}

fn run(command: Command, context: &Context) -> Result<Outcome, CommandError> {
    match command {
        Command::Count(args) => context.block_on(|| count::run(args, context)),
        Command::LoadAthena(args) => context.block_on(|| load_athena::run(args, context)),
        Command::LoadFiles(args) => context.block_on(|| load_files::run(args, context)),
        Command::LoadHistory(args) => context.block_on(|| load_history::run(args, context)),
        Command::LoadLogs(args) => context.block_on(|| load_logs::run(args, context)),
        Command::LoadS3(args) => context.block_on(|| load_s3::run(args, context)),
        Command::Watch(args) => context.block_on(|| watch::run(args, context)),
        Command::Import(args) => context.block_on(|| import::run(args, context)),
        Command::Who(args) => who::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Tag(args) => context.block_on(|| tag::run(args, context)),
        Command::TagOrg(args) => context.block_on(|| tag_org::run(args, context)),
        Command::Apply(args) => context.block_on(|| apply::run(args, context)),
        Command::Undo(args) => context.block_on(|| undo::run(args, context)),
        Command::Runs(args) => runs::run(&args, context),
        Command::Prune(args) => prune::run(&args, context),
        Command::Accounts(args) => context.block_on(|| accounts::run(args, context)),
        Command::Report(args) => context.block_on(|| report::run(args, context)),
        Command::ResourceMap(args) => resource_map::run(&args, context),
        Command::Policy(args) => policy::run(&args, context),
        Command::Config(args) => config::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}
