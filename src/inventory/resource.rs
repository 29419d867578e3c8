//! From listed items to live resources.

use std::collections::HashSet;

use serde_json::Value;

use super::listing::ListedItem;
use super::scope::Scope;
use super::tag_values::tags_of;
use super::{LiveResource, Population, Tags};
use crate::names::{Arn, Region, ResourceId};

/// The resources that the items are, each once. Items that can't be told are counted as problems, never dropped in silence.
pub(super) fn population(scope: &Scope<'_>, items: Vec<ListedItem>) -> Population {
    let mut population = Population::default();
    let mut seen = HashSet::new();
    let (mut unusable, mut example) = (0_usize, String::new());
    for item in items {
        match resource(scope, item) {
            // Pages may overlap where resources come and go meanwhile.
            Ok(resource) => {
                if seen.insert((resource.id.clone(), resource.arn.clone())) {
                    population.resources.push(resource);
                }
            }
            Err(reason) => {
                unusable += 1;
                example = reason;
            }
        }
    }
    if unusable > 0 {
        let resource_type = &scope.definition.resource_type;
        population.problems.push(format!("{unusable} listed items of {resource_type} are left out: {example}"));
    }
    population
}

fn resource(scope: &Scope<'_>, item: ListedItem) -> Result<LiveResource, String> {
    let ListedItem { value: item, parent } = item;
    let access = scope.access;
    let id = text_of(&access.id.search(&item)).ok_or_else(|| format!("no id by {:?}", access.id.source()))?;
    let own_region = access.region.as_ref().and_then(|region| text_of(&region.search(&item)));
    let region = own_region.map_or_else(|| scope.region.clone(), Region::new);
    let lookup = |name: &str| match name {
        "id" => Some(id.clone()),
        "parent" => parent.as_ref().and_then(text_of),
        _ => scope.lookup(name, &region).as_ref().and_then(text_of),
    };
    let arn = access.arn.render(&item, lookup).map_err(|missing| format!("no ARN: {missing}"))?;
    let names = access.names.iter().flat_map(|name| texts_of(&name.search(&item)));
    let mut identifiers = Vec::new();
    for identifier in std::iter::once(id.clone()).chain(names).chain([arn.clone()]) {
        if !identifiers.contains(&identifier) {
            identifiers.push(identifier);
        }
    }
    Ok(LiveResource {
        resource_type: scope.definition.resource_type.clone(),
        tags: listed_tags(scope, &item),
        id: ResourceId::new(id),
        identifiers,
        arn: Arn::new(arn),
        region,
        item,
    })
}

/// Without tags on the item nothing is known of them yet.
fn listed_tags(scope: &Scope<'_>, item: &Value) -> Tags {
    let Some(path) = &scope.access.tags.path else { return Tags::Partial(std::collections::BTreeMap::new()) };
    match tags_of(&path.search(item)) {
        Some(tags) => Tags::Known(tags),
        None => Tags::Unknown(format!("{:?} of the listed item is not tags", path.source())),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts_of(value: &Value) -> Vec<String> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter().filter_map(text_of).collect()
}
