//! Coverage without AWS calls, from the events in the database and the writes in the journal.
//!
//! It covers resources with a create event and no later delete event. A resource is owned if the last write of the tag
//! in the journal is in effect. Whether it still exists, and which tags others wrote, is known only to AWS.
//!
//! `recorded` reads the events: twice, so that memory has names and times of some types only, and no facts about callers.

mod recorded;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::coverage::{Class, Coverage, GLOBAL, Maker};
use super::resources::Counted;
use super::who::Filter;
use crate::creator::OwnerRules;
use crate::model::event::StoredEvent;
use crate::model::{AccountId, Arn, Region, ResourceId, ResourceType, TagKey, TagValue};
use crate::resource::{Condition, Describe};
use crate::resource_map::{ResourceMap, TagKeys, TypeDefinition};
use crate::store::creations::EventCounts;
use crate::store::journal::{Run, Write, WriteState};
use crate::store::{Store, StoreError};
use recorded::Recorded;

/// The number of events that are in memory at once, with some 250 bytes each; those of one type in one account are never divided.
const EVENTS_AT_ONCE: u64 = 400_000;

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

/// The identity of a resource: region (or [`GLOBAL`]) and the part that all its names share.
type ResourceKey = (String, String);

/// The tags in effect according to the journal.
#[derive(Debug, Default)]
struct Journaled {
    /// In the order of the first write.
    tagged: Vec<Tagged>,
    by_name: HashMap<(AccountId, ResourceType, ResourceKey), usize>,
    types: HashSet<(AccountId, ResourceType)>,
}

#[derive(Debug)]
struct Tagged {
    account: AccountId,
    resource_type: ResourceType,
    region: String,
    id: ResourceId,
    arn: Arn,
    /// By the place of the key among those that count.
    values: BTreeMap<usize, TagValue>,
    /// Whether the database has events of it.
    is_recorded: bool,
}

/// Adds the coverage from database and journal.
///
/// # Errors
/// The database fails.
pub fn add_coverage(store: &Store, question: &Question<'_>, coverage: &mut Coverage) -> Result<(), StoreError> {
    // An event that is loaded meanwhile must not shift the numbers of those that were counted.
    let _rows = store.unchanged()?;
    let mut journaled = Journaled::read(store, question)?;
    for (account, types) in batches(store.event_counts()?, &question.filter) {
        let recorded = Recorded::read(store, question, (&account, &types), &journaled)?;
        recorded.count(store, &mut journaled, coverage)?;
    }
    for Tagged { account, resource_type, region, id, arn, values, is_recorded } in &journaled.tagged {
        // Without a create event, nothing says whether the condition is true.
        if let Some(value) = values.values().next().filter(|_| !is_recorded && question.condition.is_none()) {
            let maker = Maker::by_tag(value.as_str());
            coverage.add_recorded((account, region, resource_type), Class::Owned, Some(maker), || Counted {
                class: Class::Owned,
                resource_type: resource_type.clone(),
                id: id.clone(),
                name: None,
                arn: Some(arn.clone()).filter(|arn| !arn.is_empty()),
                account_id: account.clone(),
                region: region.clone(),
                owner: Some(value.to_string()),
                creator: None,
                tool: None,
                event: None,
                created_at: None,
            })?;
        }
    }
    Ok(())
}

/// Types of an account that are read together: all of them take one pass over the account's events, but memory for each event.
fn batches(counts: EventCounts, filter: &Filter) -> Vec<(AccountId, Vec<ResourceType>)> {
    let mut batches: Vec<(AccountId, Vec<ResourceType>)> = Vec::new();
    let mut size = 0;
    for (account, resource_type, count) in counts.into_iter().filter(|(_, name, _)| filter.keeps_type(name)) {
        match batches.last_mut().filter(|(of, _)| *of == account && size + count <= EVENTS_AT_ONCE) {
            Some((_, types)) => types.push(resource_type),
            None => {
                size = 0;
                batches.push((account, vec![resource_type]));
            }
        }
        size += count;
    }
    batches
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

    fn is_global(&self, resource_type: &ResourceType) -> bool {
        self.map.types.get(resource_type).is_some_and(|known| known.global)
    }

    fn region<'r>(&self, resource_type: &ResourceType, region: &'r str) -> &'r str {
        if self.is_global(resource_type) { GLOBAL } else { region }
    }
}

impl Journaled {
    /// Replays all runs from the first to the last.
    fn read(store: &Store, question: &Question<'_>) -> Result<Self, StoreError> {
        let mut journaled = Self::default();
        let mut resources = HashMap::new();
        for run in store.runs()?.into_iter().rev().filter(|run| question.is_of_owners(run)) {
            for row in store.writes_of(run.run_id)? {
                let rank = question.rank(&row.write).filter(|_| row.outcome.state() == WriteState::Written);
                if let Some(rank) = rank.filter(|_| question.keeps(&run, &row.write)) {
                    journaled.add(question, &run, (row.write, rank), &mut resources);
                }
            }
        }
        Ok(journaled)
    }

    fn add(
        &mut self,
        question: &Question<'_>,
        run: &Run,
        (write, rank): (Write, usize),
        resources: &mut HashMap<(AccountId, ResourceType, Region, ResourceId), usize>,
    ) {
        let Write { resource_type, id, arn, region, new_value, .. } = write;
        let resource = (run.account_id.clone(), resource_type.clone(), region.clone(), id.clone());
        let at = *resources.entry(resource).or_insert(self.tagged.len());
        if let Some(tagged) = self.tagged.get_mut(at) {
            match new_value {
                Some(value) => drop(tagged.values.insert(rank, value)),
                None => drop(tagged.values.remove(&rank)),
            }
            return;
        }
        self.types.insert((run.account_id.clone(), resource_type.clone()));
        let region = question.region(&resource_type, region.as_str()).to_owned();
        let naming = question.map.naming();
        for name in [id.as_str(), arn.as_str()].into_iter().flat_map(|name| naming.keys(&resource_type, name)) {
            let place = (region.clone(), name);
            self.by_name.insert((run.account_id.clone(), resource_type.clone(), place), at);
        }
        let account = run.account_id.clone();
        let values = new_value.map(|value| (rank, value)).into_iter().collect();
        self.tagged.push(Tagged { account, resource_type, region, id, arn, values, is_recorded: false });
    }

    /// Whether any resource of a type in an account has a write, so that it makes sense to look.
    fn has_type(&self, account: &AccountId, resource_type: &ResourceType) -> bool {
        self.types.contains(&(account.clone(), resource_type.clone()))
    }

    /// The resource with one of these names.
    fn find(
        &self,
        account: &AccountId,
        resource_type: &ResourceType,
        region: &str,
        mut names: impl Iterator<Item = String>,
    ) -> Option<usize> {
        names.find_map(|name| {
            let place = (region.to_owned(), name);
            self.by_name.get(&(account.clone(), resource_type.clone(), place)).copied()
        })
    }

    /// The tag of a resource, which has events in the database.
    fn take(&mut self, at: usize) -> Option<TagValue> {
        let tagged = self.tagged.get_mut(at)?;
        tagged.is_recorded = true;
        tagged.values.values().next().cloned()
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
        let keys = self.map.types.get(&write.resource_type).map(TypeDefinition::tag_keys).unwrap_or_default();
        self.owner_keys().position(|key| keys.are_same(key.as_str(), write.key.as_str()))
    }

    fn keeps(&self, run: &Run, write: &Write) -> bool {
        let is_global = self.is_global(&write.resource_type);
        self.filter.keeps_type(&write.resource_type)
            && self.filter.keeps_place(&run.account_id, &write.region, is_global)
    }
}

#[cfg(test)]
mod tests;
