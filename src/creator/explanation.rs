//! The way from an event to an owner, rule by rule: what `who` tells as evidence.

use serde::Serialize;

use super::{NoOwner, Owner};

/// A rule, as `docs/owners.md` calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Which event counts.
    Event,
    /// What kind of caller it was.
    Caller,
    /// The user's own rules.
    IdentityMap,
    /// Who made the caller's session.
    Chain,
    /// The person that the session names.
    SourceIdentity,
    /// Sessions that machines named.
    MachineSessions,
    /// Which fact stands for the caller.
    CreatorValue,
    /// Whose creations count.
    UserSuffix,
    /// What tags allow.
    TagValue,
}

/// What one rule said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The rule.
    pub rule: Rule,
    /// What it found, as a phrase.
    pub says: String,
}

/// An event's owner, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rules that spoke, in their order. The last one decided.
    pub steps: Vec<Step>,
    /// The owner, or why there is none.
    pub owner: Result<Owner, NoOwner>,
}

/// Notes down what the rules say.
#[derive(Debug, Default)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl Steps {
    pub(super) fn say(&mut self, rule: Rule, says: impl Into<String>) {
        self.0.push(Step { rule, says: says.into() });
    }

    /// Notes that a rule leaves no owner.
    pub(super) fn refuse(&mut self, rule: Rule, no_owner: NoOwner) -> NoOwner {
        self.say(rule, format!("no owner: {}", no_owner.0));
        no_owner
    }
}
