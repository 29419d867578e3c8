//! `TRAILCREATOR_*` variables: one that is empty is not set.
//!
//! clap takes an empty variable for a value: `TRAILCREATOR_ASSUME=` would be a role without a name. It can't be asked to do
//! otherwise, and the process's environment can't be changed safely. So options forget an empty variable before they are parsed.

use std::ffi::OsStr;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{Arg, Command, Parser};

/// Parses the process's arguments; prints help, version and errors, and ends the process then.
pub(super) fn parse<P: Parser>() -> P {
    let matches = without_empty_variables(P::command()).try_get_matches();
    let matches = match matches {
        // Help names every option's variable, empty or not.
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) =>
        {
            P::command().get_matches()
        }
        matches => matches.unwrap_or_else(|error| error.exit()),
    };
    P::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut P::command()).exit())
}

/// The command whose options forget variables that are empty, and its subcommands.
fn without_empty_variables(command: Command) -> Command {
    forget(command, &|name| std::env::var_os(name).is_some_and(|value| value.is_empty()))
}

fn forget(command: Command, is_empty: &dyn Fn(&OsStr) -> bool) -> Command {
    let option = |option: Arg| match option.get_env().map(is_empty) {
        Some(true) => option.env(Resettable::Reset),
        _ => option,
    };
    command.mut_args(option).mut_subcommands(|command| forget(command, is_empty))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_variable_of_every_command_is_forgotten_where_it_is_empty() {
        fn count(command: &Command) -> usize {
            let own = command.get_arguments().filter(|option| option.get_env().is_some()).count();
            own + command.get_subcommands().map(count).sum::<usize>()
        }
        assert!(count(&Cli::command()) > 20);
        assert_eq!(count(&forget(Cli::command(), &|_| true)), 0);
        assert_eq!(count(&forget(Cli::command(), &|_| false)), count(&Cli::command()));
    }
}
