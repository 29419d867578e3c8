//! Adding events: a batch of rows, the ledger's entries and the sessions in one transaction.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Transaction, TransactionBehavior};

use super::creations::{COLUMNS, join_names};
use super::imported::{Imported, is_imported};
use super::ledger::{ClosedDay, ReadUnit, days, enter};
use super::lookup::LookupInserter;
use super::prune::Forgotten;
use super::sessions::SessionInserter;
use super::{Store, StoreError};
use crate::model::ResourceId;
use crate::model::event::{Action, Event, ResourceEvent, Touched};

/// The number of [`COLUMNS`].
const COLUMN_COUNT: usize = 28;

/// The first column that can be NULL, because an event can lack the fact.
const FIRST_FACT: usize = 9;

/// Can be NULL too, but comes from the resource map, like the action.
pub(super) const RENAMED_TO: &str = "renamed_to";

/// The names too.
const NAMES: &str = "names";

/// The contents of one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events.
    pub events: Vec<ResourceEvent>,
    /// Units with all their events in this batch or in earlier ones.
    pub units: Vec<ReadUnit>,
    /// Days with the last unit in this batch or in an earlier one.
    pub closed: Vec<ClosedDay>,
}

/// The result of a transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// Rows that are new or changed. A row is an event with one resource ID.
    pub ids: u64,
    /// Sessions that are new.
    pub sessions: u64,
    /// Sessions that were dropped because the database keeps a limited number.
    pub dropped_sessions: u64,
    /// Rows that were not stored because their time was pruned with the creators.
    pub pruned: u64,
}

impl Store {
    /// Adds a batch in one transaction.
    ///
    /// # Errors
    /// The database fails. Then nothing of the batch is stored.
    pub fn add(&mut self, batch: &Batch) -> Result<Added, StoreError> {
        self.add_parts(&batch.events, &batch.units, &batch.closed)
    }

    /// Adds the contents of a batch in one transaction: its events, units and closed days.
    ///
    /// # Errors
    /// The database fails. Then nothing of the batch is stored.
    pub fn add_parts<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e ResourceEvent>,
        units: &[ReadUnit],
        closed: &[ClosedDay],
    ) -> Result<Added, StoreError> {
        self.check_in_place()?;
        // Rows with neighboring keys are on one page. The sort is stable: of events with the same key, the first one with a fact sets it, and
        // the last one sets the action.
        let mut events: Vec<&ResourceEvent> = events.into_iter().collect();
        events.sort_by(|one, other| key(&one.event).cmp(&key(&other.event)));
        let transaction = Transaction::new(&mut self.connection, TransactionBehavior::Immediate)?;
        let mut added = Added::default();
        let mut inserter = Inserter::new(&transaction)?;
        for event in events {
            inserter.insert(event, &mut added)?;
        }
        inserter.finish(&transaction)?;
        added.dropped_sessions = self.bound.keep(&transaction, added.sessions)?;
        // Their rows would be deleted immediately.
        let prefixes: HashSet<&str> = closed.iter().map(|day| day.prefix.as_str()).collect();
        enter(&transaction, units.iter().filter(|unit| !prefixes.contains(unit.prefix.as_str())))?;
        days::close(&transaction, closed)?;
        transaction.commit()?;
        Ok(added)
    }
}

/// An event's part of the key of its rows.
fn key(event: &Event) -> [&str; 4] {
    [event.account_id.as_str(), event.region.as_str(), event.time.as_str(), event.event_id.as_str()]
}

/// The value bound to a parameter. NULL at first: rusqlite clears the values when a statement returns to its cache.
#[derive(Debug, Default)]
struct Bound {
    is_text: bool,
    /// The last text.
    text: String,
}

impl Bound {
    /// Remembers the value as bound. Returns whether it differs from the one before.
    fn is_changed_to(&mut self, value: Option<&str>) -> bool {
        if value == self.is_text.then_some(self.text.as_str()) {
            return false;
        }
        self.is_text = value.is_some();
        if let Some(value) = value {
            self.text.clear();
            self.text.push_str(value);
        }
        true
    }
}

/// Writes events within a transaction.
pub(super) struct Inserter<'t> {
    statement: CachedStatement<'t>,
    /// The values bound to its parameters. SQLite keeps them from row to row. Most are the same in the next row, and comparing a value takes less
    /// time than binding it.
    bound: [Bound; COLUMN_COUNT],
    lookup: LookupInserter<'t>,
    imported: Imported<'t>,
    sessions: SessionInserter<'t>,
    forgotten: Option<Forgotten>,
}

impl<'t> Inserter<'t> {
    pub(super) fn new(transaction: &'t Transaction<'_>) -> Result<Self, StoreError> {
        let values = ["?"; COLUMN_COUNT].join(", ");
        // The same event is the same when it is read again. But a changed resource map can change its action, and a source
        // can have facts that the first one lacked (Athena's usual table has no source identity).
        let facts = facts();
        let filled: Vec<String> =
            facts.clone().map(|fact| format!("{fact} = COALESCE({fact}, excluded.{fact})")).collect();
        let news: Vec<String> = facts.map(|fact| format!("{fact} IS NULL AND excluded.{fact} IS NOT NULL")).collect();
        let statement = transaction.prepare_cached(&format!(
            "INSERT INTO resource_events ({COLUMNS}) VALUES ({values}) \
             ON CONFLICT DO UPDATE SET action = excluded.action, {RENAMED_TO} = excluded.{RENAMED_TO}, \
             {NAMES} = COALESCE(excluded.{NAMES}, {NAMES}), {} \
             WHERE action <> excluded.action OR {RENAMED_TO} IS NOT excluded.{RENAMED_TO} \
             OR (excluded.{NAMES} IS NOT NULL AND {NAMES} IS NOT excluded.{NAMES}) OR {}",
            filled.join(", "),
            news.join(" OR ")
        ))?;
        Ok(Self {
            statement,
            bound: Default::default(),
            lookup: LookupInserter::new(transaction)?,
            imported: Imported::new(transaction)?,
            sessions: SessionInserter::new(transaction),
            forgotten: Forgotten::of(transaction)?,
        })
    }

    /// Writes an event's rows, and returns how many are new or changed. An imported event adds only rows that no trail has;
    /// a trail's event replaces the imported one. Sessions go into their own tables.
    pub(super) fn insert(&mut self, resource_event: &ResourceEvent, added: &mut Added) -> Result<(), StoreError> {
        let ResourceEvent { event, touched, sessions } = resource_event;
        if let Some(forgotten) = self.forgotten.as_ref().filter(|forgotten| event.time < forgotten.before) {
            added.pruned += touched.len() as u64;
            if event.time >= forgotten.sessions_before {
                self.insert_sessions(sessions, event, added)?;
            }
            return Ok(());
        }
        let is_imported = is_imported(event);
        if is_imported {
            self.imported.forget_other_ids(resource_event)?;
        }
        self.insert_sessions(sessions, event, added)?;
        for touched in touched {
            if is_imported && self.imported.is_known(event, touched)? {
                continue;
            }
            let written = self.write(event, touched)?;
            let was_imported = written && !is_imported && self.imported.make_way(event, touched)?;
            added.ids += u64::from(written && !was_imported);
        }
        Ok(())
    }

    /// Ends the batch. Without this, its rows are not found by their names.
    pub(super) fn finish(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        self.lookup.finish(transaction)
    }

    fn insert_sessions(&mut self, sessions: &[String], event: &Event, added: &mut Added) -> Result<(), StoreError> {
        for session in sessions {
            added.sessions += u64::from(self.sessions.insert(session, event)?);
        }
        Ok(())
    }

    /// Writes a row. Returns whether it is new or changed.
    fn write(&mut self, event: &Event, touched: &Touched) -> Result<bool, StoreError> {
        let identity = &event.identity;
        let action = if touched.action == Action::Rename { Action::Delete } else { touched.action };
        let names = (!touched.names.is_empty()).then(|| join_names(&touched.names));
        let row: [Option<&str>; COLUMN_COUNT] = [
            Some(event.account_id.as_str()),
            Some(event.region.as_str()),
            Some(event.time.as_str()),
            Some(event.event_id.as_str()),
            Some(touched.resource_type.as_str()),
            Some(touched.resource_id.as_str()),
            Some(action.as_str()),
            Some(event.name.as_str()),
            Some(event.source.as_str()),
            event.user_agent.as_deref(),
            event.source_ip.as_deref(),
            event.shared_event_id.as_deref(),
            identity.kind.as_deref(),
            identity.arn.as_deref(),
            identity.user_name.as_deref(),
            identity.principal_id.as_deref(),
            identity.account_id.as_deref(),
            identity.access_key_id.as_deref(),
            identity.issuer_type.as_deref(),
            identity.issuer_arn.as_deref(),
            identity.issuer_user_name.as_deref(),
            identity.source_identity.as_deref(),
            identity.on_behalf_of_user_id.as_deref(),
            identity.on_behalf_of_store_arn.as_deref(),
            identity.invoked_by.as_deref(),
            identity.federated_provider.as_deref(),
            touched.renamed_to.as_ref().map(ResourceId::as_str),
            names.as_deref(),
        ];
        for ((value, bound), index) in row.into_iter().zip(&mut self.bound).zip(1..) {
            if bound.is_changed_to(value) {
                self.statement.raw_bind_parameter(index, value)?;
            }
        }
        let is_written = self.statement.raw_execute()? > 0;
        if is_written {
            self.lookup.insert(event, touched.resource_id.as_str(), names.as_deref())?;
        }
        Ok(is_written)
    }
}

/// The columns of facts that one source can have and another lack.
pub(super) fn facts() -> impl Iterator<Item = &'static str> + Clone {
    COLUMNS.split(", ").skip(FIRST_FACT).filter(|column| ![RENAMED_TO, NAMES].contains(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The create event of a queue.
    fn event(number: usize) -> ResourceEvent {
        let agent = (!number.is_multiple_of(3)).then(|| format!("agent {number}").into());
        let event = Event {
            event_id: format!("e{number}").into(),
            account_id: "1".into(),
            region: "r".into(),
            time: "2024-01-01T00:00:00Z".into(),
            user_agent: agent,
            ..Event::default()
        };
        let touched = Touched {
            resource_type: "sqs".into(),
            resource_id: format!("queue/q{number}").into(),
            action: Action::Create,
            names: Vec::new(),
            renamed_to: None,
        };
        ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
    }

    fn add(store: &mut Store, events: Vec<ResourceEvent>) -> u64 {
        store.add(&Batch { events, ..Batch::default() }).unwrap().ids
    }

    /// ID and user agent of all rows.
    fn rows(store: &Store) -> Vec<(String, Option<String>)> {
        let mut rows =
            store.connection.prepare("SELECT resource_id, user_agent FROM resource_events ORDER BY event_id").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn rows_are_found_by_their_names_after_a_batch() {
        for count in [1, 50] {
            let mut store = Store::in_memory().unwrap();
            assert_eq!(add(&mut store, (0..count).map(event).collect()), count as u64);
            let mut expected: Vec<_> = (0..count).map(event).collect();
            expected.sort_by(|one, other| one.event.event_id.cmp(&other.event.event_id));
            let expected = expected.iter().map(|ResourceEvent { event, touched, .. }| {
                (touched[0].resource_id.to_string(), event.user_agent.as_deref().map(str::to_owned))
            });
            assert_eq!(rows(&store), expected.collect::<Vec<_>>());
            for number in 0..count {
                assert_eq!(found(&store, &format!("q{number}")), [format!("queue/q{number}")]);
            }
        }
    }

    #[test]
    fn only_rows_that_are_new_or_changed_count() {
        let mut store = Store::in_memory().unwrap();
        let some = || (0..16).map(event);
        assert_eq!(add(&mut store, some().chain(some()).collect()), 16, "each twice");
        assert_eq!(add(&mut store, some().collect()), 0);
        assert_eq!(add(&mut store, (4..24).map(event).collect()), 8);
        let mut changed = event(0);
        changed.event.source_ip = Some("192.0.2.1".into());
        assert_eq!(add(&mut store, (1..8).map(event).chain([changed]).collect()), 1);
        assert_eq!(rows(&store).len(), 24);
    }

    #[test]
    fn a_batch_begins_without_the_values_of_the_batch_before() {
        let mut store = Store::in_memory().unwrap();
        add(&mut store, vec![event(1)]);
        add(&mut store, vec![event(3)]);
        store
            .connection
            .execute_batch(
                "CREATE TEMP TRIGGER refuse BEFORE INSERT ON resource_events WHEN new.event_id = 'e5'
                 BEGIN SELECT RAISE(ABORT, 'no'); END",
            )
            .unwrap();
        let refused = Batch { events: vec![event(4), event(5)], ..Batch::default() };
        assert!(store.add(&refused).is_err());
        add(&mut store, vec![event(6)]);
        let agents: Vec<_> = rows(&store).into_iter().map(|(_, agent)| agent).collect();
        assert_eq!(agents, [Some("agent 1".to_owned()), None, None]);
    }

    #[test]
    fn of_equal_keys_in_a_batch_the_first_fact_counts() {
        let mut store = Store::in_memory().unwrap();
        let with = |agent: Option<&str>| {
            let mut event = event(1);
            event.event.user_agent = agent.map(Into::into);
            event
        };
        add(&mut store, vec![with(None), event(2), with(Some("first")), event(0), with(Some("second"))]);
        assert_eq!(rows(&store)[1].1.as_deref(), Some("first"));
    }

    fn found(store: &Store, part: &str) -> Vec<String> {
        let mut found = Vec::new();
        store.each_row_by_last_part(part, &mut |row| found.push(row.resource_id.to_string())).unwrap();
        found
    }
}
