//! The join of a type with so many live resources that their events are packed.

use super::{Index, Records, number_of};
use crate::model::LiveResource;
use crate::model::event::{EventNames, StoredEvent};
use crate::packed_list::PackedList;

/// As [`Join`](super::Join), for so many live resources that their events are packed. Without renames, and without resources that were created
/// together.
#[derive(Debug)]
pub struct PackedJoin {
    index: Index,
    events: PackedList<(u32, StoredEvent)>,
    records: Records,
}

impl PackedJoin {
    /// For these live resources, all of one type. `None`: one was created together with others.
    pub fn new(live: &PackedList<LiveResource>) -> Option<Self> {
        let index = Index::new(live.iter());
        let is_simple = index.together.is_empty();
        is_simple.then(|| Self { index, events: PackedList::new(), records: Records::default() })
    }

    /// Finds the live resources that texts name.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Counts an event, and returns the position of its resource. `None`: it is not live. The rows of an event must come one after the other.
    pub fn wants(&mut self, event: &EventNames<'_>) -> Option<usize> {
        self.records.add(event);
        self.index.find_event(event)
    }

    /// Keeps an event that was counted.
    pub fn keep(&mut self, event: StoredEvent, position: usize) {
        self.events.push(&(number_of(position), event));
    }

    /// What was kept: the events with the positions of their resources, in that order; and how many creations there are.
    pub fn finish(self) -> (PackedList<(u32, StoredEvent)>, u64) {
        let Self { index, mut events, records } = self;
        drop(index);
        events.sort_by_key(|(position, stored)| (*position, stored.event.time.clone(), stored.event.event_id.clone()));
        (events, records.count)
    }
}
