//! Reads a settings file from YAML, and reports errors in it. `docs/settings.md` documents the format.

use std::fmt;

use clap::{Arg, ArgAction, Command};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

use super::options::{options_of, values_of};
use crate::text::nearest;
use crate::text::source::{FileError, Position, Source, Text};

/// A value in the file.
#[derive(Debug)]
enum Node {
    /// A text as it is written, or a quoted one.
    Text(String),
    /// A number or boolean, without quotes; its text is in the file.
    Plain,
    /// A list of texts.
    List(Vec<Text>),
    /// A command's section.
    Section(Vec<(Text, Spanned<Node>)>),
    /// A key without a value.
    Nothing,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;

        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value, a list of values, or the options of a command")
            }

            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Plain)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Plain)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Plain)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Plain)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Nothing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Node::List(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Section(entries))
            }
        }

        deserializer.deserialize_any(NodeVisitor)
    }
}

/// An option's value in the file.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Setting {
    /// The command that it applies to, as `["resource-map", "list"]`; empty: every command with that option.
    pub(in crate::cli) command: Vec<String>,
    /// The option's long name, without dashes.
    pub(in crate::cli) option: String,
    /// As on the command line; several for a list.
    pub(in crate::cli) values: Vec<String>,
    /// Where its key is.
    pub(in crate::cli) position: Position,
}

/// Reads all settings of a file. `program` is the built command line.
///
/// # Errors
/// No YAML; an unknown key; a value of the wrong kind; two keys of one section that exclude each other.
pub(super) fn read(source: Source<'_>, program: &Command) -> Result<Vec<Setting>, FileError> {
    if source.text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Vec::new());
    }
    let root: Spanned<Node> = source.parse()?;
    let Node::Section(entries) = root.value else {
        return Err(source
            .error(root.referenced, "a mapping from options to values is expected here, such as `region: eu-west-1`"));
    };
    let mut settings = Vec::new();
    Section { source, program, command: program, path: Vec::new() }.read(entries, &mut settings)?;
    Ok(settings)
}

/// The options of a command, or those at the top of the file.
struct Section<'a> {
    source: Source<'a>,
    program: &'a Command,
    command: &'a Command,
    path: Vec<String>,
}

impl Section<'_> {
    fn read(&self, entries: Vec<(Text, Spanned<Node>)>, settings: &mut Vec<Setting>) -> Result<(), FileError> {
        for (key, node) in entries {
            match node.value {
                Node::Section(entries) => self.subsection(&key)?.read(entries, settings)?,
                value => settings.push(self.setting(&key, value, node.referenced)?),
            }
        }
        Ok(())
    }

    fn subsection(&self, key: &Text) -> Result<Section<'_>, FileError> {
        let Some(command) = self.command.get_subcommands().find(|command| command.get_name() == key.value) else {
            let message = match self.option(&key.value) {
                Some(_) => format!("`{}` is an option: write a value or a list here, not a mapping", key.value),
                None => self.unknown(&key.value),
            };
            return Err(self.source.error(key.referenced, message));
        };
        let path = self.path.iter().cloned().chain([key.value.clone()]).collect();
        Ok(Section { source: self.source, program: self.program, command, path })
    }

    fn setting(&self, key: &Text, value: Node, at: Location) -> Result<Setting, FileError> {
        let error = |message: String| self.source.error(key.referenced, message);
        let option = self.option(&key.value).ok_or_else(|| {
            let is_command = self.command.find_subcommand(&key.value).is_some();
            let command =
                || format!("`{}` is a command: write its options below it, such as `{0}: {{quiet: true}}`", key.value);
            error(if is_command { command() } else { self.unknown(&key.value) })
        })?;
        let values = match value {
            Node::Text(text) => vec![text],
            Node::Plain => vec![plain_text(self.source.text, at)],
            Node::List(values) => self.list(option, key, values)?,
            Node::Nothing | Node::Section(_) => {
                return Err(error(format!("`{}` has no value: give it one, or remove the key", key.value)));
            }
        };
        let values = values_of(option, values).map_err(|error| self.source.error(at, error.to_string()))?;
        let name = option.get_long().unwrap_or_default().to_owned();
        Ok(Setting { command: self.path.clone(), option: name, values, position: self.source.place(key.referenced) })
    }

    fn list(&self, option: &Arg, key: &Text, values: Vec<Text>) -> Result<Vec<String>, FileError> {
        if !matches!(option.get_action(), ArgAction::Append) {
            let message = format!("`{}` takes one value, not a list", key.value);
            return Err(self.source.error(key.referenced, message));
        }
        Ok(values.into_iter().map(|value| value.value).collect())
    }

    /// An option of this section: at the top, of any command.
    fn option(&self, name: &str) -> Option<&Arg> {
        let own = options_of(self.command).find(|option| is_named(option, name));
        own.or_else(|| if self.path.is_empty() { anywhere(self.program, name) } else { None })
    }

    fn unknown(&self, key: &str) -> String {
        let mut names = Vec::new();
        if self.path.is_empty() {
            names_below(self.program, &mut names)
        } else {
            names_of(self.command, &mut names)
        }
        let hint = nearest(key, names.iter().copied()).map(|name| format!("; did you mean `{name}`?"));
        let list = match self.path.as_slice() {
            [] => "trailcreator config schema".to_owned(),
            path => format!("trailcreator {} --help", path.join(" ")),
        };
        let place = if self.path.is_empty() { String::new() } else { format!(" of {}", self.path.join(" ")) };
        match hint {
            Some(hint) => format!("unknown option `{key}`{place}{hint} All options: {list}"),
            None => format!("unknown option `{key}`{place}; list the options with: {list}"),
        }
    }
}

fn is_named(option: &Arg, name: &str) -> bool {
    option.get_long() == Some(name) || option.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
}

/// An option of this name of some command.
fn anywhere<'c>(command: &'c Command, name: &str) -> Option<&'c Arg> {
    let own = options_of(command).find(|option| is_named(option, name));
    own.or_else(|| command.get_subcommands().find_map(|command| anywhere(command, name)))
}

fn names_of<'c>(command: &'c Command, names: &mut Vec<&'c str>) {
    names.extend(options_of(command).filter_map(Arg::get_long));
    names.extend(command.get_subcommands().map(Command::get_name));
}

fn names_below<'c>(command: &'c Command, names: &mut Vec<&'c str>) {
    names_of(command, names);
    command.get_subcommands().for_each(|command| names_below(command, names));
}

/// A number or boolean as it is written: `012345678901` is an account ID, not a number.
fn plain_text(text: &str, at: Location) -> String {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    let line = text.lines().nth(whole(at.line())).unwrap_or_default();
    let rest: String = line.chars().skip(whole(at.column())).collect();
    let end = rest.find([',', '}', ']']).into_iter().chain(rest.find(" #")).min().unwrap_or(rest.len());
    rest[..end].trim().to_owned()
}
