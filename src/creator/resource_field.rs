//! The fields of the resource document that rules of an identity map match and templates are filled in with.

use std::borrow::Cow;
use std::fmt;

use super::sought::ResourceFacts;
use crate::model::Tags;

/// The tag that consoles show as a resource's name.
const NAME_TAG: &str = "Name";

/// A field of the resource document.
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

/// The fields and their names.
pub(super) const RESOURCE_FIELDS: [(&str, ResourceField); 8] = [
    ("type", ResourceField::Type),
    ("id", ResourceField::Id),
    ("arn", ResourceField::Arn),
    ("name", ResourceField::Name),
    ("account", ResourceField::Account),
    ("account_id", ResourceField::AccountId),
    ("account_name", ResourceField::AccountName),
    ("region", ResourceField::Region),
];

impl ResourceField {
    /// Looks up a field by name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        RESOURCE_FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// The name in identity maps and templates.
    pub(super) fn name(self) -> &'static str {
        RESOURCE_FIELDS.iter().find(|(_, field)| *field == self).expect("all fields are in the list").0
    }

    /// The values of the field: those that are known.
    pub(super) fn values<'f>(self, facts: &'f ResourceFacts<'_>) -> [Option<&'f str>; 2] {
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

    /// Why the field is not known until the tags of the resource are. `None` if it is known.
    pub(super) fn why_unknown(self, facts: &ResourceFacts<'_>) -> Option<String> {
        (self == Self::Name).then(|| why_unknown(&facts.tags, NAME_TAG)).flatten()
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

/// Why it is not known whether a resource has a tag, and with which value. `None` if it is known.
pub(super) fn why_unknown(tags: &Tags, key: &str) -> Option<String> {
    match tags {
        Tags::Known(_) => None,
        Tags::Partial(tags) if tags.contains_key(key) => None,
        Tags::Partial(_) => Some("only some tags could be read".to_owned()),
        Tags::Unknown(why) => Some(why.clone()),
    }
}

/// The value of a tag, if it is known.
pub(super) fn tag_of<'f>(facts: &'f ResourceFacts<'_>, key: &str) -> Option<&'f str> {
    match facts.tags.as_ref() {
        Tags::Known(tags) | Tags::Partial(tags) => tags.get(key).map(String::as_str),
        Tags::Unknown(_) => None,
    }
}

/// A placeholder of a template: a field of the resource, or one of its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ResourcePlaceholder {
    Field(ResourceField),
    /// By key.
    Tag(String),
}

impl ResourcePlaceholder {
    /// Looks up a placeholder: the name of a field, or `tags.KEY`, with the key in double quotes or without.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let Some(key) = name.strip_prefix("tags.") else { return ResourceField::parse(name).map(Self::Field) };
        let unquoted = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
        (!unquoted.is_empty()).then(|| Self::Tag(unquoted.to_owned()))
    }

    /// Whether the tags of the resource decide about the value.
    pub(super) fn needs_tags(&self) -> bool {
        matches!(self, Self::Tag(_) | Self::Field(ResourceField::Name))
    }

    /// The fact that only AWS has, and why it is not known. `None` if the value is known.
    pub(super) fn unknown(&self, facts: &ResourceFacts<'_>) -> Option<(LiveFact, String)> {
        match self {
            Self::Field(field) => field.why_unknown(facts).map(|why| (LiveFact::Name, why)),
            Self::Tag(key) => why_unknown(&facts.tags, key).map(|why| (LiveFact::Tags, why)),
        }
    }

    /// The value. `None` if the resource has none, or an empty one.
    pub(super) fn of<'f>(&self, facts: &'f ResourceFacts<'_>) -> Option<Cow<'f, str>> {
        let value = match self {
            Self::Field(field) => field.values(facts)[0],
            Self::Tag(key) => tag_of(facts, key),
        };
        value.filter(|value| !value.is_empty()).map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_one_name() {
        for (name, field) in RESOURCE_FIELDS {
            assert_eq!((ResourceField::parse(name), field.name()), (Some(field), name));
        }
        assert_eq!(ResourceField::parse("tags"), None);
    }

    #[test]
    fn tag_is_a_placeholder_with_its_key() {
        let tag = |key: &str| Some(ResourcePlaceholder::Tag(key.to_owned()));
        for (name, expected) in [
            ("tags.stage", tag("stage")),
            ("tags.aws:cloudformation:stack-name", tag("aws:cloudformation:stack-name")),
            ("tags.\"cost center\"", tag("cost center")),
            ("tags.", None),
            ("tags.\"\"", None),
            ("tags", None),
        ] {
            assert_eq!(ResourcePlaceholder::parse(name), expected, "{name}");
        }
    }
}
