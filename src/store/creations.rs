//! Resource events: written by loaders, read by the tagger and by `who`.

use std::collections::HashMap;

use super::{Store, StoreError};
use crate::names::{AccountId, Region, ResourceType};
pub use crate::trail::record::StoredEvent;

impl Store {
    /// How many creations (not deletions) there are per type in an account; with `region`, in that region, else in all.
    ///
    /// # Errors
    /// SQLite's.
    pub fn creation_counts(
        &self,
        _account: &AccountId,
        _region: Option<&Region>,
    ) -> Result<HashMap<ResourceType, u64>, StoreError> {
        todo!()
    }

    /// The events of a type in an account, ordered by time then event id, streamed to `each`. With `region`, those of
    /// that region, else of all (global types).
    ///
    /// # Errors
    /// SQLite's.
    pub fn events_of_type(
        &self,
        _resource_type: &ResourceType,
        _account: &AccountId,
        _region: Option<&Region>,
        _each: &mut dyn FnMut(StoredEvent),
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// All events of resources that `query` may name: the id itself, an ARN of it, or the last part of an id that is an ARN
    /// or a URL. Ordered by account, region, type, id, time.
    ///
    /// # Errors
    /// SQLite's.
    pub fn events_of_resource(&self, _query: &str) -> Result<Vec<StoredEvent>, StoreError> {
        todo!()
    }
}
