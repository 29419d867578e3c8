//! Resource events: written by loaders, read by the tagger and by `who`.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Row, Statement, ToSql, Transaction, named_params};

use super::imported::{Imported, is_imported};
use super::ledger::Added;
use super::naming::ResourceName;
use super::sessions::SessionInserter;
use super::{Store, StoreError};
use crate::names::{AccountId, Region, ResourceId, ResourceType};
use crate::resource_map::sessions::is_session;
pub use crate::trail::record::StoredEvent;
use crate::trail::record::{Action, Event, Identity, ResourceEvent, Touched};

/// The columns of a row, in the order of [`Inserter::insert`] and [`stored_event`].
pub(super) const COLUMNS: &str = "account_id, region, event_time, event_id, resource_type, resource_id, action, event_name, \
     event_source, user_agent, source_ip, shared_event_id, identity_type, identity_arn, identity_user_name, \
     identity_principal_id, identity_account_id, identity_access_key_id, issuer_type, issuer_arn, issuer_user_name, \
     source_identity, on_behalf_of_user_id, on_behalf_of_store_arn, invoked_by, \
     federated_provider, renamed_to";

/// The first of the columns that may be NULL: what an event may not tell.
const FIRST_FACT: usize = 9;

/// May be NULL too, but is what the resource map says of the event, as its action.
const RENAMED_TO: &str = "renamed_to";

/// What comes after the last `/` or `:` of an id in this column; the very expression of the indexes.
pub(super) fn last_part(column: &str) -> String {
    format!("substr({column}, length(rtrim({column}, replace(replace({column}, '/', ''), ':', ''))) + 1)")
}

impl Store {
    /// How many creations (not deletions) there are per type in an account; with `region`, in that region, else in all.
    ///
    /// # Errors
    /// SQLite's.
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

    /// The types of which an account has events, by account, then type.
    ///
    /// # Errors
    /// SQLite's.
    pub fn recorded_types(&self) -> Result<Vec<(AccountId, ResourceType)>, StoreError> {
        let query = "SELECT DISTINCT account_id, resource_type FROM resource_events ORDER BY account_id, resource_type";
        let mut statement = self.connection.prepare_cached(query)?;
        let rows = statement.query_map([], |row| {
            Ok((AccountId::new(row.get::<_, String>(0)?), ResourceType::new(row.get::<_, String>(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// In which regions of an account there are creations (not deletions) of which types.
    ///
    /// # Errors
    /// SQLite's.
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

    /// The events of a type in an account, ordered by time then event id, streamed to `each`. With `region`, those of
    /// that region, else of all (global types).
    ///
    /// # Errors
    /// SQLite's.
    pub fn events_of_type(
        &self,
        resource_type: &ResourceType,
        account: &AccountId,
        region: Option<&Region>,
        each: &mut dyn FnMut(StoredEvent),
    ) -> Result<(), StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM resource_events WHERE account_id = :account AND {} AND resource_type = :type \
             ORDER BY event_time, event_id, resource_id",
            region_condition(region)
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let region = region.map(Region::as_str);
        let mut rows = statement
            .query(named_params! {":account": account.as_str(), ":region": region, ":type": resource_type.as_str()})?;
        while let Some(row) = rows.next()? {
            each(stored_event(row)?);
        }
        Ok(())
    }

    /// All events of resources that `query` may name: the id itself, an ARN of it, or the last part of an id that is an ARN
    /// or a URL. Ordered by account, region, type, id, time.
    ///
    /// # Errors
    /// SQLite's.
    pub fn events_of_resource(&self, query: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let name = ResourceName::new(query);
        let sql = format!(
            "SELECT {COLUMNS} FROM resource_events WHERE {} = ?1 \
             ORDER BY account_id, region, resource_type, resource_id, event_time, event_id",
            last_part("resource_id")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([name.last_part()], stored_event)?;
        let mut found = Vec::new();
        for event in rows {
            let event = event?;
            if name.names(&event) {
                found.push(event);
            }
        }
        if found.iter().any(|event| name.is_of_service(event)) {
            found.retain(|event| name.is_of_service(event));
        }
        Ok(found)
    }
}

/// Both forms name `:region`, so that the same parameters are bound either way.
pub(super) fn region_condition(region: Option<&Region>) -> &'static str {
    if region.is_some() { "region = :region" } else { ":region IS NULL" }
}

/// Writes rows within a transaction.
pub(super) struct Inserter<'t> {
    statement: Statement<'t>,
    imported: Imported<'t>,
    sessions: SessionInserter<'t>,
}

impl<'t> Inserter<'t> {
    pub(super) fn new(transaction: &'t Transaction<'_>) -> Result<Self, StoreError> {
        let values = vec!["?"; COLUMNS.split(", ").count()].join(", ");
        // The same event read again says the same, but a changed resource map can call its action otherwise, and a source
        // may know facts that the first one lacked (Athena's usual table has no source identity).
        let facts = facts();
        let filled: Vec<String> =
            facts.clone().map(|fact| format!("{fact} = COALESCE({fact}, excluded.{fact})")).collect();
        let news: Vec<String> = facts.map(|fact| format!("{fact} IS NULL AND excluded.{fact} IS NOT NULL")).collect();
        let statement = transaction.prepare(&format!(
            "INSERT INTO resource_events ({COLUMNS}) VALUES ({values}) \
             ON CONFLICT DO UPDATE SET action = excluded.action, {RENAMED_TO} = excluded.{RENAMED_TO}, {} \
             WHERE action <> excluded.action OR {RENAMED_TO} IS NOT excluded.{RENAMED_TO} OR {}",
            filled.join(", "),
            news.join(" OR ")
        ))?;
        Ok(Self { statement, imported: Imported::new(transaction)?, sessions: SessionInserter::new(transaction) })
    }

    /// Writes an event's rows; counts those that are new (or changed). An imported event tells only what no trail told; a
    /// trail's event stands in place of an imported one. Sessions go where they belong.
    pub(super) fn insert(&mut self, resource_event: &ResourceEvent, added: &mut Added) -> Result<(), StoreError> {
        let ResourceEvent { event, touched } = resource_event;
        let is_imported = is_imported(event);
        if is_imported {
            self.imported.forget_other_ids(resource_event)?;
        }
        for touched in touched {
            if is_session(&touched.resource_type) {
                added.sessions += u64::from(self.sessions.insert(touched.resource_id.as_str(), event)?);
                continue;
            }
            if is_imported && self.imported.is_told(event, touched)? {
                continue;
            }
            let written = self.write(event, touched)?;
            let was_imported = written && !is_imported && self.imported.make_way(event, touched)?;
            added.ids += u64::from(written && !was_imported);
        }
        Ok(())
    }

    /// Writes a row; says whether it is new (or changed).
    fn write(&mut self, event: &Event, touched: &Touched) -> Result<bool, StoreError> {
        let identity = &event.identity;
        let action = if touched.action == Action::Rename { Action::Delete } else { touched.action };
        let row: [&dyn ToSql; 27] = [
            &event.account_id,
            &event.region,
            &event.time,
            &event.event_id,
            &touched.resource_type.as_str(),
            &touched.resource_id.as_str(),
            &action.as_str(),
            &event.name,
            &event.source,
            &event.user_agent,
            &event.source_ip,
            &event.shared_event_id,
            &identity.kind,
            &identity.arn,
            &identity.user_name,
            &identity.principal_id,
            &identity.account_id,
            &identity.access_key_id,
            &identity.issuer_type,
            &identity.issuer_arn,
            &identity.issuer_user_name,
            &identity.source_identity,
            &identity.on_behalf_of_user_id,
            &identity.on_behalf_of_store_arn,
            &identity.invoked_by,
            &identity.federated_provider,
            &touched.renamed_to.as_ref().map(ResourceId::as_str),
        ];
        Ok(self.statement.execute(&row[..])? > 0)
    }
}

/// The columns of facts that one source may know and the other lack.
fn facts() -> impl Iterator<Item = &'static str> + Clone {
    COLUMNS.split(", ").skip(FIRST_FACT).filter(|column| *column != RENAMED_TO)
}

pub(super) fn stored_event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let action: String = row.get(6)?;
    Ok(StoredEvent {
        resource_type: ResourceType::new(row.get::<_, String>(4)?),
        resource_id: ResourceId::new(row.get::<_, String>(5)?),
        action: Action::parse(&action).expect("the table's CHECK allows no other action"),
        renamed_to: row.get::<_, Option<String>>(26)?.map(ResourceId::new),
        event: Event {
            account_id: row.get(0)?,
            region: row.get(1)?,
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
mod tests {
    use super::*;
    use crate::store::ledger::Batch;

    fn event(id: &str, account: &str, region: &str, time: &str) -> Event {
        Event {
            event_id: id.to_owned(),
            account_id: account.to_owned(),
            region: region.to_owned(),
            time: time.to_owned(),
            name: "CreateX".to_owned(),
            source: "sqs.amazonaws.com".to_owned(),
            ..Event::default()
        }
    }

    fn touching(event: &Event, resource_type: &str, id: &str, action: Action) -> ResourceEvent {
        let touched = Touched { resource_type: resource_type.into(), resource_id: id.into(), action, renamed_to: None };
        ResourceEvent { event: event.clone(), touched: vec![touched] }
    }

    fn store_with(events: Vec<ResourceEvent>) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("creators.db")).unwrap();
        store.add(&Batch { events, ..Batch::default() }).unwrap();
        (folder, store)
    }

    fn full_event() -> Event {
        let some = |text: &str| Some(text.to_owned());
        Event {
            user_agent: some("agent"),
            source_ip: some("ip"),
            shared_event_id: some("shared"),
            identity: Identity {
                kind: some("AssumedRole"),
                arn: some("arn"),
                user_name: some("user"),
                principal_id: some("principal"),
                account_id: some("account"),
                access_key_id: some("key"),
                issuer_type: some("issuer"),
                issuer_arn: some("issuer arn"),
                issuer_user_name: some("issuer user"),
                source_identity: some("source"),
                on_behalf_of_user_id: some("behalf"),
                on_behalf_of_store_arn: some("store"),
                invoked_by: some("invoker"),
                federated_provider: some("provider"),
            },
            ..event("e", "1", "r", "2024-01-01T00:00:00Z")
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for event in [full_event(), event("e", "1", "r", "2024-01-01T00:00:00Z")] {
            let (_folder, store) = store_with(vec![touching(&event, "sqs", "q", Action::Upsert)]);
            let found = store.events_of_resource("q").unwrap();
            let expected = StoredEvent {
                resource_type: "sqs".into(),
                resource_id: "q".into(),
                action: Action::Upsert,
                renamed_to: None,
                event,
            };
            assert_eq!(found, [expected]);
        }
    }

    #[test]
    fn the_same_event_again_adds_nothing_but_a_changed_action_is_kept() {
        let event = full_event();
        let (_folder, mut store) = store_with(vec![touching(&event, "sqs", "q", Action::Create)]);
        let mut add = |action| {
            let events = vec![touching(&event, "sqs", "q", action)];
            store.add(&Batch { events, ..Batch::default() }).unwrap().ids
        };
        assert_eq!((add(Action::Create), add(Action::Upsert), add(Action::Upsert)), (0, 1, 0));
        assert_eq!(store.events_of_resource("q").unwrap()[0].action, Action::Upsert);
    }

    #[test]
    fn facts_that_the_first_source_lacked_are_filled_in_and_none_is_replaced() {
        let full = full_event();
        let poor = Event {
            user_agent: Some("another agent".to_owned()),
            identity: Identity { source_identity: None, ..full.identity.clone() },
            ..full.clone()
        };
        let (_folder, mut store) = store_with(vec![touching(&poor, "sqs", "q", Action::Create)]);
        let mut add = |event| {
            let events = vec![touching(event, "sqs", "q", Action::Create)];
            store.add(&Batch { events, ..Batch::default() }).unwrap().ids
        };
        assert_eq!((add(&full), add(&poor), add(&full)), (1, 0, 0));
        let filled = Event { user_agent: poor.user_agent.clone(), ..full };
        assert_eq!(store.events_of_resource("q").unwrap()[0].event, filled);
    }

    #[test]
    fn the_facts_are_the_columns_that_may_be_null() {
        let (_folder, store) = store_with(vec![]);
        let mut statement = store
            .connection
            .prepare("SELECT name FROM pragma_table_info('resource_events') WHERE NOT \"notnull\"")
            .unwrap();
        let nullable: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(facts().chain([RENAMED_TO]).collect::<Vec<_>>(), nullable);
    }

    #[test]
    fn events_come_by_time_from_one_region_or_all() {
        let (_folder, store) = store_with(vec![
            touching(&event("e3", "1", "a", "2024-01-03T00:00:00Z"), "sqs", "q", Action::Create),
            touching(&event("e1", "1", "b", "2024-01-01T00:00:00Z"), "sqs", "q", Action::Delete),
            touching(&event("e2", "1", "a", "2024-01-02T00:00:00Z"), "sqs", "p", Action::Upsert),
            touching(&event("e4", "1", "a", "2024-01-02T00:00:00Z"), "sns", "t", Action::Create),
            touching(&event("e5", "2", "a", "2024-01-02T00:00:00Z"), "sqs", "q", Action::Create),
        ]);
        let account = AccountId::from("1");
        let ids = |region: Option<&str>| {
            let mut ids = Vec::new();
            let region = region.map(Region::from);
            let mut each = |event: StoredEvent| ids.push(event.event.event_id);
            store.events_of_type(&"sqs".into(), &account, region.as_ref(), &mut each).unwrap();
            ids
        };
        assert_eq!(ids(None), ["e1", "e2", "e3"]);
        assert_eq!(ids(Some("a")), ["e2", "e3"]);
        let counts = |region: Option<&str>| {
            let counts = store.creation_counts(&account, region.map(Region::from).as_ref()).unwrap();
            let mut counts: Vec<_> = counts.into_iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            counts.sort();
            counts
        };
        assert_eq!(counts(None), ["sns 1", "sqs 2"]);
        assert_eq!(counts(Some("b")), Vec::<String>::new());
    }

    #[test]
    fn a_resource_is_found_by_its_id_its_arn_or_the_last_part() {
        let ids = [
            "https://sqs.r.amazonaws.com/1/name",
            "arn:aws:sns:r:1:name",
            "name",
            "/aws/lambda/name",
            "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/name/50dc6c495c0c9188",
            "my-name",
        ];
        let event = event("e", "1", "r", "2024-01-01T00:00:00Z");
        let (_folder, store) = store_with(ids.iter().map(|id| touching(&event, "t", id, Action::Create)).collect());
        let found = |query: &str| -> Vec<String> {
            store.events_of_resource(query).unwrap().iter().map(|event| event.resource_id.to_string()).collect()
        };
        let [url, arn, name, path, balancer, my_name] = ids;
        assert_eq!(found(name), [arn, url, name]);
        assert_eq!(found(url), [arn, url, name]);
        assert_eq!(found(arn), [arn, url, name]);
        assert_eq!(found("arn:aws:iam::1:role/team/name"), [url, name]);
        assert_eq!(found("arn:aws:sqs:r:2:name"), Vec::<String>::new());
        assert_eq!(found("arn:aws:sqs:other:1:name"), Vec::<String>::new());
        assert_eq!(found("arn:aws:logs:r:1:log-group:/aws/lambda/name:*"), [path, url, name]);
        assert_eq!(found(path), [path]);
        assert_eq!(found("app/name/50dc6c495c0c9188"), [balancer]);
        assert_eq!(found(my_name), [my_name]);
        assert_eq!(found("ame"), Vec::<String>::new());
    }

    #[test]
    fn an_arn_prefers_the_events_of_its_service() {
        let queue = event("e1", "1", "r", "2024-01-01T00:00:00Z");
        let role = Event { source: "iam.amazonaws.com".to_owned(), ..event("e2", "1", "r", "2024-01-01T00:00:00Z") };
        let (_folder, store) = store_with(vec![
            touching(&queue, "sqs", "name", Action::Create),
            touching(&role, "iam-role", "name", Action::Create),
        ]);
        let types = |query: &str| -> Vec<String> {
            store.events_of_resource(query).unwrap().iter().map(|event| event.resource_type.to_string()).collect()
        };
        assert_eq!(types("name"), ["iam-role", "sqs"]);
        assert_eq!(types("arn:aws:iam::1:role/name"), ["iam-role"]);
        assert_eq!(types("arn:aws:other::1:name"), ["iam-role", "sqs"]);
    }

    #[test]
    fn reading_goes_by_keys_and_not_through_the_whole_table() {
        let (_folder, store) = store_with(vec![]);
        let plan = |sql: &str| -> String {
            let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
            rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
        };
        let by_id = plan(&format!("SELECT {COLUMNS} FROM resource_events WHERE {} = 'x'", last_part("resource_id")));
        assert!(by_id.contains("resource_events_by_last_part"), "{by_id}");
        let by_account = plan("SELECT 1 FROM resource_events WHERE account_id = 'x' AND region = 'y'");
        assert!(by_account.contains("PRIMARY KEY (account_id=? AND region=?)"), "{by_account}");
        let renamed = "SELECT 1 FROM resource_events WHERE renamed_to IS NOT NULL";
        let by_new_name = plan(&format!("{renamed} AND {} = 'x'", last_part("renamed_to")));
        assert!(by_new_name.contains("resource_events_by_new_name"), "{by_new_name}");
    }

    #[test]
    fn the_events_view_has_the_predecessors_values() {
        let with = |id: &str, change: &dyn Fn(&mut Event)| {
            let mut event = event(id, "1", "r", &format!("2023-07-10T11:54:3{}Z", &id[1..]));
            event.identity.kind = Some("IAMUser".to_owned());
            event.identity.arn = Some(format!("arn:aws:iam::1:user/{id}"));
            event.source_ip = Some("192.0.2.1".to_owned());
            change(&mut event);
            event
        };
        let kind = |kind: &str| Some(kind.to_owned());
        let events = [
            with("e1", &|event| event.user_agent = Some("agent".to_owned())),
            with("e2", &|event| event.identity.kind = kind("Root")),
            with("e3", &|event| {
                event.identity.kind = kind("SAMLUser");
                event.identity.user_name = Some("sam".to_owned());
            }),
            with("e4", &|event| {
                event.identity = Identity { invoked_by: Some("AWS Internal".to_owned()), ..Identity::default() };
            }),
        ];
        let mut rows: Vec<_> = events.iter().map(|event| touching(event, "sqs", "q", Action::Create)).collect();
        rows.push(touching(&with("e5", &|_| {}), "sqs", "q", Action::Delete));
        let (_folder, store) = store_with(rows);
        let mut statement = store.connection.prepare("SELECT * FROM events ORDER BY event_date").unwrap();
        let columns = statement.column_names().collect::<Vec<_>>().join(" ");
        assert_eq!(
            columns,
            "account_id region event_date event_name event_source user_agent client_ip user_id rtype resource_ids"
        );
        let rows = statement.query_map([], |row| {
            let fields: Result<Vec<String>, _> = (0..10).map(|column| row.get(column)).collect();
            Ok(fields?.join("|"))
        });
        let row = |second: u8, agent: &str, user: &str| {
            format!("1|r|2023-07-10T11:54:3{second}Z|CreateX|sqs.amazonaws.com|{agent}|192.0.2.1|{user}|sqs|q")
        };
        assert_eq!(
            rows.unwrap().map(Result::unwrap).collect::<Vec<_>>(),
            [
                row(1, "agent", "arn:aws:iam::1:user/e1"),
                row(2, "", "root"),
                row(3, "", "sam"),
                row(4, "", "AWS Internal")
            ]
        );
    }
}
