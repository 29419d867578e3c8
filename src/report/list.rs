//! Live resources as documents: listed like `tag`, with all their tags. Writes nothing.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::account_types::AccountTypes;
use super::live::{Report, Sources};
use crate::aws::{CallError, Session};
use crate::creator::OwnerRules;
use crate::inventory::config::ConfigSource;
use crate::model::{AccountId, Region, ResourceType, TagKey};
use crate::org::account_job::{AccountJob, unless_stopped};
use crate::org::organization::{Done, Organization};
use crate::org::{Account, RegionChoice};
use crate::packed_list::PackedList;
use crate::plan::lineage::Lineage;
use crate::plan::updates::Updates;
use crate::plan::{Question, Scope, TypeFacts};
use crate::resource::{LiveFacts, Resource};
use crate::resource_map::ResourceMap;
use crate::store::{Store, StoreError};
use crate::tag::chosen::{Chosen, RecordedTypes, TypeChoice, choose_types};
use crate::tag::collect::{Look, Proof, look};
use crate::tag::run::Runner;
use tokio_util::sync::CancellationToken;

/// What to list, and what it comes to.
#[derive(Debug)]
pub struct List<'m> {
    /// The resource map.
    pub map: &'m ResourceMap,
    /// The regions for all accounts. Empty: each account's own, else those with events in the database.
    pub regions: Vec<RegionChoice>,
    /// Only these types. Empty: all types with events in the database.
    pub types: Vec<ResourceType>,
    /// Whether resources without a create event are listed too.
    pub unrecorded: bool,
    /// The rules for owners.
    pub rules: OwnerRules,
    /// AWS Config, if it is queried before the services.
    pub config: OnceCell<Arc<ConfigSource>>,
    /// The names of the accounts so far.
    pub account_names: RefCell<BTreeMap<AccountId, String>>,
    /// What could not be listed. Never borrowed across an await.
    pub report: RefCell<Report>,
    /// The resources that were not taken yet. Never borrowed across an await.
    pub found: RefCell<PackedList<Resource>>,
}

impl List<'_> {
    /// The types to list.
    pub fn choice(&self) -> TypeChoice<'_> {
        TypeChoice { named: &self.types, all: false, inherit: false }
    }

    /// Sets AWS Config as the first source, once there is a session to ask it with.
    pub fn set_config(&self, config: Option<Arc<ConfigSource>>) {
        // It is set once: the first one stays.
        drop(config.map(|config| self.config.set(config)));
    }

    fn config(&self) -> Option<&ConfigSource> {
        self.config.get().map(|config| &**config)
    }

    fn question(&self, account: &AccountId, region: &Region) -> Question {
        Question {
            account: account.clone(),
            region: region.clone(),
            // Nothing is decided about tags.
            key: TagKey::default(),
            owner_keys: Vec::new(),
            more_tags: Vec::new(),
            overwrite: false,
            inherit: false,
            rules: self.rules.clone(),
            updates: Updates::default(),
            scope: Scope::default(),
        }
    }

    /// Reads a region of the session's account. `progress` is called with the number of finished types.
    ///
    /// # Errors
    /// The database fails. AWS errors are in the report.
    pub async fn read_region(
        &self,
        (session, store): (&Session, &Store),
        (account, region): (&AccountId, &Region),
        recorded: &RecordedTypes,
        is_first: bool,
        progress: &mut dyn FnMut(u64, &ResourceType),
    ) -> Result<(), StoreError> {
        let question = self.question(account, region);
        let mut chosen = choose_types(self.map, recorded, region, self.choice());
        if !is_first {
            chosen.types.retain(|definition| !definition.global);
        }
        let how =
            Look { session, map: self.map, store, question: &question, proof: Proof::Tags, config: self.config() };
        let mut found = PackedList::new();
        let mut sources = Sources::default();
        let mut take = |_: Option<&Lineage<'_>>, facts: &TypeFacts<'_>| {
            sources.add(facts);
            self.describe(account, facts, &mut found);
            Ok(())
        };
        let collected = look(how, chosen, &mut take, progress).await?;
        self.add(found);
        self.report.borrow_mut().note_missing(&question, collected, sources);
        Ok(())
    }

    /// Adds the documents of live resources.
    fn describe(&self, account: &AccountId, facts: &TypeFacts<'_>, found: &mut PackedList<Resource>) {
        let names = self.account_names.borrow();
        let account_name = names.get(account).map(String::as_str);
        for (resource, events) in facts.live.iter().zip(&facts.joined.events) {
            let definition = facts.definition;
            let facts = LiveFacts { definition, resource, events, account, account_name, inherited: None };
            let document = facts.describe(&self.rules);
            if self.unrecorded || document.event.is_some() {
                found.push(&document);
            }
        }
    }

    /// Adds what was found in an account-region.
    fn add(&self, mut found: PackedList<Resource>) {
        found.sort_by_key(|resource| {
            let created = resource.created_at().unwrap_or_default().to_owned();
            (resource.region.clone(), created, resource.resource_type.clone(), resource.id.clone())
        });
        self.found.borrow_mut().append(found);
    }
}

impl<'m> List<'m> {
    fn account_types(&self) -> AccountTypes<'_, 'm> {
        AccountTypes { map: self.map, regions: &self.regions, choice: self.choice() }
    }
}

impl<'m> AccountJob<'m> for List<'m> {
    type Facts = RecordedTypes;
    type Item = Chosen<'m>;

    fn facts(&self, organization: &Organization<'_>, account: &Account) -> Result<Option<Self::Facts>, StoreError> {
        self.account_names.borrow_mut().insert(account.id.clone(), account.name.clone());
        self.account_types().recorded(organization.store, account)
    }

    async fn places(
        &self,
        account: &Account,
        session: &Session,
        records: Self::Facts,
    ) -> Result<Vec<(Region, Chosen<'m>)>, CallError> {
        self.account_types().places(account, session, &records).await
    }

    async fn execute(
        &self,
        runner: &Runner<'_>,
        chosen: Chosen<'m>,
        stop: &CancellationToken,
    ) -> Result<Option<Done>, StoreError> {
        let question = self.question(&runner.place.account, &runner.place.region);
        let mut silent = |_, _: &ResourceType| ();
        let how = Look {
            session: runner.session,
            map: self.map,
            store: runner.store,
            question: &question,
            proof: Proof::Tags,
            config: self.config(),
        };
        let mut found = PackedList::new();
        let mut sources = Sources::default();
        let mut take = |_: Option<&Lineage<'_>>, facts: &TypeFacts<'_>| {
            sources.add(facts);
            self.describe(&question.account, facts, &mut found);
            Ok(())
        };
        let looking = look(how, chosen, &mut take, &mut silent);
        let Some(collected) = unless_stopped(stop, looking).await else { return Ok(None) };
        let collected = collected?;
        self.add(found);
        self.report.borrow_mut().note_missing(&question, collected, sources);
        Ok(Some(Done::default()))
    }
}
