//! Coverage without AWS calls, from the events in the database and the writes in the journal.
//!
//! It covers resources with a create event and no later delete event. A resource is owned if the last write of the tag
//! in the journal is in effect. Whether it still exists, and which tags others wrote, is known only to AWS.

use std::collections::{BTreeMap, HashMap};

use super::coverage::{Class, Coverage, GLOBAL, Maker, class_of_creation};
use super::who::Filter;
use crate::creator::{OwnerRules, RenameHistory, SameResource, creation_of};
use crate::model::event::{Action, StoredEvent};
use crate::model::{AccountId, Region, ResourceId, ResourceType, TagKey, TagValue};
use crate::resource::{Condition, Describe};
use crate::resource_map::{ResourceMap, TagKeys, TypeDefinition};
use crate::store::journal::{Run, Write, WriteState};
use crate::store::{Store, StoreError};

/// The parameters of the report.
#[derive(Debug)]
pub struct Question<'a> {
    /// The tag key.
    pub key: TagKey,
    /// Further keys that count as that tag.
    pub owner_keys: Vec<TagKey>,
    /// The rules for owners.
    pub rules: OwnerRules,
    /// Selects resources.
    pub filter: Filter,
    /// Only resources for which this is true.
    pub condition: Option<Condition>,
    /// Has the global types.
    pub map: &'a ResourceMap,
}

/// The identity of a resource: region (or [`GLOBAL`]) and the part that all its names share.
type ResourceKey = (String, String);

/// The tags in effect according to the journal.
#[derive(Debug, Default)]
struct Journaled {
    /// In the order of the first write.
    tagged: Vec<Tagged>,
    by_name: HashMap<(AccountId, ResourceType, ResourceKey), usize>,
}

#[derive(Debug)]
struct Tagged {
    account: AccountId,
    resource_type: ResourceType,
    region: String,
    /// By the place of the key among those that count.
    values: BTreeMap<usize, TagValue>,
    /// Whether the database has events of it.
    is_recorded: bool,
}

/// A resource by a name of its.
struct Named<'a> {
    account: &'a AccountId,
    resource_type: &'a ResourceType,
    region: &'a str,
    name: &'a str,
}

/// The coverage from database and journal.
///
/// # Errors
/// The database fails.
pub fn coverage(store: &Store, question: &Question<'_>) -> Result<Coverage, StoreError> {
    let mut journaled = Journaled::read(store, question)?;
    let mut coverage = Coverage::default();
    for (account, resource_type) in store.recorded_types()? {
        if !question.filter.keeps_type(&resource_type) {
            continue;
        }
        for ((region, name), events) in question.resources(store, &account, &resource_type)? {
            let tag = journaled.take(
                question,
                Named { account: &account, resource_type: &resource_type, region: &region, name: &name },
                &events,
            );
            let Some(creation) = creation_of(&events) else { continue };
            if !question.has(creation) {
                continue;
            }
            let id = &creation.resource_id;
            let describe = Describe { rules: &question.rules, map: question.map };
            let found = describe.owner(creation, id);
            if let (None, Err(no_owner)) = (&tag, &found) {
                coverage.add_missing(no_owner);
            }
            let class = if tag.is_some() { Class::Owned } else { class_of_creation(creation, &found) };
            let maker = found.ok().map(|owner| Maker::of(owner.value, &account, &creation.event));
            let maker = maker.or_else(|| tag.as_ref().map(|value| Maker::by_tag(value.as_str())));
            coverage.add_recorded((&account, &region, &resource_type), class, maker);
        }
    }
    for Tagged { account, resource_type, region, values, is_recorded } in &journaled.tagged {
        // Without a create event, nothing says whether the condition is true.
        if let Some(value) = values.values().next().filter(|_| !is_recorded && question.condition.is_none()) {
            let maker = Maker::by_tag(value.as_str());
            coverage.add_recorded((account, region, resource_type), Class::Owned, Some(maker));
        }
    }
    Ok(coverage)
}

impl Question<'_> {
    /// Whether the condition is true for a resource, as far as its create event says.
    fn has(&self, creation: &StoredEvent) -> bool {
        let Some(condition) = &self.condition else { return true };
        let describe = Describe { rules: &self.rules, map: self.map };
        condition.keeps(&describe.recorded(creation, &creation.resource_id, None))
    }

    fn is_global(&self, resource_type: &ResourceType) -> bool {
        self.map.types.get(resource_type).is_some_and(|known| known.global)
    }

    fn region<'r>(&self, resource_type: &ResourceType, region: &'r str) -> &'r str {
        if self.is_global(resource_type) { GLOBAL } else { region }
    }

    /// The events of each resource of a type that the filter selects.
    fn resources(
        &self,
        store: &Store,
        account: &AccountId,
        resource_type: &ResourceType,
    ) -> Result<BTreeMap<ResourceKey, Vec<StoredEvent>>, StoreError> {
        let is_global = self.is_global(resource_type);
        let mut events: Vec<StoredEvent> = Vec::new();
        store.events_of_type(resource_type, account, None, &mut |event| {
            if self.filter.keeps_place(account, &event.event.region, is_global) {
                events.push(event);
            }
        })?;
        if self.rules.resolve_chains {
            store.fill_makers(events.iter_mut().map(|stored| &mut stored.event))?;
        }
        let region = |event: &StoredEvent| self.region(resource_type, event.event.region.as_str()).to_owned();
        let mut same = SameResource::new(self.map.naming());
        events.iter().for_each(|event| same.add(&region(event), event));
        same.finish();
        let key = |event: &StoredEvent, text: &str| (region(event), same.name(&region(event), event, text));
        let mut resources: BTreeMap<ResourceKey, Vec<StoredEvent>> = BTreeMap::new();
        for event in events {
            resources.entry(key(&event, event.resource_id.as_str())).or_default().push(event);
        }
        if store.renames_of_type(resource_type, account, None)?.is_empty() {
            return Ok(resources);
        }
        let new_name = |event: &StoredEvent| Some(key(event, event.renamed_to.as_ref()?.as_str()));
        let lives = RenameHistory::new(resources.clone(), &new_name);
        resources.extend(lives.new_names().map(|name| (name.clone(), lives.of(name))));
        Ok(resources)
    }
}

impl Journaled {
    /// Replays all runs from the first to the last.
    fn read(store: &Store, question: &Question<'_>) -> Result<Self, StoreError> {
        let mut journaled = Self::default();
        let mut resources = HashMap::new();
        for run in store.runs()?.into_iter().rev().filter(|run| question.is_of_owners(run)) {
            for row in store.writes_of(run.run_id)? {
                let rank = question.rank(&row.write).filter(|_| row.outcome.state() == WriteState::Written);
                if let Some(rank) = rank.filter(|_| question.keeps(&run, &row.write)) {
                    journaled.add(question, &run, (row.write, rank), &mut resources);
                }
            }
        }
        Ok(journaled)
    }

    fn add(
        &mut self,
        question: &Question<'_>,
        run: &Run,
        (write, rank): (Write, usize),
        resources: &mut HashMap<(AccountId, ResourceType, Region, ResourceId), usize>,
    ) {
        let Write { resource_type, id, arn, region, new_value, .. } = write;
        let resource = (run.account_id.clone(), resource_type.clone(), region.clone(), id.clone());
        let at = *resources.entry(resource).or_insert(self.tagged.len());
        if let Some(tagged) = self.tagged.get_mut(at) {
            match new_value {
                Some(value) => drop(tagged.values.insert(rank, value)),
                None => drop(tagged.values.remove(&rank)),
            }
            return;
        }
        let region = question.region(&resource_type, region.as_str()).to_owned();
        let naming = question.map.naming();
        for name in [id.as_str(), arn.as_str()].into_iter().flat_map(|name| naming.keys(&resource_type, name)) {
            let place = (region.clone(), name);
            self.by_name.insert((run.account_id.clone(), resource_type.clone(), place), at);
        }
        let account = run.account_id.clone();
        let values = new_value.map(|value| (rank, value)).into_iter().collect();
        self.tagged.push(Tagged { account, resource_type, region, values, is_recorded: false });
    }

    /// The tag of a resource with events in the database.
    fn take(
        &mut self,
        question: &Question<'_>,
        Named { account, resource_type, region, name }: Named<'_>,
        events: &[StoredEvent],
    ) -> Option<TagValue> {
        let naming = question.map.naming();
        let texts = |event: &'_ StoredEvent| -> Vec<String> {
            let texts = std::iter::once(event.resource_id.as_str()).chain(event.names.iter().map(String::as_str));
            texts.flat_map(|text| naming.keys(resource_type, text)).collect()
        };
        // It can have been tagged under an earlier name.
        let (renames, others): (Vec<_>, Vec<_>) = events.iter().rev().partition(|event| event.action == Action::Rename);
        let others = others.into_iter().filter(|event| renames.is_empty() && event.renamed_to.is_none());
        let mut names = std::iter::once(name.to_owned()).chain(others.chain(renames.clone()).flat_map(texts));
        let at = names.find_map(|name| {
            let place = (region.to_owned(), name);
            self.by_name.get(&(account.clone(), resource_type.clone(), place)).copied()
        })?;
        let tagged = self.tagged.get_mut(at)?;
        tagged.is_recorded = true;
        tagged.values.values().next().cloned()
    }
}

impl Question<'_> {
    fn owner_keys(&self) -> impl Iterator<Item = &TagKey> {
        std::iter::once(&self.key).chain(&self.owner_keys)
    }

    /// Whether a run wrote a tag that may count as the owner's: what counts is decided for each type.
    fn is_of_owners(&self, run: &Run) -> bool {
        let run_key = run.tag_key.as_str();
        self.owner_keys().any(|key| TagKeys::IgnoreCase.are_same(key.as_str(), run_key))
    }

    /// The place of a write's key among those that count as the owner tag on its type.
    fn rank(&self, write: &Write) -> Option<usize> {
        let keys = self.map.types.get(&write.resource_type).map(TypeDefinition::tag_keys).unwrap_or_default();
        self.owner_keys().position(|key| keys.are_same(key.as_str(), write.key.as_str()))
    }

    fn keeps(&self, run: &Run, write: &Write) -> bool {
        let is_global = self.is_global(&write.resource_type);
        self.filter.keeps_type(&write.resource_type)
            && self.filter.keeps_place(&run.account_id, &write.region, is_global)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;
    use crate::model::event::{Identity, ResourceEvent, Touched};
    use crate::plan::test_data::stored;
    use crate::report::coverage::Figures;
    use crate::store::Batch;
    use crate::store::journal::{NewRun, RunKind, WriteOutcome};

    const ACCOUNT: &str = "123456789012";
    const URL: &str = "http://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/q";

    fn event(action: &str, resource_type: &str, id: &str, user: &str, day: u32) -> ResourceEvent {
        let stored = stored(action, id, user, &format!("2024-01-{day:02}T00:00:00Z"));
        let touched = Touched {
            resource_type: resource_type.into(),
            resource_id: id.into(),
            action: stored.action,
            names: Vec::new(),
            renamed_to: None,
        };
        ResourceEvent { event: stored.event, touched: vec![touched], sessions: Vec::new() }
    }

    fn write(store: &Store, kind: RunKind, undoes: Option<RunId>, id: &str, new_value: Option<&str>) -> RunId {
        let run = NewRun {
            kind,
            undoes,
            account: ACCOUNT.into(),
            region: "eu-west-1".into(),
            key: "Owner".into(),
            caller: "arn:aws:iam::1:user/ops".into(),
            organization: None,
        };
        let write = Write {
            position: 0,
            resource_type: "sqs".into(),
            id: id.into(),
            arn: format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:{}", id.rsplit('/').next().unwrap()).into(),
            region: "eu-west-1".into(),
            key: "Owner".into(),
            old_key: None,
            owner_keys: Vec::new(),
            skip_tags: Vec::new(),
            old_value: None,
            new_value: new_value.map(TagValue::from),
            event_id: None,
        };
        let run = store.begin_run(&run, &[write]).unwrap();
        let written = WriteOutcome::Written { request_id: None };
        store.end_writes(run, &[(0, written)].into()).unwrap();
        run
    }

    fn store(events: Vec<ResourceEvent>) -> Store {
        let mut store = Store::in_memory().unwrap();
        store.add(&Batch { events, ..Batch::default() }).unwrap();
        store
    }

    fn rows(store: &Store, filter: Filter) -> Vec<(String, String, u64, u64)> {
        let map = ResourceMap::built_in_once();
        let question = Question {
            key: "Owner".into(),
            owner_keys: Vec::new(),
            rules: OwnerRules::default(),
            filter,
            condition: None,
            map,
        };
        let coverage = coverage(store, &question).unwrap();
        coverage
            .rows()
            .map(|row| {
                let Figures { live, owned, would_be_owned, .. } = row.figures;
                assert_eq!(live, None);
                (row.region, row.resource_type.to_string(), owned, would_be_owned)
            })
            .collect()
    }

    fn row(region: &str, resource_type: &str, owned: u64, would_be_owned: u64) -> (String, String, u64, u64) {
        (region.to_owned(), resource_type.to_owned(), owned, would_be_owned)
    }

    #[test]
    fn existing_resource_counts_once_for_all_spellings() {
        let mut both = event("create", "sqs", "q", "alice", 1);
        both.touched.push(Touched { resource_id: URL.into(), ..both.touched[0].clone() });
        let gone = [event("create", "sqs", "gone", "bob", 1), event("delete", "sqs", "gone", "bob", 2)];
        let store = store([vec![both, event("create", "iam-role", "app", "bob", 1)], gone.into()].concat());
        assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 0, 1), row(GLOBAL, "iam-role", 0, 1)]);
        let only = Filter { regions: vec!["us-east-1".into()], ..Filter::default() };
        assert_eq!(rows(&store, only), [row(GLOBAL, "iam-role", 0, 1)], "global types are in every region");
        let only = Filter { types: vec!["sqs".into()], accounts: vec![ACCOUNT.into()], ..Filter::default() };
        assert_eq!(rows(&store, only), [row("eu-west-1", "sqs", 0, 1)]);
    }

    #[test]
    fn last_journal_write_decides_for_any_spelling() {
        let store = store(vec![event("create", "sqs", "q", "alice", 1)]);
        let run = write(&store, RunKind::Tag, None, URL, Some("alice"));
        assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 1, 0)]);
        write(&store, RunKind::Undo, Some(run), URL, None);
        assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 0, 1)]);
        write(&store, RunKind::Tag, None, URL, Some("alice"));
        write(&store, RunKind::Tag, None, "unrecorded", Some("zoe"));
        assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 2, 0)]);
    }

    #[test]
    fn renamed_resource_counts_once_and_keeps_its_tag() {
        let mut rename = event("delete", "sqs", "old", "carol", 2);
        rename.touched[0].action = Action::Rename;
        rename.touched[0].renamed_to = Some("new".into());
        let store = store(vec![event("create", "sqs", "old", "alice", 1), rename]);
        assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 0, 1)]);
        write(&store, RunKind::Tag, None, "old", Some("alice"));
        assert_eq!(rows(&store, Filter::default()), [row("eu-west-1", "sqs", 1, 0)]);
    }

    #[test]
    fn service_created_resources_are_separate() {
        let mut by_service = event("create", "sqs", "q", "", 1);
        by_service.event.identity = Identity { kind: Some("AWSService".to_owned()), ..Identity::default() };
        let store = store(vec![by_service]);
        let map = ResourceMap::built_in_once();
        let (key, rules, filter) = ("Owner".into(), OwnerRules::default(), Filter::default());
        let coverage =
            coverage(&store, &Question { key, owner_keys: Vec::new(), rules, filter, condition: None, map }).unwrap();
        assert_eq!(coverage.totals(), Figures { service_created: 1, ..Figures::default() });
        assert!(coverage.creators().is_empty());
    }
}
