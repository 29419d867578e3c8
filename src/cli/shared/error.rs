//! The one error that reaches a person: what was being done, what went wrong, what to do next; and the exit codes.
//!
//! Modules have errors of their own; the conversion to [`CommandError`] happens where a command calls them, because
//! there it is known what was being done and which advice helps.

use std::error::Error;
use std::fmt::Display;

/// How a command ended. Documented in docs/reference.md: scripts depend on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All done.
    Done,
    /// The command did not do its work.
    Failed,
    /// The command line or a file given by the user can't be understood.
    Usage,
    /// Finished, but some items failed; they were named.
    ItemFailures,
    /// Stopped by Ctrl-C; what was done is kept.
    Interrupted,
}

impl Outcome {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::ItemFailures => 4,
            Self::Interrupted => 130,
        }
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub struct CommandError {
    /// What the process says to its caller.
    pub outcome: Outcome,
    /// What was being done, to what, and what went wrong; causes appended with `: `.
    pub message: String,
    /// What to do next, one advice a line.
    pub hints: Vec<String>,
}

impl CommandError {
    /// The work could not be done.
    pub fn failed(message: impl Display) -> Self {
        Self { outcome: Outcome::Failed, message: message.to_string(), hints: Vec::new() }
    }

    /// What the user gave can't be understood.
    pub fn usage(message: impl Display) -> Self {
        Self { outcome: Outcome::Usage, message: message.to_string(), hints: Vec::new() }
    }

    /// `doing` failed because of `error`, with all its causes.
    pub fn while_doing(doing: impl Display, error: &dyn Error) -> Self {
        Self::failed(format_args!("{doing}: {}", with_causes(error)))
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// An error and its causes on one line. A cause that its parent's text already ends with is not repeated.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}
