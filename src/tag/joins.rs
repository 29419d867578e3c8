//! Joins listed resources with their events, those of several types in one pass over the events of the account-region.
//!
//! The events of a type are not next to each other in the database: its key begins with account, region and time. So a pass takes as long
//! for one type as for several. In an account-region with many events, listed types wait for each other.

use std::cell::RefCell;

use tokio::sync::oneshot;

use super::recorded::{TypeJoin, join_each};
use crate::model::AccountRegion;
use crate::store::{Store, StoreError};

/// Listed types that are joined without waiting for more: half of those that are listed at a time, so that the others go on.
const ENOUGH: usize = 4;

/// Steps of a pass above which types wait for each other: those of some 100,000 events, tens of milliseconds.
const LONG_PASS: u64 = 500_000;

/// Joins the types of an account-region.
pub(super) struct Joins<'a> {
    store: &'a Store,
    place: &'a AccountRegion,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// The number of types that are being listed.
    listing: usize,
    waiting: Vec<Waiting>,
    /// Whether a pass takes long.
    is_long: bool,
}

struct Waiting {
    join: TypeJoin,
    joined: oneshot::Sender<TypeJoin>,
}

/// A type that is being listed.
#[must_use = "other types wait for it to end"]
pub(super) struct Listing<'j>(&'j Joins<'j>);

impl<'a> Joins<'a> {
    pub(super) fn new(store: &'a Store, place: &'a AccountRegion) -> Self {
        Self { store, place, state: RefCell::default() }
    }

    /// Registers that the listing of a type begins.
    pub(super) fn begin_listing(&self) -> Listing<'_> {
        self.state.borrow_mut().listing += 1;
        Listing(self)
    }

    /// Joins the types that wait, if there are enough, or if there is none to wait for.
    fn join_waiting(&self) -> Result<(), StoreError> {
        let waiting = {
            let mut state = self.state.borrow_mut();
            if state.waiting.is_empty() {
                return Ok(());
            }
            if state.is_long && state.listing > 0 && state.waiting.len() < ENOUGH {
                return Ok(());
            }
            std::mem::take(&mut state.waiting)
        };
        let (mut joins, receivers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|Waiting { join, joined }| (join, joined)).unzip();
        let steps = join_each(self.store, self.place, &mut joins)?;
        self.state.borrow_mut().is_long = steps >= LONG_PASS;
        for (join, joined) in joins.into_iter().zip(receivers) {
            // The receiver is gone if the run has ended with an error.
            drop(joined.send(join));
        }
        Ok(())
    }
}

impl Listing<'_> {
    /// Ends the listing, and waits for the join of its resources with their events.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn join(self, join: TypeJoin) -> Result<TypeJoin, StoreError> {
        let (joined, receiver) = oneshot::channel();
        self.0.state.borrow_mut().waiting.push(Waiting { join, joined });
        self.end()?;
        match receiver.await {
            Ok(joined) => Ok(joined),
            // The pass has failed. The type that began it returns the error, which ends the run.
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends a listing that failed: there is nothing to join.
    ///
    /// # Errors
    /// The database fails.
    pub(super) fn end(self) -> Result<(), StoreError> {
        self.0.state.borrow_mut().listing -= 1;
        self.0.join_waiting()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures::FutureExt;

    use super::*;
    use crate::model::LiveResource;
    use crate::plan::test_data::live;
    use crate::resource_map::ResourceMap;
    use crate::tag::recorded::Resources;
    use crate::tag::test_data::store_with;

    fn place() -> AccountRegion {
        AccountRegion { account: "123456789012".into(), region: "eu-west-1".into() }
    }

    /// The create events of four types: an ID and a user of each.
    fn store() -> Store {
        store_with(&[
            ("sqs", "jobs", "alice"),
            ("sns", "jobs", "bob"),
            ("iam-role", "jobs", "carol"),
            ("log-group", "jobs", "dave"),
            ("log-group", "gone", "eve"),
        ])
    }

    /// A type with one live resource.
    fn listed(joins: &Joins<'_>, name: &str) -> TypeJoin {
        let definition = &ResourceMap::built_in_once().types[name];
        let resources = [LiveResource { resource_type: name.into(), ..live("jobs", "") }].into_iter().collect();
        TypeJoin::new(joins.store, joins.place, definition, resources, name == "log-group").unwrap()
    }

    /// The user of the resource's event.
    fn user(join: TypeJoin) -> String {
        let event = match join.resources {
            Resources::InMemory(_, join) => join.finish().events.remove(0).remove(0),
            Resources::Packed(_, join) => join.finish().0.into_iter().next().unwrap().1,
        };
        event.event.identity.user_name.unwrap().to_string()
    }

    type Waits<'w> = Pin<&'w mut dyn Future<Output = Result<TypeJoin, StoreError>>>;

    /// The creators of the resources of types that no longer wait.
    fn users(waits: &mut [Waits<'_>]) -> Vec<Option<String>> {
        waits.iter_mut().map(|wait| wait.as_mut().now_or_never().map(|joined| user(joined.unwrap()))).collect()
    }

    #[test]
    fn each_type_gets_its_own_events_at_once_in_a_small_account_region() {
        let (store, place) = (store(), place());
        let joins = Joins::new(&store, &place);
        let listings = ["sqs", "sns", "iam-role", "log-group"].map(|name| (name, joins.begin_listing()));
        for ((name, listing), expected) in listings.into_iter().zip(["alice", "bob", "carol", "dave"]) {
            let joined = listing.join(listed(&joins, name)).now_or_never().expect("it does not wait");
            assert_eq!(user(joined.unwrap()), expected);
        }
    }

    #[test]
    fn types_wait_for_each_other_in_a_large_account_region() {
        let (store, place) = (store(), place());
        let joins = Joins::new(&store, &place);
        joins.state.borrow_mut().is_long = true;
        let [first, second, third, fourth, _still_listing] = [(); 5].map(|()| joins.begin_listing());
        let mut first = Box::pin(first.join(listed(&joins, "sqs")));
        let mut second = Box::pin(second.join(listed(&joins, "sns")));
        let mut third = Box::pin(third.join(listed(&joins, "iam-role")));
        assert_eq!(users(&mut [first.as_mut(), second.as_mut(), third.as_mut()]), [None, None, None]);
        let mut fourth = Box::pin(fourth.join(listed(&joins, "log-group")));
        let joined = users(&mut [fourth.as_mut(), first.as_mut(), second.as_mut(), third.as_mut()]);
        assert_eq!(joined, ["dave", "alice", "bob", "carol"].map(|user| Some(user.to_owned())));
    }

    #[test]
    fn no_type_waits_when_none_is_listed_any_more() {
        let (store, place) = (store(), place());
        let joins = Joins::new(&store, &place);
        joins.state.borrow_mut().is_long = true;
        let (first, fails) = (joins.begin_listing(), joins.begin_listing());
        let mut first = Box::pin(first.join(listed(&joins, "sqs")));
        assert_eq!(users(&mut [first.as_mut()]), [None]);
        fails.end().unwrap();
        assert_eq!(users(&mut [first.as_mut()]), [Some("alice".to_owned())]);
    }

    #[test]
    fn a_listing_that_fails_says_nothing_of_how_long_a_pass_takes() {
        let (store, place) = (store(), place());
        let joins = Joins::new(&store, &place);
        joins.state.borrow_mut().is_long = true;
        joins.begin_listing().end().unwrap();
        assert!(joins.state.borrow().is_long);
    }
}
