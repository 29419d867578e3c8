//! The live population: every resource of a type that exists in an account-region, with its tags.
//!
//! Lists with the generic caller and the data of the resource map; no type has code of its own. Tags that could not be read
//! are [`Tags::Unknown`], never missing.

pub mod config;
mod confirm;
mod ec2_tags;
mod listing;
mod pager;
mod resource;
mod scope;
mod tag_index;
mod tag_values;

use crate::aws::{CallError, ErrorClass, Session};
use crate::model::{AccountRegion, LiveResource, Region, Tags};
use crate::packed_list::PackedList;
use crate::resource_map::{ResourceMap, TypeDefinition};

pub use ec2_tags::ec2_tags;
use scope::Scope;
pub(crate) use scope::of_ancestors;
pub use tag_index::TagIndexes;

/// The live resources of a type.
#[derive(Debug, Clone, Default)]
pub struct Population {
    /// The resources, without duplicates, in the order of AWS's responses.
    pub resources: PackedList<LiveResource>,
    /// Problems that did not stop the listing, as sentences.
    pub problems: Vec<String>,
}

/// Lists the live resources of a type, with the tags that the listing (or a sweep of the Tagging API) returns. `sweeps` are shared
/// by types that are processed together.
///
/// # Errors
/// A call failed; a response has no list; a page token repeats. [`CallError::class`] is `NoEndpoint` if the service is not available in that region.
pub async fn list(
    session: &Session,
    map: &ResourceMap,
    definition: &TypeDefinition,
    place: &AccountRegion,
    sweeps: &TagIndexes,
) -> Result<Population, CallError> {
    let mut population = list_without_sweep(session, map, definition, place).await?;
    if let Some(filter) = tag_index::filter_of(definition) {
        let (resources, warnings) = sweeps.fill(session, filter, population.resources).await;
        population.resources = resources;
        population.problems.extend(warnings);
    }
    Ok(population)
}

/// As [`list`], but only with the tags that the listing returns: for callers that need no tags, or that read the others with [`confirm_tags`].
///
/// # Errors
/// As [`list`].
pub async fn list_without_sweep(
    session: &Session,
    map: &ResourceMap,
    definition: &TypeDefinition,
    place: &AccountRegion,
) -> Result<Population, CallError> {
    let scope = Scope::new(session, definition, place)?;
    let items = listing::items(&scope, map).await?;
    Ok(resource::population(&scope, items))
}

/// Reads the tags of resources if the absence of a tag is not confirmed yet ([`Tags::Partial`], [`Tags::Unknown`]), with the type's own call, in
/// as few calls as possible. Failures become [`Tags::Unknown`] with the reason.
pub async fn confirm_tags(
    session: &Session,
    definition: &TypeDefinition,
    place: &AccountRegion,
    resources: &mut [&mut LiveResource],
) {
    // What is gone since it was listed has unknown tags, with the service's answer as the reason.
    confirm_existing(session, definition, place, resources).await;
}

/// As [`confirm_tags`], for resources that are not from the service itself. Returns the positions of those that it does not have.
pub async fn confirm_existing(
    session: &Session,
    definition: &TypeDefinition,
    place: &AccountRegion,
    resources: &mut [&mut LiveResource],
) -> Vec<usize> {
    match Scope::new(session, definition, place) {
        Ok(scope) => confirm::tags(&scope, resources).await,
        Err(error) => {
            resources.iter_mut().for_each(|resource| resource.tags = Tags::Unknown(error.message.clone()));
            Vec::new()
        }
    }
}

/// The error for a type that has no list call in the map.
fn not_listable(definition: &TypeDefinition, region: &Region) -> CallError {
    let message = format!("the resource map has no call to list {}", definition.resource_type);
    let operation = definition.resource_type.as_str();
    CallError { message, ..CallError::bare(operation, region, ErrorClass::Refused, "not listable") }
}
