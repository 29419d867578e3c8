//! Coverage without AWS calls, from the events in the database and the writes in the journal.
//!
//! It covers resources with a create event and no later delete event. A resource is owned if the last write of the tag
//! in the journal is in effect. Whether it still exists, and which tags others wrote, is known only to AWS.
//!
//! The store passes the events in groups, each with the writes on its resources. So memory has one group at a time.

mod group;
mod journaled;

use super::coverage::{Coverage, GLOBAL};
use super::who::Filter;
use crate::creator::OwnerRules;
use crate::model::event::StoredEvent;
use crate::model::{AccountId, Region, ResourceType, TagKey};
use crate::resource::{Condition, Describe};
use crate::resource_map::{ResourceMap, TagKeys, TypeDefinition};
use crate::store::journal::{Run, Write};
use crate::store::recorded::Wanted;
use crate::store::{Store, StoreError};
use group::Counting;

/// The parameters of the report.
#[derive(Debug)]
pub struct Question<'a> {
    /// The tag key.
    pub key: TagKey,
    /// Further keys that count as that tag.
    pub owner_keys: Vec<TagKey>,
    /// The rules for owners.
    pub rules: OwnerRules,
    /// Selects resources.
    pub filter: Filter,
    /// Only resources for which this is true.
    pub condition: Option<Condition>,
    /// Has the global types.
    pub map: &'a ResourceMap,
}

/// What all events of a resource have in common: account, type, region (or [`GLOBAL`]).
type Scope = (AccountId, ResourceType, String);

/// Adds the coverage from database and journal.
///
/// # Errors
/// The database fails.
pub fn add_coverage(store: &Store, question: &Question<'_>, coverage: &mut Coverage) -> Result<(), StoreError> {
    let Filter { types, accounts, regions } = question.filter.clone();
    let wanted = Wanted { types, accounts, regions };
    let mut counting = Counting::new(store, question, coverage);
    let notes = |each: &mut dyn FnMut(_) -> Result<(), StoreError>| journaled::each_note(store, question, each);
    store.recorded_groups(question.map, &wanted, &notes, &mut |group| counting.add(group))?;
    counting.finish()
}

impl Question<'_> {
    /// Whether the condition is true for a resource, as far as its create event says.
    fn has(&self, creation: &StoredEvent) -> bool {
        let Some(condition) = &self.condition else { return true };
        condition.keeps(&self.describe().recorded(creation, &creation.resource_id, None))
    }

    fn describe(&self) -> Describe<'_> {
        Describe { rules: &self.rules, map: self.map }
    }

    fn scope(&self, account: &AccountId, resource_type: &ResourceType, region: &Region) -> Scope {
        let region = self.region(resource_type, region.as_str()).to_owned();
        (account.clone(), resource_type.clone(), region)
    }

    fn region<'r>(&self, resource_type: &ResourceType, region: &'r str) -> &'r str {
        if self.map.is_global(resource_type) { GLOBAL } else { region }
    }
}

impl Question<'_> {
    fn owner_keys(&self) -> impl Iterator<Item = &TagKey> {
        std::iter::once(&self.key).chain(&self.owner_keys)
    }

    /// Whether a run wrote a tag that may count as the owner's: what counts is decided for each type.
    fn is_of_owners(&self, run: &Run) -> bool {
        let run_key = run.tag_key.as_str();
        self.owner_keys().any(|key| TagKeys::IgnoreCase.are_same(key.as_str(), run_key))
    }

    /// The place of a write's key among those that count as the owner tag on its type.
    fn rank(&self, write: &Write) -> Option<usize> {
        let keys = self.map.definition(&write.resource_type).map(TypeDefinition::tag_keys).unwrap_or_default();
        self.owner_keys().position(|key| keys.are_same(key.as_str(), write.key.as_str()))
    }

    fn keeps(&self, run: &Run, write: &Write) -> bool {
        let is_global = self.map.is_global(&write.resource_type);
        self.filter.keeps_type(&write.resource_type)
            && self.filter.keeps_place(&run.account_id, &write.region, is_global)
    }
}

#[cfg(test)]
mod tests;
