//! Renamed resources: determines which events belong to the resource that has a name now.
//!
//! These are the events under the present name since the resource got it, before that the events under the previous name
//! until then, and so on. Events of another resource that had the present name earlier don't belong to it, and neither do
//! events under a name that it gave up. Any number of renames is followed, including swaps (a → tmp, b → a, tmp → b).
//!
//! CloudTrail records whole seconds. Within one second, a resource is renamed at most once, and events are ordered so that
//! they are consistent: a name becomes free before it is taken again, and a resource created under a name in use is created
//! after that name became free. Only if the name was free before that second, an event that takes it precedes one that frees it.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::model::event::{Action, Event, StoredEvent};

/// The events by name, for one resource type in one account-region. A key is the same for all spellings of a name.
#[derive(Debug)]
pub struct RenameHistory<K> {
    /// By name, in the order of time.
    events: BTreeMap<K, Vec<StoredEvent>>,
    /// By new name, in the order of time.
    renames: BTreeMap<K, Vec<Renaming<K>>>,
}

#[derive(Debug, Clone)]
struct Renaming<K> {
    from: K,
    event: StoredEvent,
}

impl<K: Ord + Clone> RenameHistory<K> {
    /// Builds it from the events of each name. `new_name` returns the key of the new name in a rename event.
    pub fn new(mut events: BTreeMap<K, Vec<StoredEvent>>, new_name: &dyn Fn(&StoredEvent) -> Option<K>) -> Self {
        let mut renames: BTreeMap<K, Vec<Renaming<K>>> = BTreeMap::new();
        for (name, of_name) in &mut events {
            // A rename that changes only the spelling is not a rename.
            of_name.retain(|event| event.renamed_to.is_none() || new_name(event).as_ref() != Some(name));
            of_name.sort_by(|one, other| order(one).cmp(&order(other)));
            for event in of_name {
                if let Some(to) = new_name(event) {
                    renames.entry(to).or_default().push(Renaming { from: name.clone(), event: event.clone() });
                }
            }
        }
        renames.values_mut().for_each(|of_name| of_name.sort_by(|a, b| order(&a.event).cmp(&order(&b.event))));
        let mut lives = Self { events, renames };
        lives.forget_repeated_requests();
        lives
    }

    /// All names that a resource was renamed to.
    pub fn new_names(&self) -> impl Iterator<Item = &K> {
        self.renames.keys()
    }

    /// The events of the resource that has a name now, oldest first. Events that gave it a later name are [`Action::Rename`].
    pub fn of(&self, name: &K) -> Vec<StoredEvent> {
        let mut parts: Vec<Vec<StoredEvent>> = Vec::new();
        let mut followed = BTreeSet::new();
        let mut name = name;
        let mut until: Option<&Renaming<K>> = None;
        loop {
            let since = self.arrival(name, until).filter(|since| followed.insert(order(&since.event)));
            let own = self.of_name(name).iter().filter(|event| self.is_within(name, event, since, until)).cloned();
            let given_up = until.map(|until| StoredEvent { action: Action::Rename, ..until.event.clone() });
            parts.push(own.chain(given_up).collect());
            let Some(before) = since else { break };
            (name, until) = (&before.from, Some(before));
        }
        parts.into_iter().rev().flatten().collect()
    }

    fn of_name(&self, name: &K) -> &[StoredEvent] {
        self.events.get(name).map_or(&[], Vec::as_slice)
    }

    fn renames_to(&self, name: &K) -> &[Renaming<K>] {
        self.renames.get(name).map_or(&[], Vec::as_slice)
    }

    /// The rename that gave the resource this name: the resource that had it until then (or has it now).
    fn arrival(&self, name: &K, until: Option<&Renaming<K>>) -> Option<&Renaming<K>> {
        let arrivals = self.renames_to(name);
        let Some(end) = until.map(|until| time(&until.event)) else { return arrivals.last() };
        let earlier = || arrivals.iter().rev().find(|arrival| time(&arrival.event) < end);
        if self.was_in_use(name, end) {
            return earlier();
        }
        arrivals.iter().rev().find(|arrival| time(&arrival.event) == end).or_else(earlier)
    }

    fn is_within(
        &self,
        name: &K,
        event: &StoredEvent,
        since: Option<&Renaming<K>>,
        until: Option<&Renaming<K>>,
    ) -> bool {
        let is_since = since.is_none_or(|since| {
            let begin = time(&since.event);
            time(event) > begin || time(event) == begin && !self.was_in_use(name, begin)
        });
        let is_until = until.is_none_or(|until| {
            let end = time(&until.event);
            let is_before = time(event) < end || time(event) == end && !self.was_in_use(name, end);
            is_before && order(event) != order(&until.event)
        });
        is_since && is_until
    }

    /// Whether the name was in use just before this second. In general, events that free and take a name in one second are a
    /// replacement. But a resource that takes a free name and gives it up within one second only passed through it.
    fn was_in_use(&self, name: &K, second: &str) -> bool {
        let before = |event: &&StoredEvent| time(event) < second;
        let (left, came): (Vec<_>, Vec<_>) =
            self.of_name(name).iter().filter(before).partition(|event| event.action == Action::Delete);
        let given = self.renames_to(name).iter().map(|arrival| &arrival.event).filter(before);
        let Some(came) = came.into_iter().chain(given).map(time).max() else { return false };
        let Some(last) = left.iter().copied().map(time).max().filter(|last| *last >= came) else { return true };
        let mut last_to_leave = left.into_iter().filter(|event| time(event) == last);
        last == came && (last_to_leave.any(|event| event.renamed_to.is_none()) || self.was_in_use(name, came))
    }

    /// RDS applies a rename in the maintenance window unless the request says to apply it at once, and can get the same request again before. Then the
    /// same rename occurs twice with nothing in between: the first had no effect yet.
    fn forget_repeated_requests(&mut self) {
        let mut repeated = BTreeSet::new();
        for (to, renames) in &self.renames {
            for (at, first) in renames.iter().enumerate() {
                let mut later = renames[at + 1..].iter();
                let Some(again) = later.find(|later| later.from == first.from) else { continue };
                let is_copy = order(&first.event) == order(&again.event);
                if !is_copy && !self.is_anything_between(&first.from, &first.event, &again.event) {
                    repeated.insert((first.from.clone(), to.clone(), owned_order(&first.event)));
                }
            }
        }
        for (from, to, event) in repeated {
            let is_it = |other: &StoredEvent| other.renamed_to.is_some() && owned_order(other) == event;
            if let Some(of_name) = self.events.get_mut(&from) {
                of_name.retain(|other| !is_it(other));
            }
            if let Some(renames) = self.renames.get_mut(&to) {
                renames.retain(|renaming| renaming.from != from || !is_it(&renaming.event));
            }
        }
    }

    /// Whether the name was used by another resource, or became free, between two renames to it.
    fn is_anything_between(&self, name: &K, first: &StoredEvent, again: &StoredEvent) -> bool {
        let given = self.renames_to(name).iter().map(|arrival| &arrival.event);
        let mut all = self.of_name(name).iter().chain(given);
        all.any(|event| {
            time(event) >= time(first) && time(event) <= time(again) && {
                let is_one_of_them = [first, again].into_iter().any(|one| order(one) == order(event));
                !is_one_of_them
            }
        })
    }
}

/// A phrase with all renames since an event (or all renames, without an event). Empty if there are none.
pub fn renames_in_words(events: &[StoredEvent], creation: Option<&StoredEvent>) -> String {
    let since = creation.map_or("", |creation| creation.event.time.as_str());
    let renames = events.iter().filter(|event| event.action == Action::Rename && event.event.time.as_str() >= since);
    renames.map(|event| format!(", {}", renamed(event))).collect()
}

/// A rename as a phrase: `renamed from OLD to NEW by ModifyDBInstance at T`.
fn renamed(stored: &StoredEvent) -> String {
    let Event { name, time, .. } = &stored.event;
    let to = stored.renamed_to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    format!("renamed from {}{to} by {name} at {time}", stored.resource_id)
}

fn time(event: &StoredEvent) -> &str {
    &event.event.time
}

fn order(event: &StoredEvent) -> (&str, &str) {
    (&event.event.time, &event.event.event_id)
}

fn owned_order(event: &StoredEvent) -> (SmolStr, SmolStr) {
    (event.event.time.clone(), event.event.event_id.clone())
}

#[cfg(test)]
mod tests;
