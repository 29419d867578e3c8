//! Identity Center's users by name: CloudTrail records their ids only (since July 2025), the identity store knows the rest.
//!
//! Knows nothing of how the names came here: whoever may ask the identity store fills them in.

use std::collections::HashMap;

/// What names a user: an id is unique within its identity store only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId<'a> {
    /// `onBehalfOf.identityStoreArn`; empty where it isn't recorded.
    pub store_arn: &'a str,
    /// `onBehalfOf.userId`.
    pub user_id: &'a str,
}

/// What the identity store tells of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `UserName`.
    pub user_name: String,
    /// The primary e-mail address, else the first one.
    pub email: Option<String>,
}

/// Identity Center's users, as far as their names were asked for.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// By identity store, then by user.
    stores: HashMap<String, HashMap<String, Result<Person, String>>>,
}

impl People {
    /// Notes what the identity store told, or why it told nothing, as a phrase.
    pub fn note(&mut self, id: UserId<'_>, told: Result<Person, String>) {
        self.stores.entry(id.store_arn.to_owned()).or_default().insert(id.user_id.to_owned(), told);
    }

    /// The user.
    ///
    /// # Errors
    /// Why the name isn't known; nothing where it was not asked for.
    pub fn find(&self, id: UserId<'_>) -> Result<&Person, Option<&str>> {
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
    fn a_user_is_one_of_its_identity_store() {
        let id = |store_arn| UserId { store_arn, user_id: "u-1" };
        let anna = Person { user_name: "anna".to_owned(), email: None };
        let mut people = People::default();
        people.note(id("store-1"), Ok(anna.clone()));
        people.note(id("store-2"), Err("denied".to_owned()));
        assert_eq!(people.find(id("store-1")), Ok(&anna));
        assert_eq!(people.find(id("store-2")), Err(Some("denied")));
        assert_eq!(people.find(id("store-3")), Err(None));
    }
}
