//! Text that people write: YAML with positions, patterns, and the nearest known word. Knows nothing of what a file means.
//!
//! * [`source`]: a YAML or JSON file as text, what is wrong with it, and where
//! * [`pattern`]: globs and regular expressions
//! * [`mod@nearest`]: "did you mean"
//! * [`safe`]: text of others, made safe for a terminal
//! * [`arena`]: many short texts in little memory
//! * [`secrets`]: secrets in text of others, taken out

pub(crate) mod arena;
mod nearest;
pub(crate) mod pattern;
pub(crate) mod safe;
pub(crate) mod secrets;
pub(crate) mod source;

pub(crate) use nearest::{likeness, nearest};
pub use source::FileError;
