//! Accounts and their regions, concurrently and within bounds. A failing one never stops the others: it becomes an event.

use std::cell::{Cell, RefCell};

use futures::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use tokio::sync::Semaphore;

use super::Account;
use super::account_job::AccountJob;
use super::organization::{Done, Failure, Organization};
use crate::aws::{AccountAccess, CallError, Role, Session};
use crate::model::AccountRegion;
use crate::model::{AccountId, Arn, Region};
use crate::store::StoreError;
use crate::tag::run::Runner;

/// What happened.
#[derive(Debug)]
pub enum Event<'e> {
    /// A place is done.
    Done(&'e Account, &'e Region, Box<Done>),
    /// A place, or the account as a whole, could not be worked on.
    Failed(&'e Account, Option<&'e Region>, Failure),
    /// All work in an account has ended.
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
    job: &'a E,
    places: Semaphore,
    emit: RefCell<&'a mut dyn FnMut(Event<'_>)>,
    left: Cell<bool>,
}

/// Does the job in all accounts. Returns whether work is left, because of a request to stop or expired credentials.
///
/// # Errors
/// The journal can't be written, or the database can't be read; no call is made after that.
pub async fn fan_out<'m, E: AccountJob<'m>>(
    organization: &Organization<'m>,
    job: &E,
    accounts: Vec<Account>,
    emit: &mut dyn FnMut(Event<'_>),
) -> Result<bool, StoreError> {
    let places = Semaphore::new(organization.concurrency);
    let fan = Fan { organization, job, places, emit: RefCell::new(emit), left: Cell::new(false) };
    let accounts = stream::iter(accounts.into_iter().map(|account| fan.account(account)));
    accounts.buffer_unordered(organization.concurrency).try_collect::<()>().await?;
    Ok(fan.left.get())
}

impl<'m, E: AccountJob<'m>> Fan<'_, 'm, E> {
    async fn account(&self, account: Account) -> Result<(), StoreError> {
        if self.stops() {
            return Ok(());
        }
        let facts = self.job.facts(self.organization, &account)?;
        let had_work = facts.is_some();
        if let Some(facts) = facts {
            let stop = self.organization.stop;
            let work = self.places_of(&account, facts);
            let places = tokio::select! {
                biased;
                places = work => places,
                () = stop.cancelled() => {
                    self.left.set(true);
                    return Ok(());
                }
            };
            match places {
                Ok((opened, places)) => self.places(&account, &opened, places).await?,
                Err(failure) => self.emit(Event::Failed(&account, None, failure)),
            }
        }
        self.emit(Event::AccountOver { had_work });
        Ok(())
    }

    async fn places_of(&self, account: &Account, facts: E::Facts) -> Result<(Opened, Vec<(Region, E::Item)>), Failure> {
        let opened = open(self.organization.base, account).await?;
        let places = self.job.places(account, &opened.session, facts).await;
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
            place: AccountRegion { account: account.id.clone(), region: region.clone() },
            key: key.clone(),
            caller: opened.caller.clone(),
            organization: *run,
            updates,
        };
        let Some(done) = self.job.execute(&runner, item, stop).await? else {
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
            Some(failure) => self.emit(Event::Failed(account, Some(&region), failure)),
            None => self.emit(Event::Done(account, &region, Box::new(done))),
        }
        Ok(())
    }

    /// Whether a stop was requested; then work is left.
    fn stops(&self) -> bool {
        let stops = self.organization.stop.is_cancelled();
        self.left.set(self.left.get() || stops);
        stops
    }

    fn emit(&self, event: Event<'_>) {
        (self.emit.borrow_mut())(event);
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
        error: format!("the credentials belong to account {found}"),
        hint: Some("set a role or profile for this account in the accounts file".to_owned()),
    })
}

/// The account of the credentials. Assumed-role credentials contain it; others need a call.
async fn identity(session: &Session) -> Result<(AccountId, Arn), CallError> {
    if let Some(identity) = session.assumed_identity().await {
        return Ok((identity.account, identity.arn));
    }
    let identity = session.caller_identity().await?;
    Ok((identity.account.clone(), identity.arn.clone()))
}
