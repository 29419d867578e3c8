//! Rows by the names of their resource.
//!
//! Names of a row beside the ID are in a column of it. What a text names, the domain decides ([`Asked`]): this module only finds the rows that
//! can have it, by the last part of the text ([`super::lookup`]).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::{Transaction, params};
use smol_str::SmolStr;

use super::creations::join_names;
use super::lookup::Watched;
use super::{Store, StoreError};
use crate::model::event::{Event, StoredEvent};
use crate::model::{AccountId, Region, ResourceId, ResourceType};
use crate::resource_map::ResourceMap;
use crate::resource_map::naming::{Asked, NamedRow, Naming, last_part};
use crate::trail::extract::names_of_id;

/// The resource of a row.
pub(super) fn named_row(event: &StoredEvent) -> NamedRow<'_> {
    NamedRow {
        resource_type: &event.resource_type,
        id: event.resource_id.as_str(),
        names: &event.names,
        account: event.event.account_id.as_str(),
        region: event.event.region.as_str(),
        source: &event.event.source,
    }
}

impl Store {
    /// All events of resources that `query` names: by ID, ARN, URL or another name. Ordered by account, region, type, ID, time.
    ///
    /// # Errors
    /// The database fails.
    pub fn events_of_resource(&self, naming: &Naming, query: &str) -> Result<Vec<StoredEvent>, StoreError> {
        for meaning in Asked::of(query, naming).meanings {
            let mut rows = BTreeMap::new();
            for part in meaning.lookups() {
                self.each_row_by_last_part(&part, &mut |row| {
                    if meaning.names(&named_row(&row)) {
                        rows.insert(order(&row), row);
                    }
                })?;
            }
            if !rows.is_empty() {
                return Ok(rows.into_values().collect());
            }
        }
        Ok(Vec::new())
    }

    /// The other rows of the resources of these events, under names that the events do not have themselves.
    pub(super) fn related_events(
        &self,
        naming: &Naming,
        events: &[StoredEvent],
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut known: HashSet<_> = events.iter().map(order).collect();
        let mut by_part: HashMap<String, Vec<(StoredEvent, BTreeSet<String>)>> = HashMap::new();
        let mut open: Vec<StoredEvent> = events.to_vec();
        let mut related = Vec::new();
        while let Some(event) = open.pop() {
            let keys = all_keys(naming, &event);
            for part in keys.iter().map(|key| last_part(key).to_owned()).collect::<BTreeSet<_>>() {
                if !by_part.contains_key(&part) {
                    let mut rows = Vec::new();
                    self.each_row_by_last_part(&part, &mut |row| {
                        let keys = all_keys(naming, &row);
                        rows.push((row, keys));
                    })?;
                    by_part.insert(part.clone(), rows);
                }
                for (row, of_row) in &by_part[&part] {
                    let is_of_type =
                        (&row.resource_type, &row.event.account_id) == (&event.resource_type, &event.event.account_id);
                    if is_of_type && !keys.is_disjoint(of_row) && known.insert(order(row)) {
                        related.push(row.clone());
                        open.push(row.clone());
                    }
                }
            }
        }
        Ok(related)
    }
}

/// All texts that another row of the resource can share with this one.
fn all_keys(naming: &Naming, event: &StoredEvent) -> BTreeSet<String> {
    let texts = std::iter::once(event.resource_id.as_str()).chain(event.names.iter().map(String::as_str));
    texts.flat_map(|text| naming.keys(&event.resource_type, text)).collect()
}

type Order = (AccountId, Region, ResourceType, ResourceId, SmolStr, SmolStr);

fn order(row: &StoredEvent) -> Order {
    let StoredEvent { resource_type, resource_id, event, .. } = row;
    let Event { account_id, region, time, event_id, .. } = event;
    let id = resource_id.clone();
    (account_id.clone(), region.clone(), resource_type.clone(), id, time.clone(), event_id.clone())
}

/// Enters the names that rows of an earlier version have in their IDs: the name in the middle of an ARN. `watch` gets the number of rows so far.
pub(super) fn fill_names(transaction: &Transaction<'_>, watch: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
    let map = ResourceMap::built_in();
    let naming = map.naming();
    let mut rows = transaction.prepare(
        "SELECT account_id, region, event_time, event_id, resource_type, resource_id FROM resource_events \
         WHERE resource_id GLOB 'arn:*'",
    )?;
    let mut update = transaction.prepare(
        "UPDATE resource_events SET names = ?7 WHERE account_id = ?1 AND region = ?2 AND event_time = ?3 \
         AND event_id = ?4 AND resource_type = ?5 AND resource_id = ?6",
    )?;
    let mut rows = rows.query([])?;
    let mut watched = Watched::new(watch);
    while let Some(row) = rows.next()? {
        watched.row();
        let key: [String; 6] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
        let [account_id, region, time, event_id, resource_type, id] = key;
        let resource_type = ResourceType::new(resource_type);
        let names = naming.of_type(&resource_type).map(|of_type| names_of_id(of_type, &id)).unwrap_or_default();
        if !names.is_empty() {
            update.execute(params![
                account_id,
                region,
                time,
                event_id,
                resource_type.as_str(),
                id,
                join_names(&names)
            ])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::MIGRATIONS;
    use crate::trail::samples::built_in;

    /// The version before names.
    const BEFORE: usize = 12;

    #[test]
    fn earlier_database_keeps_its_rows_and_gets_the_names_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("creators.db");
        let old = rusqlite::Connection::open(&path).unwrap();
        MIGRATIONS[..BEFORE].iter().for_each(|migration| old.execute_batch(migration).unwrap());
        old.pragma_update(None, "user_version", i64::try_from(BEFORE).unwrap()).unwrap();
        let balancer = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/front/50dc6c495c0c9188";
        let policy = "arn:aws:iam::111122223333:policy/read";
        for (resource_type, id, action) in
            [("app-elb", balancer, "create"), ("iam-policy", policy, "delete"), ("iam-role", "deploy", "create")]
        {
            let sql = "INSERT INTO resource_events (account_id, region, event_time, event_id, resource_type, resource_id, action, \
                       event_name, event_source, identity_type) \
                       VALUES ('111122223333', 'eu-west-1', '2024-01-01T00:00:00Z', ?1, ?1, ?2, ?3, 'Any', 'any.amazonaws.com', 'Root')";
            old.execute(sql, [resource_type, id, action]).unwrap();
        }
        let view = "SELECT rtype || ' ' || resource_ids || ' ' || user_id FROM events ORDER BY 1";
        let rows = |connection: &rusqlite::Connection| -> Vec<String> {
            let mut statement = connection.prepare(view).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let before = rows(&old);
        drop(old);

        let store = Store::open(&path).unwrap();
        assert_eq!(rows(&store.connection), before);
        let found = |text: &str| -> Vec<String> {
            let events = store.events_of_resource(built_in().naming(), text).unwrap();
            events.iter().map(|event| event.resource_type.to_string()).collect()
        };
        for (text, resource_type) in [
            ("front", "app-elb"),
            (balancer, "app-elb"),
            ("read", "iam-policy"),
            (policy, "iam-policy"),
            ("deploy", "iam-role"),
            ("arn:aws:iam::111122223333:role/deploy", "iam-role"),
        ] {
            assert_eq!(found(text), [resource_type], "{text}");
        }
    }
}
