//! The result of an identity map for a principal and a resource.

use crate::creator::resource_field::LiveFact;

/// The result.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::creator) enum Verdict {
    /// A rule decides.
    Decided(Decision),
    /// A rule without patterns decides. It says nothing about this principal or resource, so a principal further up the role chain,
    /// or a parent of the resource, can have a better owner.
    General(Decision),
    /// No rule gives an owner, because this one matches and has no value.
    Waits(Decision),
    /// A rule could not be decided.
    Undecided(Undecided),
    /// No rule matches.
    NoMatch,
}

/// The result of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::creator) struct Decision {
    /// The rule, with its patterns and the values that they matched.
    pub(in crate::creator) because: String,
    /// The rule alone.
    pub(in crate::creator) rule: String,
    /// The row of the person that the owner comes from: "dana (people.csv:4)".
    pub(in crate::creator) person: Option<String>,
    /// The owner, or the reason for having none.
    pub(in crate::creator) owner: Result<String, NoMappedOwner>,
}

/// A rule that depends on a fact that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("identity map, {rule} could not be decided: it needs the resource's {fact}, and {why}{}", or_else_phrase(.otherwise.as_deref()))]
pub struct Undecided {
    /// The rule's title.
    pub rule: String,
    /// The fact.
    pub fact: LiveFact,
    /// Why it is not known.
    pub why: String,
    /// The owner if the rule does not match.
    pub otherwise: Option<String>,
}

fn or_else_phrase(owner: Option<&str>) -> String {
    owner.map(|owner| format!("; if it does not match, the owner is {owner}")).unwrap_or_default()
}

/// Why a matching rule gives no owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMappedOwner {
    /// The rule skips; its reason.
    #[error("{0}")]
    Skipped(String),
    /// The event lacks a field of the rule's template.
    #[error("its `owner` uses {{{0}}}, which this event does not have")]
    NoField(String),
    /// The resource lacks a field or tag of the rule's template.
    #[error("its `owner` uses {{{0}}}, which this resource does not have")]
    NoResourceField(String),
    /// The table of people does not have what the template uses.
    #[error(transparent)]
    NoPerson(#[from] NoPerson),
    /// The accounts file has no such tag of the account.
    #[error("its `owner` uses {{account_tag:{key}}}, and account {account} has no tag {key} in an accounts file")]
    NoAccountTag {
        /// The key.
        key: String,
        /// The account of the resource.
        account: String,
    },
}

/// Why the table of people has no value for a template. The name is that of the principal, as it would be the owner without a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NoPerson {
    /// No row has a name of the person.
    #[error("{table} has no row for {name}")]
    NoRow {
        /// The person.
        name: String,
        /// The file.
        table: String,
    },
    /// Several rows have a name of the person.
    #[error("{found} is in {first} and {second}: a name must identify one person")]
    Ambiguous {
        /// The person.
        name: String,
        /// The name that is in several rows.
        found: String,
        /// The first row: "people.csv:4".
        first: String,
        /// The second row.
        second: String,
    },
    /// The row has an empty cell.
    #[error("{place} has no {column} for {name}")]
    EmptyCell {
        /// The person.
        name: String,
        /// The column.
        column: String,
        /// The row: "people.csv:4".
        place: String,
    },
}

impl NoPerson {
    /// The person.
    pub fn name(&self) -> &str {
        match self {
            Self::NoRow { name, .. } | Self::Ambiguous { name, .. } | Self::EmptyCell { name, .. } => name,
        }
    }
}
