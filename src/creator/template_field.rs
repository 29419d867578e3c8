//! The placeholders that all templates have: the fields of the resource document, and further facts of the create event.

use std::borrow::Cow;

use super::facts::{DOCUMENT_PATHS, FIELDS, Field};
use super::owner::OwnerRules;
use super::resource_field::{LiveFact, RESOURCE_FIELDS, ResourcePlaceholder};
use super::sought::ResourceFacts;
use crate::model::event::Event;

/// The field `creator` of the resource document.
const CREATOR: &str = "creator";

/// A placeholder for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplateField {
    /// Of the create event and its caller.
    Event(Field),
    /// Of the resource.
    Resource(ResourcePlaceholder),
    /// The name of the principal that created the resource, whoever its owner is.
    Creator,
}

impl TemplateField {
    /// Looks up a field by its path in the resource document, or by the name of the fact.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let of_event = || Field::of_placeholder(name).map(Self::Event);
        let of_resource = || ResourcePlaceholder::parse(name).map(Self::Resource);
        (name == CREATOR).then_some(Self::Creator).or_else(of_event).or_else(of_resource)
    }

    /// The names of all fields, for messages.
    pub(super) fn names<'n>() -> impl Iterator<Item = &'n str> {
        let of_event = FIELDS.iter().chain(&DOCUMENT_PATHS).map(|(name, _)| *name);
        let of_resource = RESOURCE_FIELDS.iter().map(|(name, _)| *name);
        std::iter::once(CREATOR).chain(of_resource).chain(["tags.KEY"]).chain(of_event)
    }

    /// Whether the tags of the resource decide about the value.
    pub(super) fn needs_tags(&self) -> bool {
        matches!(self, Self::Resource(placeholder) if placeholder.needs_tags())
    }

    /// The fact that only AWS has, and why it is not known. `None` if the value is known.
    pub(super) fn unknown(&self, resource: &ResourceFacts<'_>) -> Option<(LiveFact, String)> {
        if let Self::Resource(placeholder) = self { placeholder.unknown(resource) } else { None }
    }

    /// The value. `None` if the event or the resource lacks it. `rules` have the names of Identity Center users.
    pub(super) fn of<'v>(
        &self,
        rules: &OwnerRules,
        event: Option<&'v Event>,
        resource: Option<&'v ResourceFacts<'_>>,
    ) -> Option<Cow<'v, str>> {
        match self {
            Self::Event(field) => field.of(event?),
            Self::Resource(placeholder) => placeholder.of(resource?),
            Self::Creator => rules.creator_of(event?).map(Cow::Owned),
        }
    }
}
