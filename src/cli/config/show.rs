//! `config show`: every option with its value and the value's origin.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::settings::{Settings, find, innermost, options_of, path_of};
use crate::cli::{CommandError, Context, Outcome, Output, command, environment};
use crate::console::{Lines, OutputFormat};
use crate::text::secrets;

/// Version of the format of the JSON document.
const FORMAT_VERSION: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  Show what is set, for all commands:
    trailcreator config show
  Show all options of tag:
    trailcreator config show tag
  Show the options of load-s3 with a flag, as JSON:
    trailcreator config show load-s3 --bucket my-trail --output json";

/// Show every option's value and its origin: flag, variable, settings file or default
///
/// Without a command, the options that all commands share come first. Checks the whole settings file.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Show the options of this command, with these flags
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// An option, and what it is set to.
#[derive(Debug, Serialize)]
struct Row {
    /// The command; `null` for a global option.
    command: Option<String>,
    option: String,
    /// As the option takes it: a text, a number, true or false, a list; `null` if it is not set.
    value: Value,
    #[serde(flatten)]
    origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Serialize)]
#[serde(tag = "origin", rename_all = "kebab-case")]
enum Origin {
    /// The command line.
    Flag,
    /// An environment variable.
    Variable { variable: String },
    /// The settings file.
    File { file: String, line: usize },
    /// The program.
    Default,
    /// Nothing sets it.
    Unset,
}

impl Origin {
    fn text(&self) -> String {
        match self {
            Self::Flag => "flag".to_owned(),
            Self::Variable { variable } => format!("variable {variable}"),
            Self::File { file, line } => format!("{file}:{line}"),
            Self::Default => "default".to_owned(),
            Self::Unset => "not set".to_owned(),
        }
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    let program = environment::without_empty_variables(command());
    let settings = &context.settings;
    if let Some(error) = settings.first_invalid(&program) {
        return Err(CommandError::usage(error));
    }
    let globals = context.invocation.globals();
    let mut format = context.console.format;
    let rows = match args.command.as_slice() {
        [] => rows_of_all(&program, settings, &matches_of(&program, &globals, &[])?),
        given => {
            let matches = matches_of(&program, &globals, given)?;
            let path = path_of(&matches);
            if path.is_empty() {
                return Err(CommandError::usage(format_args!("{} is not a command", given[0].display()))
                    .hint("list the commands with: trailcreator --help"));
            }
            let options = innermost(&matches);
            if let Some(output) = own_flag::<Output>(options, "output") {
                format = output.into();
            }
            if own_flag::<PathBuf>(options, "settings") != context.global.settings {
                return Err(CommandError::usage("--settings is behind the command's name").hint(format!(
                    "place it before the name: trailcreator config show --settings FILE {}",
                    given[0].display()
                )));
            }
            rows_of(&program, &path, settings, options, true)
        }
    };
    print(context, format, &rows);
    Ok(Outcome::Done)
}

/// A global option as it is given: behind the name of a command it belongs to the command that is shown.
fn own_flag<T: Clone + Send + Sync + 'static>(options: &ArgMatches, name: &str) -> Option<T> {
    let is_given = matches!(options.value_source(name), Some(ValueSource::CommandLine | ValueSource::EnvVariable));
    options.try_get_one::<T>(name).ok().flatten().filter(|_| is_given).cloned()
}

/// What is given, also where something required is missing.
fn matches_of(program: &Command, globals: &[OsString], given: &[OsString]) -> Result<ArgMatches, CommandError> {
    let args = [OsString::from("trailcreator")].into_iter().chain(globals.iter().cloned()).chain(given.iter().cloned());
    let matches = program.clone().ignore_errors(true).try_get_matches_from(args);
    matches.map_err(|error| CommandError::usage(error.to_string().trim_end()))
}

/// The global options, then each command's own.
fn rows_of_all(program: &Command, settings: &Settings, given: &ArgMatches) -> Vec<Row> {
    let mut rows = rows_of(program, &[], settings, given, true);
    let mut paths = Vec::new();
    paths_below(program, &mut Vec::new(), &mut paths);
    for path in paths {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        rows.extend(rows_of(program, &path, settings, given, false));
    }
    rows
}

fn paths_below(command: &Command, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        path.push(subcommand.get_name().to_owned());
        paths.push(path.clone());
        paths_below(subcommand, path, paths);
        path.pop();
    }
}

/// The options of one command, with the global ones on request.
fn rows_of(program: &Command, path: &[&str], settings: &Settings, given: &ArgMatches, with_globals: bool) -> Vec<Row> {
    let command = find(program, path);
    let options = options_of(command).filter(|option| with_globals || !option.is_global_set());
    let row = |option: &Arg| {
        let (value, origin) = value_of(option, path, settings, given);
        let name = (!option.is_global_set()).then(|| path.join(" "));
        Row { command: name, option: option.get_long().unwrap_or_default().to_owned(), value, origin }
    };
    options.map(row).collect()
}

fn value_of(option: &Arg, path: &[&str], settings: &Settings, given: &ArgMatches) -> (Value, Origin) {
    let id = option.get_id().as_str();
    let source = given.try_contains_id(id).ok().and_then(|_| given.value_source(id));
    if source == Some(ValueSource::CommandLine) {
        let values = given.get_raw(id).into_iter().flatten().map(|value| value.to_string_lossy().into_owned());
        return (shown(option, &values.collect::<Vec<_>>()), Origin::Flag);
    }
    let variable = option.get_env().map(|name| name.to_string_lossy().into_owned());
    let set = variable.and_then(|name| Some((env::var(&name).ok().filter(|value| !value.is_empty())?, name)));
    if let Some((value, variable)) = set {
        return (shown(option, &split(option, &value)), Origin::Variable { variable });
    }
    if let Some(setting) = settings.of(path, option) {
        let origin = Origin::File { file: setting.position.file().to_owned(), line: setting.position.line() };
        return (shown(option, &setting.values), origin);
    }
    let defaults: Vec<String> =
        option.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    match (defaults.is_empty(), option.get_action()) {
        (false, _) => (shown(option, &defaults), Origin::Default),
        (true, ArgAction::SetTrue) => (Value::Bool(false), Origin::Default),
        (true, ArgAction::Count) => (json!(0), Origin::Default),
        (true, _) => (Value::Null, Origin::Unset),
    }
}

fn split(option: &Arg, value: &str) -> Vec<String> {
    match option.get_value_delimiter() {
        Some(delimiter) => value.split(delimiter).map(str::to_owned).collect(),
        None => vec![value.to_owned()],
    }
}

/// Values in JSON, without passwords in URLs.
fn shown(option: &Arg, values: &[String]) -> Value {
    let values: Vec<String> = values.iter().map(|value| secrets::redacted(value).into_owned()).collect();
    match option.get_action() {
        ArgAction::Append => json!(values),
        ArgAction::SetTrue | ArgAction::SetFalse => {
            let is_true = values.first().is_none_or(|value| value.parse() != Ok(false));
            Value::Bool(is_true)
        }
        // Each `-v` is a value of its own on the command line.
        ArgAction::Count => {
            let count = values.first().and_then(|value| value.parse::<u64>().ok());
            json!(count.unwrap_or(values.len() as u64))
        }
        _ => values.into_iter().next().map_or(Value::Null, Value::String),
    }
}

fn print(context: &Context, format: OutputFormat, rows: &[Row]) {
    let file = context.settings.path.as_ref().map(|path| path.display().to_string());
    if format == OutputFormat::Json {
        let document = json!({"format_version": FORMAT_VERSION, "settings_file": file, "options": rows});
        return context.console.json(&document);
    }
    let title = ["command", "option", "value", "origin"].map(str::to_owned).to_vec();
    let is_set = |row: &&Row| !matches!(row.origin, Origin::Unset);
    let cells = rows.iter().filter(is_set).map(|row| {
        let command = row.command.clone().unwrap_or_else(|| "(all)".to_owned());
        vec![command, row.option.clone(), text_of(&row.value), row.origin.text()]
    });
    let table: Vec<Vec<String>> = [title].into_iter().chain(cells).collect();
    context.console.lines(&Lines::table(&table, 0));
    match file {
        Some(file) => context.console.message(format_args!("settings file: {file}")),
        None => context.console.message(format_args!(
            "no settings file: there is no {} in the working directory or the configuration directory",
            crate::cli::settings::FILE_NAME
        )),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
