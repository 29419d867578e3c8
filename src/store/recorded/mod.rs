//! The recorded resources: those with a create event and no later delete event, with all facts of the create event.
//!
//! Databases have more events than memory has room for, and the events of one resource are anywhere in them. So the events are read
//! several times, in the order of the table, and what grows with their number is on disk, but for one bit:
//!
//! 1. `Groups` has the hashes of their names, and joins the events that share one. Resources of one group may be one; those of two
//!    groups are not.
//! 2. Events that are alone are decided at once. The others are sorted by group, on disk, and decided group by group, as `who` decides.
//! 3. To list them in the order of the table, the create events are read again with all their facts.
//!
//! Hashes that collide make larger groups, not other answers.

mod decide;
mod groups;
mod pairs;
mod sorter;

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::iter::repeat;
use std::ops::ControlFlow;

use rusqlite::{Row, params_from_iter};

use super::creations::{COLUMNS, fact, stored_event, text};
use super::{Store, StoreError};
use crate::model::event::{Action, Event, StoredEvent};
use crate::model::{AccountId, Region, ResourceId, ResourceType};
use crate::resource_map::ResourceMap;
pub(super) use decide::{Creation, by_resource, creations};
pub(super) use groups::Bits;
use groups::Groups;
pub use sorter::Sorter;
pub(super) use sorter::temporary;

/// Create events that are given out at once, with the creators of their sessions.
const EVENTS_AT_ONCE: usize = 4096;

/// Rows that are read between two calls that show the progress.
const WATCHED_ROWS: u64 = 4096;

/// The columns that say which resource an event is of, in the order of [`COLUMNS`].
const NAME_COLUMNS: &str =
    "account_id, region, event_time, event_id, resource_type, resource_id, action, renamed_to, names";

/// The places of the facts in [`COLUMNS`] that only create events need.
const FACTS: std::ops::Range<usize> = 9..26;

/// The numbers of notes begin here. Those of events are smaller.
const FIRST_NOTE: u64 = 1 << 62;

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

/// What is known of a resource besides its events: it comes into the group of the events that share one of its names.
#[derive(Debug)]
pub struct Note {
    /// The account of the resource.
    pub account_id: AccountId,
    /// Its region.
    pub region: Region,
    /// Its type.
    pub resource_type: ResourceType,
    /// Its names: ID, ARN.
    pub names: Vec<String>,
    /// What is known.
    pub text: String,
}

/// Passes all notes to the function that it is given, the same each time.
pub type Notes<'n> = &'n dyn Fn(&mut dyn FnMut(Note) -> Result<(), StoreError>) -> Result<(), StoreError>;

/// Events that may be of one resource, and all events of their resources.
#[derive(Debug, Default)]
pub struct Group {
    /// The events with their numbers, in the order of the table.
    pub events: Vec<(usize, StoredEvent)>,
    /// The texts of the notes, in their order.
    pub notes: Vec<String>,
}

/// Which events are read, and the map that names their resources.
pub(super) struct Question<'q> {
    map: &'q ResourceMap,
    condition: String,
    parameters: Vec<String>,
    /// Gets the number of rows that were read, now and then. Each row counts as often as it is read.
    watch: &'q dyn Fn(u64),
    rows: Cell<u64>,
}

/// What groups have.
struct Extent<'n> {
    /// Whether create events have all their facts.
    has_facts: bool,
    /// Whether all events are there, also those that change nothing: repeated ones.
    is_complete: bool,
    notes: Notes<'n>,
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
        let found = self.find_creations(&question)?;
        self.give_out(&question, &found, resolve_chains, each)
    }

    /// Passes groups of events to `each`, with the notes on their resources. Create events have all their facts, others what says which
    /// resource they are of. Left out are events that change nothing: repeated ones.
    ///
    /// # Errors
    /// The database, or the temporary one, fails; an error of `each`.
    pub fn recorded_groups(
        &self,
        map: &ResourceMap,
        wanted: &Wanted,
        notes: Notes<'_>,
        each: &mut dyn FnMut(Group) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let _unchanged = self.connection.unchecked_transaction()?;
        let extent = Extent { has_facts: true, is_complete: false, notes };
        self.read_groups(&Question::new(map, wanted), &extent, each)
    }

    /// The events that created the resources.
    fn find_creations(&self, question: &Question<'_>) -> Result<CreationIndex, StoreError> {
        let mut found = CreationIndex { creations: Bits::default(), ids: HashMap::new() };
        let extent = Extent { has_facts: false, is_complete: false, notes: &|_| Ok(()) };
        self.read_groups(question, &extent, &mut |Group { events, .. }| {
            if let [(number, event)] = events.as_slice() {
                if event.action != Action::Delete {
                    found.creations.set(*number);
                }
                return Ok(());
            }
            for Creation { number, id } in creations(question.map, events) {
                found.creations.set(number);
                if let Some(id) = id {
                    found.ids.insert(number, id);
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Passes the events, with their numbers, to `each` in groups: those of one resource are in one group, and a group can have more.
    /// Of each event only what says which resource it is of is filled in.
    pub(super) fn each_group(
        &self,
        question: &Question<'_>,
        each: &mut dyn FnMut(Vec<(usize, StoredEvent)>),
    ) -> Result<(), StoreError> {
        let extent = Extent { has_facts: false, is_complete: true, notes: &|_| Ok(()) };
        self.read_groups(question, &extent, &mut |group| {
            each(group.events);
            Ok(())
        })
    }

    fn read_groups(
        &self,
        question: &Question<'_>,
        extent: &Extent<'_>,
        each: &mut dyn FnMut(Group) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut members = self.group(question, extent)?.members()?;
        let sorter = Sorter::new()?;
        self.each_row(question, COLUMNS, &mut |number, row| {
            let action: String = row.get(6)?;
            let has_facts = extent.has_facts && action != Action::Delete.as_str();
            if let Some(group) = members.next_of(number)? {
                return sorter.add(group, number, row, has_facts);
            }
            let event = if has_facts { stored_event(row)? } else { name_of(row, COLUMNS_OF_NAMES)? };
            each(Group { events: vec![(index(number), event)], notes: Vec::new() })
        })?;
        let mut number = FIRST_NOTE;
        (extent.notes)(&mut |note| {
            let group = members.next_of(number)?;
            number += 1;
            match group {
                Some(group) => sorter.add_note(group, number, &note.text),
                None => each(Group { events: Vec::new(), notes: vec![note.text] }),
            }
        })?;
        drop(members);
        let is_repeated =
            |before: &StoredEvent, event: &StoredEvent| !extent.is_complete && question.is_repeated(before, event);
        sorter.each_group(&is_repeated, each)
    }

    /// Joins the events and the notes that share names.
    fn group(&self, question: &Question<'_>, extent: &Extent<'_>) -> Result<Groups, StoreError> {
        let mut groups = Groups::default();
        self.each_row(question, NAME_COLUMNS, &mut |number, row| {
            let names = question.keys(&name_of(row, (7, 8))?);
            names.into_iter().try_for_each(|(name, is_label)| groups.add(name, number, is_label))
        })?;
        let mut number = FIRST_NOTE;
        (extent.notes)(&mut |note| {
            let names = question.keys_of_note(&note);
            names.into_iter().try_for_each(|name| groups.add(name, number, false))?;
            number += 1;
            Ok(())
        })?;
        Ok(groups)
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

    /// Passes each row to `each` with its number.
    fn each_row(
        &self,
        question: &Question<'_>,
        columns: &str,
        each: &mut dyn FnMut(u64, &Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let query = format!("SELECT {columns} FROM resource_events WHERE {} {ORDER}", question.condition);
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut rows = statement.query(params_from_iter(&question.parameters))?;
        let mut number = 0;
        while let Some(row) = rows.next()? {
            each(number, row)?;
            number += 1;
            question.note_row();
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

/// The places of `renamed_to` and `names` in [`COLUMNS`].
const COLUMNS_OF_NAMES: (usize, usize) = (26, 27);

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// An event with the columns of [`NAME_COLUMNS`] only. The last two are at these places.
fn name_of(row: &Row<'_>, (renamed_to, names): (usize, usize)) -> rusqlite::Result<StoredEvent> {
    let action = row.get_ref(6)?.as_str()?;
    let names = row.get_ref(names)?.as_str_or_null()?;
    Ok(StoredEvent {
        resource_type: ResourceType::new(text(row, 4)?),
        resource_id: ResourceId::new(text(row, 5)?),
        // A damaged one is reported where it is read with all facts.
        action: Action::parse(action).unwrap_or(Action::Create),
        names: names.map(|names| names.split('\n').map(str::to_owned).collect()).unwrap_or_default(),
        renamed_to: fact(row, renamed_to)?.map(ResourceId::new),
        event: Event {
            account_id: AccountId::new(text(row, 0)?),
            region: Region::new(text(row, 1)?),
            time: text(row, 2)?,
            event_id: text(row, 3)?,
            ..Event::default()
        },
    })
}

/// What all events of a resource have in common: account, region (empty for global types), type.
type Scope = (AccountId, Region, ResourceType);

fn scope_of(map: &ResourceMap, event: &StoredEvent) -> Scope {
    scope(map, &event.event.account_id, &event.event.region, &event.resource_type)
}

fn scope(map: &ResourceMap, account: &AccountId, region: &Region, resource_type: &ResourceType) -> Scope {
    let region = if map.is_global(resource_type) { Region::default() } else { region.clone() };
    (account.clone(), region, resource_type.clone())
}

impl<'q> Question<'q> {
    pub(super) fn new(map: &'q ResourceMap, wanted: &Wanted) -> Self {
        let mut question =
            Self { map, condition: "true".to_owned(), parameters: Vec::new(), watch: &|_| (), rows: Cell::default() };
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

    /// Calls `watch` while rows are read.
    pub(super) fn watched(self, watch: &'q dyn Fn(u64)) -> Self {
        Self { watch, ..self }
    }

    /// Counts a row that was read.
    pub(super) fn note_row(&self) {
        let rows = self.rows.get() + 1;
        self.rows.set(rows);
        if rows.is_multiple_of(WATCHED_ROWS) {
            (self.watch)(rows);
        }
    }

    /// Binds the texts; returns their places.
    fn list<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> String {
        let before = self.parameters.len();
        self.parameters.extend(texts.map(str::to_owned));
        let places: Vec<String> = (before + 1..=self.parameters.len()).map(|place| format!("?{place}")).collect();
        places.join(", ")
    }

    /// The hashes of all names of an event's resource, each with whether it is a name that several resources can have. Events that can be of
    /// one resource share one that one of them has as its own, directly or through others.
    fn keys(&self, event: &StoredEvent) -> Vec<(u64, bool)> {
        let scope = scope_of(self.map, event);
        let (arns, labels): (Vec<_>, Vec<_>) = event.names.iter().partition(|name| name.starts_with("arn:"));
        let own = [Some(event.resource_id.as_str()), event.renamed_to.as_ref().map(ResourceId::as_str)];
        let own = own.into_iter().flatten().chain(arns.into_iter().map(String::as_str));
        let mut keys: Vec<(u64, bool)> = Vec::new();
        for (text, is_label) in own.zip(repeat(false)).chain(labels.into_iter().map(String::as_str).zip(repeat(true))) {
            for key in self.hashes(&scope, text) {
                if !keys.iter().any(|(known, _)| *known == key) {
                    keys.push((key, is_label));
                }
            }
        }
        keys
    }

    fn keys_of_note(&self, note: &Note) -> Vec<u64> {
        let scope = scope(self.map, &note.account_id, &note.region, &note.resource_type);
        let names = note.names.iter().filter(|name| !name.is_empty());
        names.flat_map(|name| self.hashes(&scope, name)).collect()
    }

    fn hashes(&self, scope: &Scope, text: &str) -> impl Iterator<Item = u64> {
        // The text itself: a name that several resources can have is compared as it is.
        let names = self.map.naming().keys(&scope.2, text).into_iter().chain([text.to_owned()]);
        names.map(move |name| {
            let mut hasher = DefaultHasher::new();
            (scope, name).hash(&mut hasher);
            hasher.finish()
        })
    }

    /// Whether an event does to its resource what the one before it in the group did. Events of global types can be recorded in several
    /// regions: their order says nothing.
    fn is_repeated(&self, before: &StoredEvent, event: &StoredEvent) -> bool {
        event.action != Action::Delete
            && before.action == event.action
            && before.resource_id == event.resource_id
            && before.names == event.names
            && scope_of(self.map, before) == scope_of(self.map, event)
            && !self.map.is_global(&event.resource_type)
    }
}

#[cfg(test)]
mod tests;
