//! `config schema`: the settings file's JSON Schema, from the command line's own definition.

use clap::{Arg, ArgAction, Command};
use serde_json::{Map, Value, json};

use crate::cli::settings::options_of;
use crate::cli::{Context, command};

const EXAMPLES: &str = "\
Examples:
  Write the schema to a file:
    trailcreator config schema > trailcreator.schema.json
  List the options that a settings file can hold:
    trailcreator config schema | jq -r '.properties | keys[]'";

/// Print the JSON Schema of the settings file
///
/// Editors use the schema to complete and check trailcreator.yml. For the YAML language server, write this as the
/// file's first line: # yaml-language-server: $schema=trailcreator.schema.json
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, context: &Context) {
    let schema = schema(&command());
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    context.console.document(&format!("{text}\n"));
}

/// The schema of the whole file.
fn schema(program: &Command) -> Value {
    let mut top = section(program);
    // At the top of the file, an option is that of every command that has it.
    let mut options = Map::new();
    collect(program, &mut options);
    let properties = top["properties"].as_object_mut().expect("a section has properties");
    for (name, option) in options {
        match properties.get_mut(&name) {
            // A name of an option and of a command: `accounts: a.yml` and `accounts: {…}`.
            Some(command) if command["type"] == "object" => *command = json!({"anyOf": [command.take(), option]}),
            Some(_) => {}
            None => {
                properties.insert(name, option);
            }
        }
    }
    top["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    top["title"] = json!("Settings of trailcreator");
    top
}

/// A command's options and subcommands.
fn section(command: &Command) -> Value {
    let mut properties = Map::new();
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let mut below = section(subcommand);
        if let Some(about) = subcommand.get_about() {
            below["description"] = json!(about.to_string());
        }
        properties.insert(subcommand.get_name().to_owned(), below);
    }
    for option in options_of(command) {
        let name = option.get_long().unwrap_or_default().to_owned();
        let described = property(option);
        let both = properties.remove(&name).map(|command| json!({"anyOf": [command, described]}));
        properties.insert(name, both.unwrap_or(described));
    }
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn collect(command: &Command, options: &mut Map<String, Value>) {
    for option in options_of(command) {
        options.entry(option.get_long().unwrap_or_default()).or_insert_with(|| property(option));
    }
    command.get_subcommands().for_each(|subcommand| collect(subcommand, options));
}

fn property(option: &Arg) -> Value {
    let values = option.get_possible_values();
    let one = if values.is_empty() {
        json!({"type": ["string", "number"]})
    } else {
        json!({"enum": values.iter().map(clap::builder::PossibleValue::get_name).collect::<Vec<_>>()})
    };
    let mut property = match option.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => json!({"type": "boolean"}),
        ArgAction::Count => json!({"type": "integer", "minimum": 0, "maximum": 255}),
        ArgAction::Append => json!({"anyOf": [one, {"type": "array", "items": one}]}),
        _ => one,
    };
    if let Some(help) = option.get_help() {
        property["description"] = json!(help.to_string());
    }
    property
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_commands_are_in_the_schema() {
        let schema = schema(&command());
        assert_eq!(schema["properties"]["db"]["type"], json!(["string", "number"]));
        let tag = &schema["properties"]["tag"]["anyOf"][0];
        assert_eq!(tag["properties"]["dry-run"]["type"], "boolean");
        assert_eq!(schema["properties"]["output"]["enum"], json!(["text", "json", "jsonl", "csv"]));
        assert_eq!(tag["additionalProperties"], false);
        assert!(tag["properties"]["type"]["anyOf"].is_array());
        assert!(schema["properties"]["resource-map"]["anyOf"].is_array(), "an option and a command");
        assert!(schema["properties"].get("settings").is_none(), "a file does not name itself");
    }
}
