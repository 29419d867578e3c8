//! Gathers the data about parents: their events from the store and, if these give no owner, the live parents themselves.
//!
//! Fewest calls: a type that this run has listed is not listed again, another one once a region, and of its resources only
//! those in question have their tags read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::aws::{CallError, ErrorClass, Session};
use crate::creator::OwnerRules;
use crate::inventory;
use crate::model::event::StoredEvent;
use crate::model::{AccountId, Arn, Region, ResourceType};
use crate::model::{AccountRegion, LiveResource, Tags};
use crate::plan::join::{Index, Join, Joined};
use crate::plan::lineage::{Lineage, Live, Need, Parent, ParentRef, Relative};
use crate::plan::{PopulationSource, Question, ScopeFacts, TypeFacts, TypeProblem};
use crate::resource_map::{ResourceMap, TypeDefinition};
use crate::store::{Store, StoreError};
use crate::tag::parts::KeptFacts;
use crate::tag::recorded::{join, take_row, with_makers};

/// Types listed at a time.
const TYPE_CONCURRENCY: usize = 8;

/// Parents of a type, in a region.
type Group = (ResourceType, Option<Region>);

/// The live resources of a type in a region.
struct Listed<'f, 'm> {
    index: Index,
    facts: ParentFacts<'f, 'm>,
}

/// The facts of a parent type: those that the run already has, or those that were read only to find parents.
enum ParentFacts<'f, 'm> {
    OfRun(&'f KeptFacts<'m>),
    ListedForParents(KeptFacts<'m>),
}

/// The result of listing a type.
enum ListedType<'f, 'm> {
    Listed(Box<Listed<'f, 'm>>),
    /// The region does not have the type.
    Absent,
    /// It could not be listed.
    Unreadable(Box<CallError>),
}

struct Gatherer<'g, 'm> {
    session: &'g Session,
    map: &'m ResourceMap,
    store: &'g Store,
    question: &'g Question,
    facts: &'g [KeptFacts<'m>],
}

/// The data about parents that decides the owners of these types' resources, and the problems met.
///
/// # Errors
/// SQLite's. AWS's are among what went wrong.
pub(super) async fn gather<'m>(
    session: &Session,
    map: &'m ResourceMap,
    store: &Store,
    question: &Question,
    facts: &[KeptFacts<'m>],
) -> Result<(Lineage<'m>, Vec<TypeProblem>), StoreError> {
    let gatherer = Gatherer { session, map, store, question, facts };
    let mut lineage = Lineage::new(map, question.account.clone());
    let mut listed: HashMap<Group, ListedType<'_, '_>> = HashMap::new();
    loop {
        let (mut unread, mut unlisted): (BTreeMap<_, Vec<_>>, BTreeMap<_, Vec<_>>) = Default::default();
        let mut needs = BTreeSet::new();
        for kept in facts {
            kept.each(&mut |part| needs.append(&mut lineage.needs(question, part)));
        }
        for need in needs {
            let (groups, parent) = match need {
                Need::Recorded(parent) => (&mut unread, parent),
                Need::Live(parent) => (&mut unlisted, parent),
            };
            groups.entry((parent.resource_type.clone(), parent.region.clone())).or_default().push(parent);
        }
        if unread.is_empty() && unlisted.is_empty() {
            break;
        }
        for (group, parents) in unread {
            lineage.parents.extend(recorded(store, &question.rules, &question.account, &group, parents)?);
        }
        gatherer.list(unlisted.keys().cloned().collect(), &mut listed).await?;
        for (group, parents) in unlisted {
            gatherer.bring_alive(&mut lineage, &group, &listed[&group], parents).await;
        }
    }
    let problem = |(group, looked): (Group, ListedType<'_, '_>)| {
        let ListedType::Unreadable(error) = looked else { return None };
        let problem = format!("could not read the parents of other resources: {}", error.with_hint());
        Some(TypeProblem { resource_type: group.0, problem })
    };
    Ok((lineage, listed.into_iter().filter_map(problem).collect()))
}

impl<'g, 'm> Gatherer<'g, 'm> {
    /// Lists those of these types that were not listed before.
    async fn list(
        &self,
        groups: Vec<Group>,
        listed: &mut HashMap<Group, ListedType<'g, 'm>>,
    ) -> Result<(), StoreError> {
        let unlisted: Vec<Group> = groups.into_iter().filter(|group| !listed.contains_key(group)).collect();
        let look = async |group: Group| {
            let looked = self.look(&group).await;
            (group, looked)
        };
        let mut looks = stream::iter(unlisted).map(look).buffer_unordered(TYPE_CONCURRENCY);
        while let Some((group, looked)) = looks.next().await {
            listed.insert(group, looked?);
        }
        Ok(())
    }

    async fn look(&self, (name, region): &Group) -> Result<ListedType<'g, 'm>, StoreError> {
        let region = region.as_ref().unwrap_or(&self.question.region);
        // What AWS Config has of a parent is not all that its own parents are found by.
        let is_listed =
            |facts: &&KeptFacts<'_>| facts.source().is_none_or(|source| source.from == PopulationSource::Service);
        let ours = self.facts.iter().find(|facts| facts.definition().resource_type == *name).filter(is_listed);
        if let Some(facts) = ours.filter(|_| *region == self.question.region) {
            return Ok(ListedType::Listed(Box::new(Listed { index: facts.index(), facts: ParentFacts::OfRun(facts) })));
        }
        let Some(definition) = listable(self.map, name) else { return Ok(ListedType::Absent) };
        let place = AccountRegion { account: self.question.account.clone(), region: region.clone() };
        // Tags that the listing does not return are read later, only for the parents in question.
        match inventory::list_without_sweep(self.session, self.map, definition, &place).await {
            Ok(population) => {
                let live: Vec<LiveResource> = population.resources.into_iter().collect();
                let joined = join(self.store, &self.question.rules, &place, definition, &live)?;
                let facts = TypeFacts { definition, live, joined, scope: ScopeFacts::default(), source: None };
                let facts = KeptFacts::Whole(Box::new(facts));
                Ok(ListedType::Listed(Box::new(Listed {
                    index: facts.index(),
                    facts: ParentFacts::ListedForParents(facts),
                })))
            }
            Err(error) if error.class == ErrorClass::NoEndpoint => Ok(ListedType::Absent),
            Err(error) => Ok(ListedType::Unreadable(Box::new(error))),
        }
    }

    /// Notes which of these parents live, with their tags.
    async fn bring_alive(
        &self,
        lineage: &mut Lineage<'m>,
        (name, region): &Group,
        looked: &ListedType<'_, '_>,
        parents: Vec<ParentRef>,
    ) {
        let mut found = alive(self.map, parents, looked);
        if let Some(definition) = listable(self.map, name) {
            let region = region.clone().unwrap_or_else(|| self.question.region.clone());
            let place = AccountRegion { account: self.question.account.clone(), region };
            let mut unproven: Vec<&mut LiveResource> = found.iter_mut().filter_map(unread).collect();
            if !unproven.is_empty() {
                inventory::confirm_tags(self.session, definition, &place, &mut unproven).await;
            }
        }
        for (parent, live) in found {
            if let Some(known) = lineage.parents.get_mut(&parent) {
                known.live = live;
            }
        }
    }
}

/// The type, if it can be listed.
fn listable<'m>(map: &'m ResourceMap, name: &ResourceType) -> Option<&'m TypeDefinition> {
    map.definition(name).filter(|definition| definition.access.is_some())
}

/// What the store has of parents by their ids.
fn recorded<'m>(
    store: &Store,
    rules: &OwnerRules,
    account: &AccountId,
    (name, region): &Group,
    parents: Vec<ParentRef>,
) -> Result<Vec<(ParentRef, Parent<'m>)>, StoreError> {
    // An ARN and the name in it are two texts for one resource: each kind is joined by itself, so that neither hides the other.
    let (mut arns, mut names): (Vec<&str>, Vec<&str>) =
        parents.iter().map(|parent| parent.id.as_str()).partition(|id| Arn::is_arn(id));
    let mut found: HashMap<String, Vec<StoredEvent>> = HashMap::new();
    for ids in [&mut arns, &mut names] {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            continue;
        }
        let stand_ins: Vec<LiveResource> = ids.iter().map(|id| stand_in(name, id)).collect();
        let renames = store.renames_of_type(name, account, region.as_ref())?;
        let mut join = Join::new(&stand_ins).with_renames(&renames);
        store.events_of_type(name, account, region.as_ref(), &mut |row| take_row(&mut join, row))?;
        let Joined { events, .. } = with_makers(store, rules, join.finish())?;
        found.extend(ids.iter().map(|&id| id.to_owned()).zip(events));
    }
    let known = |parent: ParentRef| {
        let recorded = found.get(&parent.id).cloned().unwrap_or_default();
        (parent, Parent { recorded, live: Live::Unasked })
    };
    Ok(parents.into_iter().map(known).collect())
}

/// Which parents, all of one type, are among its live resources.
fn alive<'m>(map: &'m ResourceMap, parents: Vec<ParentRef>, looked: &ListedType<'_, '_>) -> Vec<(ParentRef, Live<'m>)> {
    let listed = match looked {
        ListedType::Unreadable(error) => {
            let unreadable = || Live::Unreadable(error.with_hint());
            return parents.into_iter().map(|parent| (parent, unreadable())).collect();
        }
        ListedType::Absent => return parents.into_iter().map(|parent| (parent, Live::Gone)).collect(),
        ListedType::Listed(listed) => listed,
    };
    let position = |parent: &ParentRef| listed.index.find(parent.arn.as_ref().unwrap_or(&parent.id));
    let facts = match &listed.facts {
        ParentFacts::OfRun(facts) => facts,
        ParentFacts::ListedForParents(facts) => facts,
    };
    let live = facts.at(&parents.iter().filter_map(position).collect());
    let relative = |parent: &ParentRef| {
        let (resource, events) = live.get(&position(parent)?)?.clone();
        Some(Relative { definition: listable(map, &parent.resource_type)?, resource, events })
    };
    let alive = |parent: ParentRef| {
        let live = relative(&parent).map_or(Live::Gone, |relative| Live::Alive(Box::new(relative)));
        (parent, live)
    };
    parents.into_iter().map(alive).collect()
}

/// A resource with nothing but an id or ARN, in place of one that is not listed.
fn stand_in(name: &ResourceType, id: &str) -> LiveResource {
    let arn = if Arn::is_arn(id) { id } else { "" };
    LiveResource {
        resource_type: name.clone(),
        id: id.into(),
        identifiers: vec![id.to_owned()],
        made_with: Vec::new(),
        arn: Arn::new(arn),
        region: Region::new(""),
        tags: Tags::Unknown("not listed".to_owned()),
        item: Value::Null.into(),
        ancestors: Vec::new(),
    }
}

/// A live parent with unknown tags.
fn unread<'l>((_, live): &'l mut (ParentRef, Live<'_>)) -> Option<&'l mut LiveResource> {
    match live {
        Live::Alive(relative) if !matches!(relative.resource.tags, Tags::Known(_)) => Some(&mut relative.resource),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;

    use super::*;
    use crate::plan::test_data::live;
    use crate::tag::test_data::store_with;

    fn parent(name: &str, id: &str) -> ParentRef {
        ParentRef { resource_type: name.into(), region: Some("eu-west-1".into()), id: id.to_owned(), arn: None }
    }

    /// Who made each parent by the store's events.
    fn makers(store: &Store, name: &str, ids: &[&str]) -> Vec<Vec<SmolStr>> {
        let parents = ids.iter().map(|id| parent(name, id)).collect();
        let group = (name.into(), Some("eu-west-1".into()));
        let found = recorded(store, &OwnerRules::default(), &"123456789012".into(), &group, parents).unwrap();
        let users = |parent: &Parent<'_>| {
            parent.recorded.iter().filter_map(|event| event.event.identity.user_name.clone()).collect()
        };
        found.iter().map(|(_, parent)| users(parent)).collect()
    }

    #[test]
    fn a_parent_is_found_by_id_name_or_arn_and_only_its_own_type_counts() {
        let service = "arn:aws:ecs:eu-west-1:123456789012:service/blue/api";
        let store = store_with(&[("ecs-service", service, "alice"), ("asg", "web", "bob"), ("sqs", "web", "zoe")]);
        assert_eq!(makers(&store, "ecs-service", &["blue/api"]), [["alice"]]);
        assert_eq!(makers(&store, "ecs-service", &[service, "blue/api"]), [["alice"], ["alice"]], "either way");
        assert_eq!(makers(&store, "asg", &["web"]), [["bob"]]);
        assert_eq!(makers(&store, "asg", &["we"]), [[""; 0]]);
    }

    #[test]
    fn a_name_of_several_live_resources_names_none() {
        let map = ResourceMap::built_in_once();
        let all = [live("e-1", "arn:aws:x:r:1:e/1").named("web"), live("e-2", "arn:aws:x:r:1:e/2").named("web")];
        let definition = &map.types["elasticbeanstalk-environment"];
        let joined = Joined { events: vec![Vec::new(); 2], records: 0 };
        let facts = TypeFacts { definition, live: all.to_vec(), joined, scope: ScopeFacts::default(), source: None };
        let facts = KeptFacts::Whole(Box::new(facts));
        let looked =
            ListedType::Listed(Box::new(Listed { index: facts.index(), facts: ParentFacts::ListedForParents(facts) }));
        let is_alive = |parent: ParentRef| matches!(alive(map, vec![parent], &looked)[..], [(_, Live::Alive(_))]);
        assert!(is_alive(parent("elasticbeanstalk-environment", "e-1")));
        assert!(!is_alive(parent("elasticbeanstalk-environment", "web")));
        let by_arn = |arn: &str| ParentRef { arn: Some(arn.to_owned()), ..parent("cfn", "e-1") };
        assert!(is_alive(by_arn("arn:aws:x:r:1:e/1")));
        assert!(!is_alive(by_arn("arn:aws:x:r:1:e/3")), "an earlier one of that name");
    }
}
