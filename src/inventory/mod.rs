//! The live population: every resource of a type that exists now in an account and region, with its tags.
//!
//! Lists through the generic caller by the resource map's data; no type is known here by name. What could not be read
//! is [`Tags::Unknown`], never untagged.

mod confirm;
mod listing;
mod pager;
mod resource;
mod scope;
mod tag_values;
mod tagging_sweep;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws::{CallError, ErrorClass, Session};
use crate::names::{AccountId, Arn, Region, ResourceId, ResourceType};
use crate::resource_map::{ResourceMap, TypeDefinition};

use scope::Scope;
pub(crate) use scope::of_ancestors;
pub use tagging_sweep::Sweeps;

/// A resource that exists.
#[derive(Debug, Clone)]
pub struct LiveResource {
    /// Its type.
    pub resource_type: ResourceType,
    /// Its id by the map.
    pub id: ResourceId,
    /// All texts by which an event may call it: id, names, ARN. Without repeats.
    pub identifiers: Vec<String>,
    /// Texts by which an event may call all that it made together (an image, for its snapshots).
    pub made_with: Vec<String>,
    /// Its ARN; empty for a type without one, which can't be tagged.
    pub arn: Arn,
    /// Where it is: the region asked, or its own (buckets), or the partition's home region for global types.
    pub region: Region,
    /// Its tags.
    pub tags: Tags,
    /// The item as listed: templates take parameters from it.
    pub item: Value,
    /// What was sent of its parent, its parent's parent and so on to list it: templates take parameters from them too.
    pub ancestors: Vec<Value>,
}

/// What is known of a resource's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// All of them: a missing key is proven missing.
    Known(BTreeMap<String, String>),
    /// At least these; more may exist (an index that lags, a resource that it doesn't cover).
    Partial(BTreeMap<String, String>),
    /// Reading failed, and why.
    Unknown(String),
}

/// Everything listing needs besides the type.
#[derive(Debug, Clone)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The region asked.
    pub region: Region,
}

/// The live resources of a type.
#[derive(Debug, Clone, Default)]
pub struct Population {
    /// The resources, each once, in the order of AWS's answers.
    pub resources: Vec<LiveResource>,
    /// What went wrong without ending the listing, as sentences for a person.
    pub problems: Vec<String>,
}

/// Lists the live resources of a type, with the tags that the listing (or a sweep of the Tagging API) gives. `sweeps` are shared
/// by the types that are looked at together.
///
/// # Errors
/// A failed call; an answer without the list; a page token that repeats. [`CallError::class`] `NoEndpoint`: the service isn't in that region.
pub async fn list(
    session: &Session,
    map: &ResourceMap,
    definition: &TypeDefinition,
    place: &Place,
    sweeps: &Sweeps,
) -> Result<Population, CallError> {
    let scope = Scope::new(session, definition, place)?;
    let items = listing::items(&scope, map).await?;
    let mut population = resource::population(&scope, items);
    if let Some(filter) = tagging_sweep::filter_of(definition) {
        let warnings = sweeps.fill(session, filter, &mut population.resources).await;
        population.problems.extend(warnings);
    }
    Ok(population)
}

/// Reads the tags of resources whose absence of a tag isn't proven yet ([`Tags::Partial`], [`Tags::Unknown`]), by the type's own call, in
/// as few calls as it allows. What fails becomes [`Tags::Unknown`] with the reason.
pub async fn confirm_tags(
    session: &Session,
    definition: &TypeDefinition,
    place: &Place,
    resources: &mut [&mut LiveResource],
) {
    match Scope::new(session, definition, place) {
        Ok(scope) => confirm::tags(&scope, resources).await,
        Err(error) => {
            resources.iter_mut().for_each(|resource| resource.tags = Tags::Unknown(error.message.clone()));
        }
    }
}

/// The error of a type that the map doesn't say how to list.
fn not_listable(definition: &TypeDefinition, region: &Region) -> CallError {
    let message = format!("the resource map has no call to list {}", definition.resource_type);
    let operation = definition.resource_type.as_str();
    CallError { message, ..CallError::bare(operation, region, ErrorClass::Refused, "not listable") }
}
