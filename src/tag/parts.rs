//! The facts of a type with its resources in parts, so that memory has few of them at a time.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;

use crate::model::LiveResource;
use crate::model::event::StoredEvent;
use crate::packed_list::PackedList;
use crate::plan::join::{Index, Joined};
use crate::plan::{ScopeFacts, TypeFacts, TypeSource};
use crate::resource_map::TypeDefinition;

/// Resources of a type that are looked at together.
pub(super) const PART: usize = 1024;

/// The resources of a large type, with their events by position.
#[derive(Debug)]
pub(super) struct Parts<'m> {
    pub(super) definition: &'m TypeDefinition,
    pub(super) live: PackedList<LiveResource>,
    pub(super) events: PackedList<(u32, StoredEvent)>,
    pub(super) records: u64,
    /// Of all resources.
    pub(super) scope: ScopeFacts,
    pub(super) source: Option<TypeSource>,
}

/// The facts of a type that are needed more than once.
#[derive(Debug)]
pub(super) enum KeptFacts<'m> {
    /// In one part.
    Whole(Box<TypeFacts<'m>>),
    /// In several parts.
    Parts(Box<Parts<'m>>),
}

/// What the parts of a type have in common.
struct OfType<'m> {
    definition: &'m TypeDefinition,
    /// Create events of the whole type; 0 after the first part.
    records: u64,
    /// Of the resources that are not in a part yet.
    scope: ScopeFacts,
    source: Option<TypeSource>,
}

impl<'m> Parts<'m> {
    /// What is known of all resources, without the resources.
    pub(super) fn without_resources(&self) -> Self {
        Self {
            definition: self.definition,
            live: PackedList::new(),
            events: PackedList::new(),
            records: self.records,
            scope: self.scope.clone(),
            source: self.source.clone(),
        }
    }

    /// Adds the resources of a part.
    pub(super) fn push(&mut self, part: TypeFacts<'_>) {
        let first = self.live.len();
        for (at, events) in part.joined.events.into_iter().enumerate() {
            let position = u32::try_from(first + at).expect("no listing has as many resources");
            self.events.extend(events.into_iter().map(|event| (position, event)));
        }
        self.live.extend(part.live);
    }

    /// The parts. The lists get smaller as they are read.
    pub(super) fn into_parts(self) -> impl Iterator<Item = TypeFacts<'m>> {
        let Self { definition, live, events, records, scope, source } = self;
        OfType { definition, records, scope, source }.parts(live.into_iter(), events.into_iter())
    }

    fn parts(&self) -> impl Iterator<Item = TypeFacts<'m>> + '_ {
        let Self { definition, live, events, records, scope, source } = self;
        let of_type = OfType { definition, records: *records, scope: scope.clone(), source: source.clone() };
        of_type.parts(live.iter(), events.iter())
    }
}

impl<'m> OfType<'m> {
    fn parts(
        mut self,
        mut live: impl Iterator<Item = LiveResource>,
        events: impl Iterator<Item = (u32, StoredEvent)>,
    ) -> impl Iterator<Item = TypeFacts<'m>> {
        let mut events = events.peekable();
        let mut first = 0;
        std::iter::from_fn(move || {
            let part: Vec<LiveResource> = live.by_ref().take(PART).collect();
            let mut of_part = vec![Vec::new(); part.len()];
            let end = first + part.len();
            while let Some((position, event)) = events.next_if(|(position, _)| (*position as usize) < end) {
                of_part[position as usize - first].push(event);
            }
            first = end;
            // The count is of the whole type: it is given once.
            let joined = Joined { events: of_part, records: std::mem::take(&mut self.records) };
            let scope = self.scope.split_to(part.len());
            let facts =
                TypeFacts { definition: self.definition, live: part, joined, scope, source: self.source.clone() };
            (!facts.live.is_empty()).then_some(facts)
        })
    }
}

impl<'m> KeptFacts<'m> {
    pub(super) fn definition(&self) -> &'m TypeDefinition {
        match self {
            Self::Whole(facts) => facts.definition,
            Self::Parts(facts) => facts.definition,
        }
    }

    pub(super) fn source(&self) -> Option<&TypeSource> {
        match self {
            Self::Whole(facts) => facts.source.as_ref(),
            Self::Parts(facts) => facts.source.as_ref(),
        }
    }

    /// Gives each part to `take`.
    ///
    /// # Errors
    /// Those of `take`.
    pub(super) fn try_each<E>(&self, take: &mut dyn FnMut(&TypeFacts<'m>) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Whole(facts) => take(facts),
            Self::Parts(facts) => facts.parts().try_for_each(|part| take(&part)),
        }
    }

    /// As [`KeptFacts::try_each`].
    pub(super) fn each(&self, take: &mut dyn FnMut(&TypeFacts<'m>)) {
        let Ok(()) = self.try_each::<Infallible>(&mut |facts| {
            take(facts);
            Ok(())
        });
    }

    /// Finds the live resources that texts name.
    pub(super) fn index(&self) -> Index {
        match self {
            Self::Whole(facts) => Index::new(facts.live.iter()),
            Self::Parts(facts) => Index::new(facts.live.iter()),
        }
    }

    /// The resources at these positions, with their events.
    pub(super) fn at(&self, positions: &BTreeSet<usize>) -> HashMap<usize, (LiveResource, Vec<StoredEvent>)> {
        let (mut found, mut first) = (HashMap::new(), 0);
        self.each(&mut |facts| {
            let end = first + facts.live.len();
            for &position in positions.range(first..end) {
                let at = position - first;
                found.insert(position, (facts.live[at].clone(), facts.joined.events[at].clone()));
            }
            first = end;
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::test_data::{live, stored};
    use crate::resource_map::ResourceMap;

    fn parts() -> Parts<'static> {
        let resource = |number: usize| live(&format!("q-{number}"), &format!("arn:aws:sqs:r:1:q-{number}"));
        let event = |number: usize| stored("create", &format!("q-{number}"), "alice", "2026-03-01T10:00:00Z");
        let with_events = (0..3 * PART).filter(|number| number % 3 == 1);
        let position = |number: usize| u32::try_from(number).unwrap();
        Parts {
            definition: &ResourceMap::built_in_once().types["sqs"],
            live: (0..2 * PART + 1).map(resource).collect(),
            events: with_events.map(|number| (position(number), event(number))).collect(),
            records: 7,
            scope: ScopeFacts::default(),
            source: None,
        }
    }

    #[test]
    fn parts_have_all_resources_with_their_events_as_often_as_they_are_read() {
        let original = parts();
        let mut again = original.without_resources();
        original.into_parts().for_each(|part| again.push(part));
        let kept = KeptFacts::Parts(Box::new(again));
        for _ in 0..2 {
            let (mut sizes, mut records) = (Vec::new(), 0);
            kept.each(&mut |part| {
                let first = sizes.iter().sum::<usize>();
                for (at, (resource, events)) in part.live.iter().zip(&part.joined.events).enumerate() {
                    assert_eq!(resource.id.as_str(), format!("q-{}", first + at));
                    assert_eq!(events.len(), usize::from((first + at) % 3 == 1));
                    assert!(events.iter().all(|event| event.resource_id == resource.id));
                }
                sizes.push(part.live.len());
                records += part.joined.records;
            });
            assert_eq!((sizes, records), (vec![PART, PART, 1], 7));
        }
    }

    #[test]
    fn resources_are_found_by_position() {
        let kept = KeptFacts::Parts(Box::new(parts()));
        let found = kept.at(&[1, PART, 2 * PART].into());
        let ids: BTreeSet<(usize, &str)> = found.iter().map(|(at, (live, _))| (*at, live.id.as_str())).collect();
        assert_eq!(ids, [(1, "q-1"), (1024, "q-1024"), (2048, "q-2048")].into());
        assert_eq!(found[&1].1.len(), 1);
    }
}
