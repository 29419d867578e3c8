//! The tags that a resource has now, as far as they are known.

use super::Question;
use super::skip::{SameTag, Skip};
use crate::model::{LiveResource, TagKey, Tags};
use crate::resource_map::{PresentTag, TypeDefinition};

/// The tag as the resource has it, as far as known. Its key may be spelled otherwise where the type ignores case.
pub(crate) fn present_tag<'a>(
    definition: &TypeDefinition,
    resource: &'a LiveResource,
    key: &TagKey,
) -> Option<PresentTag<'a>> {
    match &resource.tags {
        Tags::Known(tags) | Tags::Partial(tags) => definition.tag_keys().get(tags, key),
        Tags::Unknown(_) => None,
    }
}

/// The tag that names the resource's owner, as far as known: the one asked for, else one of the further keys.
pub(crate) fn owner_tag<'a>(
    question: &Question,
    definition: &TypeDefinition,
    resource: &'a LiveResource,
) -> Option<PresentTag<'a>> {
    let mut keys = std::iter::once(&question.key).chain(&question.owner_keys);
    keys.find_map(|key| present_tag(definition, resource, key))
}

/// Which tag the resource has; where its key is another one, why it counts.
pub(super) fn has_tag(definition: &TypeDefinition, key: &TagKey, present: PresentTag<'_>) -> Skip {
    let because = if present.key == key.as_str() {
        SameTag::Itself
    } else if definition.tag_keys().are_same(present.key, key.as_str()) {
        SameTag::OtherCase { key: key.clone(), resource_type: definition.resource_type.clone() }
    } else {
        SameTag::OwnerKeyBeside(key.clone())
    };
    Skip::HasTag { tag: present.into(), because }
}
