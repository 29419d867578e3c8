//! The steps from an event to an owner, rule by rule: the evidence that `who` shows.

use serde::Serialize;

use super::{NoOwner, Owner};

/// A rule. `docs/owners.md` has the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The choice of the create event.
    Event,
    /// The kind of caller.
    Caller,
    /// The identity map.
    IdentityMap,
    /// The role chain.
    Chain,
    /// The source identity of the session.
    SourceIdentity,
    /// Machine-named sessions.
    MachineSessions,
    /// The fact that becomes the owner.
    CreatorValue,
    /// `--user-suffix`.
    UserSuffix,
    /// Valid tag values.
    TagValue,
}

/// The result of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The rule.
    pub rule: Rule,
    /// The result as a phrase.
    pub says: String,
}

/// The owner for an event, with all steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rules that applied, in order. The last one decided.
    pub steps: Vec<Step>,
    /// The owner, or the reason for having none.
    pub owner: Result<Owner, NoOwner>,
}

/// Collects the results of rules.
#[derive(Debug, Default)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl Steps {
    pub(super) fn say(&mut self, rule: Rule, says: impl Into<String>) {
        self.0.push(Step { rule, says: says.into() });
    }

    /// Records that a rule left no owner.
    pub(super) fn refuse(&mut self, rule: Rule, no_owner: NoOwner) -> NoOwner {
        self.say(rule, format!("no owner: {no_owner}"));
        no_owner
    }
}
