//! The recorded events of live resources, from the store.

use crate::creator::OwnerRules;
use crate::model::{AccountRegion, LiveResource};
use crate::plan::join::{Join, Joined};
use crate::resource_map::TypeDefinition;
use crate::store::{Store, StoreError};

/// The events of the live resources of a type.
pub(super) fn join(
    store: &Store,
    rules: &OwnerRules,
    AccountRegion { account, region }: &AccountRegion,
    definition: &TypeDefinition,
    live: &[LiveResource],
) -> Result<Joined, StoreError> {
    // A global type's events may stand in any region's trail, a bucket's in its own region's.
    let region = (!definition.global).then_some(region);
    let renames = store.renames_of_type(&definition.resource_type, account, region)?;
    let mut join = Join::new(live).with_renames(&renames);
    store.events_of_type(&definition.resource_type, account, region, &mut |event| join.add(event))?;
    with_makers(store, rules, join.finish())
}

/// The events with who made the sessions that made them, where the rules ask for that.
pub(super) fn with_makers(store: &Store, rules: &OwnerRules, mut joined: Joined) -> Result<Joined, StoreError> {
    if rules.resolve_chains {
        store.fill_makers(joined.events.iter_mut().flatten().map(|stored| &mut stored.event))?;
    }
    Ok(joined)
}
