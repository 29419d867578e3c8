//! The patterns of a rule for the resource, and whether they match: yes, no, or unknown because AWS alone has the fact.

use std::fmt;

use super::Matched;
use crate::creator::sought::ResourceFacts;
use crate::model::Tags;
use crate::text::pattern::Pattern;

/// The tag that consoles show as a resource's name.
const NAME_TAG: &str = "Name";

/// A field of the resource document that a rule can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceField {
    Type,
    Id,
    Arn,
    Name,
    /// The ID of the account, or its name.
    Account,
    AccountId,
    AccountName,
    Region,
}

impl ResourceField {
    /// The name of the key in an identity map.
    fn key(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Id => "id",
            Self::Arn => "arn",
            Self::Name => "name",
            Self::Account => "account",
            Self::AccountId => "account_id",
            Self::AccountName => "account_name",
            Self::Region => "region",
        }
    }

    /// The values of the field: those that are known.
    fn of<'f>(self, facts: &'f ResourceFacts<'_>) -> [Option<&'f str>; 2] {
        match self {
            Self::Type => [Some(facts.resource_type.as_str()), None],
            Self::Id => [Some(facts.id), None],
            Self::Arn => [facts.arn, None],
            Self::Name => [facts.name.as_deref(), None],
            Self::Account => [Some(facts.account_id.as_str()), facts.account_name],
            Self::AccountId => [Some(facts.account_id.as_str()), None],
            Self::AccountName => [facts.account_name, None],
            Self::Region => [Some(facts.region), None],
        }
    }
}

/// A fact of a resource that only AWS has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveFact {
    /// The tags.
    Tags,
    /// The name, which the `Name` tag can change.
    Name,
}

impl fmt::Display for LiveFact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tags => "tags",
            Self::Name => "name (its Name tag)",
        })
    }
}

/// Whether patterns match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// It depends on a fact that is not known, for this reason.
    Unknown(LiveFact, String),
}

/// The patterns of a rule for the resource. All must match.
#[derive(Debug, Default)]
pub(super) struct ResourcePatterns {
    pub(super) fields: Vec<(ResourceField, Pattern)>,
    /// By tag key.
    pub(super) tags: Vec<(String, Pattern)>,
}

impl ResourcePatterns {
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.tags.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Pattern> {
        self.fields.iter().map(|(_, pattern)| pattern).chain(self.tags.iter().map(|(_, pattern)| pattern))
    }

    /// Whether the tags of a resource decide.
    pub(super) fn needs_tags(&self) -> bool {
        !self.tags.is_empty() || self.fields.iter().any(|(field, _)| *field == ResourceField::Name)
    }

    /// Whether they match. One that surely does not match decides before one that can't be known.
    pub(super) fn fit<'p>(&'p self, facts: Option<&ResourceFacts<'_>>, matched: &mut Matched<'p>) -> Fit {
        if self.is_empty() {
            return Fit::Yes;
        }
        let Some(facts) = facts else { return Fit::No };
        let mut unknown = None;
        for (field, pattern) in &self.fields {
            let why = if *field == ResourceField::Name { why_unknown(&facts.tags, NAME_TAG) } else { None };
            if let Some(why) = why {
                unknown.get_or_insert(Fit::Unknown(LiveFact::Name, why));
                continue;
            }
            let values = field.of(facts);
            let fits = values.into_iter().flatten().find_map(|value| Some((value, pattern.fit(value)?)));
            let Some((value, groups)) = fits else { return Fit::No };
            matched.add(format_args!("resource {} {value} matches {pattern}", field.key()), groups);
        }
        for (key, pattern) in &self.tags {
            if let Some(why) = why_unknown(&facts.tags, key) {
                unknown.get_or_insert(Fit::Unknown(LiveFact::Tags, why));
                continue;
            }
            let (Tags::Known(tags) | Tags::Partial(tags)) = facts.tags.as_ref() else { return Fit::No };
            let fits = tags.get(key).and_then(|value| Some((value, pattern.fit(value)?)));
            let Some((value, groups)) = fits else { return Fit::No };
            matched.add(format_args!("tag {key}={value} matches {pattern}"), groups);
        }
        unknown.unwrap_or(Fit::Yes)
    }
}

/// Why it is not known whether a resource has a tag, and with which value. `None` if it is known.
fn why_unknown(tags: &Tags, key: &str) -> Option<String> {
    match tags {
        Tags::Known(_) => None,
        Tags::Partial(tags) if tags.contains_key(key) => None,
        Tags::Partial(_) => Some("only some tags could be read".to_owned()),
        Tags::Unknown(why) => Some(why.clone()),
    }
}
