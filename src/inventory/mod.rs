//! The live population: every resource of a type that exists now in an account and region, with its tags.
//!
//! Lists through the generic caller by the resource map's data; no type is known here by name. What could not be read
//! is [`Tags::Unknown`], never untagged.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws::{CallError, Session};
use crate::names::{AccountId, Arn, Region, ResourceId, ResourceType};
use crate::resource_map::{ResourceMap, TypeDefinition};

/// A resource that exists.
#[derive(Debug, Clone)]
pub struct LiveResource {
    /// Its type.
    pub resource_type: ResourceType,
    /// Its id by the map.
    pub id: ResourceId,
    /// All texts by which an event may call it: id, names, ARN. Without repeats.
    pub identifiers: Vec<String>,
    /// Its ARN.
    pub arn: Arn,
    /// Where it is: the region asked, or its own (buckets), or the partition's home region for global types.
    pub region: Region,
    /// Its tags.
    pub tags: Tags,
    /// The item as listed: templates take parameters from it.
    pub item: Value,
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

/// Lists the live resources of a type, with the tags that the listing (or one sweep of the Tagging API) gives.
///
/// # Errors
/// A failed call; an answer without the list; a page token that repeats. [`CallError::class`] `NoEndpoint`: the service isn't in that region.
#[allow(clippy::unused_async)]
pub async fn list(
    _session: &Session,
    _map: &ResourceMap,
    _definition: &TypeDefinition,
    _place: &Place,
) -> Result<Vec<LiveResource>, CallError> {
    todo!()
}

/// Reads the tags of resources whose absence of a tag isn't proven yet ([`Tags::Partial`], [`Tags::Unknown`]), by the type's own call, in
/// as few calls as it allows. What fails becomes [`Tags::Unknown`] with the reason.
#[allow(clippy::unused_async)]
pub async fn confirm_tags(
    _session: &Session,
    _definition: &TypeDefinition,
    _place: &Place,
    _resources: &mut [&mut LiveResource],
) {
    todo!()
}
