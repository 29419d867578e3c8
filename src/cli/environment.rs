//! `TRAILCREATOR_*` variables: one that is empty counts as unset, and one that no option reads is reported.
//!
//! clap takes an empty variable for a value: `TRAILCREATOR_ASSUME=` would be a role without a name. clap has no switch for that, and
//! the process environment can't be changed safely. So options forget an empty variable before they are parsed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::{env, process};

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command};

use super::settings::Settings;
use super::{Context, Outcome, command};
use crate::console::plain_message;
use crate::text::nearest;
use crate::text::safe::is_safe;
use crate::text::source::FileError;

/// Parses the process's arguments. Returns the command as parsed, with the global options in the given subcommand, what was given, and
/// the settings file. Prints help, version and errors, and ends the process then.
///
/// `named` makes the program with the commands that the arguments name, `whole` the one with all.
pub(super) fn matches(named: fn() -> Command, whole: fn() -> Command) -> Parsed {
    // A right command line needs no other commands, nor does the version.
    let parsed = parse(named).or_else(|failed| match failed {
        Failed::Arguments(error) if error.kind() == ErrorKind::DisplayVersion => Err(Failed::Arguments(error)),
        _ => parse(whole),
    });
    parsed.unwrap_or_else(|failed| match failed {
        Failed::Settings(error) => exit_over(&error),
        Failed::Arguments(error) => exit(&error),
        // Help names every option's variable, empty or not.
        Failed::Help => {
            let mut command = whole();
            let matches = command.get_matches_mut();
            (command, matches, Settings::default())
        }
    })
}

type Parsed = (Command, ArgMatches, Settings);

/// Why there is no command to run.
enum Failed {
    Settings(FileError),
    Arguments(clap::Error),
    /// What was asked for is help.
    Help,
}

/// Parses with what `program` makes. It is made again for each step, and not copied, so that only one is in memory.
fn parse(program: fn() -> Command) -> Result<Parsed, Failed> {
    let without = || without_empty_variables(program());
    // Help and version are printed whatever the settings file holds, and without its values.
    let given = without().ignore_errors(true).try_get_matches_from(env::args_os()).ok();
    let settings = given.as_ref().map(read_settings).transpose().map_err(Failed::Settings)?.unwrap_or_default();
    let mut command = match &given {
        Some(given) => settings.put_into(without(), given).map_err(Failed::Settings)?,
        None => without(),
    };
    match command.try_get_matches_from_mut(env::args_os()) {
        Ok(matches) => Ok((command, matches, settings)),
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) =>
        {
            Err(Failed::Help)
        }
        Err(error) => {
            let refused = given.and_then(|given| settings.refused(&without(), &given));
            Err(refused.map_or(Failed::Arguments(error), Failed::Settings))
        }
    }
}

/// The settings file that is named or found. A command that is given without an error ends over an invalid file.
fn read_settings(given: &ArgMatches) -> Result<Settings, FileError> {
    let named = given.try_get_one::<PathBuf>("settings").ok().flatten().cloned();
    Settings::load(command, named.as_deref())
}

/// Prints what is wrong with a settings file, and ends the process.
fn exit_over(error: &FileError) -> ! {
    plain_message(&format!("error: {error}\n"));
    process::exit(Outcome::Usage.code().into())
}

/// Prints an error of the command line, or its help or version, and ends the process.
///
/// clap prints arguments as they are, between its own colors. With an argument that a terminal would obey, there are no colors.
pub(super) fn exit(error: &clap::Error) -> ! {
    let given = env::args_os().chain(env::vars_os().filter_map(|(name, value)| is_ours(&name).then_some(value)));
    if !error.use_stderr() || !given.into_iter().any(|text| !is_safe(&text.to_string_lossy())) {
        error.exit()
    }
    plain_message(&error.render().to_string());
    process::exit(error.exit_code())
}

fn is_ours(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with(PREFIX)
}

/// The command and its subcommands, without the variables that are empty.
pub(super) fn without_empty_variables(command: Command) -> Command {
    // Usually none is empty, and to copy every option takes time.
    if env::vars_os().all(|(_, value)| !value.is_empty()) {
        return command;
    }
    forget(command, &|name| env::var_os(name).is_some_and(|value| value.is_empty()))
}

fn forget(command: Command, is_empty: &dyn Fn(&OsStr) -> bool) -> Command {
    let option = |option: Arg| match option.get_env().map(is_empty) {
        Some(true) => option.env(Resettable::Reset),
        _ => option,
    };
    command.mut_args(option).mut_subcommands(|command| forget(command, is_empty))
}

/// How all our variables begin.
const PREFIX: &str = "TRAILCREATOR_";

/// Warns of each `TRAILCREATOR_…` variable that is none.
pub(super) fn check(context: &Context, command: &Command) {
    let given: Vec<String> =
        env::vars_os().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| name.into_string().ok()).collect();
    let given: Vec<&String> = given.iter().filter(|name| name.starts_with(PREFIX)).collect();
    if given.is_empty() {
        return;
    }
    let mut known = BTreeSet::new();
    collect(command, &mut known);
    if !given.iter().all(|name| known.contains(*name)) {
        collect(&super::command(), &mut known);
    }
    for name in given.into_iter().filter(|name| !known.contains(*name)) {
        // What all names begin with alike says nothing.
        let ending = |name: &'_ str| name.strip_prefix(PREFIX).map(str::to_owned);
        let endings: Vec<String> = known.iter().filter_map(|name| ending(name)).collect();
        let hint = ending(name)
            .and_then(|wanted| nearest(&wanted, endings.iter().map(String::as_str)).map(str::to_owned))
            .map(|nearest| format!("did you mean {PREFIX}{nearest}?"));
        context.console.warning_with_hints(format_args!("{name} is set, but no option reads it"), hint);
    }
}

fn collect(command: &Command, known: &mut BTreeSet<String>) {
    let variables = command.get_arguments().filter_map(|arg| arg.get_env());
    known.extend(variables.map(|variable| variable.to_string_lossy().into_owned()));
    command.get_subcommands().for_each(|subcommand| collect(subcommand, known));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line::whole;

    #[test]
    fn every_variable_of_every_command_is_forgotten_where_it_is_empty() {
        fn count(command: &Command) -> usize {
            let own = command.get_arguments().filter(|option| option.get_env().is_some()).count();
            own + command.get_subcommands().map(count).sum::<usize>()
        }
        assert!(count(&whole()) > 20);
        assert_eq!(count(&forget(whole(), &|_| true)), 0);
        assert_eq!(count(&forget(whole(), &|_| false)), count(&whole()));
    }
}
