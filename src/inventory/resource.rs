//! Converts listed results to live resources.

use std::collections::HashSet;

use serde_json::Value;

use super::listing::ListedItem;
use super::scope::Scope;
use super::tag_values::tags_of;
use super::{LiveResource, Population, Tags};
use crate::model::{Arn, Region, ResourceId, TextHash};
use crate::packed_list::PackedList;
use crate::resource_map::template::MissingValue;

/// The resources in these results, without duplicates. Results without an ID or ARN are reported as problems.
pub(super) fn population(scope: &Scope<'_>, items: PackedList<ListedItem>) -> Population {
    let mut population = Population::default();
    let mut seen = HashSet::new();
    let (mut unusable, mut example) = (0_usize, None);
    for item in items {
        match resource(scope, item) {
            // Pages can overlap if resources are created or deleted in the meantime.
            Ok(resource) => {
                if seen.insert(TextHash::of([resource.id.as_str(), resource.arn.as_str()])) {
                    population.resources.push(&resource);
                }
            }
            Err(reason) => {
                unusable += 1;
                example = Some(reason);
            }
        }
    }
    if let Some(example) = example {
        let resource_type = &scope.definition.resource_type;
        population.problems.push(format!("skipped {unusable} listed resources of type {resource_type}: {example}"));
    }
    population
}

/// Why a result is not a resource.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("no id: {0}")]
    NoId(MissingValue),
    #[error("no ARN: {0}")]
    NoArn(MissingValue),
}

/// One result as a live resource.
pub(super) fn resource(scope: &Scope<'_>, item: ListedItem) -> Result<LiveResource, Unusable> {
    let ListedItem { value: packed, ancestors } = item;
    let item = packed.value();
    let access = scope.access;
    let own_region = access.region.as_ref().and_then(|region| region.search(&item).as_str().map(Region::from));
    let region = own_region.unwrap_or_else(|| scope.region.clone());
    let general = |name: &str| scope.lookup(name, &region, &ancestors);
    let id = access.id.text(&item, &general).map_err(Unusable::NoId)?;
    let lookup = |name: &str| if name == "id" { Some(id.as_str().into()) } else { general(name) };
    let arn = access.arn.as_ref().map(|arn| arn.text(&item, &lookup)).transpose();
    let arn = arn.map_err(Unusable::NoArn)?;
    let names = access.names.iter().flat_map(|name| name.texts(&item, &lookup));
    let mut identifiers = Vec::new();
    for identifier in std::iter::once(id.clone()).chain(names).chain(arn.clone()) {
        if !identifiers.contains(&identifier) {
            identifiers.push(identifier);
        }
    }
    let made_with = access.made_with.iter().flat_map(|text| text.texts(&item, &lookup)).collect();
    Ok(LiveResource {
        resource_type: scope.definition.resource_type.clone(),
        tags: listed_tags(scope, &item),
        id: ResourceId::new(id),
        identifiers,
        made_with,
        arn: Arn::new(arn.unwrap_or_default()),
        region,
        item: packed,
        ancestors,
    })
}

/// Without tags in the result, the tags are unknown.
fn listed_tags(scope: &Scope<'_>, item: &Value) -> Tags {
    let Some(path) = &scope.access.tags.path else { return Tags::Partial(std::collections::BTreeMap::new()) };
    match tags_of(&path.search(item)) {
        Some(tags) => Tags::Known(tags),
        None => Tags::Unknown(format!("{:?} of the listed resource is not a list of tags", path.source())),
    }
}
