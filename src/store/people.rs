//! Identity Center users: those in events, and their names from the identity store.

use rusqlite::{named_params, params};

use super::{Store, StoreError};
use crate::creator::{People, Person, UserId};
use crate::model::AccountId;

impl Store {
    /// The users in events that have no known name, as identity store ARN and user ID. With
    /// `account`, only those in its events.
    ///
    /// # Errors
    /// The database fails.
    pub fn unnamed_users(&self, account: Option<&AccountId>) -> Result<Vec<(String, String)>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT DISTINCT on_behalf_of_store_arn, on_behalf_of_user_id
             FROM resource_events INDEXED BY resource_events_on_behalf
             WHERE on_behalf_of_user_id IS NOT NULL AND on_behalf_of_store_arn IS NOT NULL
               AND (:account IS NULL OR account_id = :account)
               AND NOT EXISTS (SELECT 1 FROM identity_center_users
                               WHERE store_arn = on_behalf_of_store_arn AND user_id = on_behalf_of_user_id)
             ORDER BY 1, 2",
        )?;
        let account = account.map(AccountId::as_str);
        let users = query.query_map(named_params! {":account": account}, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(users.collect::<Result<_, _>>()?)
    }

    /// Saves the facts of a user from the identity store.
    ///
    /// # Errors
    /// The database fails.
    pub fn keep_person(&self, id: UserId<'_>, person: &Person) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO identity_center_users (store_arn, user_id, user_name, email, read_at)
             VALUES (?, ?, ?, ?, ?)",
            params![id.store_arn, id.user_id, person.user_name, person.email, super::now()],
        )?;
        Ok(())
    }

    /// All users with known names.
    ///
    /// # Errors
    /// The database fails.
    pub fn people(&self) -> Result<People, StoreError> {
        let mut query =
            self.connection.prepare("SELECT store_arn, user_id, user_name, email FROM identity_center_users")?;
        let mut rows = query.query([])?;
        let mut people = People::default();
        while let Some(row) = rows.next()? {
            let (store_arn, user_id): (String, String) = (row.get(0)?, row.get(1)?);
            let person = Person { user_name: row.get(2)?, email: row.get(3)? };
            people.note(UserId { store_arn: &store_arn, user_id: &user_id }, Ok(person));
        }
        Ok(people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{Action, Event, Identity, ResourceEvent, Touched};
    use crate::store::Batch;

    fn event(id: &str, account: &str, store_arn: Option<&str>, user_id: Option<&str>) -> ResourceEvent {
        let identity = Identity {
            on_behalf_of_store_arn: store_arn.map(Into::into),
            on_behalf_of_user_id: user_id.map(Into::into),
            ..Identity::default()
        };
        let event = Event {
            event_id: id.into(),
            account_id: account.into(),
            time: "2026-03-01T10:00:00Z".into(),
            identity,
            ..Event::default()
        };
        let touched = Touched {
            resource_type: "sqs".into(),
            resource_id: id.into(),
            action: Action::Create,
            names: Vec::new(),
            renamed_to: None,
        };
        ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
    }

    #[test]
    fn users_are_unnamed_until_names_are_saved() {
        let mut store = Store::in_memory().unwrap();
        let events = vec![
            event("1", "1", Some("store"), Some("u-1")),
            event("2", "1", Some("store"), Some("u-1")),
            event("3", "2", Some("store"), Some("u-2")),
            event("4", "1", None, Some("u-3")),
            event("5", "1", None, None),
        ];
        store.add(&Batch { events, ..Batch::default() }).unwrap();
        let user = |id: &str| ("store".to_owned(), id.to_owned());
        assert_eq!(store.unnamed_users(None).unwrap(), [user("u-1"), user("u-2")]);
        assert_eq!(store.unnamed_users(Some(&"2".into())).unwrap(), [user("u-2")]);
        let id = UserId { store_arn: "store", user_id: "u-1" };
        let anna = Person { user_name: "anna".to_owned(), email: Some("anna@example.com".to_owned()) };
        store.keep_person(id, &anna).unwrap();
        assert_eq!(store.unnamed_users(None).unwrap(), [user("u-2")]);
        assert_eq!(store.people().unwrap().find(id), Ok(&anna));
        let renamed = Person { user_name: "anna.s".to_owned(), ..anna };
        store.keep_person(id, &renamed).unwrap();
        assert_eq!(store.people().unwrap().find(id), Ok(&renamed));
    }
}
