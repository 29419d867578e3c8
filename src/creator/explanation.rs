//! The way from an event to an owner, rule by rule: what `who` tells as evidence.

use serde::Serialize;

use super::{NoOwner, Owner};

/// What one rule said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The rule, as `docs/owners.md` calls it.
    pub rule: &'static str,
    /// What it found, as a phrase.
    pub says: String,
}

/// An event's owner, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rules that spoke, in their order.
    pub steps: Vec<Step>,
    /// The owner, or why there is none.
    pub owner: Result<Owner, NoOwner>,
}

/// Notes down what the rules say.
#[derive(Debug, Default)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl Steps {
    pub(super) fn say(&mut self, rule: &'static str, says: impl Into<String>) {
        self.0.push(Step { rule, says: says.into() });
    }
}
