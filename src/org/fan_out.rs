//! Accounts and their regions, concurrently and within bounds. A failing one never stops the others: it becomes an event.

use std::cell::{Cell, RefCell};

use futures::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use tokio::sync::Semaphore;

use super::Account;
use super::errand::Errand;
use crate::aws::{AccountAccess, CallError, Role, Session};
use crate::inventory::Place;
use crate::load::Stop;
use crate::names::{AccountId, Arn, Region, TagKey};
use crate::resource_map::ResourceMap;
use crate::store::organization_runs::OrganizationRunId;
use crate::store::{Store, StoreError};
use crate::tag::plan::Plan;
use crate::tag::run::{RunReport, Runner};
use crate::tag::updates::Updates;

/// What all accounts have in common.
#[derive(Debug)]
pub struct Organization<'a> {
    /// The way to all of them.
    pub base: &'a Session,
    /// How types are listed and tagged.
    pub map: &'a ResourceMap,
    /// Records and journal.
    pub store: &'a Store,
    /// The tag.
    pub key: TagKey,
    /// The run that all is part of; none where nothing is written.
    pub run: Option<OrganizationRunId>,
    /// Which writes with side effects may be made.
    pub updates: &'a Updates,
    /// A wish to end early.
    pub stop: &'a Stop,
    /// Accounts at once, and regions of accounts at once.
    pub concurrency: usize,
}

/// What was done in a place.
#[derive(Debug, Default)]
pub struct Done {
    /// What was planned; none where a run was only taken up or back.
    pub plan: Option<Plan>,
    /// What was written; none where only a plan was wanted.
    pub report: Option<RunReport>,
    /// Why nothing could be done.
    pub failure: Option<Failure>,
}

impl Done {
    /// Nothing: it failed.
    pub fn failed(error: String) -> Self {
        Self { failure: Some(Failure { is_of_role: false, error, hint: None }), ..Self::default() }
    }
}

/// Why an account, or a place, could not be worked on.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Whether its roles could not be assumed.
    pub is_of_role: bool,
    /// What AWS said.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What happened.
#[derive(Debug)]
pub enum Event<'e> {
    /// A place is done.
    Done(&'e Account, &'e Region, Box<Done>),
    /// A place, or the account as a whole, could not be worked on.
    Failed(&'e Account, Option<&'e Region>, Failure),
    /// All of an account is over.
    AccountOver {
        /// Whether there was anything to look at.
        had_work: bool,
    },
}

/// An account's session, and who we are in it.
struct Opened {
    session: Session,
    caller: Arn,
}

/// The concurrent work on all accounts.
struct Fan<'a, 'm, E> {
    organization: &'a Organization<'m>,
    errand: &'a E,
    places: Semaphore,
    tell: RefCell<&'a mut dyn FnMut(Event<'_>)>,
    left: Cell<bool>,
}

/// Does the errand in all accounts. Says whether something is left to do, for it was asked to stop or credentials ended.
///
/// # Errors
/// The journal can't be written, or the database can't be read; no call is made after that.
pub async fn fan_out<'m, E: Errand<'m>>(
    organization: &Organization<'m>,
    errand: &E,
    accounts: Vec<Account>,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<bool, StoreError> {
    let places = Semaphore::new(organization.concurrency);
    let fan = Fan { organization, errand, places, tell: RefCell::new(tell), left: Cell::new(false) };
    let accounts = stream::iter(accounts.into_iter().map(|account| fan.account(account)));
    accounts.buffer_unordered(organization.concurrency).try_collect::<()>().await?;
    Ok(fan.left.get())
}

impl<'m, E: Errand<'m>> Fan<'_, 'm, E> {
    async fn account(&self, account: Account) -> Result<(), StoreError> {
        if self.stops() {
            return Ok(());
        }
        let facts = self.errand.facts(self.organization, &account)?;
        let had_work = facts.is_some();
        if let Some(facts) = facts {
            let stop = self.organization.stop;
            let work = self.places_of(&account, facts);
            let places = tokio::select! {
                biased;
                places = work => places,
                () = stop.wait() => {
                    self.left.set(true);
                    return Ok(());
                }
            };
            match places {
                Ok((opened, places)) => self.places(&account, &opened, places).await?,
                Err(failure) => self.tell(Event::Failed(&account, None, failure)),
            }
        }
        self.tell(Event::AccountOver { had_work });
        Ok(())
    }

    async fn places_of(&self, account: &Account, facts: E::Facts) -> Result<(Opened, Vec<(Region, E::Item)>), Failure> {
        let opened = open(self.organization.base, account).await?;
        let places = self.errand.places(account, &opened.session, facts).await;
        let places = places.map_err(|error| Failure::of(&error, false))?;
        Ok((opened, places))
    }

    async fn places(
        &self,
        account: &Account,
        opened: &Opened,
        places: Vec<(Region, E::Item)>,
    ) -> Result<(), StoreError> {
        let places: FuturesUnordered<_> =
            places.into_iter().map(|(region, item)| self.place(account, opened, region, item)).collect();
        places.try_collect().await
    }

    async fn place(&self, account: &Account, opened: &Opened, region: Region, item: E::Item) -> Result<(), StoreError> {
        let _permit = self.places.acquire().await.expect("it is never closed");
        if self.stops() {
            return Ok(());
        }
        let Organization { map, store, key, run, updates, stop, .. } = self.organization;
        let runner = Runner {
            session: &opened.session,
            map,
            store,
            place: Place { account: account.id.clone(), region: region.clone() },
            key: key.clone(),
            caller: opened.caller.clone(),
            organization: *run,
            updates,
        };
        let Some(done) = self.errand.execute(&runner, item, stop).await? else {
            self.left.set(true);
            return Ok(());
        };
        let is_over = done.report.as_ref().is_none_or(|report| report.stopped.is_none());
        let failure = done.failure.clone().or_else(|| unreadable(&done));
        if !is_over {
            self.left.set(true);
        } else if let (Some(run), None) = (run, &failure) {
            store.end_place(*run, &account.id, &region)?;
        }
        match failure {
            Some(failure) => self.tell(Event::Failed(account, Some(&region), failure)),
            None => self.tell(Event::Done(account, &region, Box::new(done))),
        }
        Ok(())
    }

    /// Whether it was asked to stop; then this is something left to do.
    fn stops(&self) -> bool {
        let stops = self.organization.stop.is_set();
        self.left.set(self.left.get() || stops);
        stops
    }

    fn tell(&self, event: Event<'_>) {
        (self.tell.borrow_mut())(event);
    }
}

impl Failure {
    /// Of a call that ended all.
    fn of(error: &CallError, is_of_role: bool) -> Self {
        Self { is_of_role, error: error.to_string(), hint: error.hint() }
    }
}

/// A place where no type at all could be listed has failed as a whole: it may be switched off for the account.
fn unreadable(done: &Done) -> Option<Failure> {
    let summary = &done.plan.as_ref()?.summary;
    let (first, more) = summary.failed_types.split_first()?;
    if !summary.types.is_empty() {
        return None;
    }
    let more = if more.is_empty() { String::new() } else { format!(" (and {} types more)", more.len()) };
    Some(Failure { is_of_role: false, error: format!("{}{more}", first.error), hint: first.hint.clone() })
}

/// A session of the account, by credentials that are the account's.
async fn open(base: &Session, account: &Account) -> Result<Opened, Failure> {
    let arns = account.role_arns(base.region().partition());
    let role = |arn: &String| Role {
        arn: arn.clone(),
        external_id: account.external_id.clone(),
        session_name: account.session_name.clone(),
    };
    let access = AccountAccess { profile: account.profile.clone(), roles: arns.iter().map(role).collect() };
    let session = base.account_session(&access).await;
    let session = session.map_err(|error| Failure::of(&error, !access.roles.is_empty()))?;
    let (found, caller) = identity(&session).await.map_err(|error| Failure::of(&error, false))?;
    if found == account.id {
        return Ok(Opened { session, caller });
    }
    Err(Failure {
        is_of_role: false,
        error: format!("the credentials are of account {found}"),
        hint: Some("give the account a role (or profile) of its own in the accounts file".to_owned()),
    })
}

/// Whose credentials these are. Those of assumed roles tell it themselves, others cost a call.
async fn identity(session: &Session) -> Result<(AccountId, Arn), CallError> {
    if let Some(identity) = session.assumed_identity().await {
        return Ok((identity.account, identity.arn));
    }
    let identity = session.caller_identity().await?;
    Ok((identity.account.clone(), identity.arn.clone()))
}
