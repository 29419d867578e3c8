//! Resource events: written by loaders, read by `tag` and `who`.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::Type;
use rusqlite::{Row, named_params};

use super::{Store, StoreError};
use crate::model::event::{Action, Event, EventNames, Identity, StoredEvent};
use crate::model::{AccountId, Region, ResourceId, ResourceType};

/// The columns of a row, in the order of [`super::insert::Inserter::insert`] and [`stored_event`].
pub(super) const COLUMNS: &str = "account_id, region, event_time, event_id, resource_type, resource_id, action, event_name, \
     event_source, user_agent, source_ip, shared_event_id, identity_type, identity_arn, identity_user_name, \
     identity_principal_id, identity_account_id, identity_access_key_id, issuer_type, issuer_arn, issuer_user_name, \
     source_identity, on_behalf_of_user_id, on_behalf_of_store_arn, invoked_by, \
     federated_provider, renamed_to, names";

/// The part after the last `/` or `:` of a name in this column. The index uses the same expression.
pub(super) fn last_part(column: &str) -> String {
    format!("substr({column}, length(rtrim({column}, replace(replace({column}, '/', ''), ':', ''))) + 1)")
}

/// Separates the names of a row. No name has it.
pub(super) const SEPARATOR: char = '\n';

/// Names as the column has them.
pub(super) fn join_names(names: &[String]) -> String {
    names.iter().map(|name| name.replace(SEPARATOR, " ")).collect::<Vec<_>>().join("\n")
}

fn split_names(names: &str) -> Vec<String> {
    names.split(SEPARATOR).map(str::to_owned).collect()
}

impl Store {
    /// The number of create events per type in an account; with `region` in that region, else in all.
    ///
    /// # Errors
    /// The database fails.
    pub fn creation_counts(
        &self,
        account: &AccountId,
        region: Option<&Region>,
    ) -> Result<HashMap<ResourceType, u64>, StoreError> {
        let query = format!(
            "SELECT resource_type, count(*) FROM resource_events WHERE account_id = :account AND {} \
             AND action <> 'delete' GROUP BY resource_type",
            region_condition(region)
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let region = region.map(Region::as_str);
        let rows = statement.query_map(named_params! {":account": account.as_str(), ":region": region}, |row| {
            Ok((ResourceType::new(row.get::<_, String>(0)?), row.get::<_, i64>(1)?.unsigned_abs()))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many identifiers the events of each account name: about how many resources it has. Reads the whole table.
    ///
    /// # Errors
    /// The database fails.
    pub fn account_sizes(&self) -> Result<HashMap<AccountId, u64>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT account_id, count(*) FROM resource_events GROUP BY account_id")?;
        let rows = statement.query_map([], |row| {
            Ok((AccountId::new(row.get::<_, String>(0)?), row.get::<_, i64>(1)?.unsigned_abs()))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The regions and types of an account that have create events.
    ///
    /// # Errors
    /// The database fails.
    pub fn types_by_region(&self, account: &AccountId) -> Result<BTreeMap<Region, Vec<ResourceType>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT region, resource_type FROM resource_events
             WHERE account_id = ? AND action <> 'delete' ORDER BY region, resource_type",
        )?;
        let mut rows = statement.query([account.as_str()])?;
        let mut types: BTreeMap<Region, Vec<ResourceType>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let region = Region::new(row.get::<_, String>(0)?);
            types.entry(region).or_default().push(ResourceType::new(row.get::<_, String>(1)?));
        }
        Ok(types)
    }

    /// The events of a type in an account, ordered by time and event ID, passed to `each`. With `region` only those in
    /// that region, else in all (for global types).
    ///
    /// # Errors
    /// The database fails; an error of `each`.
    pub fn events_of_type(
        &self,
        resource_type: &ResourceType,
        account: &AccountId,
        region: Option<&Region>,
        each: &mut dyn FnMut(&EventRow<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let query = of_type(region);
        let mut statement = self.connection.prepare_cached(&query)?;
        let region = region.map(Region::as_str);
        let mut rows = statement
            .query(named_params! {":account": account.as_str(), ":region": region, ":type": resource_type.as_str()})?;
        while let Some(row) = rows.next()? {
            each(&EventRow(row))?;
        }
        Ok(())
    }
}

/// Selects the events of a type. In a region the order is that of the key. SQLite sorts nothing then, but only if it does not see that all
/// rows have one type: hence the `+`.
fn of_type(region: Option<&Region>) -> String {
    format!(
        "SELECT {COLUMNS} FROM resource_events WHERE account_id = :account AND {} AND +resource_type = :type \
         ORDER BY event_time, event_id, resource_type, resource_id",
        region_condition(region)
    )
}

/// An event that is still in its row. Most events of a type belong to resources that no longer exist, so they are not copied.
pub struct EventRow<'r>(&'r Row<'r>);

impl EventRow<'_> {
    /// What says which resource it is of.
    ///
    /// # Errors
    /// Something else wrote into the database.
    pub fn names(&self) -> Result<EventNames<'_>, StoreError> {
        let text = |column| Ok::<_, rusqlite::Error>(self.0.get_ref(column)?.as_str()?);
        let names = self.0.get_ref(27).map(|names| names.as_str_or_null().map_err(rusqlite::Error::from))??;
        Ok(EventNames {
            event_id: text(3)?,
            resource_id: text(5)?,
            action: parse_action(text(6)?)?,
            names: names.into_iter().flat_map(|names| names.split(SEPARATOR)).collect(),
        })
    }

    /// All of it.
    ///
    /// # Errors
    /// Something else wrote into the database.
    pub fn event(&self) -> Result<StoredEvent, StoreError> {
        Ok(stored_event(self.0)?)
    }
}

/// Both forms use `:region`, so that the same parameters are bound.
pub(super) fn region_condition(region: Option<&Region>) -> &'static str {
    if region.is_some() { "region = :region" } else { ":region IS NULL" }
}

/// The table's CHECK allows no other action: otherwise something else wrote into the file.
fn parse_action(action: &str) -> rusqlite::Result<Action> {
    let unknown = || Box::new(UnknownAction(action.to_owned()));
    Action::parse(action).ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(6, Type::Text, unknown()))
}

/// An event in the database that neither creates, deletes nor renames.
#[derive(Debug, thiserror::Error)]
#[error("the database is damaged: an event has the action {0:?}; load the trail into a new database")]
struct UnknownAction(String);

pub(super) fn stored_event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        resource_type: ResourceType::new(row.get::<_, String>(4)?),
        resource_id: ResourceId::new(row.get::<_, String>(5)?),
        action: parse_action(row.get_ref(6)?.as_str()?)?,
        names: row.get::<_, Option<String>>(27)?.map(|names| split_names(&names)).unwrap_or_default(),
        renamed_to: row.get::<_, Option<String>>(26)?.map(ResourceId::new),
        event: Event {
            account_id: AccountId::new(row.get::<_, String>(0)?),
            region: Region::new(row.get::<_, String>(1)?),
            time: row.get(2)?,
            event_id: row.get(3)?,
            name: row.get(7)?,
            source: row.get(8)?,
            user_agent: row.get(9)?,
            source_ip: row.get(10)?,
            shared_event_id: row.get(11)?,
            identity: Identity {
                kind: row.get(12)?,
                arn: row.get(13)?,
                user_name: row.get(14)?,
                principal_id: row.get(15)?,
                account_id: row.get(16)?,
                access_key_id: row.get(17)?,
                issuer_type: row.get(18)?,
                issuer_arn: row.get(19)?,
                issuer_user_name: row.get(20)?,
                source_identity: row.get(21)?,
                on_behalf_of_user_id: row.get(22)?,
                on_behalf_of_store_arn: row.get(23)?,
                invoked_by: row.get(24)?,
                federated_provider: row.get(25)?,
            },
            makers: Vec::new(),
        },
    })
}

#[cfg(test)]
mod tests;
