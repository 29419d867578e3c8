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
