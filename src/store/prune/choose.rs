//! Decides which old events are removed.
//!
//! Of each resource, the events up to the last delete event before the given time are removed: no rule reads them, because a create event
//! counts only since the last delete event. The events since then are of a resource that existed at that time, and are kept.
//!
//! To forget creators as well, of these only the create event is kept, without its principal. Without it, a later event that creates or
//! updates the resource would count as its creation, and another person as its creator.
//!
//! Resources of a group with renames are not separated: their events are removed once all of these resources are deleted, and until then
//! only their creators are.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::removal::{KEY, Removal, note_row};
use super::{Pruned, Pruning, time_text};
use crate::creator::creation_of;
use crate::model::ResourceType;
use crate::model::event::{Action, PRUNED, StoredEvent};
use crate::store::lookup::Needed;
use crate::store::recorded::{Bits, ORDER, Question, Wanted, by_resource, creations};
use crate::store::{Store, StoreError};

/// The numbers of the chosen rows.
struct Chosen {
    removed: Bits,
    forgotten: Bits,
}

/// How to decide about the events of a group.
struct Chooser<'p> {
    pruning: &'p Pruning<'p>,
    before: String,
    /// Types with events that are kept.
    parents: BTreeSet<ResourceType>,
}

impl Store {
    /// Counts the rows to change. Notes them in `removal`, with the entries of names that the other rows need; in a dry run without it, in the temporary
    /// table `chosen`. `watch` gets the number of rows that were read.
    pub(super) fn choose(
        &mut self,
        pruning: &Pruning<'_>,
        removal: Option<&mut Removal>,
        watch: &dyn Fn(u64),
    ) -> Result<Pruned, StoreError> {
        if removal.is_none() {
            // In the order in which rows are read.
            self.connection.execute_batch(&format!(
                "DROP TABLE IF EXISTS temp.chosen;
                 CREATE TEMP TABLE chosen ({KEY}, stays, PRIMARY KEY ({})) WITHOUT ROWID",
                ORDER.trim_start_matches("ORDER BY ")
            ))?;
        }
        let chooser = Chooser::new(pruning);
        // The rows are numbered, so no other process may change them meanwhile.
        let snapshot = self.connection.unchecked_transaction()?;
        let question = Question::new(pruning.map, &Wanted::default()).watched(watch);
        let mut chosen = Chosen { removed: Bits::default(), forgotten: Bits::default() };
        self.each_group(&question, &mut |events| chooser.choose(events, &mut chosen))?;
        let pruned = self.note_chosen(&chosen, removal, &chooser.before, &question)?;
        snapshot.commit()?;
        Ok(pruned)
    }

    fn note_chosen(
        &self,
        chosen: &Chosen,
        mut removal: Option<&mut Removal>,
        before: &str,
        question: &Question<'_>,
    ) -> Result<Pruned, StoreError> {
        if let Some(removal) = &mut removal {
            removal.needed.begin(&self.connection)?;
        }
        let query = format!("SELECT {KEY}, identity_type, names FROM resource_events {ORDER}");
        let mut rows = self.connection.prepare(&query)?;
        let mut rows = rows.query([])?;
        let (mut pruned, mut number) = (Pruned::default(), 0);
        while let Some(row) = rows.next()? {
            pruned.old_events += u64::from(row.get_ref(0)?.as_str().is_ok_and(|time| time < before));
            let is_pruned = || row.get_ref(6).is_ok_and(|kind| kind.as_str().is_ok_and(|kind| kind == PRUNED));
            let is_removed = chosen.removed.has(number);
            let is_forgotten = !is_removed && chosen.forgotten.has(number) && !is_pruned();
            pruned.events += u64::from(is_removed);
            pruned.creators += u64::from(is_forgotten);
            if is_removed || is_forgotten {
                match &removal {
                    Some(removal) => note_row(removal.rows(), "chosen", row, is_forgotten)?,
                    None => note_row(&self.connection, "temp.chosen", row, is_forgotten)?,
                }
            }
            if let Some(removal) = removal.as_mut().filter(|_| !is_removed) {
                note_needed(&mut removal.needed, &self.connection, row)?;
            }
            number += 1;
            question.note_row();
        }
        Ok(pruned)
    }
}

fn note_needed(needed: &mut Needed, connection: &Connection, row: &rusqlite::Row<'_>) -> Result<(), StoreError> {
    let text = |at| -> rusqlite::Result<&str> { Ok(row.get_ref(at)?.as_str()?) };
    let names = row.get_ref(7)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    needed.note(connection, [text(1)?, text(2)?, text(0)?], text(5)?, names)
}

impl<'p> Chooser<'p> {
    fn new(pruning: &'p Pruning<'p>) -> Self {
        let map = pruning.map;
        let parents = if pruning.keeps_parents { map.parent_types(map.types.keys()) } else { BTreeSet::new() };
        Self { pruning, before: time_text(pruning.before), parents: parents.into_iter().collect() }
    }

    fn is_old(&self, event: &StoredEvent) -> bool {
        event.event.time < self.before
    }

    /// Whether the event is kept as it is, whatever happened to its resource.
    fn is_kept(&self, event: &StoredEvent) -> bool {
        !self.pruning.forgets_creators && self.parents.contains(&event.resource_type)
    }

    fn choose(&self, events: Vec<(usize, StoredEvent)>, chosen: &mut Chosen) {
        if !events.iter().any(|(_, event)| self.is_old(event) && !self.is_kept(event)) {
            return;
        }
        if events.iter().any(|(_, event)| event.renamed_to.is_some()) {
            return self.choose_of_renamed(events, chosen);
        }
        for resource in by_resource(self.pruning.map, events) {
            self.choose_of_resource(&resource, chosen);
        }
    }

    fn choose_of_renamed(&self, events: Vec<(usize, StoredEvent)>, chosen: &mut Chosen) {
        let old: Vec<usize> =
            events.iter().filter(|(_, event)| self.is_old(event)).map(|(number, _)| *number).collect();
        let are_all_old = old.len() == events.len();
        let is_any_kept = events.iter().any(|(_, event)| self.is_kept(event));
        if are_all_old && !is_any_kept && creations(self.pruning.map, events).is_empty() {
            old.into_iter().for_each(|number| chosen.removed.set(number));
        } else if self.pruning.forgets_creators {
            old.into_iter().for_each(|number| chosen.forgotten.set(number));
        }
    }

    fn choose_of_resource(&self, events: &[(usize, StoredEvent)], chosen: &mut Chosen) {
        let old = || events.iter().filter(|(_, event)| self.is_old(event) && !self.is_kept(event));
        let of_delete = old().filter(|(_, event)| event.action == Action::Delete);
        let end = of_delete.map(|(_, event)| event.event.time.as_str()).max();
        // A create event in the second of a delete event is of the next resource.
        let is_over = |event: &StoredEvent| {
            end.is_some_and(|end| {
                event.event.time.as_str() < end || (event.event.time == end && event.action == Action::Delete)
            })
        };
        old().filter(|(_, event)| is_over(event)).for_each(|(number, _)| chosen.removed.set(*number));
        if self.pruning.forgets_creators {
            let open: Vec<&(usize, StoredEvent)> = old().filter(|(_, event)| !is_over(event)).collect();
            let open_events: Vec<StoredEvent> = open.iter().map(|(_, event)| event.clone()).collect();
            let creation = creation_of(&open_events).map(|creation| &creation.event.event_id);
            for (number, event) in open {
                let set =
                    if Some(&event.event.event_id) == creation { &mut chosen.forgotten } else { &mut chosen.removed };
                set.set(*number);
            }
        }
    }
}
