//! Input that is meant to do harm, or happens to: nothing of it controls a terminal, leaks a secret, fills memory or ends in a panic.

mod files;
mod inputs;
#[cfg(unix)]
mod secrets;
mod terminal;
