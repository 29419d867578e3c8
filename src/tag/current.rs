//! The current state of resources that were planned earlier: in a saved plan, an interrupted run, or a run to undo.
//!
//! Their types are listed again, which also gives the items that native calls take parameters from. What could not be
//! read stays unread: nothing is guessed from the earlier state.

use std::collections::{BTreeMap, HashMap};

use futures::stream::{self, StreamExt};

use crate::aws::Session;
use crate::inventory::{self, TagIndexes};
use crate::model::ResourceType;
use crate::model::{AccountRegion, LiveResource, Tags};
use crate::resource_map::ResourceMap;
use crate::store::journal::Write;

/// Types listed at a time.
const TYPE_CONCURRENCY: usize = 8;

/// What a resource is like now.
#[derive(Debug)]
pub enum Current {
    /// It exists, and its tags are known.
    Live(Box<LiveResource>),
    /// It is no longer listed.
    Gone,
    /// It could not be read.
    Unreadable(Unread),
}

/// Why the current state of a resource is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
pub async fn read(session: &Session, map: &ResourceMap, place: &AccountRegion, writes: &[Write]) -> Vec<Current> {
    let mut by_type: BTreeMap<&ResourceType, Vec<(usize, &Write)>> = BTreeMap::new();
    for (at, write) in writes.iter().enumerate() {
        by_type.entry(&write.resource_type).or_default().push((at, write));
    }
    let sweeps = TagIndexes::of(by_type.keys().filter_map(|name| map.types.get(*name)));
    let access = Access { session, map, place, tags: &sweeps };
    let read = |(resource_type, writes)| read_type(&access, resource_type, writes);
    let types = stream::iter(by_type).map(read).buffer_unordered(TYPE_CONCURRENCY);
    let mut found: Vec<(usize, Current)> = types.collect::<Vec<_>>().await.into_iter().flatten().collect();
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, current)| current).collect()
}

/// How types are listed in an account-region.
struct Access<'a> {
    session: &'a Session,
    map: &'a ResourceMap,
    place: &'a AccountRegion,
    tags: &'a TagIndexes,
}

async fn read_type(
    &Access { session, map, place, tags }: &Access<'_>,
    resource_type: &ResourceType,
    writes: Vec<(usize, &Write)>,
) -> Vec<(usize, Current)> {
    let unreadable = |why: Unread| writes.iter().map(|(at, _)| (*at, Current::Unreadable(why.clone()))).collect();
    let Some(definition) = map.types.get(resource_type).filter(|definition| definition.access.is_some()) else {
        return unreadable(Unread::NoListing(resource_type.clone()));
    };
    let population = match inventory::list(session, map, definition, place, tags).await {
        Ok(population) => population,
        Err(error) => return unreadable(Unread::Listing(error.with_hint())),
    };
    let mut last_uses: HashMap<(&str, &str), usize> = HashMap::new();
    last_uses.extend(writes.iter().map(|(at, write)| (names(write), *at)));
    let mut found = pick(population.resources, &last_uses);
    let mut unproven: Vec<&mut LiveResource> =
        found.values_mut().filter(|live| !matches!(live.tags, Tags::Known(_))).collect();
    if !unproven.is_empty() {
        inventory::confirm_tags(session, definition, place, &mut unproven).await;
    }
    // What could not be taken from the list may be among what went wrong there.
    let missing = || match population.problems.first() {
        None => Current::Gone,
        Some(problem) => Current::Unreadable(Unread::PartOfListing(problem.to_string())),
    };
    let mut current = |at: usize, write: &Write| {
        let (id, arn) = names(write);
        let key = (id.to_owned(), arn.to_owned());
        // There can be hundreds of thousands: a copy only for a resource that another write is of too.
        let is_last = last_uses.get(&(id, arn)) == Some(&at);
        let live = if is_last { found.remove(&key) } else { found.get(&key).cloned() };
        live.map_or_else(missing, state_of)
    };
    writes.iter().map(|(at, write)| (*at, current(*at, write))).collect()
}

/// The listed resources that writes are about, by id and ARN. What only a search for their events needs is dropped.
fn pick(listed: Vec<LiveResource>, wanted: &HashMap<(&str, &str), usize>) -> HashMap<(String, String), LiveResource> {
    let key = |live: &LiveResource| (without_host(live.id.as_str()).to_owned(), live.arn.to_string());
    let is_wanted = |live: &LiveResource| wanted.contains_key(&(without_host(live.id.as_str()), live.arn.as_str()));
    let without_names = |live| LiveResource { identifiers: Vec::new(), made_with: Vec::new(), ..live };
    listed.into_iter().filter(is_wanted).map(|live| (key(&live), without_names(live))).collect()
}

fn names(write: &Write) -> (&str, &str) {
    (without_host(write.id.as_str()), write.arn.as_str())
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
