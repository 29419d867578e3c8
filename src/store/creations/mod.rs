//! Resource events: written by loaders, read by `tag` and `who`.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use rusqlite::types::{FromSqlResult, Type, ValueRef};
use rusqlite::{Row, StatementStatus, ToSql, params_from_iter};
use smol_str::SmolStr;

use super::{Store, StoreError};
use crate::model::event::{Action, Event, EventNames, Identity, Names, StoredEvent};
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

    /// The regions and types of an account that have create events. Reads all its events.
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
        self.events_of_types(&[resource_type], account, region, &mut |_, row| each(row)).map(drop)
    }

    /// As [`Store::events_of_type`], for several types in one pass, which takes as long as a pass for one type. `each` gets the position of the
    /// event's type. Returns the number of SQLite's virtual machine steps, which grows with all events of the account or region, whatever their type.
    ///
    /// # Errors
    /// The database fails; an error of `each`.
    pub fn events_of_types(
        &self,
        types: &[&ResourceType],
        account: &AccountId,
        region: Option<&Region>,
        each: &mut dyn FnMut(usize, &EventRow<'_>) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(&of_types(types.len(), region))?;
        let mut facts = self.connection.prepare_cached(&facts_of_row())?;
        // The account stays bound.
        facts.raw_bind_parameter(1, account.as_str())?;
        let facts = RefCell::new(facts);
        let read = |key: [&str; 5]| {
            let mut facts = facts.borrow_mut();
            for (parameter, value) in (2..).zip(key) {
                facts.raw_bind_parameter(parameter, value)?;
            }
            let mut rows = facts.raw_query();
            let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok((event_facts(row, 0)?, renamed_to(row, RENAMED_TO - FACTS.start)?))
        };
        let region = region.map(Region::as_str);
        let place: [&dyn ToSql; 2] = [&account.as_str(), &region];
        let names: Vec<&str> = types.iter().map(|name| name.as_str()).collect();
        let mut rows =
            statement.query(params_from_iter(place.into_iter().chain(names.iter().map(|name| name as _))))?;
        while let Some(row) = rows.next()? {
            let row = EventRow { row, account, read: &read };
            let of_row = row.text(row_column::TYPE)?;
            let position = names.iter().position(|name| *name == of_row).expect("no other type is selected");
            each(position, &row)?;
        }
        drop(rows);
        Ok(u64::try_from(statement.reset_status(StatementStatus::VmStep)).unwrap_or_default())
    }
}

/// The columns of the key after the account and the region, and those that identify the resource. SQLite copies each column that is selected, and most
/// rows are not needed further.
const ROW_COLUMNS: &str = "event_time, event_id, resource_type, resource_id, action, names";

/// Positions in [`ROW_COLUMNS`], and that of the region after them.
mod row_column {
    pub(super) const TIME: usize = 0;
    pub(super) const EVENT_ID: usize = 1;
    pub(super) const TYPE: usize = 2;
    pub(super) const RESOURCE_ID: usize = 3;
    pub(super) const ACTION: usize = 4;
    pub(super) const NAMES: usize = 5;
    pub(super) const REGION: usize = 6;
}

/// The places in [`COLUMNS`] of what [`ROW_COLUMNS`] lacks.
const FACTS: std::ops::Range<usize> = 7..27;

/// The place of the new name in [`COLUMNS`].
const RENAMED_TO: usize = 26;

/// Selects the events of so many types. In a region the order is that of the key. SQLite sorts nothing then, but only if it does not see that
/// all rows have one type: hence the `+`.
fn of_types(types: usize, region: Option<&Region>) -> String {
    // A parameter is not copied for each row.
    let (region, condition) = if region.is_some() { ("?2", "region = ?2") } else { ("region", "?2 IS NULL") };
    let places: Vec<String> = (3..types + 3).map(|place| format!("?{place}")).collect();
    format!(
        "SELECT {ROW_COLUMNS}, {region} FROM resource_events \
         WHERE account_id = ?1 AND {condition} AND +resource_type IN ({}) \
         ORDER BY event_time, event_id, resource_type, resource_id",
        places.join(", ")
    )
}

/// Selects the facts of the row with a key.
fn facts_of_row() -> String {
    let columns: Vec<&str> = COLUMNS.split(", ").skip(FACTS.start).take(FACTS.len()).collect();
    format!(
        "SELECT {} FROM resource_events WHERE account_id = ? AND region = ? AND event_time = ? AND event_id = ? \
         AND resource_type = ? AND resource_id = ?",
        columns.join(", ")
    )
}

/// An event's facts without its key, and the resource's new name.
type Facts = (Event, Option<ResourceId>);

/// An event that is still in its row. Most events of a type belong to resources that no longer exist, so they are not read further.
pub struct EventRow<'r> {
    row: &'r Row<'r>,
    account: &'r AccountId,
    /// Reads the facts of the row with a key in the account.
    read: &'r dyn Fn([&str; 5]) -> rusqlite::Result<Facts>,
}

impl EventRow<'_> {
    fn text(&self, column: usize) -> Result<&str, StoreError> {
        Ok(self.row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
    }

    /// `eventTime`.
    ///
    /// # Errors
    /// Something else wrote into the database.
    pub fn time(&self) -> Result<&str, StoreError> {
        self.text(row_column::TIME)
    }

    /// What says which resource it is of.
    ///
    /// # Errors
    /// Something else wrote into the database.
    pub fn names(&self) -> Result<EventNames<'_>, StoreError> {
        let names = self.row.get_ref(row_column::NAMES)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        Ok(EventNames {
            event_id: self.text(row_column::EVENT_ID)?,
            resource_id: self.text(row_column::RESOURCE_ID)?,
            action: parse_action(self.text(row_column::ACTION)?)?,
            names: Names::joined(names, SEPARATOR),
        })
    }

    /// All of it.
    ///
    /// # Errors
    /// Something else wrote into the database.
    pub fn event(&self) -> Result<StoredEvent, StoreError> {
        let [region, time, event_id, resource_type, id] =
            [row_column::REGION, row_column::TIME, row_column::EVENT_ID, row_column::TYPE, row_column::RESOURCE_ID]
                .map(|column| self.text(column));
        let key @ [region, time, event_id, resource_type, id] = [region?, time?, event_id?, resource_type?, id?];
        let (facts, renamed_to) = (self.read)(key)?;
        let EventNames { action, names, .. } = self.names()?;
        Ok(StoredEvent {
            resource_type: resource_type.into(),
            resource_id: id.into(),
            action,
            names: names.iter().map(str::to_owned).collect(),
            renamed_to,
            event: Event {
                account_id: self.account.clone(),
                region: region.into(),
                time: time.into(),
                event_id: event_id.into(),
                ..facts
            },
        })
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
        resource_type: ResourceType::new(text(row, 4)?),
        resource_id: ResourceId::new(text(row, 5)?),
        action: parse_action(row.get_ref(6)?.as_str()?)?,
        names: row.get_ref(27)?.as_str_or_null()?.map(split_names).unwrap_or_default(),
        renamed_to: renamed_to(row, RENAMED_TO)?,
        event: Event {
            account_id: AccountId::new(text(row, 0)?),
            region: Region::new(text(row, 1)?),
            time: text(row, 2)?,
            event_id: text(row, 3)?,
            ..event_facts(row, FACTS.start)?
        },
    })
}

fn renamed_to(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ResourceId>> {
    Ok(fact(row, column)?.map(ResourceId::new))
}

/// The text of a column.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<SmolStr> {
    Ok(of_column(row, column, ValueRef::as_str)?.into())
}

/// The text of a column; `None` for NULL.
pub(super) fn fact(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<SmolStr>> {
    Ok(of_column(row, column, ValueRef::as_str_or_null)?.map(SmolStr::from))
}

/// A value of a column. The error names the column.
fn of_column<'r, T>(
    row: &'r Row<'_>,
    column: usize,
    read: fn(&ValueRef<'r>) -> FromSqlResult<T>,
) -> rusqlite::Result<T> {
    let value = row.get_ref(column)?;
    let kind = value.data_type();
    read(&value).map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error)))
}

/// An event without its key, from columns that begin with its name.
fn event_facts(row: &Row<'_>, first: usize) -> rusqlite::Result<Event> {
    Ok(Event {
        name: text(row, first)?,
        source: text(row, first + 1)?,
        user_agent: fact(row, first + 2)?,
        source_ip: fact(row, first + 3)?,
        shared_event_id: fact(row, first + 4)?,
        identity: Identity {
            kind: fact(row, first + 5)?,
            arn: fact(row, first + 6)?,
            user_name: fact(row, first + 7)?,
            principal_id: fact(row, first + 8)?,
            account_id: fact(row, first + 9)?,
            access_key_id: fact(row, first + 10)?,
            issuer_type: fact(row, first + 11)?,
            issuer_arn: fact(row, first + 12)?,
            issuer_user_name: fact(row, first + 13)?,
            source_identity: fact(row, first + 14)?,
            on_behalf_of_user_id: fact(row, first + 15)?,
            on_behalf_of_store_arn: fact(row, first + 16)?,
            invoked_by: fact(row, first + 17)?,
            federated_provider: fact(row, first + 18)?,
        },
        ..Event::default()
    })
}

#[cfg(test)]
mod tests;
