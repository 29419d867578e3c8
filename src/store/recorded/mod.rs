//! The recorded resources: those with a create event and no later delete event, with all facts of the create event.
//!
//! Databases have more events than memory has room for, and the events of one resource are anywhere in them. So the events are read
//! several times, in the order of the table, and memory has some bits for each:
//!
//! 1. `Seen` counts the names, by hash: a name of one event only joins nothing.
//! 2. `Groups` joins the hashes that are names of one event. Resources of one group may be one; those of two groups are not.
//! 3. Events with names of their own are decided at once. The others are sorted by group, on disk, and decided group by group, as `who`
//!    decides.
//! 4. The create events are read with all their facts.
//!
//! Hashes that collide make larger groups, not other answers.

mod decide;
mod groups;
mod sorter;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use rusqlite::params_from_iter;

use super::creations::{COLUMNS, stored_event};
use super::{Store, StoreError};
use crate::model::event::{Action, Event, StoredEvent};
use crate::model::{AccountId, Region, ResourceId, ResourceType};
use crate::resource_map::ResourceMap;
pub(super) use decide::{Creation, by_resource, creations};
pub(super) use groups::Bits;
use groups::{Groups, Seen};
pub use sorter::Sorter;

/// Create events that are given out at once, with the creators of their sessions.
const EVENTS_AT_ONCE: usize = 4096;

/// The columns that say which resource an event is of, in the order of its reader.
const NAME_COLUMNS: &str =
    "account_id, region, event_time, event_id, resource_type, resource_id, action, renamed_to, names";

/// Selects resources by what all their events have. Empty lists select all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of these types.
    pub types: Vec<ResourceType>,
    /// In these accounts.
    pub accounts: Vec<AccountId>,
    /// In these regions. Global types are in all regions.
    pub regions: Vec<Region>,
}

/// A resource with its create event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedResource {
    /// The create event.
    pub creation: StoredEvent,
    /// The present ID: another one after a rename.
    pub id: ResourceId,
}

/// Which events are read, and the map that names their resources.
pub(super) struct Question<'q> {
    map: &'q ResourceMap,
    condition: String,
    parameters: Vec<String>,
}

impl Store {
    /// Passes each recorded resource to `each`, ordered by account, region, time of the create event and event ID, until it breaks.
    /// With `resolve_chains`, create events have the creators of their sessions.
    ///
    /// # Errors
    /// The database, or the temporary one, fails.
    pub fn recorded_resources(
        &self,
        map: &ResourceMap,
        wanted: &Wanted,
        resolve_chains: bool,
        each: &mut dyn FnMut(RecordedResource) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        // Events that are loaded meanwhile must not shift the numbers of those that were read.
        let _unchanged = self.connection.unchecked_transaction()?;
        let question = Question::new(map, wanted);
        let rows = self.count_rows(&question)?;
        let found = self.find_creations(&question, rows)?;
        self.give_out(&question, &found, resolve_chains, each)
    }

    /// The number of events.
    pub(super) fn count_rows(&self, question: &Question<'_>) -> Result<usize, StoreError> {
        let query = format!("SELECT count(*) FROM resource_events WHERE {}", question.condition);
        let count: i64 = self.connection.query_row(&query, params_from_iter(&question.parameters), |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// The events that created the resources.
    fn find_creations(&self, question: &Question<'_>, rows: usize) -> Result<CreationIndex, StoreError> {
        let mut found = CreationIndex { creations: Bits::new(rows), ids: HashMap::new() };
        self.each_group(question, rows, &mut |events| {
            if let [(number, event)] = events.as_slice() {
                if event.action != Action::Delete {
                    found.creations.set(*number);
                }
                return;
            }
            for Creation { number, id } in creations(question.map, events) {
                found.creations.set(number);
                if let Some(id) = id {
                    found.ids.insert(number, id);
                }
            }
        })?;
        Ok(found)
    }

    /// Passes the events, with their numbers, to `each` in groups: those of one resource are in one group, and a group can have more.
    /// Of each event only the columns of its reader are filled in.
    pub(super) fn each_group(
        &self,
        question: &Question<'_>,
        rows: usize,
        each: &mut dyn FnMut(Vec<(usize, StoredEvent)>),
    ) -> Result<(), StoreError> {
        let mut seen = Seen::for_rows(rows);
        self.each_name(question, &mut |_, event| {
            question.keys(&event).into_iter().for_each(|key| seen.add(key));
            Ok(())
        })?;
        let mut groups = Groups::for_rows(rows);
        self.each_name(question, &mut |_, event| {
            let mut shared = question.keys(&event).into_iter().filter(|key| seen.is_shared(*key));
            if let Some(first) = shared.next() {
                shared.for_each(|other| groups.join(first, other));
            }
            Ok(())
        })?;
        let sorter = Sorter::new()?;
        self.each_name(question, &mut |number, event| match question
            .keys(&event)
            .into_iter()
            .find(|key| seen.is_shared(*key))
        {
            None => {
                each(vec![(number, event)]);
                Ok(())
            }
            Some(shared) => sorter.add(groups.of(shared), number, &event),
        })?;
        drop((seen, groups));
        sorter.each_group(each)
    }

    /// Reads the create events with all facts.
    fn give_out(
        &self,
        question: &Question<'_>,
        found: &CreationIndex,
        resolve_chains: bool,
        each: &mut dyn FnMut(RecordedResource) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let query = format!("SELECT {COLUMNS} FROM resource_events WHERE {} {ORDER}", question.condition);
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut rows = statement.query(params_from_iter(&question.parameters))?;
        let (mut number, mut held) = (0, Vec::new());
        let mut give = |held: &mut Vec<RecordedResource>| -> Result<ControlFlow<()>, StoreError> {
            if resolve_chains {
                self.fill_makers(held.iter_mut().map(|one| &mut one.creation.event))?;
            }
            Ok(held.drain(..).try_for_each(&mut *each))
        };
        while let Some(row) = rows.next()? {
            if found.creations.has(number) {
                let creation = stored_event(row)?;
                let id = found.ids.get(&number).cloned().unwrap_or_else(|| creation.resource_id.clone());
                held.push(RecordedResource { creation, id });
                let is_enough = if resolve_chains { held.len() >= EVENTS_AT_ONCE } else { true };
                if is_enough && give(&mut held)?.is_break() {
                    return Ok(());
                }
            }
            number += 1;
        }
        // The last ones: a break changes nothing any more.
        let _ = give(&mut held)?;
        Ok(())
    }

    /// Passes each event to `each` with its number, as far as it says which resource it is of.
    fn each_name(
        &self,
        question: &Question<'_>,
        each: &mut dyn FnMut(usize, StoredEvent) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let query = format!("SELECT {NAME_COLUMNS} FROM resource_events WHERE {} {ORDER}", question.condition);
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut rows = statement.query(params_from_iter(&question.parameters))?;
        let mut number = 0;
        while let Some(row) = rows.next()? {
            each(number, name_of(row)?)?;
            number += 1;
        }
        Ok(())
    }
}

/// The order of the primary key: no sorting.
pub(super) const ORDER: &str = "ORDER BY account_id, region, event_time, event_id, resource_type, resource_id";

/// The create events by number, and the present IDs of resources that have another one than in their create event.
struct CreationIndex {
    creations: Bits,
    ids: HashMap<usize, ResourceId>,
}

/// An event with the columns of [`NAME_COLUMNS`] only.
fn name_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredEvent> {
    let action: String = row.get(6)?;
    let names: Option<String> = row.get(8)?;
    Ok(StoredEvent {
        resource_type: ResourceType::new(row.get::<_, String>(4)?),
        resource_id: ResourceId::new(row.get::<_, String>(5)?),
        // A damaged one is reported where it is read with all facts.
        action: Action::parse(&action).unwrap_or(Action::Create),
        names: names.map(|names| names.split('\n').map(str::to_owned).collect()).unwrap_or_default(),
        renamed_to: row.get::<_, Option<String>>(7)?.map(ResourceId::new),
        event: Event {
            account_id: AccountId::new(row.get::<_, String>(0)?),
            region: Region::new(row.get::<_, String>(1)?),
            time: row.get(2)?,
            event_id: row.get(3)?,
            ..Event::default()
        },
    })
}

/// What all events of a resource have in common: account, region (empty for global types), type.
type Scope = (AccountId, Region, ResourceType);

fn scope_of(map: &ResourceMap, event: &StoredEvent) -> Scope {
    let is_global = map.types.get(&event.resource_type).is_some_and(|known| known.global);
    let region = if is_global { Region::default() } else { event.event.region.clone() };
    (event.event.account_id.clone(), region, event.resource_type.clone())
}

impl<'q> Question<'q> {
    pub(super) fn new(map: &'q ResourceMap, wanted: &Wanted) -> Self {
        let mut question = Self { map, condition: "true".to_owned(), parameters: Vec::new() };
        let Wanted { types, accounts, regions } = wanted;
        if !types.is_empty() {
            let list = question.list(types.iter().map(ResourceType::as_str));
            question.condition.push_str(&format!(" AND resource_type IN ({list})"));
        }
        if !accounts.is_empty() {
            let list = question.list(accounts.iter().map(AccountId::as_str));
            question.condition.push_str(&format!(" AND account_id IN ({list})"));
        }
        if !regions.is_empty() {
            let list = question.list(regions.iter().map(Region::as_str));
            let global = map.types.iter().filter(|(_, definition)| definition.global).map(|(name, _)| name.as_str());
            let global = question.list(global);
            question.condition.push_str(&format!(" AND (region IN ({list}) OR resource_type IN ({global}))"));
        }
        question
    }

    /// Binds the texts; returns their places.
    fn list<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> String {
        let before = self.parameters.len();
        self.parameters.extend(texts.map(str::to_owned));
        let places: Vec<String> = (before + 1..=self.parameters.len()).map(|place| format!("?{place}")).collect();
        places.join(", ")
    }

    /// The hashes of all names of an event's resource, each once. Events that can be of one resource share one, directly or through others.
    fn keys(&self, event: &StoredEvent) -> Vec<u64> {
        let scope = scope_of(self.map, event);
        let texts = [Some(event.resource_id.as_str()), event.renamed_to.as_ref().map(ResourceId::as_str)];
        let texts = texts.into_iter().flatten().chain(event.names.iter().map(String::as_str));
        let naming = self.map.naming();
        let mut keys: Vec<u64> = Vec::new();
        for text in texts {
            // The text itself: a name that several resources can have is compared as it is.
            let names = naming.keys(&event.resource_type, text).into_iter().chain([text.to_owned()]);
            for name in names {
                let mut hasher = DefaultHasher::new();
                (&scope, name).hash(&mut hasher);
                let key = hasher.finish();
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }
}

#[cfg(test)]
mod tests;
