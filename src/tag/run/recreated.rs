//! Resources that were created again under the name of the one that a plan or an earlier run was about.

use crate::creator::creation_of;
use crate::model::AccountId;
use crate::model::event::Event;
use crate::resource_map::naming::Naming;
use crate::store::journal::Write;
use crate::store::{Store, StoreError};

/// The create event of the resource that has the name now, if the database knows that it is another one than the write was about:
/// it was created after the write was made (`written_at`), or else after the event that the write rests on.
///
/// # Errors
/// SQLite's.
pub(super) fn newer_creation(
    store: &Store,
    naming: &Naming,
    account: &AccountId,
    write: &Write,
    written_at: Option<&str>,
) -> Result<Option<Event>, StoreError> {
    let mut events = store.events_of_resource(naming, write.id.as_str())?;
    events.retain(|stored| stored.event.account_id == *account && stored.resource_type == write.resource_type);
    events
        .sort_by(|one, other| (&one.event.time, &one.event.event_id).cmp(&(&other.event.time, &other.event.event_id)));
    let rests_on = |event: &Event| Some(event.event_id.as_str()) == write.event_id.as_deref();
    let own = events.iter().map(|stored| &stored.event).find(|event| rests_on(event));
    let Some(since) = written_at.or(own.map(|event| event.time.as_str())) else { return Ok(None) };
    let creation = creation_of(&events).map(|stored| &stored.event);
    Ok(creation.filter(|event| event.time.as_str() > since && !rests_on(event)).cloned())
}
