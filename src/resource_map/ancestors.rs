//! `{parent.parent}` and its like: whether the ancestor is there that a placeholder names. Who is above a type only shows
//! with all files on the table.

use std::collections::BTreeMap;

use super::definition::{Listing, ParentSource, ParentValue};
use super::{Access, TypeDefinition};
use crate::model::ResourceType;

/// Ancestors looked at: more than any type may have; a circle ends here.
const MAX_LOOKED_AT: usize = 16;

/// What is wrong with a placeholder of `access`, if anything is.
pub(super) fn complaint(types: &BTreeMap<ResourceType, TypeDefinition>, access: &Access) -> Option<String> {
    let above = ancestors(types, &access.list);
    let own = access.placeholders().into_iter().find_map(|placeholder| complaint_of(placeholder, &above));
    own.or_else(|| complaint_of_listing(types, &access.list))
}

/// Of a listing and those that only list its parents.
fn complaint_of_listing(types: &BTreeMap<ResourceType, TypeDefinition>, listing: &Listing) -> Option<String> {
    let above = ancestors(types, listing);
    let own = listing.requests().into_iter().flat_map(|request| request.placeholders().collect::<Vec<_>>());
    let own = own.into_iter().find_map(|placeholder| complaint_of(placeholder, &above));
    own.or_else(|| match listing.parent.as_ref().map(|parent| &parent.source) {
        Some(ParentSource::Listing(listing)) => complaint_of_listing(types, listing),
        Some(ParentSource::Type(_)) | None => None,
    })
}

/// What each ancestor gives, the nearest first.
fn ancestors<'m>(types: &'m BTreeMap<ResourceType, TypeDefinition>, listing: &'m Listing) -> Vec<&'m ParentValue> {
    let mut values = Vec::new();
    let mut listing = Some(listing);
    while let Some(parent) = listing.and_then(|listing| listing.parent.as_ref())
        && values.len() < MAX_LOOKED_AT
    {
        values.push(&parent.value);
        listing = match &parent.source {
            ParentSource::Listing(listing) => Some(listing.as_ref()),
            ParentSource::Type(name) => {
                types.get(name).and_then(|definition| definition.access.as_ref()).map(|access| &access.list)
            }
        };
    }
    values
}

fn complaint_of(placeholder: &str, above: &[&ParentValue]) -> Option<String> {
    let mut rest = placeholder.strip_prefix("parent").filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
    let mut far = 0;
    while let Some(more) = rest.strip_prefix(".parent").filter(|more| more.is_empty() || more.starts_with('.')) {
        rest = more;
        far += 1;
    }
    let name = rest.strip_prefix('.');
    match (above.get(far), name) {
        (None, _) => Some(format!("{{{placeholder}}} has no value: the type has {} ancestors", above.len())),
        (Some(ParentValue::One(_)), None) => None,
        (Some(ParentValue::Several(values)), Some(name)) if values.contains_key(name) => None,
        (Some(ParentValue::One(_)), Some(_)) => {
            Some(format!("{{{placeholder}}} has no value: that ancestor gives one value without a name"))
        }
        (Some(ParentValue::Several(values)), _) => {
            let names: Vec<&str> = values.keys().map(String::as_str).collect();
            Some(format!("{{{placeholder}}} has no value: that ancestor gives {}", names.join(", ")))
        }
    }
}
