//! The patterns of a rule for the resource, and whether they match: yes, no, or unknown because AWS alone has the fact.

use super::Matched;
use crate::creator::resource_field::{LiveFact, ResourceField, tag_of, why_unknown};
use crate::creator::sought::ResourceFacts;
use crate::text::pattern::Pattern;

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
            if let Some(why) = field.why_unknown(facts) {
                unknown.get_or_insert(Fit::Unknown(LiveFact::Name, why));
                continue;
            }
            let values = field.values(facts);
            let fits = values.into_iter().flatten().find_map(|value| Some((value, pattern.fit(value)?)));
            let Some((value, groups)) = fits else { return Fit::No };
            matched.add(format_args!("resource {} {value} matches {pattern}", field.name()), groups);
        }
        for (key, pattern) in &self.tags {
            if let Some(why) = why_unknown(&facts.tags, key) {
                unknown.get_or_insert(Fit::Unknown(LiveFact::Tags, why));
                continue;
            }
            let fits = tag_of(facts, key).and_then(|value| Some((value, pattern.fit(value)?)));
            let Some((value, groups)) = fits else { return Fit::No };
            matched.add(format_args!("tag {key}={value} matches {pattern}"), groups);
        }
        unknown.unwrap_or(Fit::Yes)
    }
}
