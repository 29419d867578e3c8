//! The types that a report or a list looks at in each region of an account.

use crate::aws::{CallError, Session};
use crate::model::Region;
use crate::org::account_regions::regions_of;
use crate::org::targets::places;
use crate::org::{Account, RegionChoice};
use crate::resource_map::ResourceMap;
use crate::store::{Store, StoreError};
use crate::tag::chosen::{Chosen, RecordedTypes, TypeChoice};

/// Selects types and regions.
pub(super) struct AccountTypes<'j, 'm> {
    pub(super) map: &'m ResourceMap,
    /// The regions for all accounts. Empty: each account's own, else those with records.
    pub(super) regions: &'j [RegionChoice],
    pub(super) choice: TypeChoice<'j>,
}

impl<'m> AccountTypes<'_, 'm> {
    /// An account's records; `None` if there is nothing to look at.
    pub(super) fn recorded(&self, store: &Store, account: &Account) -> Result<Option<RecordedTypes>, StoreError> {
        let records = store.types_by_region(&account.id)?;
        let regions = regions_of(self.regions, account).given();
        Ok((!places(self.map, &records, regions.as_deref(), self.choice).is_empty()).then_some(records))
    }

    /// The types to look at, by region. Asks AWS for the enabled regions where all are wanted.
    pub(super) async fn places(
        &self,
        account: &Account,
        session: &Session,
        records: &RecordedTypes,
    ) -> Result<Vec<(Region, Chosen<'m>)>, CallError> {
        let regions = regions_of(self.regions, account).ask(session).await?;
        Ok(places(self.map, records, regions.as_deref(), self.choice))
    }
}
