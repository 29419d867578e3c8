//! What of the command line a settings file can hold.

use clap::{Arg, ArgAction, Command};

/// Options that make no sense in a file.
const NOT_IN_FILES: [&str; 3] = ["help", "version", "settings"];

/// The options of a command that a settings file can hold, the global ones included.
pub(in crate::cli) fn options_of(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_setting = |long: &str| !NOT_IN_FILES.contains(&long);
    command.get_arguments().filter(move |option| option.get_long().is_some_and(is_setting) && !option.is_hide_set())
}

/// A value that is not one of its option.
#[derive(Debug, thiserror::Error)]
#[error("{expected} is expected here, not `{}`", values.join(", "))]
pub(super) struct InvalidValue {
    expected: &'static str,
    values: Vec<String>,
}

/// Values as clap takes them for defaults.
///
/// # Errors
/// They are not of the option's kind.
pub(super) fn values_of(option: &Arg, values: Vec<String>) -> Result<Vec<String>, InvalidValue> {
    let expected = match option.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => "true or false",
        ArgAction::Count => "a number, such as 1",
        // The file's own quotes are gone, so that a value with the delimiter in it would be cut.
        _ => return Ok(split(option, values)),
    };
    let is_right = |value: &String| match option.get_action() {
        ArgAction::Count => value.parse::<u8>().is_ok(),
        _ => value.parse::<bool>().is_ok(),
    };
    if values.len() == 1 && values.iter().all(is_right) {
        return Ok(values);
    }
    Err(InvalidValue { expected, values })
}

fn split(option: &Arg, values: Vec<String>) -> Vec<String> {
    let Some(delimiter) = option.get_value_delimiter() else { return values };
    values.iter().flat_map(|value| value.split(delimiter)).map(|value| value.trim().to_owned()).collect()
}
