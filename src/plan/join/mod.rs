//! Which events belong to which live resource: an event may name it by id, name, ARN or URL, and so may the list call.
//!
//! Rules, from the surest: (1) the event's text is the resource's id or ARN; (2) it is another of its names; (3) both are
//! equal without what varies: an ARN's `:*`, a URL's host; (4) one is an ARN and the other what follows the type in it
//! (`arn:…:function:f` and `f`), in the same account and region. A text that several live resources answer to on one
//! level belongs to none of them: a missing owner is better than a wrong one. Two different ARNs never match.
//!
//! Resources that one call created together may be known only by the one that the call names: an image, for its snapshots. Then the event
//! is that of each resource that was created with it and has no event of its own.
//! A renamed resource has the events of its earlier names ([`RenameHistory`]).
//!
//! Pure.

mod answers;
mod packed;

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::creator::RenameHistory;
use crate::model::event::Action;
use crate::model::event::{EventNames, StoredEvent};
use crate::model::{Arn, ArnParts, LiveResource};
use answers::{Answers, Filter};

pub use packed::PackedJoin;

/// Partition, service, region and account of an ARN.
type ArnFields = [String; 4];

/// Events up to which room is made for each.
const FEW: usize = 4;

/// Finds the live resource that a text names.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Ids and ARNs.
    own: Answers,
    /// All other names.
    names: Answers,
    /// Both without what varies between those who write them down, where something is left out.
    bare: Answers,
    /// The ends of ARNs: an event may give just that.
    tails: Answers,
    /// All texts of these lists.
    known: Filter,
    /// The place of each resource's ARN, by its number in `places`.
    place_of: Vec<u32>,
    /// The places of ARNs, each once.
    places: Vec<Option<ArnFields>>,
    /// Whether each ID is more than an ID or a name.
    has_compound_id: Vec<bool>,
    /// The resources that the map's `made_with` joins to these texts.
    together: HashMap<String, Vec<usize>>,
}

/// Takes a type's events one by one and keeps those of live resources.
#[derive(Debug)]
pub struct Join {
    index: Index,
    events: Vec<Vec<StoredEvent>>,
    /// The event that created other resources together with it.
    shared: Vec<Vec<StoredEvent>>,
    former: Former,
    records: Records,
}

/// The live resource that an event is of, by its position. `None`: one that was created with it, or that had its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted(Option<usize>);

/// The names that resources gave up, as far as none of the live ones bears them now.
#[derive(Debug, Default)]
struct Former {
    /// Whether anything was renamed at all.
    has_renames: bool,
    /// The events of each of these names.
    events: HashMap<String, Vec<StoredEvent>>,
}

/// What a name belongs to: a live resource by its position, or nothing that exists under it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Bearer {
    Live(usize),
    None(String),
}

/// Counts creations: an event may give a resource's id in several spellings (a URL and the name in it), each with its row.
#[derive(Debug, Default)]
struct Records {
    count: u64,
    /// The event of the latest row, its first ID, and the last parts of its further ids. An event's rows follow each other, and most events have one.
    event_id: String,
    first_id: String,
    further_parts: HashSet<String>,
}

/// The events of each live resource.
#[derive(Debug, Clone, Default)]
pub struct Joined {
    /// In the order of the live resources; each ordered by time, then event id.
    pub events: Vec<Vec<StoredEvent>>,
    /// How many creations the database has of the type, live or not.
    pub records: u64,
}

impl Join {
    /// For these live resources, all of one type.
    pub fn new(live: &[LiveResource]) -> Self {
        let none = vec![Vec::new(); live.len()];
        let index = Index::new(live.iter());
        Self { index, events: none.clone(), shared: none, former: Former::default(), records: Records::default() }
    }

    /// Marks the rename events beforehand, so that the events of former names are kept.
    #[must_use]
    pub fn with_renames(mut self, renames: &[StoredEvent]) -> Self {
        self.former.has_renames = !renames.is_empty();
        let names = renames.iter().map(|rename| rename.resource_id.as_str());
        let former = names.filter(|name| self.index.find(name).is_none());
        self.former.events = former.map(|name| (plain(name).to_owned(), Vec::new())).collect();
        self
    }

    /// Keeps `event` if its resource exists. The rows of an event must come one after the other.
    pub fn add(&mut self, event: StoredEvent) {
        if let Some(wanted) = self.wants(&event.event_names()) {
            self.keep(event, wanted);
        }
    }

    /// Counts an event, and returns what [`Join::keep`] keeps it for. `None`: its resource is not live. The rows of an event must come one after
    /// the other.
    pub fn wants(&mut self, event: &EventNames<'_>) -> Option<Wanted> {
        self.records.add(event);
        let id = event.resource_id;
        let position = self.index.find_event(event);
        let is_wanted = position.is_some()
            || self.index.together.contains_key(id)
            || !self.former.events.is_empty() && self.former.events.contains_key(plain(id));
        is_wanted.then_some(Wanted(position))
    }

    /// Keeps an event that was counted.
    pub fn keep(&mut self, event: StoredEvent, Wanted(position): Wanted) {
        if position.is_none()
            && let Some(events) = self.former.events.get_mut(plain(event.resource_id.as_str()))
        {
            events.push(event.clone());
        }
        if let Some(position) = position {
            push(&mut self.events[position], event);
        } else if let Some(positions) = self.index.together.get(event.resource_id.as_str()) {
            for &position in positions {
                self.shared[position].push(event.clone());
            }
        }
    }

    /// What was kept.
    pub fn finish(mut self) -> Joined {
        if self.former.has_renames {
            self.follow_renames();
        }
        for (events, shared) in self.events.iter_mut().zip(self.shared) {
            if events.is_empty() {
                *events = shared;
            }
            events.sort_by(|a, b| (&a.event.time, &a.event.event_id).cmp(&(&b.event.time, &b.event.event_id)));
        }
        Joined { events: self.events, records: self.records.count }
    }
}

impl Join {
    /// Gives each renamed resource the events of its earlier names.
    fn follow_renames(&mut self) {
        let Self { index, events, former, .. } = self;
        let bearer = |text: &str| index.find(text).map_or_else(|| Bearer::None(plain(text).to_owned()), Bearer::Live);
        let live = events.iter().enumerate().filter(|(_, events)| !events.is_empty());
        let live = live.map(|(position, events)| (Bearer::Live(position), events.clone()));
        let former = former.events.drain().map(|(name, events)| (Bearer::None(name), events));
        let by_bearer: BTreeMap<Bearer, Vec<StoredEvent>> = live.chain(former).collect();
        let new_name = |event: &StoredEvent| event.renamed_to.as_ref().map(|name| bearer(name.as_str()));
        let lives = RenameHistory::new(by_bearer, &new_name);
        for name in lives.new_names() {
            if let Bearer::Live(position) = *name {
                events[position] = lives.of(name);
            }
        }
    }
}

impl Records {
    fn add(&mut self, event: &EventNames<'_>) {
        if event.action == Action::Delete {
            return;
        }
        let is_first = self.count == 0 || self.event_id != event.event_id;
        if is_first {
            event.event_id.clone_into(&mut self.event_id);
            event.resource_id.clone_into(&mut self.first_id);
            self.further_parts.clear();
        }
        let is_new = is_first || {
            let part = last_part(event.resource_id);
            part != last_part(&self.first_id) && self.further_parts.insert(part.to_owned())
        };
        self.count += u64::from(is_new);
    }
}

impl Index {
    /// Of these live resources, all of one type.
    pub(crate) fn new<R: Borrow<LiveResource>>(live: impl Iterator<Item = R>) -> Self {
        let mut index = Self::default();
        let (count, _) = live.size_hint();
        index.own.reserve(2 * count);
        index.tails.reserve(count);
        index.place_of.reserve_exact(count);
        index.has_compound_id.reserve_exact(count);
        let mut numbers: HashMap<Option<ArnFields>, u32> = HashMap::new();
        for (position, resource) in live.enumerate() {
            let resource: &LiveResource = resource.borrow();
            let own = [resource.id.as_str(), resource.arn.as_str()];
            own.into_iter().for_each(|text| index.own.add(text, position));
            let others = resource.identifiers.iter().map(String::as_str).filter(|text| !own.contains(text));
            others.clone().for_each(|text| index.names.add(text, position));
            for text in own.into_iter().chain(others) {
                Some(bare(text))
                    .filter(|bare| *bare != text)
                    .into_iter()
                    .for_each(|text| index.bare.add(text, position));
                if Arn::is_arn(text) {
                    arn_tail(text).into_iter().for_each(|tail| index.tails.add(tail, position));
                }
            }
            for text in &resource.made_with {
                index.together.entry(text.clone()).or_default().push(position);
            }
            let number = index.number_of_place(resource.arn.as_str(), &mut numbers);
            index.place_of.push(number);
            index.has_compound_id.push(is_compound(resource.id.as_str()));
        }
        let Self { own, names, bare, tails, .. } = &mut index;
        let lists = [own, names, bare, tails];
        index.known = Filter::of(lists.map(|answers| {
            answers.sort();
            &*answers
        }));
        index
    }

    /// The number of the place of an ARN. Nearly all resources of a type have one place.
    fn number_of_place(&mut self, arn: &str, numbers: &mut HashMap<Option<ArnFields>, u32>) -> u32 {
        let last = self.place_of.last().copied().filter(|number| {
            let place = self.places[*number as usize].as_ref();
            match (place, ArnParts::parse(arn)) {
                (Some(place), Some(arn)) => *place == [arn.partition, arn.service, arn.region, arn.account],
                (place, arn) => place.is_none() && arn.is_none(),
            }
        });
        last.unwrap_or_else(|| {
            *numbers.entry(fields(arn)).or_insert_with_key(|place| {
                self.places.push(place.clone());
                number_of(self.places.len() - 1)
            })
        })
    }

    /// The position of the resource that a text names.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        let (key, bare) = (self.known.key(text), bare(text));
        for answers in [&self.own, &self.names] {
            if let Some(position) = answers.get(key) {
                return position;
            }
        }
        // As a whole it is in neither list.
        let found = if bare.len() == text.len() { self.bare.get(key) } else { self.find_bare(bare) };
        if let Some(position) = found {
            return position;
        }
        if !Arn::is_arn(text) {
            return self.tails.get(key).flatten();
        }
        let tail = self.known.key(arn_tail(text).filter(|tail| !Arn::is_arn(tail))?);
        let position = one_of([self.own.get(tail), self.names.get(tail)]).flatten()?;
        same_place(fields(text).as_ref(), self.places[self.place_of[position] as usize].as_ref()).then_some(position)
    }

    /// The position of the resource that answers to a text without what varies. `None`: none answers; `Some(None)`: several do.
    fn find_bare(&self, text: &str) -> Option<Option<usize>> {
        let (key, is_bare) = (self.known.key(text), bare(text) == text);
        let whole = |answers: &Answers| if is_bare { answers.get(key) } else { None };
        one_of([whole(&self.own), whole(&self.names), self.bare.get(key)])
    }
}

/// The one resource that answers in these lists.
fn one_of<const LISTS: usize>(answers: [Option<Option<usize>>; LISTS]) -> Option<Option<usize>> {
    let mut answers = answers.into_iter().flatten();
    let first = answers.next()?;
    Some(first.filter(|_| answers.all(|other| other == first)))
}

impl Index {
    /// The position of the resource that an event is of: by the ID in the event, else by the ARNs that it has. A create event with an
    /// ID of its own is of no resource with another ID, whatever ARN they share: ARNs without a generated part are used again.
    fn find_event(&self, event: &EventNames<'_>) -> Option<usize> {
        let id = event.resource_id;
        self.find(id).or_else(|| {
            let arns = event.names.iter().filter(|name| Arn::is_arn(name));
            let position = arns.filter_map(|arn| self.own.get(self.known.key(bare(arn))).flatten()).next()?;
            let is_other = event.action != Action::Delete && !is_compound(id) && !self.has_compound_id[position];
            (!is_other).then_some(position)
        })
    }
}

/// What comes after the last `/` or `:`.
fn last_part(id: &str) -> &str {
    id.rsplit(['/', ':']).next().unwrap_or_default()
}

/// Whether a text is more than an ID or a name.
fn is_compound(text: &str) -> bool {
    Arn::is_arn(text) || text.contains("://")
}

/// The name in a text, whether that is the name alone, a URL or an ARN.
fn plain(text: &str) -> &str {
    if Arn::is_arn(text) { arn_tail(text).unwrap_or(text) } else { bare(text) }
}

fn number_of(position: usize) -> u32 {
    u32::try_from(position).expect("no listing has as many resources")
}

/// Adds an event. Nearly all resources have one or two: more room is made only for more.
fn push(events: &mut Vec<StoredEvent>, event: StoredEvent) {
    if events.len() < FEW {
        events.reserve_exact(1);
    }
    events.push(event);
}

/// The text without an ARN's `:*` and a URL's host.
fn bare(text: &str) -> &str {
    if Arn::is_arn(text) {
        return text.strip_suffix(":*").unwrap_or(text);
    }
    text.strip_prefix("https://").and_then(|rest| rest.split_once('/')).map_or(text, |(_, path)| path)
}

/// The text after the resource type in an ARN, or the whole resource where it has no type: `arn:aws:iam::1:role/a/b` → `a/b`,
/// `arn:aws:sns:r:1:topic` → `topic`.
fn arn_tail(arn: &str) -> Option<&str> {
    ArnParts::parse(bare(arn)).map(|arn| arn.name()).filter(|tail| !tail.is_empty())
}

/// What an ARN says of the place of its resource. `None` for other texts.
fn fields(arn: &str) -> Option<ArnFields> {
    ArnParts::parse(arn).map(|arn| [arn.partition, arn.service, arn.region, arn.account].map(str::to_owned))
}

/// Whether two ARNs are of one service, region and account; a field that one leaves empty counts as equal.
fn same_place(one: Option<&ArnFields>, other: Option<&ArnFields>) -> bool {
    // A resource without an ARN of its own can be anywhere.
    let (Some(one), Some(other)) = (one, other) else { return true };
    one.iter().zip(other).all(|(a, b)| a.is_empty() || b.is_empty() || a == b)
}

#[cfg(test)]
mod tests;
