//! Names of Identity Center users. CloudTrail records only their IDs (since July 2025); the identity store has the names.
//!
//! Contains no lookups: the caller fills in the names.

use std::collections::HashMap;

/// Identifies a user. An ID is unique only within its identity store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId<'a> {
    /// `onBehalfOf.identityStoreArn`. Empty if it is not recorded.
    pub store_arn: &'a str,
    /// `onBehalfOf.userId`.
    pub user_id: &'a str,
}

/// The facts of a user in the identity store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `UserName`.
    pub user_name: String,
    /// The primary email address, else the first one.
    pub email: Option<String>,
}

/// Why the name of a user is unknown. Shown for each user, so it is short.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoName {
    /// The credentials may not read the identity store.
    #[error("access denied to identitystore:DescribeUser{}", in_region(.region))]
    AccessDenied {
        /// Where it was asked for; empty if the session has no region.
        region: String,
    },
    /// The identity store does not have the user.
    #[error("no such user in the identity store{}", in_region(.region))]
    NoSuchUser {
        /// Where it was asked for; empty if the session has no region.
        region: String,
    },
    /// The call failed otherwise.
    #[error("identitystore:DescribeUser{} failed: {code}", in_region(.region))]
    Failed {
        /// Where it was asked for; empty if the session has no region.
        region: String,
        /// AWS's error code.
        code: String,
    },
}

fn in_region(region: &str) -> String {
    if region.is_empty() { String::new() } else { format!(" in {region}") }
}

/// The Identity Center users that were looked up.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// By identity store, then by user.
    stores: HashMap<String, HashMap<String, Result<Person, NoName>>>,
}

impl People {
    /// Records the facts of a user, or the reason why they are unknown, as a phrase.
    pub fn note(&mut self, id: UserId<'_>, person: Result<Person, NoName>) {
        self.stores.entry(id.store_arn.to_owned()).or_default().insert(id.user_id.to_owned(), person);
    }

    /// The user.
    ///
    /// # Errors
    /// The reason why the name is unknown. `None` if it was not looked up.
    pub fn find(&self, id: UserId<'_>) -> Result<&Person, Option<&NoName>> {
        match self.stores.get(id.store_arn).and_then(|store| store.get(id.user_id)) {
            Some(Ok(person)) => Ok(person),
            Some(Err(why)) => Err(Some(why)),
            None => Err(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_id_is_unique_within_its_identity_store() {
        let id = |store_arn| UserId { store_arn, user_id: "u-1" };
        let anna = Person { user_name: "anna".to_owned(), email: None };
        let mut people = People::default();
        people.note(id("store-1"), Ok(anna.clone()));
        let denied = NoName::AccessDenied { region: String::new() };
        people.note(id("store-2"), Err(denied.clone()));
        assert_eq!(people.find(id("store-1")), Ok(&anna));
        assert_eq!(people.find(id("store-2")), Err(Some(&denied)));
        assert_eq!(people.find(id("store-3")), Err(None));
    }
}
