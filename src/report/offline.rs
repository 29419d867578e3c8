//! Coverage without AWS: what the database has recorded and what the journal has written.
//!
//! A recorded resource is one whose creation is known and whose deletion is not. It is owned where the journal's last write
//! of the tag stands; whether it still lives, and what others tagged, only AWS knows.

use std::collections::{BTreeMap, HashMap};

use super::coverage::{Class, Coverage, GLOBAL, Maker, class_of_creation, maker};
use super::who::{Filter, common_part};
use crate::creator::{OwnerRules, creation_of};
use crate::names::{AccountId, Region, ResourceId, ResourceType, TagKey, TagValue};
use crate::resource_map::ResourceMap;
use crate::store::journal::{Run, Write, WriteState};
use crate::store::{Store, StoreError};
use crate::trail::record::StoredEvent;

/// What is asked for.
#[derive(Debug)]
pub struct Question<'a> {
    /// The tag.
    pub key: TagKey,
    /// Who is the owner.
    pub rules: OwnerRules,
    /// Which resources.
    pub filter: Filter,
    /// Which types are global.
    pub map: &'a ResourceMap,
}

/// Where a resource is: region (or [`GLOBAL`]) and the part of its name that all spellings share.
type Place = (String, String);

/// What the journal says is tagged now.
#[derive(Debug, Default)]
struct Journaled {
    /// In the order of the first write.
    tagged: Vec<Tagged>,
    by_name: HashMap<(AccountId, ResourceType, Place), usize>,
}

#[derive(Debug)]
struct Tagged {
    account: AccountId,
    resource_type: ResourceType,
    region: String,
    value: Option<TagValue>,
    /// Whether the database has events of it.
    is_recorded: bool,
}

/// The coverage that database and journal tell.
///
/// # Errors
/// SQLite's.
pub fn coverage(store: &Store, question: &Question<'_>) -> Result<Coverage, StoreError> {
    let mut journaled = Journaled::read(store, question)?;
    let mut coverage = Coverage::default();
    for (account, resource_type) in store.recorded_types()? {
        if !question.filter.keeps_type(&resource_type) {
            continue;
        }
        for ((region, name), events) in question.resources(store, &account, &resource_type)? {
            let tag = journaled.take(&account, &resource_type, (region.clone(), name));
            let Some(creation) = creation_of(&events) else { continue };
            let class = if tag.is_some() { Class::Owned } else { class_of_creation(&question.rules, creation) };
            let maker = maker(&question.rules, &account, &events);
            let maker = maker.or_else(|| tag.as_ref().map(|value| Maker::by_tag(value.as_str())));
            coverage.add_recorded((&account, &region, &resource_type), class, maker);
        }
    }
    for Tagged { account, resource_type, region, value, is_recorded } in &journaled.tagged {
        if let Some(value) = value.as_ref().filter(|_| !is_recorded) {
            let maker = Maker::by_tag(value.as_str());
            coverage.add_recorded((account, region, resource_type), Class::Owned, Some(maker));
        }
    }
    Ok(coverage)
}

impl Question<'_> {
    fn is_global(&self, resource_type: &ResourceType) -> bool {
        self.map.types.get(resource_type).is_some_and(|known| known.global)
    }

    fn region<'r>(&self, resource_type: &ResourceType, region: &'r str) -> &'r str {
        if self.is_global(resource_type) { GLOBAL } else { region }
    }

    /// The events of each resource of a type, as far as they are asked for.
    fn resources(
        &self,
        store: &Store,
        account: &AccountId,
        resource_type: &ResourceType,
    ) -> Result<BTreeMap<Place, Vec<StoredEvent>>, StoreError> {
        let is_global = self.is_global(resource_type);
        let mut resources: BTreeMap<Place, Vec<StoredEvent>> = BTreeMap::new();
        store.events_of_type(resource_type, account, None, &mut |event| {
            if self.filter.keeps_place(account, &event.event.region_name(), is_global) {
                let region = self.region(resource_type, &event.event.region).to_owned();
                let name = common_part(event.resource_id.as_str()).to_owned();
                resources.entry((region, name)).or_default().push(event);
            }
        })?;
        Ok(resources)
    }
}

impl Journaled {
    /// Goes through all runs from the first to the last.
    fn read(store: &Store, question: &Question<'_>) -> Result<Self, StoreError> {
        let mut journaled = Self::default();
        let mut resources = HashMap::new();
        for run in store.runs()?.into_iter().rev().filter(|run| run.tag_key == question.key) {
            for row in store.writes_of(run.run_id)? {
                if row.result.state == WriteState::Written && question.keeps(&run, &row.write) {
                    journaled.add(question, &run, row.write, &mut resources);
                }
            }
        }
        Ok(journaled)
    }

    fn add(
        &mut self,
        question: &Question<'_>,
        run: &Run,
        write: Write,
        resources: &mut HashMap<(AccountId, ResourceType, Region, ResourceId), usize>,
    ) {
        let Write { resource_type, id, arn, region, new_value, .. } = write;
        let resource = (run.account_id.clone(), resource_type.clone(), region.clone(), id.clone());
        let at = *resources.entry(resource).or_insert(self.tagged.len());
        if let Some(tagged) = self.tagged.get_mut(at) {
            tagged.value = new_value;
            return;
        }
        let region = question.region(&resource_type, region.as_str()).to_owned();
        for name in [id.as_str(), arn.as_str()] {
            let place = (region.clone(), common_part(name).to_owned());
            self.by_name.insert((run.account_id.clone(), resource_type.clone(), place), at);
        }
        let account = run.account_id.clone();
        self.tagged.push(Tagged { account, resource_type, region, value: new_value, is_recorded: false });
    }

    /// The tag of a resource that the database has events of.
    fn take(&mut self, account: &AccountId, resource_type: &ResourceType, place: Place) -> Option<TagValue> {
        let at = *self.by_name.get(&(account.clone(), resource_type.clone(), place))?;
        let tagged = self.tagged.get_mut(at)?;
        tagged.is_recorded = true;
        tagged.value.clone()
    }
}

impl Question<'_> {
    fn keeps(&self, run: &Run, write: &Write) -> bool {
        let is_global = self.is_global(&write.resource_type);
        self.filter.keeps_type(&write.resource_type)
            && self.filter.keeps_place(&run.account_id, &write.region, is_global)
    }
}
