//! Renames: the rows in which a name was given up for another one, and the events of a resource under all its names.

use std::collections::HashSet;

use rusqlite::named_params;

use super::creations::{COLUMNS, last_part, region_condition, stored_event};
use super::naming::ResourceName;
use super::{Store, StoreError};
use crate::names::{AccountId, Region, ResourceType};
use crate::trail::record::StoredEvent;

/// The events of resources that a text may name.
#[derive(Debug, Default)]
pub struct ResourceHistory {
    /// Those of resources that bore the name ([`Store::events_of_resource`]).
    pub events: Vec<StoredEvent>,
    /// Those that gave the name to a resource that bore another one.
    pub renames: Vec<StoredEvent>,
    /// The events of the names that such resources had before, to the first; `renames` are among them.
    pub of_earlier_names: Vec<StoredEvent>,
}

impl Store {
    /// The events that gave a resource of the type another name. With `region`, those of that region, else of all (global
    /// types). Nearly always none.
    ///
    /// # Errors
    /// SQLite's.
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

    /// All events of resources that `query` may name now or may have named, under all names that they had until then.
    ///
    /// # Errors
    /// SQLite's.
    pub fn history_of_resource(&self, query: &str) -> Result<ResourceHistory, StoreError> {
        let events = self.events_of_resource(query)?;
        let renames = self.renames_to(query)?;
        let mut of_earlier_names = Vec::new();
        let mut followed = HashSet::new();
        let mut open = renames.clone();
        while let Some(rename) = open.pop() {
            let is_of_type = |event: &StoredEvent| {
                (&event.event.account_id, &event.resource_type) == (&rename.event.account_id, &rename.resource_type)
            };
            let name = rename.resource_id.as_str();
            if followed.insert((rename.event.account_id.clone(), rename.resource_type.clone(), name.to_owned())) {
                of_earlier_names.extend(self.events_of_resource(name)?.into_iter().filter(is_of_type));
                open.extend(self.renames_to(name)?.into_iter().filter(is_of_type));
            }
        }
        Ok(ResourceHistory { events, renames, of_earlier_names })
    }

    /// The events that gave a resource a name that `query` may mean.
    fn renames_to(&self, query: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let name = ResourceName::new(query);
        let sql = format!(
            "SELECT {COLUMNS} FROM resource_events WHERE renamed_to IS NOT NULL AND {} = ?1 \
             ORDER BY account_id, region, resource_type, event_time, event_id",
            last_part("renamed_to")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found: Vec<StoredEvent> =
            statement.query_map([name.last_part()], stored_event)?.collect::<Result<_, _>>()?;
        found.retain(|rename| rename.renamed_to.as_ref().is_some_and(|new| name.fits(new.as_str(), &rename.event)));
        if found.iter().any(|rename| name.is_of_service(rename)) {
            found.retain(|rename| name.is_of_service(rename));
        }
        Ok(found)
    }
}
