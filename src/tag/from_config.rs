//! What AWS Config supplies for the types that it lists, and when a type has to be listed by its service instead.
//!
//! AWS Config lags behind the trail. Where the database has newer events that contradict it, the service lists the type. Before
//! a write, the service confirms that the resource exists and lacks the tag: with a call for the resource, or where there is
//! none with its list call.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::look::{Look, Proof};
use super::recorded::{RecentEvents, join_with};
use super::scope::{self, Joining};
use crate::inventory;
use crate::inventory::config::{NotInConfig, Snapshot, TagTrust};
use crate::model::{AccountRegion, LiveResource};
use crate::plan::{self, PopulationSource, TypeFacts, TypeSource};
use crate::resource_map::TypeDefinition;
use crate::store::StoreError;

/// How far AWS Config can be behind: a day where it records daily, and the time until an aggregator has the item.
///
/// Source: <https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html> (recording frequency)
const LAG: SignedDuration = SignedDuration::from_hours(48);

/// The facts of a type by AWS Config; an inner error is why its service must list it.
pub(super) async fn facts<'m>(
    how: Look<'_, '_>,
    place: &AccountRegion,
    definition: &'m TypeDefinition,
    snapshot: &Snapshot,
) -> Result<Result<TypeFacts<'m>, NotInConfig>, StoreError> {
    let trust = if how.proof == Proof::Writes { TagTrust::Present } else { TagTrust::All };
    let has_parents = definition.access.as_ref().is_some_and(|access| !access.parents.is_empty());
    if how.question.inherit && has_parents {
        return Ok(Err(NotInConfig::Parents));
    }
    let population = match snapshot.population(how.session, how.map, definition, place, trust) {
        Ok(population) => population,
        Err(why) => return Ok(Err(why)),
    };
    let since = (Timestamp::now() - LAG).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut recent = RecentEvents::since(since);
    let mut facts = joined(how, place, definition, population.resources.iter().collect(), &mut recent)?;
    if recent.contradict(&facts.live) {
        return Ok(Err(NotInConfig::Behind));
    }
    if how.proof != Proof::Writes {
        return Ok(Ok(facts));
    }
    let unproven: HashSet<usize> = plan::unproven(how.question, &facts).into_iter().collect();
    if unproven.is_empty() {
        return Ok(Ok(facts));
    }
    if !definition.access.as_ref().is_some_and(|access| access.tags_by_id()) {
        return Ok(Err(NotInConfig::Proof));
    }
    let (positions, mut unread): (Vec<usize>, Vec<&mut LiveResource>) =
        facts.live.iter_mut().enumerate().filter(|(at, _)| unproven.contains(at)).unzip();
    let gone = inventory::confirm_existing(how.session, definition, place, &mut unread).await;
    let gone: HashSet<usize> = gone.into_iter().map(|at| positions[at]).collect();
    if gone.is_empty() {
        return Ok(Ok(facts));
    }
    let live = facts.live.into_iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, live)| live);
    joined(how, place, definition, live.collect(), &mut recent).map(Ok)
}

fn joined<'m>(
    how: Look<'_, '_>,
    place: &AccountRegion,
    definition: &'m TypeDefinition,
    live: Vec<LiveResource>,
    recent: &mut RecentEvents,
) -> Result<TypeFacts<'m>, StoreError> {
    let joined =
        join_with(how.store, &how.question.rules, place, definition, &live, Some(&mut |row| recent.see_row(row)))?;
    let joining = Joining { live: &live, joined: &joined };
    let scope = scope::facts(how.store, how.question, definition, how.map.naming(), joining)?;
    let source = Some(TypeSource { from: PopulationSource::Config, reason: None });
    Ok(TypeFacts { definition, live, joined, scope, source })
}

/// The source of a type that its service lists, and why.
pub(super) fn service(why: NotInConfig) -> TypeSource {
    TypeSource { from: PopulationSource::Service, reason: Some(why.to_string()) }
}
