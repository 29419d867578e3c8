//! The create events among the events of a group.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::{Scope, scope_of};
use crate::creator::{RenameHistory, SameResource, creation_of};
use crate::model::event::{Action, StoredEvent};
use crate::model::{AccountId, Region, ResourceId, ResourceType};
use crate::resource_map::ResourceMap;

/// A create event, by number.
pub(in crate::store) struct Creation {
    pub(super) number: usize,
    /// The present ID, if it is another one than in the event.
    pub(super) id: Option<ResourceId>,
}

/// The create events of the resources that exist, as far as these events say. The numbers are in the order of the table.
pub(in crate::store) fn creations(map: &ResourceMap, events: Vec<(usize, StoredEvent)>) -> Vec<Creation> {
    let same = joined(map, events.iter().map(|(_, event)| event));
    let key = |event: &StoredEvent, text: &str| key_by(map, &same, event, text);
    let has_renames = events.iter().any(|(_, event)| event.renamed_to.is_some());
    let numbers: Vec<(Key, usize)> = events.iter().map(|(number, event)| (key_of(event), *number)).collect();
    let mut resources: BTreeMap<(Scope, String), Vec<StoredEvent>> = BTreeMap::new();
    for (_, event) in events {
        resources.entry(key(&event, event.resource_id.as_str())).or_default().push(event);
    }
    if has_renames {
        let new_name = |event: &StoredEvent| Some(key(event, event.renamed_to.as_ref()?.as_str()));
        let history = RenameHistory::new(resources.clone(), &new_name);
        resources.extend(history.new_names().map(|name| (name.clone(), history.of(name))));
    }
    let found = resources.values().filter_map(|events| {
        let creation = shortest(events, creation_of(events)?);
        let at = numbers.binary_search_by(|(key, _)| key.cmp(&key_of(creation))).ok()?;
        Some(Creation { number: numbers[at].1, id: present_id(events, creation) })
    });
    found.collect()
}

/// The events of a group by resource. Renames are not followed.
pub(in crate::store) fn by_resource(
    map: &ResourceMap,
    events: Vec<(usize, StoredEvent)>,
) -> Vec<Vec<(usize, StoredEvent)>> {
    let same = joined(map, events.iter().map(|(_, event)| event));
    let mut resources: BTreeMap<(Scope, String), Vec<(usize, StoredEvent)>> = BTreeMap::new();
    for (number, event) in events {
        let key = key_by(map, &same, &event, event.resource_id.as_str());
        resources.entry(key).or_default().push((number, event));
    }
    resources.into_values().collect()
}

fn joined<'m, 'e>(map: &'m ResourceMap, events: impl Iterator<Item = &'e StoredEvent>) -> SameResource<'m, Scope> {
    let mut same = SameResource::new(map.naming());
    for event in events {
        same.add(&scope_of(map, event), event);
    }
    same.finish();
    same
}

/// The resource of an event that has this name.
fn key_by(map: &ResourceMap, same: &SameResource<'_, Scope>, event: &StoredEvent, text: &str) -> (Scope, String) {
    let scope = scope_of(map, event);
    let name = same.name(&scope, event, text);
    (scope, name)
}

/// What identifies a row, in the order of the table.
type Key = (AccountId, Region, SmolStr, SmolStr, ResourceType, ResourceId);

fn key_of(StoredEvent { resource_type, resource_id, event, .. }: &StoredEvent) -> Key {
    (
        event.account_id.clone(),
        event.region.clone(),
        event.time.clone(),
        event.event_id.clone(),
        resource_type.clone(),
        resource_id.clone(),
    )
}

/// One event can have several IDs of a resource (a name and its URL): the row with the shortest.
fn shortest<'e>(events: &'e [StoredEvent], creation: &'e StoredEvent) -> &'e StoredEvent {
    let id = |event: &StoredEvent| (event.resource_id.as_str().len(), event.resource_id.clone());
    let of_event = events.iter().filter(|event| event.event == creation.event && event.action == creation.action);
    of_event.min_by_key(|event| id(event)).unwrap_or(creation)
}

fn present_id(events: &[StoredEvent], creation: &StoredEvent) -> Option<ResourceId> {
    let since = creation.event.time.as_str();
    let renames = events.iter().filter(|event| event.action == Action::Rename && event.event.time.as_str() >= since);
    renames.max_by(|one, other| one.event.time.cmp(&other.event.time))?.renamed_to.clone()
}
