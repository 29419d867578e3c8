//! The recorded resources of some types in an account.
//!
//! The first pass over their events has names, times and effects: which events are of one resource, and which of them created it.
//! The second pass has all facts of these events only. Events of resources that were renamed are kept, as their history needs them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Journaled, Question, ResourceKey};
use crate::creator::{Dated, RenameHistory, SameResource, creation_of};
use crate::model::event::{Action, StoredEvent};
use crate::model::{AccountId, ResourceType, TagValue};
use crate::report::coverage::{Class, Coverage, Maker, class_of_creation};
use crate::report::resources::Counted;
use crate::store::{Store, StoreError};
use crate::text::arena::Arena;

/// The number of create events for which sessions are resolved at the same time.
const CREATIONS_AT_ONCE: usize = 4096;

/// What the events of one resource have in common: its type and region (or global), by number.
type Scope = u32;

/// An event of the first pass.
struct Mark {
    /// `None`: the filter excludes it.
    node: Option<u32>,
    scope: Scope,
    action: Action,
}

/// The events of some types, after the first pass.
pub(super) struct Recorded<'q> {
    question: &'q Question<'q>,
    account: &'q AccountId,
    types: &'q [ResourceType],
    scopes: Vec<(ResourceType, String)>,
    same: SameResource<'q, Scope>,
    /// By the number of the event.
    marks: Vec<Mark>,
    /// The time and the ID of each event, one after the other.
    texts: Arena,
    /// The events that rename, with all facts of the first pass.
    renames: Vec<(Scope, StoredEvent)>,
    hits: Vec<Hit>,
}

/// An event of a resource, for [`creation_of`].
struct Candidate<'t> {
    number: usize,
    action: Action,
    time: &'t str,
    event_id: &'t str,
}

impl Dated for Candidate<'_> {
    fn action(&self) -> Action {
        self.action
    }

    fn time(&self) -> &str {
        self.time
    }

    fn event_id(&self) -> &str {
        self.event_id
    }
}

/// What the second pass does with an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Nothing: another one decides.
    Other,
    /// It created a resource.
    Creation,
    /// It is of a resource that was renamed.
    OfRenamed,
}

/// An event of a resource that the journal has a write of.
struct Hit {
    /// The event.
    number: usize,
    /// The resource in the journal.
    at: usize,
    /// The name that they share, the shortest of several.
    name: Box<str>,
}

impl<'q> Recorded<'q> {
    /// The first pass.
    pub(super) fn read(
        store: &Store,
        question: &'q Question<'q>,
        (account, types): (&'q AccountId, &'q [ResourceType]),
        journaled: &Journaled,
    ) -> Result<Self, StoreError> {
        let mut recorded = Self {
            question,
            account,
            types,
            scopes: Vec::new(),
            same: SameResource::new(question.map.naming()),
            marks: Vec::new(),
            texts: Arena::default(),
            renames: Vec::new(),
            hits: Vec::new(),
        };
        let mut scopes = HashMap::new();
        store.names_of_types(account, types, &mut |event| recorded.add(event, &mut scopes, journaled))?;
        recorded.same.finish();
        Ok(recorded)
    }

    fn add(&mut self, event: StoredEvent, scopes: &mut HashMap<(ResourceType, String), Scope>, journaled: &Journaled) {
        let StoredEvent { resource_type, action, .. } = &event;
        let is_global = self.question.is_global(resource_type);
        let region = self.question.region(resource_type, event.event.region.as_str());
        let is_kept = self.question.filter.keeps_place(self.account, &event.event.region, is_global);
        let place = (resource_type.clone(), region.to_owned());
        let scope = *scopes.entry(place).or_insert_with_key(|place| {
            self.scopes.push(place.clone());
            u32::try_from(self.scopes.len() - 1).expect("types and regions are few")
        });
        let node = is_kept.then(|| self.same.add(&scope, &event));
        if is_kept && event.renamed_to.is_none() && journaled.has_type(self.account, resource_type) {
            self.look_up(&event, region, journaled);
        }
        self.texts.push(&event.event.time);
        self.texts.push(&event.event.event_id);
        self.marks.push(Mark { node, scope, action: *action });
        if is_kept && event.renamed_to.is_some() {
            self.renames.push((scope, event));
        }
    }

    /// Notes which resources of the journal have a name of the event.
    fn look_up(&mut self, event: &StoredEvent, region: &str, journaled: &Journaled) {
        let number = self.marks.len();
        for name in self.question.names_of(event) {
            let Some(at) = journaled.find(self.account, &event.resource_type, region, std::iter::once(name.clone()))
            else {
                continue;
            };
            let of_event = self.hits.iter_mut().rev().take_while(|hit| hit.number == number);
            match of_event.into_iter().find(|hit| hit.at == at) {
                Some(hit) if (name.len(), name.as_str()) < (hit.name.len(), &hit.name) => hit.name = name.into(),
                Some(_) => {}
                None => self.hits.push(Hit { number, at, name: name.into() }),
            }
        }
    }

    fn resource(&self, number: usize) -> Option<u32> {
        self.marks[number].node.map(|node| self.same.resource(node))
    }

    fn candidate(&self, number: usize) -> Candidate<'_> {
        let (time, event_id) = (self.texts.get(2 * number), self.texts.get(2 * number + 1));
        Candidate { number, action: self.marks[number].action, time, event_id }
    }

    /// The resource in the journal of each resource: the one with its shortest name, else with a name of its latest event.
    fn journaled(&self) -> HashMap<u32, usize> {
        let mut best: HashMap<u32, &Hit> = HashMap::new();
        let rank = |hit: &Hit, resource| {
            let is_shown = self.same.shown(resource).is_none_or(|shown| *shown == *hit.name);
            (is_shown, self.texts.get(2 * hit.number), hit.number)
        };
        for hit in &self.hits {
            let Some(resource) = self.resource(hit.number) else { continue };
            let best = best.entry(resource).or_insert(hit);
            if rank(hit, resource) > rank(best, resource) {
                *best = hit;
            }
        }
        best.into_iter().map(|(resource, hit)| (resource, hit.at)).collect()
    }

    /// The resources that a rename concerns: those with the old and the new name.
    fn renamed(&self) -> HashSet<u32> {
        let of_rename = |(scope, event): &(Scope, StoredEvent)| {
            let texts = [Some(&event.resource_id), event.renamed_to.as_ref()].into_iter().flatten();
            texts.filter_map(|text| self.same.resource_of_text(scope, event, text.as_str())).collect::<Vec<_>>()
        };
        self.renames.iter().flat_map(of_rename).collect()
    }

    /// By the number of the event.
    fn roles(&self, renamed: &HashSet<u32>) -> Vec<Role> {
        let mut by_resource: Vec<(u32, u32)> = Vec::with_capacity(self.marks.len());
        for number in 0..self.marks.len() {
            let short = u32::try_from(number).expect("no memory holds as many events");
            by_resource.extend(self.resource(number).map(|resource| (resource, short)));
        }
        by_resource.sort_unstable();
        let mut roles = vec![Role::Other; self.marks.len()];
        for of_resource in by_resource.chunk_by(|one, other| one.0 == other.0) {
            let numbers = || of_resource.iter().map(|(_, number)| *number as usize);
            if renamed.contains(&of_resource[0].0) {
                numbers().for_each(|number| roles[number] = Role::OfRenamed);
                continue;
            }
            let candidates: Vec<Candidate<'_>> = numbers().map(|number| self.candidate(number)).collect();
            if let Some(creation) = creation_of(&candidates) {
                roles[creation.number] = Role::Creation;
            }
        }
        roles
    }

    /// The second pass: counts each resource.
    pub(super) fn count(
        &self,
        store: &Store,
        journaled: &mut Journaled,
        coverage: &mut Coverage,
    ) -> Result<(), StoreError> {
        let renamed = self.renamed();
        let roles = self.roles(&renamed);
        let in_journal = self.journaled();
        let tags: HashMap<u32, TagValue> = in_journal
            .iter()
            .filter(|(resource, _)| !renamed.contains(resource))
            .filter_map(|(resource, at)| Some((*resource, journaled.take(*at)?)))
            .collect();
        let (mut creations, mut of_renamed) = (Vec::new(), Vec::new());
        let is_chosen = |number: usize| roles[number] != Role::Other;
        store.chosen_of_types(self.account, self.types, &is_chosen, &mut |number, event| {
            let scope = self.marks[number].scope;
            if roles[number] == Role::OfRenamed {
                of_renamed.push((scope, event));
                return Ok(());
            }
            let tag = self.resource(number).and_then(|resource| tags.get(&resource));
            creations.push((scope, event, tag));
            if creations.len() >= CREATIONS_AT_ONCE { self.created(store, &mut creations, coverage) } else { Ok(()) }
        })?;
        self.created(store, &mut creations, coverage)?;
        self.renamed_ones(store, of_renamed, journaled, coverage)
    }

    /// Counts resources by their create events, with their tags.
    fn created(
        &self,
        store: &Store,
        creations: &mut Vec<(Scope, StoredEvent, Option<&TagValue>)>,
        coverage: &mut Coverage,
    ) -> Result<(), StoreError> {
        if self.question.rules.resolve_chains {
            store.fill_makers(creations.iter_mut().map(|(_, stored, _)| &mut stored.event))?;
        }
        for (scope, creation, tag) in creations.drain(..) {
            self.add_resource(scope, &[creation], tag, coverage)?;
        }
        Ok(())
    }

    /// A resource with these events, if one of them created it.
    fn add_resource(
        &self,
        scope: Scope,
        events: &[StoredEvent],
        tag: Option<&TagValue>,
        coverage: &mut Coverage,
    ) -> Result<(), StoreError> {
        let Some(creation) = creation_of(events).filter(|creation| self.question.has(creation)) else { return Ok(()) };
        let found = self.question.describe().owner(creation, &creation.resource_id);
        if let (None, Err(no_owner)) = (tag, &found) {
            coverage.add_missing(no_owner);
        }
        let class = if tag.is_some() { Class::Owned } else { class_of_creation(creation, &found) };
        let maker = found.ok().map(|owner| Maker::of(owner.value, self.account, &creation.event));
        let maker = maker.or_else(|| tag.map(|value| Maker::by_tag(value.as_str())));
        let (resource_type, region) = &self.scopes[scope as usize];
        coverage.add_recorded((self.account, region, resource_type), class, maker, || {
            let id = events.iter().rev().find_map(|event| event.renamed_to.as_ref()).unwrap_or(&creation.resource_id);
            let resource = self.question.describe().recorded(creation, id, None);
            Counted::new(resource, class, region, tag.map(TagValue::as_str))
        })
    }

    /// Counts the resources that were renamed, by their histories.
    fn renamed_ones(
        &self,
        store: &Store,
        mut events: Vec<(Scope, StoredEvent)>,
        journaled: &mut Journaled,
        coverage: &mut Coverage,
    ) -> Result<(), StoreError> {
        if self.question.rules.resolve_chains {
            store.fill_makers(events.iter_mut().map(|(_, stored)| &mut stored.event))?;
        }
        events.sort_by(|(_, one), (_, other)| order(one).cmp(&order(other)));
        let mut by_type: BTreeMap<ResourceType, BTreeMap<ResourceKey, Vec<StoredEvent>>> = BTreeMap::new();
        for (scope, event) in events {
            let key = self.key(scope, &event, event.resource_id.as_str());
            by_type.entry(event.resource_type.clone()).or_default().entry(key).or_default().push(event);
        }
        let scopes: HashMap<_, Scope> = (0..).zip(&self.scopes).map(|(scope, place)| (place.clone(), scope)).collect();
        for (resource_type, mut resources) in by_type {
            let scope_of = |region: &str| scopes[&(resource_type.clone(), region.to_owned())];
            let new_name = |event: &StoredEvent| {
                let region = self.question.region(&resource_type, event.event.region.as_str());
                Some(self.key(scope_of(region), event, event.renamed_to.as_ref()?.as_str()))
            };
            let history = RenameHistory::new(resources.clone(), &new_name);
            resources.extend(history.new_names().map(|name| (name.clone(), history.of(name))));
            for ((region, name), events) in resources {
                let names = std::iter::once(name).chain(self.question.names_in_turn(&events));
                let at = journaled.find(self.account, &resource_type, &region, names);
                let tag = at.and_then(|at| journaled.take(at));
                self.add_resource(scope_of(&region), &events, tag.as_ref(), coverage)?;
            }
        }
        Ok(())
    }

    fn key(&self, scope: Scope, event: &StoredEvent, text: &str) -> ResourceKey {
        (self.scopes[scope as usize].1.clone(), self.same.name(&scope, event, text))
    }
}

impl Question<'_> {
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
