//! Counts the recorded resources, one group of events at a time.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::journaled::{Journaled, Tagged};
use super::{Question, Scope};
use crate::creator::{RenameHistory, SameResource, creation_of};
use crate::model::event::{Action, StoredEvent};
use crate::model::{ResourceId, TagValue};
use crate::report::coverage::{Class, Coverage, Maker, class_of_creation};
use crate::report::resources::Counted;
use crate::store::recorded::Group;
use crate::store::{Store, StoreError};

/// The number of create events for which sessions are resolved at the same time.
const CREATIONS_AT_ONCE: usize = 1024;

/// Counts the resources of groups.
pub(super) struct Counting<'c> {
    store: &'c Store,
    question: &'c Question<'c>,
    coverage: &'c mut Coverage,
    /// Create events with the tags of their resources, which wait for the creators of their sessions.
    created: Vec<(StoredEvent, Option<TagValue>)>,
}

/// The events of a group, joined by resource.
struct Joined<'q> {
    question: &'q Question<'q>,
    same: SameResource<'q, Scope>,
    /// Events, each with a node of its resource.
    events: Vec<(u32, StoredEvent)>,
}

/// An event of a resource that the journal has a write of.
struct Hit {
    /// The number of the event.
    number: usize,
    /// The resource in the journal.
    at: usize,
    /// The name that they share, the shortest of several.
    name: String,
}

impl<'c> Counting<'c> {
    pub(super) fn new(store: &'c Store, question: &'c Question<'c>, coverage: &'c mut Coverage) -> Self {
        Self { store, question, coverage, created: Vec::new() }
    }

    /// Counts the resources of a group.
    pub(super) fn add(&mut self, Group { events, notes }: Group) -> Result<(), StoreError> {
        let mut events: Vec<StoredEvent> = events.into_iter().map(|(_, event)| event).collect();
        let is_alone = events.len() == 1 && notes.is_empty();
        if let Some(event) = events.pop_if(|event| is_alone && event.renamed_to.is_none()) {
            return if event.action == Action::Delete { Ok(()) } else { self.add_created(event, None) };
        }
        let mut journaled = Journaled::of(self.question, &notes);
        let joined = Joined::of(self.question, events);
        let renamed = joined.renamed();
        let tags = joined.tags(&renamed, &mut journaled);
        let mut of_renamed = Vec::new();
        for (resource, events) in joined.by_resource() {
            if renamed.contains(&resource) {
                of_renamed.extend(events.into_iter().cloned());
            } else if let Some(creation) = creation_of(&events) {
                self.add_created((*creation).clone(), tags.get(&resource).cloned())?;
            }
        }
        self.add_renamed(&joined, of_renamed, &mut journaled)?;
        self.add_unrecorded(&journaled)
    }

    /// Counts the resources that wait.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        let mut created = std::mem::take(&mut self.created);
        self.store.fill_makers(created.iter_mut().map(|(stored, _)| &mut stored.event))?;
        created.into_iter().try_for_each(|(creation, tag)| self.add_resource(&[creation], tag.as_ref()))
    }

    /// Counts a resource by its create event, with its tag.
    fn add_created(&mut self, creation: StoredEvent, tag: Option<TagValue>) -> Result<(), StoreError> {
        if !self.question.rules.resolve_chains {
            return self.add_resource(&[creation], tag.as_ref());
        }
        self.created.push((creation, tag));
        if self.created.len() < CREATIONS_AT_ONCE { Ok(()) } else { self.finish() }
    }

    /// A resource with these events, if one of them created it.
    fn add_resource(&mut self, events: &[StoredEvent], tag: Option<&TagValue>) -> Result<(), StoreError> {
        let question = self.question;
        let Some(creation) = creation_of(events).filter(|creation| question.has(creation)) else { return Ok(()) };
        let found = question.describe().owner(creation, &creation.resource_id);
        if let (None, Err(no_owner)) = (tag, &found) {
            self.coverage.add_missing(no_owner);
        }
        let class = if tag.is_some() { Class::Owned } else { class_of_creation(creation, &found) };
        let account = &creation.event.account_id;
        let maker = found.ok().map(|owner| Maker::of(owner.value, account, &creation.event));
        let maker = maker.or_else(|| tag.map(|value| Maker::by_tag(value.as_str())));
        let region = question.region(&creation.resource_type, creation.event.region.as_str());
        self.coverage.add_recorded((account, region, &creation.resource_type), class, maker, || {
            let id = events.iter().rev().find_map(|event| event.renamed_to.as_ref()).unwrap_or(&creation.resource_id);
            let resource = question.describe().recorded(creation, id, None);
            Counted::new(resource, class, region, tag.map(TagValue::as_str))
        })
    }

    /// Counts the resources that were renamed, by their histories.
    fn add_renamed(
        &mut self,
        joined: &Joined<'_>,
        mut events: Vec<StoredEvent>,
        journaled: &mut Journaled,
    ) -> Result<(), StoreError> {
        let question = self.question;
        if question.rules.resolve_chains {
            self.store.fill_makers(events.iter_mut().map(|stored| &mut stored.event))?;
        }
        events.sort_by(|one, other| order(one).cmp(&order(other)));
        let mut resources: BTreeMap<(Scope, String), Vec<StoredEvent>> = BTreeMap::new();
        for event in events {
            resources.entry(joined.key(&event, event.resource_id.as_str())).or_default().push(event);
        }
        let new_name = |event: &StoredEvent| Some(joined.key(event, event.renamed_to.as_ref()?.as_str()));
        let history = RenameHistory::new(resources.clone(), &new_name);
        resources.extend(history.new_names().map(|name| (name.clone(), history.of(name))));
        for ((scope, name), events) in resources {
            let names = std::iter::once(name).chain(question.names_in_turn(&events));
            let at = journaled.find(&scope, names);
            let tag = at.and_then(|at| journaled.take(at));
            self.add_resource(&events, tag.as_ref())?;
        }
        Ok(())
    }

    /// Counts the resources that only the journal has.
    fn add_unrecorded(&mut self, journaled: &Journaled) -> Result<(), StoreError> {
        // Without a create event, nothing says whether the condition is true.
        if self.question.condition.is_some() {
            return Ok(());
        }
        for (Tagged { scope, id, arn, .. }, value) in journaled.unrecorded() {
            let (account, resource_type, region) = scope;
            let maker = Maker::by_tag(value.as_str());
            self.coverage.add_recorded((account, region, resource_type), Class::Owned, Some(maker), || Counted {
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
        Ok(())
    }
}

impl<'q> Joined<'q> {
    fn of(question: &'q Question<'q>, events: Vec<StoredEvent>) -> Self {
        let mut same = SameResource::new(question.map.naming());
        let events = events.into_iter().map(|event| (same.add(&question.scope_of(&event), &event), event)).collect();
        same.finish();
        Self { question, same, events }
    }

    /// The events of each resource, in the order of the table.
    fn by_resource(&self) -> BTreeMap<u32, Vec<&StoredEvent>> {
        let mut resources: BTreeMap<u32, Vec<&StoredEvent>> = BTreeMap::new();
        for (node, event) in &self.events {
            resources.entry(self.same.resource(*node)).or_default().push(event);
        }
        resources
    }

    /// The resources that a rename concerns: those with the old and the new name.
    fn renamed(&self) -> HashSet<u32> {
        let renames = self.events.iter().filter_map(|(_, event)| Some((event, event.renamed_to.as_ref()?)));
        let texts = renames.flat_map(|(event, new_name)| [(event, &event.resource_id), (event, new_name)]);
        let resource = |(event, text): (&StoredEvent, &ResourceId)| {
            self.same.resource_of_text(&self.question.scope_of(event), event, text.as_str())
        };
        texts.filter_map(resource).collect()
    }

    /// The tags of resources that were not renamed. The resource in the journal is the one with the shortest name, else with a name of the
    /// latest event.
    fn tags(&self, renamed: &HashSet<u32>, journaled: &mut Journaled) -> HashMap<u32, TagValue> {
        let hits = self.hits(journaled);
        let mut best: HashMap<u32, &Hit> = HashMap::new();
        let rank = |hit: &Hit, resource| {
            let is_shown = self.same.shown(resource).is_none_or(|shown| *shown == *hit.name);
            (is_shown, self.events[hit.number].1.event.time.as_str(), hit.number)
        };
        for hit in &hits {
            let resource = self.same.resource(self.events[hit.number].0);
            let best = best.entry(resource).or_insert(hit);
            if rank(hit, resource) > rank(best, resource) {
                *best = hit;
            }
        }
        let others = best.into_iter().filter(|(resource, _)| !renamed.contains(resource));
        others.filter_map(|(resource, hit)| Some((resource, journaled.take(hit.at)?))).collect()
    }

    /// Which resources of the journal have a name of each event.
    fn hits(&self, journaled: &Journaled) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        if journaled.is_empty() {
            return hits;
        }
        for (number, (_, event)) in self.events.iter().enumerate().filter(|(_, (_, event))| event.renamed_to.is_none())
        {
            let scope = self.question.scope_of(event);
            for name in self.question.names_of(event) {
                let Some(at) = journaled.find(&scope, std::iter::once(name.clone())) else { continue };
                let of_event = hits.iter_mut().rev().take_while(|hit| hit.number == number);
                match of_event.into_iter().find(|hit| hit.at == at) {
                    Some(hit) if (name.len(), &name) < (hit.name.len(), &hit.name) => hit.name = name,
                    Some(_) => {}
                    None => hits.push(Hit { number, at, name }),
                }
            }
        }
        hits
    }

    fn key(&self, event: &StoredEvent, text: &str) -> (Scope, String) {
        let scope = self.question.scope_of(event);
        let name = self.same.name(&scope, event, text);
        (scope, name)
    }
}

impl Question<'_> {
    fn scope_of(&self, event: &StoredEvent) -> Scope {
        self.scope(&event.event.account_id, &event.resource_type, &event.event.region)
    }

    /// All names that an event has of its resource.
    fn names_of(&self, event: &StoredEvent) -> Vec<String> {
        let naming = self.map.naming();
        let texts = std::iter::once(event.resource_id.as_str()).chain(event.names.iter().map(String::as_str));
        texts.flat_map(|text| naming.keys(&event.resource_type, text)).collect()
    }

    /// The names of a renamed resource, the latest first. It can have been tagged under an earlier name.
    fn names_in_turn<'e>(&'e self, events: &'e [StoredEvent]) -> impl Iterator<Item = String> + 'e {
        let (renames, others): (Vec<_>, Vec<_>) = events.iter().rev().partition(|event| event.action == Action::Rename);
        let is_own = renames.is_empty();
        let others = others.into_iter().filter(move |event| is_own && event.renamed_to.is_none());
        others.chain(renames).flat_map(|event| self.names_of(event))
    }
}

fn order(event: &StoredEvent) -> (&str, &str, &str) {
    (&event.event.time, &event.event.event_id, event.resource_id.as_str())
}
