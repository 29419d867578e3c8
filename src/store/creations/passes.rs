//! Passes over the events of many types: first their names, then all facts of the chosen ones. So a reader needs not hold all of
//! them.

use rusqlite::{Row, Statement, Transaction, named_params};

use super::{COLUMNS, parse_action, split_names, stored_event};
use crate::model::event::{Event, StoredEvent};
use crate::model::{AccountId, Region, ResourceId, ResourceType};
use crate::store::{Store, StoreError};

/// The columns of a row's names and its place in time, in the order of [`named_event`].
const NAME_COLUMNS: &str = "region, event_time, event_id, resource_type, resource_id, action, renamed_to, names";

/// The types with their numbers of events, by account, then type.
pub type EventCounts = Vec<(AccountId, ResourceType, u64)>;

impl Store {
    /// The number of events of each type in each account.
    ///
    /// # Errors
    /// The database fails.
    pub fn event_counts(&self) -> Result<EventCounts, StoreError> {
        let query = "SELECT account_id, resource_type, count(*) FROM resource_events
                     GROUP BY account_id, resource_type ORDER BY account_id, resource_type";
        let mut statement = self.connection.prepare_cached(query)?;
        let rows = statement.query_map([], |row| {
            let count: i64 = row.get(2)?;
            let (account, resource_type) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            Ok((AccountId::new(account), ResourceType::new(resource_type), count.unsigned_abs()))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Until it is dropped, all passes read the same rows, whatever another process writes.
    ///
    /// # Errors
    /// The database fails.
    pub fn unchanged(&self) -> Result<Transaction<'_>, StoreError> {
        Ok(self.connection.unchecked_transaction()?)
    }

    /// The events of these types in an account, without facts about their callers: names, time and effect. In a constant order:
    /// by region, then time, then event ID.
    ///
    /// # Errors
    /// The database fails.
    pub fn names_of_types(
        &self,
        account: &AccountId,
        types: &[ResourceType],
        each: &mut dyn FnMut(StoredEvent),
    ) -> Result<(), StoreError> {
        let mut statement = self.pass(NAME_COLUMNS)?;
        let mut rows = statement.query(named_params! {":account": account.as_str(), ":types": json(types)})?;
        while let Some(row) = rows.next()? {
            each(named_event(row)?);
        }
        Ok(())
    }

    /// The same events in the same order with all facts, but only those that `is_chosen`: by their number in that order.
    ///
    /// # Errors
    /// The database fails.
    pub fn chosen_of_types(
        &self,
        account: &AccountId,
        types: &[ResourceType],
        is_chosen: &dyn Fn(usize) -> bool,
        each: &mut dyn FnMut(usize, StoredEvent) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.pass(COLUMNS)?;
        let mut rows = statement.query(named_params! {":account": account.as_str(), ":types": json(types)})?;
        let mut number = 0;
        while let Some(row) = rows.next()? {
            if is_chosen(number) {
                each(number, stored_event(row)?)?;
            }
            number += 1;
        }
        Ok(())
    }

    fn pass(&self, columns: &str) -> Result<Statement<'_>, StoreError> {
        // The order of the primary key: nothing is sorted.
        Ok(self.connection.prepare(&format!(
            "SELECT {columns} FROM resource_events WHERE account_id = :account \
             AND resource_type IN (SELECT value FROM json_each(:types)) \
             ORDER BY region, event_time, event_id, resource_type, resource_id"
        ))?)
    }
}

fn json(types: &[ResourceType]) -> String {
    serde_json::Value::from_iter(types.iter().map(ResourceType::as_str)).to_string()
}

fn named_event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        resource_type: ResourceType::new(row.get::<_, String>(3)?),
        resource_id: ResourceId::new(row.get::<_, String>(4)?),
        action: parse_action(row.get(5)?)?,
        renamed_to: row.get::<_, Option<String>>(6)?.map(ResourceId::new),
        names: row.get::<_, Option<String>>(7)?.map(|names| split_names(&names)).unwrap_or_default(),
        event: Event {
            region: Region::new(row.get::<_, String>(0)?),
            time: row.get(1)?,
            event_id: row.get(2)?,
            ..Event::default()
        },
    })
}
