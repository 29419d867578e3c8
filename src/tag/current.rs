//! The current state of resources that were planned earlier: in a saved plan, an interrupted run, or a run to undo.
//!
//! Their types are listed again, which also gives the items that native calls take parameters from. What could not be
//! read stays unread: nothing is guessed from the earlier state.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};

use crate::aws::Session;
use crate::inventory::{self, Population};
use crate::model::{AccountRegion, LiveResource, ResourceType, Tags, TextHash};
use crate::packed_list::PackedList;
use crate::resource_map::ResourceMap;
use crate::store::journal::Write;

/// Types listed at a time.
const TYPE_CONCURRENCY: usize = 8;

/// Resources that are in memory at a time.
const RESOURCES_AT_ONCE: usize = 1024;

/// What a resource is like now. Its JSON is for [`PackedList`] only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Current {
    /// It exists, and its tags are known.
    Live(Box<LiveResource>),
    /// It is no longer listed.
    Gone,
    /// It could not be read.
    Unreadable(Unread),
}

/// Why the current state of a resource is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Unread {
    /// The resource map has no call that lists the type.
    #[error("no resource map defines how to list {0}")]
    NoListing(ResourceType),
    /// AWS refused the listing. The error, with its hint.
    #[error("{0}")]
    Listing(String),
    /// It is not listed, and part of the listing failed. The first problem.
    #[error("it is not listed, but part of the listing failed: {0}")]
    PartOfListing(String),
    /// It may have further tags.
    #[error("not all of its tags could be read")]
    SomeTags,
    /// None of its tags could be read.
    #[error("its tags could not be read: {0}")]
    Tags(String),
}

/// The present state of these writes' resources, in their order.
pub async fn read(
    session: &Session,
    map: &ResourceMap,
    place: &AccountRegion,
    writes: impl Iterator<Item = Write>,
) -> PackedList<Current> {
    let mut by_type: BTreeMap<ResourceType, Wanted> = BTreeMap::new();
    for (at, write) in (0..).zip(writes) {
        let name = TextHash::of([without_host(write.id.as_str()), write.arn.as_str()]);
        by_type.entry(write.resource_type).or_default().0.push((name, at));
    }
    let access = Access { session, map, place };
    let read = |(resource_type, wanted)| read_type(&access, resource_type, wanted);
    let mut types = stream::iter(by_type).map(read).buffer_unordered(TYPE_CONCURRENCY);
    let mut found = PackedList::new();
    while let Some(of_type) = types.next().await {
        found.append(of_type);
    }
    found.sort_by_key(|(at, _): &(u32, Current)| *at);
    found.into_iter().map(|(_, current)| current).collect()
}

/// How types are listed in an account-region.
struct Access<'a> {
    session: &'a Session,
    map: &'a ResourceMap,
    place: &'a AccountRegion,
}

/// The resources of writes by their id and ARN, with the places of the writes.
#[derive(Default)]
struct Wanted(Vec<(TextHash, u32)>);

impl Wanted {
    /// The writes that are of a resource, by their places in this list.
    fn of(&self, live: &LiveResource) -> std::ops::Range<usize> {
        let name = TextHash::of([without_host(live.id.as_str()), live.arn.as_str()]);
        let first = self.0.partition_point(|(wanted, _)| *wanted < name);
        let count = self.0[first..].iter().take_while(|(wanted, _)| *wanted == name).count();
        first..first + count
    }
}

async fn read_type(
    &Access { session, map, place }: &Access<'_>,
    resource_type: ResourceType,
    mut wanted: Wanted,
) -> PackedList<(u32, Current)> {
    let unreadable = |why: Unread| wanted.0.iter().map(|(_, at)| (*at, Current::Unreadable(why.clone()))).collect();
    let Some(definition) = map.definition(&resource_type).filter(|definition| definition.access.is_some()) else {
        return unreadable(Unread::NoListing(resource_type));
    };
    // A sweep of the Tagging API would not prove that a tag is absent. Tags that the listing does not return are read below.
    let population = match inventory::list_without_sweep(session, map, definition, place).await {
        Ok(population) => population,
        Err(error) => return unreadable(Unread::Listing(error.with_hint())),
    };
    wanted.0.sort_unstable();
    let mut is_found = vec![false; wanted.0.len()];
    let mut found = PackedList::new();
    let Population { resources, problems } = population;
    let mut listed = resources.into_iter().filter_map(|live| {
        let places = wanted.of(&live);
        // What only a search for their events needs is dropped.
        (!places.is_empty()).then(|| (places, LiveResource { identifiers: Vec::new(), made_with: Vec::new(), ..live }))
    });
    loop {
        let mut part: Vec<(std::ops::Range<usize>, LiveResource)> = listed.by_ref().take(RESOURCES_AT_ONCE).collect();
        if part.is_empty() {
            break;
        }
        let unproven = |live: &&mut LiveResource| !matches!(live.tags, Tags::Known(_));
        let mut unproven: Vec<&mut LiveResource> = part.iter_mut().map(|(_, live)| live).filter(unproven).collect();
        if !unproven.is_empty() {
            inventory::confirm_tags(session, definition, place, &mut unproven).await;
        }
        for (places, live) in part {
            let current = state_of(live);
            for place in places {
                found.push(&(wanted.0[place].1, current.clone()));
                is_found[place] = true;
            }
        }
    }
    // What could not be taken from the list may be among what went wrong there.
    let missing = match problems.first() {
        None => Current::Gone,
        Some(problem) => Current::Unreadable(Unread::PartOfListing(problem.clone())),
    };
    let unseen = wanted.0.iter().zip(is_found).filter(|(_, is_found)| !is_found);
    unseen.for_each(|((_, at), _)| found.push(&(*at, missing.clone())));
    found
}

/// An id without the host of an endpoint: the URL of a queue has the host that the listing was sent to, and another run may use
/// another one. Account, region and name are in the ARN too.
fn without_host(id: &str) -> &str {
    let url = id.strip_prefix("https://").or_else(|| id.strip_prefix("http://"));
    url.and_then(|rest| rest.find('/').map(|at| &rest[at..])).unwrap_or(id)
}

fn state_of(live: LiveResource) -> Current {
    match &live.tags {
        Tags::Known(_) => Current::Live(Box::new(live)),
        Tags::Partial(_) => Current::Unreadable(Unread::SomeTags),
        Tags::Unknown(why) => Current::Unreadable(Unread::Tags(why.clone())),
    }
}
