//! Coverage of an organization: lists the resources of each account-region with events, like `tag-org`. Writes
//! nothing.

use std::cell::RefCell;
use std::sync::Arc;

use super::account_types::AccountTypes;
use super::live::{Report, Taken, users};
use crate::aws::{CallError, Session};
use crate::creator::OwnerRules;
use crate::inventory::config::ConfigSource;
use crate::model::{Region, ResourceType, TagKey};
use crate::org::account_job::{AccountJob, unless_stopped};
use crate::org::organization::{Done, Organization};
use crate::org::{Account, RegionChoice};
use crate::plan::lineage::Lineage;
use crate::plan::updates::Updates;
use crate::plan::{Question, Scope, TypeFacts};
use crate::resource::Condition;
use crate::resource_map::ResourceMap;
use crate::store::StoreError;
use crate::tag::chosen::{Chosen, RecordedTypes, TypeChoice};
use crate::tag::collect::{Look, Proof, look};
use crate::tag::run::Runner;
use tokio_util::sync::CancellationToken;

/// Collects the coverage of all accounts. Its size grows with accounts, regions and types that have resources, not with
/// resources.
#[derive(Debug)]
pub struct Cover<'m> {
    /// The resource map.
    pub map: &'m ResourceMap,
    /// The regions for all accounts. Empty: each account's own, else those with events in the database.
    pub regions: Vec<RegionChoice>,
    /// Only these types. Empty: all types with events in the database.
    pub types: Vec<ResourceType>,
    /// Whether types without events are listed too.
    pub all_types: bool,
    /// Further keys that count as the owner tag.
    pub owner_keys: Vec<TagKey>,
    /// Whether resources that no person created inherit the owner of their parent.
    pub inherit: bool,
    /// The rules for owners.
    pub rules: OwnerRules,
    /// Only resources for which this is true.
    pub condition: Option<Condition>,
    /// AWS Config, if it is queried before the services.
    pub config: Option<Arc<ConfigSource>>,
    /// The results so far. Never borrowed across an await.
    pub report: RefCell<Report>,
}

impl Cover<'_> {
    fn choice(&self) -> TypeChoice<'_> {
        TypeChoice { named: &self.types, all: self.all_types, inherit: self.inherit }
    }
}

impl<'m> Cover<'m> {
    fn account_types(&self) -> AccountTypes<'_, 'm> {
        AccountTypes { map: self.map, regions: &self.regions, choice: self.choice() }
    }
}

impl<'m> AccountJob<'m> for Cover<'m> {
    type Facts = RecordedTypes;
    type Item = Chosen<'m>;

    fn facts(&self, organization: &Organization<'_>, account: &Account) -> Result<Option<Self::Facts>, StoreError> {
        self.report.borrow_mut().coverage.set_name(&account.id, &account.name);
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
        let question = Question {
            account: runner.place.account.clone(),
            region: runner.place.region.clone(),
            key: runner.key.clone(),
            owner_keys: self.owner_keys.clone(),
            more_tags: Vec::new(),
            overwrite: false,
            inherit: self.inherit,
            rules: self.rules.clone(),
            // What could have an owner; a report writes nothing.
            updates: Updates::all(),
            scope: Scope {
                condition: self.condition.clone(),
                account_name: self.report.borrow().coverage.name(&runner.place.account).map(str::to_owned),
                ..Scope::default()
            },
        };
        let mut silent = |_, _: &ResourceType| ();
        let how = Look {
            session: runner.session,
            map: self.map,
            store: runner.store,
            question: &question,
            proof: Proof::All,
            config: self.config.as_deref(),
        };
        let mut taken = Taken::default();
        let mut take = |lineage: Option<&Lineage<'_>>, facts: &TypeFacts<'_>| {
            taken.add(&mut self.report.borrow_mut().coverage, &question, lineage, facts)
        };
        let looking = look(how, chosen, &mut take, &mut silent);
        let Some(found) = unless_stopped(stop, looking).await else { return Ok(None) };
        self.report.borrow_mut().add(&question, found?, taken);
        let must_ask = self.report.borrow_mut().must_ask_for_users(&question.account);
        if must_ask {
            let users = users(runner.session, self.map, &question).await;
            self.report.borrow_mut().add_users(&question.account, users);
        }
        Ok(Some(Done::default()))
    }
}
