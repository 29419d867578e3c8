//! Events that were imported from a database of c7n-trailcreator, beside those from trails.
//!
//! A trail has more facts than that database (the event ID, the complete caller). So its event replaces the matching
//! imported one, in either order. Two rows match if account, region, second, event name, type and ID are the same.

use rusqlite::{Statement, Transaction, params};

use super::StoreError;
use crate::model::event::{Event, ResourceEvent, Touched};

/// The prefix of imported event IDs. CloudTrail's are hexadecimal.
pub const ID_PREFIX: &str = "imported-";

/// The prefix of imported databases in the ledger. Each is entered with its first row.
pub const LEDGER_PREFIX: &str = "import:";

/// The rows with [`ID_PREFIX`]: a range of the key. Its end is the prefix with the last character replaced by the next one.
const IS_IMPORTED: &str = "event_id >= 'imported-' AND event_id < 'imported.'";

/// Two rows match if these are equal.
const IS_EQUAL: &str = "account_id = ?1 AND region = ?2 AND event_time = ?3 AND event_name = ?4 AND event_source = ?5 \
     AND resource_type = ?6 AND resource_id = ?7";

macro_rules! equal_to {
    ($event:ident, $touched:ident) => {
        params![
            $event.account_id.as_str(),
            $event.region.as_str(),
            $event.time.as_str(),
            $event.name.as_str(),
            $event.source.as_str(),
            $touched.resource_type.as_str(),
            $touched.resource_id.as_str()
        ]
    };
}

/// Whether an event was imported.
pub(super) fn is_imported(event: &Event) -> bool {
    event.event_id.starts_with(ID_PREFIX)
}

/// Keeps imported rows and those of trails apart, within a transaction.
pub(super) struct Imported<'t> {
    transaction: &'t Transaction<'t>,
    /// `None` if nothing was ever imported. Loads then need no lookups.
    make_way: Option<Statement<'t>>,
}

impl<'t> Imported<'t> {
    pub(super) fn new(transaction: &'t Transaction<'t>) -> Result<Self, StoreError> {
        let anything =
            transaction.prepare_cached("SELECT 1 FROM ledger_prefixes WHERE prefix = ?1")?.exists([LEDGER_PREFIX])?;
        let make_way = anything
            .then(|| transaction.prepare(&format!("DELETE FROM resource_events WHERE {IS_EQUAL} AND {IS_IMPORTED}")))
            .transpose()?;
        Ok(Self { transaction, make_way })
    }

    /// Whether a trail has the event of an imported row.
    pub(super) fn is_known(&mut self, event: &Event, touched: &Touched) -> Result<bool, StoreError> {
        let query = format!("SELECT 1 FROM resource_events WHERE {IS_EQUAL} AND NOT ({IS_IMPORTED}) LIMIT 1");
        Ok(self.transaction.prepare_cached(&query)?.exists(equal_to!(event, touched))?)
    }

    /// Deletes the rows of the same event from an earlier import with other IDs: the resource map of that import split the
    /// text with the IDs differently.
    pub(super) fn forget_other_ids(&mut self, imported: &ResourceEvent) -> Result<(), StoreError> {
        let ResourceEvent { event, touched, .. } = imported;
        let ids: Vec<&str> = touched.iter().map(|touched| touched.resource_id.as_str()).collect();
        let ids = serde_json::to_string(&ids).expect("texts are JSON");
        let mut forget = self.transaction.prepare_cached(
            "DELETE FROM resource_events WHERE account_id = ?1 AND region = ?2 AND event_time = ?3 AND event_id = ?4 \
             AND resource_id NOT IN (SELECT value FROM json_each(?5))",
        )?;
        forget.execute(params![
            event.account_id.as_str(),
            event.region.as_str(),
            event.time.as_str(),
            event.event_id.as_str(),
            ids
        ])?;
        Ok(())
    }

    /// Deletes the imported rows that a new row of a trail replaces. Returns whether there were any.
    pub(super) fn make_way(&mut self, event: &Event, touched: &Touched) -> Result<bool, StoreError> {
        let Some(statement) = &mut self.make_way else { return Ok(false) };
        Ok(statement.execute(equal_to!(event, touched))? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Action;
    use crate::store::Store;
    use crate::store::ledger::ReadUnit;
    use crate::store::{Batch, Fingerprint};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("creators.db")).unwrap();
        let version = Fingerprint::of(&[b"begun"]);
        let begun = ReadUnit { prefix: LEDGER_PREFIX.to_owned(), name: "c7n.db".to_owned(), version };
        store.add(&Batch { units: vec![begun], ..Batch::default() }).unwrap();
        (folder, store)
    }

    /// A modified create event of a queue.
    fn event(id: &str, ids: &[&str], change: &dyn Fn(&mut Event)) -> ResourceEvent {
        let mut event = Event {
            event_id: id.into(),
            account_id: "1".into(),
            region: "r".into(),
            time: "2024-01-01T00:00:00Z".into(),
            name: "CreateQueue".into(),
            source: "sqs.amazonaws.com".into(),
            ..Event::default()
        };
        change(&mut event);
        let touched = |id: &&str| Touched {
            resource_type: "sqs".into(),
            resource_id: (*id).into(),
            action: Action::Create,
            names: Vec::new(),
            renamed_to: None,
        };
        ResourceEvent { event, touched: ids.iter().map(touched).collect(), sessions: Vec::new() }
    }

    fn add(store: &mut Store, event: ResourceEvent) -> u64 {
        store.add(&Batch { events: vec![event], ..Batch::default() }).unwrap().ids
    }

    /// The event and resource IDs of all rows.
    fn rows(store: &Store) -> Vec<String> {
        let query = "SELECT event_id || ' ' || resource_id FROM resource_events ORDER BY 1";
        let mut statement = store.connection.prepare(query).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn trail_row_replaces_matching_row_in_either_order() {
        for imported_first in [true, false] {
            let (_folder, mut store) = store();
            let both = [event("imported-1", &["q"], &|_| {}), event("0a", &["q"], &|_| {})];
            let both: Vec<_> = if imported_first { both.into() } else { both.into_iter().rev().collect() };
            let added: Vec<u64> = both.into_iter().map(|event| add(&mut store, event)).collect();
            assert_eq!((rows(&store), added), (vec!["0a q".to_owned()], vec![1, 0]), "{imported_first}");
        }
    }

    #[test]
    fn rows_that_differ_are_kept_beside_each_other() {
        let changes: [&dyn Fn(&mut Event); 5] = [
            &|event| event.account_id = "2".into(),
            &|event| event.region = "s".into(),
            &|event| event.time = "2024-01-01T00:00:01Z".into(),
            &|event| event.name = "CreateOther".into(),
            &|event| event.source = "other.amazonaws.com".into(),
        ];
        for change in changes {
            let (_folder, mut store) = store();
            add(&mut store, event("imported-1", &["q"], &|_| {}));
            assert_eq!(add(&mut store, event("0a", &["q"], change)), 1);
            assert_eq!(add(&mut store, event("0b", &["other"], &|_| {})), 1);
            assert_eq!(rows(&store), ["0a q", "0b other", "imported-1 q"]);
        }
    }

    #[test]
    fn reimport_with_other_ids_replaces_the_earlier_ids() {
        let (_folder, mut store) = store();
        add(&mut store, event("imported-2", &["a ,b"], &|_| {}));
        add(&mut store, event("imported-1", &["a ,b"], &|_| {}));
        assert_eq!(add(&mut store, event("imported-1", &["a", "b"], &|_| {})), 2);
        assert_eq!(rows(&store), ["imported-1 a", "imported-1 b", "imported-2 a ,b"]);
        assert_eq!(add(&mut store, event("imported-1", &["a", "b"], &|_| {})), 0);
    }

    #[test]
    fn matching_rows_are_found_by_index() {
        let (_folder, store) = store();
        for of_event in [IS_IMPORTED, "event_id = 'x'"] {
            let sql = format!("EXPLAIN QUERY PLAN SELECT 1 FROM resource_events WHERE {IS_EQUAL} AND {of_event}");
            let plan: String = store.connection.query_row(&sql, [""; 7], |row| row.get(3)).unwrap();
            assert!(plan.contains("PRIMARY KEY (account_id=? AND region=? AND event_time=?"), "{plan}");
        }
    }
}
