//! Renames: the rows of rename events, and the events of a resource under all its names.

use std::collections::HashSet;

use rusqlite::named_params;

use super::creations::{COLUMNS, last_part, region_condition, stored_event};
use super::naming::named_row;
use super::{Store, StoreError};
use crate::model::event::StoredEvent;
use crate::model::{AccountId, Region, ResourceType};
use crate::resource_map::naming::{Asked, NamedRow, Naming};

/// The events of resources that a text can name.
#[derive(Debug, Default)]
pub struct ResourceHistory {
    /// Events of resources with that name ([`Store::events_of_resource`]).
    pub events: Vec<StoredEvent>,
    /// Events that have other names of these resources only.
    pub related: Vec<StoredEvent>,
    /// Events that renamed a resource to that name.
    pub renames: Vec<StoredEvent>,
    /// The events under all earlier names of these resources. `renames` are among them.
    pub of_earlier_names: Vec<StoredEvent>,
}

impl Store {
    /// The rename events of a resource type. With `region` only those in that region, else in all (for global
    /// types). Usually none.
    ///
    /// # Errors
    /// The database fails.
    pub fn renames_of_type(
        &self,
        resource_type: &ResourceType,
        account: &AccountId,
        region: Option<&Region>,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM resource_events INDEXED BY resource_events_renames WHERE renamed_to IS NOT NULL \
             AND account_id = :account AND resource_type = :type AND {} ORDER BY event_time, event_id, resource_id",
            region_condition(region)
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let region = region.map(Region::as_str);
        let parameters =
            named_params! {":account": account.as_str(), ":region": region, ":type": resource_type.as_str()};
        let rows = statement.query_map(parameters, stored_event)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All events of resources that `query` names now or named earlier, under all names that they had until then.
    ///
    /// # Errors
    /// The database fails.
    pub fn history_of_resource(&self, naming: &Naming, query: &str) -> Result<ResourceHistory, StoreError> {
        let events = self.events_of_resource(naming, query)?;
        let renames = self.renames_to(naming, query)?;
        let mut of_earlier_names = Vec::new();
        let mut followed = HashSet::new();
        let mut open = renames.clone();
        while let Some(rename) = open.pop() {
            let is_of_type = |event: &StoredEvent| {
                (&event.event.account_id, &event.resource_type) == (&rename.event.account_id, &rename.resource_type)
            };
            let name = rename.resource_id.as_str();
            if followed.insert((rename.event.account_id.clone(), rename.resource_type.clone(), name.to_owned())) {
                of_earlier_names.extend(self.events_of_resource(naming, name)?.into_iter().filter(is_of_type));
                open.extend(self.renames_to(naming, name)?.into_iter().filter(is_of_type));
            }
        }
        let related = self.related_events(naming, &events)?;
        Ok(ResourceHistory { events, related, renames, of_earlier_names })
    }

    /// The events that renamed a resource to a name that `query` can mean.
    fn renames_to(&self, naming: &Naming, query: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM resource_events WHERE renamed_to IS NOT NULL AND {} = ?1 \
             ORDER BY account_id, region, resource_type, event_time, event_id",
            last_part("renamed_to")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        for meaning in Asked::of(query, naming).meanings {
            let mut found: Vec<StoredEvent> = Vec::new();
            for part in meaning.lookups() {
                for rename in statement.query_map([part], stored_event)? {
                    found.push(rename?);
                }
            }
            found.retain(|rename| {
                let new_name = rename.renamed_to.as_ref();
                new_name
                    .is_some_and(|name| meaning.names(&NamedRow { id: name.as_str(), names: &[], ..named_row(rename) }))
            });
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceId;
    use crate::model::event::{Action, Event, ResourceEvent, Touched};
    use crate::store::Batch;
    use crate::trail::samples::built_in;

    const ACCOUNT: &str = "111122223333";

    /// `rds db create 1` or `rds db rename 2 new`, in an account.
    fn event(account: &str, line: &str) -> ResourceEvent {
        let words: Vec<&str> = line.split(' ').collect();
        let renamed_to = words.get(4).map(|name| ResourceId::from(*name));
        let action = if renamed_to.is_some() { Action::Rename } else { Action::parse(words[2]).unwrap() };
        let event = Event {
            event_id: line.into(),
            account_id: account.into(),
            region: "eu-west-1".into(),
            time: format!("2026-03-01T10:00:0{}Z", words[3]).into(),
            source: format!("{}.amazonaws.com", words[0]).into(),
            ..Event::default()
        };
        let touched = Touched {
            resource_type: words[0].into(),
            resource_id: words[1].into(),
            action,
            names: Vec::new(),
            renamed_to,
        };
        ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
    }

    fn store(lines: &[&str]) -> Store {
        let mut store = Store::in_memory().unwrap();
        add(&mut store, lines);
        store
    }

    fn add(store: &mut Store, lines: &[&str]) -> u64 {
        let events = lines.iter().map(|line| event(ACCOUNT, line)).collect();
        store.add(&Batch { events, ..Batch::default() }).unwrap().ids
    }

    fn ids(events: &[StoredEvent]) -> Vec<&str> {
        events.iter().map(|event| event.event.event_id.as_str()).collect()
    }

    #[test]
    fn rename_is_a_delete_event_with_new_name_and_stored_once() {
        let mut store = store(&["rds db create 1", "rds db rename 2 new"]);
        assert_eq!(add(&mut store, &["rds db rename 2 new"]), 0);
        let rows = store.events_of_resource(built_in().naming(), "db").unwrap();
        assert_eq!(
            (rows[1].action, rows[1].renamed_to.as_ref().map(ResourceId::as_str)),
            (Action::Delete, Some("new"))
        );
        let account = AccountId::from(ACCOUNT);
        let renames = |resource_type: &str, region: Option<&str>| {
            let found = store.renames_of_type(&resource_type.into(), &account, region.map(Region::from).as_ref());
            found.unwrap().len()
        };
        assert_eq!((renames("rds", None), renames("rds", Some("eu-west-1"))), (1, 1));
        assert_eq!((renames("rds", Some("us-east-1")), renames("iam-user", None)), (0, 0));
        let in_view: i64 = store.connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
        assert_eq!(in_view, 1, "the predecessor's view has creations only");
    }

    #[test]
    fn another_map_can_make_it_no_rename() {
        let mut store = store(&["rds db rename 2 new"]);
        let mut other = event(ACCOUNT, "rds db rename 2 new");
        other.touched[0] = Touched { action: Action::Create, renamed_to: None, ..other.touched[0].clone() };
        assert_eq!(store.add(&Batch { events: vec![other], ..Batch::default() }).unwrap().ids, 1);
        let row = &store.events_of_resource(built_in().naming(), "db").unwrap()[0];
        assert_eq!((row.action, &row.renamed_to), (Action::Create, &None));
    }

    #[test]
    fn all_earlier_names_are_found_by_name_or_arn_and_cycles_end() {
        let mut store = store(&[
            "rds a create 1",
            "rds a rename 2 b",
            "rds b rename 3 c",
            "rds c rename 4 a",
            "rds other create 1",
            "iam-user b create 1",
        ]);
        let elsewhere = vec![event("444455556666", "rds b create 1")];
        store.add(&Batch { events: elsewhere, ..Batch::default() }).unwrap();
        for query in ["c", "arn:aws:rds:eu-west-1:111122223333:db:c"] {
            let history = store.history_of_resource(built_in().naming(), query).unwrap();
            assert_eq!(ids(&history.events), ["rds c rename 4 a"], "{query}");
            assert_eq!(ids(&history.renames), ["rds b rename 3 c"], "{query}");
            let mut earlier = ids(&history.of_earlier_names);
            earlier.sort_unstable();
            assert_eq!(
                earlier,
                ["rds a create 1", "rds a rename 2 b", "rds b rename 3 c", "rds c rename 4 a"],
                "{query}"
            );
        }
        let history =
            store.history_of_resource(built_in().naming(), "arn:aws:rds:us-east-1:111122223333:db:c").unwrap();
        assert!(history.events.is_empty() && history.renames.is_empty());
    }
}
