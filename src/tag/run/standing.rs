//! Which writes of a run can be undone, and which are left to make.

use std::collections::BTreeSet;

use crate::model::RunId;
use crate::packed_list::PackedList;
use crate::store::journal::{RunWrite, WriteState};
use crate::store::{Store, StoreError};

/// A run's writes that were made, or may have been, as far as no other run undid them.
#[derive(Debug)]
pub struct Standing {
    /// The writes.
    pub writes: PackedList<RunWrite>,
    /// How many were undone.
    pub undone: usize,
    /// The undo runs.
    pub by: BTreeSet<RunId>,
}

/// What of a run can be undone.
///
/// # Errors
/// SQLite's.
pub fn standing(store: &Store, run: RunId) -> Result<Standing, StoreError> {
    let by_position = store.undone(run)?;
    let (mut writes, mut undone) = (PackedList::new(), 0);
    store.each_write_of(run, &mut |row| {
        match was_made(row.outcome.state()) {
            true if by_position.contains_key(&row.write.position) => undone += 1,
            true => writes.push(&row),
            false => {}
        }
        Ok(())
    })?;
    Ok(Standing { undone, writes, by: by_position.into_values().collect() })
}

/// The writes of a run that resuming it goes on with. Of a long run that was interrupted near its end they are few.
///
/// # Errors
/// SQLite's.
pub fn open_writes(store: &Store, run: RunId) -> Result<PackedList<RunWrite>, StoreError> {
    let mut writes = PackedList::new();
    store.each_write_of(run, &mut |row| {
        if row.outcome.state().is_open() {
            writes.push(&row);
        }
        Ok(())
    })?;
    Ok(writes)
}

/// Whether AWS has made a write in this state, or may have.
pub(super) fn was_made(state: WriteState) -> bool {
    state == WriteState::Written || state.may_be_made()
}
