//! The program's commands and options, as clap parses them.
//!
//! Building every command takes 0.6 MB, which a small command would notice. So the arguments are first parsed with only the commands that
//! they name, and with all commands if that fails: only help and errors show the others.

use std::collections::BTreeSet;
use std::{env, fmt};

use clap::{ArgMatches, Args as _, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::shared::options::GlobalArgs;
use super::{
    accounts, apply, completions, config, count, import, list, load_athena, load_files, load_history, load_logs,
    load_s3, man, policy, prune, report, resource_map, runs, tag, tag_org, undo, watch, who,
};

/// Find who created each AWS resource, from CloudTrail, and tag it with its owner
#[derive(Debug, Parser)]
#[command(name = "trailcreator", version, long_version = env!("TRAILCREATOR_LONG_VERSION"), propagate_version = true, infer_long_args = false)]
pub(super) struct Cli<C: Subcommand + fmt::Debug = Command> {
    #[command(flatten)]
    pub(super) global: GlobalArgs,
    #[command(subcommand)]
    pub(super) command: C,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Count(count::Args),
    LoadAthena(load_athena::Args),
    LoadFiles(load_files::Args),
    LoadHistory(load_history::Args),
    LoadLogs(load_logs::Args),
    LoadS3(load_s3::Args),
    Watch(watch::Args),
    Import(import::Args),
    Who(who::Args),
    List(list::Args),
    Tag(tag::Args),
    TagOrg(tag_org::Args),
    Apply(apply::Args),
    Undo(undo::Args),
    Runs(runs::Args),
    Prune(prune::Args),
    Accounts(accounts::Args),
    Report(report::Args),
    ResourceMap(resource_map::Args),
    Policy(policy::Args),
    Config(config::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// The program with all commands.
pub(super) fn whole() -> clap::Command {
    Cli::<Command>::command()
}

/// The program with only those commands that are named by an argument of the process. Arguments that it accepts give the same matches as
/// with [`whole`], but its help and errors do not know the other commands.
pub(super) fn named() -> clap::Command {
    Cli::<Named>::command()
}

/// One of the commands that are named.
#[derive(Debug)]
struct Named(Command);

impl Subcommand for Named {
    fn augment_subcommands(program: clap::Command) -> clap::Command {
        let names: BTreeSet<String> = env::args_os().filter_map(|arg| arg.into_string().ok()).collect();
        program.subcommands(names.iter().filter_map(|name| command(name)))
    }

    fn augment_subcommands_for_update(program: clap::Command) -> clap::Command {
        Self::augment_subcommands(program)
    }

    fn has_subcommand(name: &str) -> bool {
        Command::has_subcommand(name)
    }
}

impl FromArgMatches for Named {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Command::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// The command of this name, as [`Command`] has it.
fn command(name: &str) -> Option<clap::Command> {
    let with_options = match name {
        "accounts" => accounts::Args::augment_args,
        "apply" => apply::Args::augment_args,
        "completions" => completions::Args::augment_args,
        "config" => config::Args::augment_args,
        "count" => count::Args::augment_args,
        "import" => import::Args::augment_args,
        "list" => list::Args::augment_args,
        "load-athena" => load_athena::Args::augment_args,
        "load-files" => load_files::Args::augment_args,
        "load-history" => load_history::Args::augment_args,
        "load-logs" => load_logs::Args::augment_args,
        "load-s3" => load_s3::Args::augment_args,
        "man" => man::Args::augment_args,
        "policy" => policy::Args::augment_args,
        "prune" => prune::Args::augment_args,
        "report" => report::Args::augment_args,
        "resource-map" => resource_map::Args::augment_args,
        "runs" => runs::Args::augment_args,
        "tag" => tag::Args::augment_args,
        "tag-org" => tag_org::Args::augment_args,
        "undo" => undo::Args::augment_args,
        "watch" => watch::Args::augment_args,
        "who" => who::Args::augment_args,
        _ => return None,
    };
    Some(with_options(clap::Command::new(name.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_the_same_alone() {
        let text = |command: clap::Command| format!("{:?}", command.display_order(0));
        for of_all in whole().get_subcommands() {
            let name = of_all.get_name();
            let alone = command(name).unwrap_or_else(|| panic!("{name} is not made alone"));
            assert_eq!(text(alone), text(of_all.clone()), "but for its place in the help of the program");
        }
        assert!(command("tagg").is_none());
    }
}
