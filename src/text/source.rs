//! A YAML file as text, what is wrong with it, and where: a resource map, an accounts file (`org`) or an identity map.
//!
//! YAML and JSON go through one parser (JSON is YAML's flow style, and so keeps its lines and columns). Knows nothing
//! of what a file means.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_saphyr::{Error, Location, Spanned};

use super::nearest;

/// Texts, lists and mappings that a file may hold: those of an organization of 100,000 accounts.
const MAX_NODES: usize = 4_000_000;
/// Largest map file taken, in bytes: the built-in ones together are a fiftieth of it.
pub(crate) const MAX_MAP_BYTES: u64 = 16 * 1024 * 1024;

/// A text of a map file, with its place.
pub(crate) type Text = Spanned<String>;

/// Why a map can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", position(*.line, *.column))]
pub struct FileError {
    /// The file, or `resource-maps/NAME` for a built-in one.
    pub file: String,
    /// From 1; 0 where the file as a whole is meant (it can't be read).
    pub line: usize,
    /// From 1, in characters; 0 as for `line`.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

fn position(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(":{line}:{column}") }
}

/// A position in a file, for messages that are written after the file's text is dropped.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Position {
    file: String,
    line: usize,
    column: usize,
}

impl Position {
    /// The error that `message` is wrong here.
    pub(crate) fn error(&self, message: impl Into<String>) -> FileError {
        FileError { file: self.file.clone(), line: self.line, column: self.column, message: message.into() }
    }

    /// The file's name for messages.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// From 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// `FILE:LINE`, for a message about another place.
    pub(crate) fn file_and_line(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// A map file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'text> {
    /// Its name for messages.
    pub(crate) name: &'text str,
    /// Its content.
    pub(crate) text: &'text str,
}

impl Source<'_> {
    /// Parses the text.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, FileError> {
        // Without strict_booleans `yes`, `no` and `y` would be YAML 1.1's booleans, also as keys.
        let budget = serde_saphyr::budget! { max_nodes: MAX_NODES, max_events: 2 * MAX_NODES };
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false, budget: budget };
        serde_saphyr::from_str_with_options(&yaml_of(self.text), options).map_err(|error| {
            let location = error.location().unwrap_or(Location::UNKNOWN);
            self.error(location, parser_message(&error))
        })
    }

    /// The place of `location`.
    pub(crate) fn place(&self, location: Location) -> Position {
        // Lines and columns are u32 in the parser, and the place of an empty file is its beginning.
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
        Position { file: self.name.to_owned(), line: whole(location.line()), column: whole(location.column()) }
    }

    /// The error that `message` is wrong at `location`.
    pub(crate) fn error(&self, location: Location, message: impl Into<String>) -> FileError {
        self.place(location).error(message)
    }
}

/// A user's file: its name for messages, and its text. Errors say `what` it is.
pub(crate) fn read_file(path: &Path, what: &str) -> Result<(String, String), FileError> {
    let name = path.display().to_string();
    match read(path, MAX_MAP_BYTES) {
        Ok(text) => Ok((name, text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let (line, column) = end_of_text(path);
            Err(FileError { file: name, line, column, message: format!("{what} is not UTF-8: save it as UTF-8") })
        }
        Err(error) => {
            let message = format!("{what} can't be read: {error}");
            Err(FileError { file: name, line: 0, column: 0, message })
        }
    }
}

/// Line and column of the first byte of a file that is not UTF-8.
fn end_of_text(path: &Path) -> (usize, usize) {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_MAP_BYTES).read_to_end(&mut bytes));
    let valid = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let text = String::from_utf8_lossy(&bytes[..valid]);
    let last = text.rsplit('\n').next().unwrap_or_default();
    read.map_or((0, 0), |_| (text.matches('\n').count() + 1, last.chars().count() + 1))
}

/// The text of a file that people write.
///
/// # Errors
/// It can't be read, is not UTF-8, or is larger than `limit`, in bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    if read as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {} MiB", limit >> 20)));
    }
    Ok(text)
}

/// Whether a file's text is JSON: the only one of the formats that starts with a brace.
pub(crate) fn looks_like_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

/// JSON is YAML but for the characters that YAML wants escaped: these are.
fn yaml_of(text: &str) -> Cow<'_, str> {
    let is_refused = |character: char| matches!(character, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if !looks_like_json(text) || !text.contains(is_refused) {
        return Cow::Borrowed(text);
    }
    let mut yaml = String::with_capacity(text.len());
    for character in text.chars() {
        if is_refused(character) {
            yaml.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            yaml.push(character);
        }
    }
    Cow::Owned(yaml)
}

/// What the parser complains of, in a map author's words.
fn parser_message(error: &Error) -> String {
    match error.without_snippet() {
        Error::AliasError { error, .. } => parser_message(error),
        Error::SerdeUnknownField { field, expected, .. } => {
            format!("unknown key `{field}`; {}", instead(field, expected))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            format!("`{variant}` is not allowed here; {}", instead(variant, expected))
        }
        Error::SerdeMissingField { field, .. } => format!("the key `{field}` is missing here"),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` is given twice; remove one of them")
        }
        Error::NullIntoString { .. } => "a text is expected here, and there is nothing".to_owned(),
        Error::Unexpected { expected: "string scalar", .. } => "a text is expected here".to_owned(),
        Error::Unexpected { expected: "sequence start", .. } => "a list is expected here".to_owned(),
        Error::Unexpected { expected: "mapping start", .. } => "a mapping (key: value) is expected here".to_owned(),
        Error::SerdeInvalidLength { len, .. } => format!("a list of two is expected here, not of {len}"),
        Error::Eof { .. } => "the file is empty or ends too early".to_owned(),
        Error::MultipleDocuments { .. } => {
            "the file must be one YAML document; put the second one in its own file".to_owned()
        }
        other => {
            let message = other.to_string();
            message.split(" at line ").next().unwrap_or(&message).to_owned()
        }
    }
}

/// The names to write instead of a wrong one, the nearest first.
pub(crate) fn instead(wrong: &str, allowed: &[&str]) -> String {
    let all = allowed.join(", ");
    match nearest(wrong, allowed.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? Allowed here: {all}"),
        None => format!("allowed here: {all}"),
    }
}
