//! Databases for tests, in one line each.

use crate::model::event::{ResourceEvent, Touched};
use crate::plan::test_data::stored;
use crate::store::{Batch, Store};

/// A database with create events of account 123456789012 in `eu-west-1`: type, ID and user of each.
pub(crate) fn store_with(rows: &[(&str, &str, &str)]) -> Store {
    let mut store = Store::in_memory().unwrap();
    let event = |&(name, id, user): &(&str, &str, &str)| {
        let row = stored("create", id, user, "2026-03-01T10:00:00Z");
        let touched = Touched {
            resource_type: name.into(),
            resource_id: id.into(),
            action: row.action,
            names: Vec::new(),
            renamed_to: None,
        };
        ResourceEvent { event: row.event, touched: vec![touched], sessions: Vec::new() }
    };
    store.add(&Batch { events: rows.iter().map(event).collect(), ..Batch::default() }).unwrap();
    store
}
