//! `completions`: completion scripts for shells, and the values that they offer.
//!
//! The script asks the program itself, by the variable COMPLETE, so that it offers this version's types, the runs of the database, and the
//! profiles and accounts of the user's files.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, Command, ValueHint};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;

use super::{CommandError, Context, Outcome, command};
use crate::aws;
use crate::model::known_regions;
use crate::org::AccountsFile;
use crate::resource_map::ResourceMap;
use crate::store::Store;

/// The variable that the script sets when it asks for completions.
const VARIABLE: &str = "COMPLETE";

const EXAMPLES: &str = "\
Examples:
  Install for Bash:
    trailcreator completions bash > ~/.local/share/bash-completion/completions/trailcreator
  Install for Zsh, in a folder of $fpath:
    trailcreator completions zsh > ~/.zfunc/_trailcreator
  Install for Fish:
    trailcreator completions fish > ~/.config/fish/completions/trailcreator.fish";

/// Print a shell completion script
///
/// The script completes commands, options and values: resource types, regions, profiles, the accounts in the accounts
/// file, and the run numbers in the database.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    shell: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell).expect("clap checks the name");
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "trailcreator", "trailcreator", "trailcreator", &mut script).map_err(
        |error| CommandError::while_doing(format_args!("writing the completion script for {}", args.shell), &error),
    )?;
    context.console.document(&String::from_utf8_lossy(&script));
    Ok(Outcome::Done)
}

/// Answers a completion script, and ends the process then.
pub(super) fn answer() {
    if env::var_os(VARIABLE).is_some() {
        CompleteEnv::with_factory(|| with_candidates(command())).var(VARIABLE).complete();
    }
}

/// The command line, with the values that its options offer.
fn with_candidates(command: Command) -> Command {
    command.mut_args(with_values).mut_subcommands(with_candidates)
}

fn with_values(option: Arg) -> Arg {
    let name = option.get_value_names().and_then(|names| names.first()).map(|name| name.as_str().to_owned());
    let name = name.unwrap_or_default();
    match name.as_str() {
        "TYPE" => option.add(ArgValueCandidates::new(types)),
        "REGION" => option.add(ArgValueCandidates::new(regions)),
        "PROFILE" => option.add(ArgValueCandidates::new(profiles)),
        "ACCOUNT" => option.add(ArgValueCandidates::new(accounts)),
        "RUN" => option.add(ArgValueCandidates::new(runs)),
        "FILE" | "PLAN" | "ACCOUNTS_FILE" => option.value_hint(ValueHint::FilePath),
        "PATH" => option.value_hint(ValueHint::AnyPath),
        "FOLDER" => option.value_hint(ValueHint::DirPath),
        _ => option,
    }
}

fn types() -> Vec<CompletionCandidate> {
    let map = ResourceMap::built_in();
    let types = map.types.iter().map(|(name, definition)| {
        let help = definition.cloudformation.as_ref().map(|name| name.to_string().into());
        CompletionCandidate::new(name.as_str()).help(help)
    });
    types.collect()
}

fn regions() -> Vec<CompletionCandidate> {
    known_regions().map(CompletionCandidate::new).collect()
}

fn profiles() -> Vec<CompletionCandidate> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return Vec::new() };
    runtime.block_on(aws::profile_names()).into_iter().map(CompletionCandidate::new).collect()
}

fn accounts() -> Vec<CompletionCandidate> {
    let path = given("config").map_or_else(|| PathBuf::from("accounts.yml"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(&path) else { return Vec::new() };
    let Ok(file) = AccountsFile::parse(&path.display().to_string(), &text) else { return Vec::new() };
    let candidate = |account: &crate::org::Account| {
        CompletionCandidate::new(&account.name).help(Some(account.id.to_string().into()))
    };
    file.accounts.iter().map(candidate).collect()
}

fn runs() -> Vec<CompletionCandidate> {
    let db = given("db").map_or_else(|| PathBuf::from("creators.db"), PathBuf::from);
    if !Path::new(&db).is_file() {
        return Vec::new();
    }
    let Ok(store) = Store::open_to_read(&db) else { return Vec::new() };
    let single = store.runs().unwrap_or_default().into_iter().map(|run| {
        let help = format!("{} of {} in {} {}", run.kind.as_str(), run.started_at, run.account_id, run.region);
        CompletionCandidate::new(run.run_id.to_string()).help(Some(help.into()))
    });
    let organization = store.organization_runs().unwrap_or_default().into_iter().map(|run| {
        let help = format!("{} of {} in {} accounts", run.kind.as_str(), run.started_at, run.accounts);
        CompletionCandidate::new(run.id.to_string()).help(Some(help.into()))
    });
    single.chain(organization).collect()
}

/// An option's value on the command line that is being completed, else in its variable.
fn given(option: &str) -> Option<OsString> {
    let long = format!("--{option}");
    let words: Vec<OsString> = env::args_os().collect();
    let joined =
        words.iter().rev().find_map(|word| word.to_str()?.strip_prefix(&format!("{long}=")).map(OsString::from));
    let apart = || words.windows(2).rev().find(|pair| pair[0] == *long).map(|pair| pair[1].clone());
    let variable = || env::var_os(format!("TRAILCREATOR_{}", option.to_uppercase())).filter(|value| !value.is_empty());
    joined.or_else(apart).or_else(variable)
}
