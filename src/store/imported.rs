//! Rows that were imported from c7n-trailcreator's database, beside those that trails told.
//!
//! A trail tells more than that database does (the event's id, all of who called), so its row stands in place of the equal
//! imported one, whichever came first. Equal are two rows of one account, region, second, call, type and id.

use rusqlite::{Statement, Transaction, params};

use super::StoreError;
use crate::trail::record::{Event, ResourceEvent, Touched};

/// How the ids of imported events begin. CloudTrail's own are hexadecimal.
pub const ID_PREFIX: &str = "imported-";

/// Where imported databases stand in the ledger; each is entered with the first of its rows.
pub const LEDGER_PREFIX: &str = "import:";

/// The rows with [`ID_PREFIX`]: a range of the key, whose end is the prefix with its last character's successor.
const IS_IMPORTED: &str = "event_id >= 'imported-' AND event_id < 'imported.'";

/// What makes two rows equal, but for the event's id.
const IS_EQUAL: &str = "account_id = ?1 AND region = ?2 AND event_time = ?3 AND event_name = ?4 AND event_source = ?5 \
     AND resource_type = ?6 AND resource_id = ?7";

macro_rules! equal_to {
    ($event:ident, $touched:ident) => {
        params![
            $event.account_id,
            $event.region,
            $event.time,
            $event.name,
            $event.source,
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
    find_told: Statement<'t>,
    forget_other_ids: Statement<'t>,
    /// `None` where nothing was ever imported: then loads need not look.
    make_way: Option<Statement<'t>>,
}

impl<'t> Imported<'t> {
    pub(super) fn new(transaction: &'t Transaction<'_>) -> Result<Self, StoreError> {
        let find_told = transaction
            .prepare(&format!("SELECT 1 FROM resource_events WHERE {IS_EQUAL} AND NOT ({IS_IMPORTED}) LIMIT 1"))?;
        let forget_other_ids = transaction.prepare(
            "DELETE FROM resource_events WHERE account_id = ?1 AND region = ?2 AND event_time = ?3 AND event_id = ?4 \
             AND resource_id NOT IN (SELECT value FROM json_each(?5))",
        )?;
        let anything =
            transaction.prepare("SELECT 1 FROM ledger_prefixes WHERE prefix = ?1")?.exists([LEDGER_PREFIX])?;
        let make_way = anything
            .then(|| transaction.prepare(&format!("DELETE FROM resource_events WHERE {IS_EQUAL} AND {IS_IMPORTED}")))
            .transpose()?;
        Ok(Self { find_told, forget_other_ids, make_way })
    }

    /// Whether a trail told what an imported row would tell.
    pub(super) fn is_told(&mut self, event: &Event, touched: &Touched) -> Result<bool, StoreError> {
        Ok(self.find_told.exists(equal_to!(event, touched))?)
    }

    /// Forgets the rows that an earlier import made of the same event with other ids: another resource map told otherwise
    /// where one id ends and the next begins.
    pub(super) fn forget_other_ids(&mut self, imported: &ResourceEvent) -> Result<(), StoreError> {
        let ResourceEvent { event, touched } = imported;
        let ids: Vec<&str> = touched.iter().map(|touched| touched.resource_id.as_str()).collect();
        let ids = serde_json::to_string(&ids).expect("texts are JSON");
        self.forget_other_ids.execute(params![event.account_id, event.region, event.time, event.event_id, ids])?;
        Ok(())
    }

    /// Takes away the imported rows that a trail's new row stands for; says whether there were any.
    pub(super) fn make_way(&mut self, event: &Event, touched: &Touched) -> Result<bool, StoreError> {
        let Some(statement) = &mut self.make_way else { return Ok(false) };
        Ok(statement.execute(equal_to!(event, touched))? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::ledger::{Batch, Fingerprint, ReadUnit};
    use crate::trail::record::Action;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("creators.db")).unwrap();
        let version = Fingerprint::of(&[b"begun"]);
        let begun = ReadUnit { prefix: LEDGER_PREFIX.to_owned(), name: "c7n.db".to_owned(), version };
        store.add(&Batch { units: vec![begun], ..Batch::default() }).unwrap();
        (folder, store)
    }

    /// An event of a queue's creation, changed.
    fn event(id: &str, ids: &[&str], change: &dyn Fn(&mut Event)) -> ResourceEvent {
        let mut event = Event {
            event_id: id.to_owned(),
            account_id: "1".to_owned(),
            region: "r".to_owned(),
            time: "2024-01-01T00:00:00Z".to_owned(),
            name: "CreateQueue".to_owned(),
            source: "sqs.amazonaws.com".to_owned(),
            ..Event::default()
        };
        change(&mut event);
        let touched = |id: &&str| Touched {
            resource_type: "sqs".into(),
            resource_id: (*id).into(),
            action: Action::Create,
            renamed_to: None,
        };
        ResourceEvent { event, touched: ids.iter().map(touched).collect() }
    }

    fn add(store: &mut Store, event: ResourceEvent) -> u64 {
        store.add(&Batch { events: vec![event], ..Batch::default() }).unwrap().ids
    }

    /// `event id, resource id` of all rows.
    fn rows(store: &Store) -> Vec<String> {
        let query = "SELECT event_id || ' ' || resource_id FROM resource_events ORDER BY 1";
        let mut statement = store.connection.prepare(query).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn equal_rows_are_the_trails_in_either_order() {
        for imported_first in [true, false] {
            let (_folder, mut store) = store();
            let both = [event("imported-1", &["q"], &|_| {}), event("0a", &["q"], &|_| {})];
            let both: Vec<_> = if imported_first { both.into() } else { both.into_iter().rev().collect() };
            let added: Vec<u64> = both.into_iter().map(|event| add(&mut store, event)).collect();
            assert_eq!((rows(&store), added), (vec!["0a q".to_owned()], vec![1, 0]), "{imported_first}");
        }
    }

    #[test]
    fn rows_that_differ_in_anything_stay_beside_each_other() {
        let changes: [&dyn Fn(&mut Event); 5] = [
            &|event| event.account_id = "2".to_owned(),
            &|event| event.region = "s".to_owned(),
            &|event| event.time = "2024-01-01T00:00:01Z".to_owned(),
            &|event| event.name = "CreateOther".to_owned(),
            &|event| event.source = "other.amazonaws.com".to_owned(),
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
    fn an_event_that_is_imported_with_other_ids_has_these_alone() {
        let (_folder, mut store) = store();
        add(&mut store, event("imported-2", &["a ,b"], &|_| {}));
        add(&mut store, event("imported-1", &["a ,b"], &|_| {}));
        assert_eq!(add(&mut store, event("imported-1", &["a", "b"], &|_| {})), 2);
        assert_eq!(rows(&store), ["imported-1 a", "imported-1 b", "imported-2 a ,b"]);
        assert_eq!(add(&mut store, event("imported-1", &["a", "b"], &|_| {})), 0);
    }

    #[test]
    fn equal_rows_are_found_by_the_key() {
        let (_folder, store) = store();
        for of_event in [IS_IMPORTED, "event_id = 'x'"] {
            let sql = format!("EXPLAIN QUERY PLAN SELECT 1 FROM resource_events WHERE {IS_EQUAL} AND {of_event}");
            let plan: String = store.connection.query_row(&sql, [""; 7], |row| row.get(3)).unwrap();
            assert!(plan.contains("PRIMARY KEY (account_id=? AND region=? AND event_time=?"), "{plan}");
        }
    }
}
