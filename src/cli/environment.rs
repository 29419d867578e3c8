//! Variables that are meant for us and that no option reads: likely misspelt, and without a word their values would be lost.

use std::collections::BTreeSet;
use std::env;

use clap::Command;

use super::Context;
use crate::resource_map::nearest;

/// How all our variables begin.
const PREFIX: &str = "TRAILCREATOR_";

/// Warns of each `TRAILCREATOR_…` variable that is none.
pub(super) fn check(context: &Context, command: &Command) {
    let given: Vec<String> = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let given: Vec<&String> = given.iter().filter(|name| name.starts_with(PREFIX)).collect();
    if given.is_empty() {
        return;
    }
    let mut known = BTreeSet::new();
    collect(command, &mut known);
    for name in given.into_iter().filter(|name| !known.contains(*name)) {
        // What all names begin with alike says nothing.
        let ending = |name: &'_ str| name.strip_prefix(PREFIX).map(str::to_owned);
        let endings: Vec<String> = known.iter().filter_map(|name| ending(name)).collect();
        let hint = ending(name)
            .and_then(|wanted| nearest(&wanted, endings.iter().map(String::as_str)).map(str::to_owned))
            .map(|nearest| format!("\n  hint: did you mean {PREFIX}{nearest}?"))
            .unwrap_or_default();
        context.console.warning(format_args!("{name} is set, but no option reads it{hint}"));
    }
}

fn collect(command: &Command, known: &mut BTreeSet<String>) {
    let variables = command.get_arguments().filter_map(|arg| arg.get_env());
    known.extend(variables.map(|variable| variable.to_string_lossy().into_owned()));
    command.get_subcommands().for_each(|subcommand| collect(subcommand, known));
}
