//! `trailcreator.yml`: options that are not given by a flag or a variable come from it.
//!
//! Precedence: flag, `TRAILCREATOR_*` variable, settings file (a command's section before the top of the file), default. clap sees the
//! file's values as the options' defaults, so that each option's own rules hold for them.

mod file;
mod options;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command};
use etcetera::BaseStrategy;

pub(in crate::cli) use file::Setting;
pub(in crate::cli) use options::options_of;

use crate::text::source::{FileError, Source, read_file};

/// The file's name in the working directory and in the user's configuration directory.
pub(in crate::cli) const FILE_NAME: &str = "trailcreator.yml";

/// The folder in the user's configuration directory.
const FOLDER: &str = "trailcreator";

/// The settings of one file.
#[derive(Debug, Default, Clone)]
pub(in crate::cli) struct Settings {
    /// The file; `None` where there is none.
    pub(in crate::cli) path: Option<PathBuf>,
    settings: Vec<Setting>,
}

impl Settings {
    /// Reads the file that `--settings` or its variable names, else the one of the working directory, else the user's. `built` makes the
    /// command line, with the global options in each command, which takes time: only if there is a file.
    ///
    /// # Errors
    /// The named file does not exist, or a file is not a settings file.
    pub(in crate::cli) fn load(built: impl FnOnce() -> Command, named: Option<&Path>) -> Result<Self, FileError> {
        let Some(path) = named.map(Path::to_owned).or_else(found) else { return Ok(Self::default()) };
        let (name, text) = read_file(&path, "the settings file")?;
        let settings = file::read(Source { name: &name, text: &text }, &built())?;
        Ok(Self { path: Some(path), settings })
    }

    /// The setting of a command's option: that of the command's own section, else of the top of the file.
    pub(in crate::cli) fn of(&self, command: &[&str], option: &Arg) -> Option<&Setting> {
        let names = |setting: &&Setting| option.get_long() == Some(&setting.option);
        let own = self.settings.iter().filter(names).find(|setting| setting.command == command);
        own.or_else(|| self.settings.iter().filter(names).find(|setting| setting.command.is_empty()))
    }

    /// The command line with the settings as defaults of the command that `given` is of; without those that exclude what is given.
    ///
    /// # Errors
    /// Two settings of the file exclude each other.
    pub(in crate::cli) fn put_into(&self, program: Command, given: &ArgMatches) -> Result<Command, FileError> {
        if self.settings.is_empty() {
            return Ok(program);
        }
        let path = path_of(given);
        let mut built = program.clone();
        built.build();
        let applied = self.applied(find(&built, &path), &path, innermost(given))?;
        Ok(applied.into_iter().fold(program, |program, (id, setting)| with_default(program, &path, &id, setting)))
    }

    /// The settings that count for a command, with their options' ids.
    fn applied(
        &self,
        command: &Command,
        path: &[&str],
        given: &ArgMatches,
    ) -> Result<Vec<(String, &Setting)>, FileError> {
        let conflicts = |option: &Arg| -> BTreeSet<String> {
            command.get_arg_conflicts_with(option).iter().map(|other| other.get_id().to_string()).collect()
        };
        let is_given = |id: &str| {
            use clap::parser::ValueSource::{CommandLine, EnvVariable};
            matches!(
                given.try_contains_id(id).ok().and_then(|_| given.value_source(id)),
                Some(CommandLine | EnvVariable)
            )
        };
        let options: Vec<&Arg> = command.get_arguments().collect();
        let excludes = |one: &Arg, other: &Arg| {
            conflicts(one).contains(other.get_id().as_str()) || conflicts(other).contains(one.get_id().as_str())
        };
        let set: Vec<(&Arg, &Setting)> =
            options_of(command).filter_map(|option| Some((option, self.of(path, option)?))).collect();
        let mut applied = Vec::new();
        for (option, setting) in &set {
            let rivals = options.iter().filter(|other| excludes(option, other));
            if rivals.into_iter().any(|other| is_given(other.get_id().as_str())) {
                continue;
            }
            let rival = set.iter().find(|(other, rival)| is_effective(rival) && excludes(option, other));
            match rival {
                // A command's own section is nearer than the top of the file.
                Some((_, rival)) if rival.command.len() > setting.command.len() => {}
                Some((_, rival)) if rival.command.len() == setting.command.len() && is_effective(setting) => {
                    let (name, line) = (&rival.option, rival.position.file_and_line());
                    let message =
                        format!("`{}` can't be used with `{name}` ({line}): remove one of them", setting.option);
                    return Err(setting.position.error(message));
                }
                _ => applied.push((option.get_id().to_string(), *setting)),
            }
        }
        Ok(applied)
    }

    /// The error that a setting's value is not allowed, where `command` refuses it.
    ///
    /// clap names the option in its error, and not where its value is from.
    pub(in crate::cli) fn refused(&self, program: &Command, given: &ArgMatches) -> Option<FileError> {
        let path = path_of(given);
        let mut built = program.clone();
        built.build();
        let applied = self.applied(find(&built, &path), &path, innermost(given)).ok()?;
        applied.into_iter().find_map(|(_, setting)| invalid(program, &path, setting))
    }

    /// The first setting with a value that its option does not take, in any command.
    pub(in crate::cli) fn first_invalid(&self, program: &Command) -> Option<FileError> {
        let mut built = program.clone();
        built.build();
        self.settings.iter().find_map(|setting| {
            let path: Vec<&str> = setting.command.iter().map(String::as_str).collect();
            let path = if path.is_empty() { home_of(&built, &setting.option)? } else { path };
            invalid(program, &path, setting)
        })
    }
}

/// Whether a setting does anything: a flag that is false does not.
fn is_effective(setting: &Setting) -> bool {
    setting.values != ["false"]
}

/// A command with the option: the shortest path to one.
fn home_of<'c>(command: &'c Command, option: &str) -> Option<Vec<&'c str>> {
    if command.get_arguments().any(|other| other.get_long() == Some(option)) {
        return Some(Vec::new());
    }
    command.get_subcommands().find_map(|subcommand| {
        let mut path = home_of(subcommand, option)?;
        path.insert(0, subcommand.get_name());
        Some(path)
    })
}

fn invalid(program: &Command, path: &[&str], setting: &Setting) -> Option<FileError> {
    let value = |value: &String| OsString::from(format!("--{}={value}", setting.option));
    let is_flag = matches!(setting.values.as_slice(), [value] if value == "true" || value == "false");
    let args: Vec<OsString> = [OsString::from("trailcreator")]
        .into_iter()
        .chain(path.iter().map(OsString::from))
        .chain(setting.values.iter().filter(|_| !is_flag).map(value))
        .collect();
    let error = program.clone().try_get_matches_from(args).err()?;
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return None;
    }
    let text = error.to_string();
    // `error: invalid value 'x' for '--option <NAME>': why`, with possible values and `For more information` below.
    let lines = text.trim_start_matches("error: ").lines().map(str::trim);
    let lines: Vec<&str> =
        lines.take_while(|line| !line.starts_with("For more")).filter(|line| !line.is_empty()).collect();
    Some(setting.position.error(lines.join(" ")))
}

/// The file in the working directory, else in the user's configuration directory.
fn found() -> Option<PathBuf> {
    let here = PathBuf::from(FILE_NAME);
    let user = || Some(etcetera::choose_base_strategy().ok()?.config_dir().join(FOLDER).join(FILE_NAME));
    [Some(here), user()].into_iter().flatten().find(|path| path.is_file())
}

/// The names of the given subcommands.
pub(in crate::cli) fn path_of(given: &ArgMatches) -> Vec<&str> {
    std::iter::successors(given.subcommand(), |(_, below)| below.subcommand()).map(|(name, _)| name).collect()
}

/// What is given to the innermost subcommand.
pub(in crate::cli) fn innermost(given: &ArgMatches) -> &ArgMatches {
    std::iter::successors(Some(given), |matches| Some(matches.subcommand()?.1)).last().unwrap_or(given)
}

/// The command of these names.
pub(in crate::cli) fn find<'c>(program: &'c Command, path: &[&str]) -> &'c Command {
    path.iter().try_fold(program, |command, name| command.find_subcommand(name)).unwrap_or(program)
}

/// The program, where the option of a command has the setting as its default.
fn with_default(command: Command, path: &[&str], id: &str, setting: &Setting) -> Command {
    // A global option is defined at the top only; clap hands it down with its default.
    let is_own = command.get_arguments().any(|option| option.get_id() == id);
    match path {
        [name, rest @ ..] if !is_own => {
            command.mut_subcommand(*name, |command| with_default(command, rest, id, setting))
        }
        _ => command.mut_arg(id, |option| option.default_values(setting.values.clone()).required(false)),
    }
}
