//! The recorded events of live resources, from the store.

use std::collections::HashMap;

use smol_str::SmolStr;

use crate::creator::OwnerRules;
use crate::model::event::{Action, StoredEvent};
use crate::model::{AccountRegion, LiveResource, ResourceType};
use crate::packed_list::PackedList;
use crate::plan::join::{Index, Join, Joined, PackedJoin};
use crate::resource_map::TypeDefinition;
use crate::store::creations::EventRow;
use crate::store::{Store, StoreError};

/// The events of the live resources of a type.
pub(super) fn join(
    store: &Store,
    rules: &OwnerRules,
    place: &AccountRegion,
    definition: &TypeDefinition,
    live: &[LiveResource],
) -> Result<Joined, StoreError> {
    join_with(store, rules, place, definition, live, None)
}

/// Gets an event that is still in its row.
pub(super) type See<'s> = &'s mut dyn FnMut(&EventRow<'_>) -> Result<(), StoreError>;

/// As [`join`]. `see` gets all events of the type, also of resources that are not live.
pub(super) fn join_with(
    store: &Store,
    rules: &OwnerRules,
    AccountRegion { account, region }: &AccountRegion,
    definition: &TypeDefinition,
    live: &[LiveResource],
    mut see: Option<See<'_>>,
) -> Result<Joined, StoreError> {
    // A global type's events may stand in any region's trail, a bucket's in its own region's.
    let region = (!definition.global).then_some(region);
    let renames = store.renames_of_type(&definition.resource_type, account, region)?;
    let mut join = Join::new(live).with_renames(&renames);
    store.events_of_type(&definition.resource_type, account, region, &mut |row| {
        if let Some(see) = &mut see {
            see(row)?;
        }
        take_row(&mut join, row)
    })?;
    with_makers(store, rules, join.finish())
}

/// Keeps the event of a row if its resource is live.
pub(super) fn take_row(join: &mut Join, row: &EventRow<'_>) -> Result<(), StoreError> {
    if let Some(wanted) = join.wants(&row.names()?) {
        join.keep(row.event()?, wanted);
    }
    Ok(())
}

/// The listed resources of a type, to be joined with their events.
pub(super) struct TypeJoin {
    resource_type: ResourceType,
    is_global: bool,
    pub(super) resources: Resources,
}

/// Resources with what joins them with their events.
pub(super) enum Resources {
    InMemory(Vec<LiveResource>, Join),
    Packed(PackedList<LiveResource>, PackedJoin),
}

impl TypeJoin {
    /// If `can_be_packed`, the resources stay packed, unless their events depend on each other (renames, resources that were created together).
    pub(super) fn new(
        store: &Store,
        AccountRegion { account, region }: &AccountRegion,
        definition: &TypeDefinition,
        resources: PackedList<LiveResource>,
        can_be_packed: bool,
    ) -> Result<Self, StoreError> {
        let region = (!definition.global).then_some(region);
        let renames = store.renames_of_type(&definition.resource_type, account, region)?;
        let packed = if can_be_packed && renames.is_empty() { PackedJoin::new(&resources) } else { None };
        let resources = match packed {
            Some(join) => Resources::Packed(resources, join),
            None => {
                let live: Vec<LiveResource> = resources.into_iter().collect();
                let join = Join::new(&live).with_renames(&renames);
                Resources::InMemory(live, join)
            }
        };
        Ok(Self { resource_type: definition.resource_type.clone(), is_global: definition.global, resources })
    }

    fn take(&mut self, row: &EventRow<'_>) -> Result<(), StoreError> {
        match &mut self.resources {
            Resources::InMemory(_, join) => take_row(join, row)?,
            Resources::Packed(_, join) => {
                if let Some(position) = join.wants(&row.names()?) {
                    join.keep(row.event()?, position);
                }
            }
        }
        Ok(())
    }
}

/// Joins these types, in one pass over the region's events for all regional types, and in one over the account's for all global types.
/// Returns SQLite's steps.
pub(super) fn join_each(
    store: &Store,
    AccountRegion { account, region }: &AccountRegion,
    joins: &mut [TypeJoin],
) -> Result<u64, StoreError> {
    let mut steps = 0;
    for is_global in [false, true] {
        let of_pass = joins.iter_mut().filter(|join| join.is_global == is_global);
        let (types, mut of_pass): (Vec<ResourceType>, Vec<&mut TypeJoin>) =
            of_pass.map(|join| (join.resource_type.clone(), join)).unzip();
        if of_pass.is_empty() {
            continue;
        }
        let region = (!is_global).then_some(region);
        let types: Vec<&ResourceType> = types.iter().collect();
        steps += store.events_of_types(&types, account, region, &mut |position, row| of_pass[position].take(row))?;
    }
    Ok(steps)
}

/// The events, with the principals that created their sessions if the rules need these.
pub(super) fn with_makers(store: &Store, rules: &OwnerRules, mut joined: Joined) -> Result<Joined, StoreError> {
    if rules.resolve_chains {
        store.fill_makers(joined.events.iter_mut().flatten().map(|stored| &mut stored.event))?;
    }
    Ok(joined)
}

/// What recent events say of resources: that they exist, or that they do not.
#[derive(Debug)]
pub(super) struct RecentEvents {
    since: String,
    /// By ID, the latest event's time and whether the resource exists after it; and its names.
    latest: HashMap<String, (SmolStr, bool, Vec<String>)>,
}

impl RecentEvents {
    /// Events from this time on (RFC 3339, UTC).
    pub(super) fn since(since: String) -> Self {
        Self { since, latest: HashMap::new() }
    }

    /// Takes an event of the type that is still in its row.
    pub(super) fn see_row(&mut self, row: &EventRow<'_>) -> Result<(), StoreError> {
        if self.is_recent(row.time()?) {
            self.see(&row.event()?);
        }
        Ok(())
    }

    fn is_recent(&self, time: &str) -> bool {
        time >= self.since.as_str()
    }

    /// Takes a recent event of the type.
    fn see(&mut self, event: &StoredEvent) {
        let exists = event.action != Action::Delete;
        let time = &event.event.time;
        let seen = self.latest.entry(event.resource_id.to_string()).or_default();
        if seen.0 <= *time {
            *seen = (time.clone(), exists, event.names.clone());
        }
        // A rename ends one name and begins another.
        if let Some(name) = &event.renamed_to {
            let seen = self.latest.entry(name.to_string()).or_default();
            if seen.0 <= *time {
                *seen = (time.clone(), true, Vec::new());
            }
        }
    }

    /// Whether these live resources lack one that was created recently, or have one that was deleted recently.
    pub(super) fn contradict(&self, live: &[LiveResource]) -> bool {
        let index = Index::new(live.iter());
        self.latest.iter().any(|(id, (_, exists, names))| {
            let is_live = std::iter::once(id).chain(names).any(|text| index.find(text).is_some());
            is_live != *exists
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::test_data::{live, stored};

    const NEW: &str = "2026-03-02T00:00:00Z";
    const NEWER: &str = "2026-03-03T00:00:00Z";

    fn contradict(events: &[(&str, &str, &str)]) -> bool {
        let mut recent = RecentEvents::since("2026-03-01T00:00:00Z".to_owned());
        for (action, id, time) in events.iter().filter(|(_, _, time)| recent.is_recent(time)).collect::<Vec<_>>() {
            recent.see(&stored(action, id, "alice", time));
        }
        recent.contradict(&[live("jobs", "arn:aws:sqs:eu-west-1:1:jobs")])
    }

    #[test]
    fn regression_what_is_newer_than_configs_answer_is_not_gone() {
        assert!(contradict(&[("create", "new", NEW)]));
        assert!(contradict(&[("delete", "jobs", NEW)]), "the answer has what is deleted");
        assert!(contradict(&[("delete", "new", NEW), ("create", "new", NEWER)]));
    }

    #[test]
    fn an_answer_that_has_caught_up_is_taken() {
        assert!(!contradict(&[]));
        assert!(!contradict(&[("create", "arn:aws:sqs:eu-west-1:1:jobs", NEW)]), "whatever names it");
        assert!(!contradict(&[("create", "new", NEW), ("delete", "new", NEWER)]));
        assert!(!contradict(&[("create", "old", "2026-02-01T00:00:00Z")]), "it can be gone without a record");
    }
}
