//! Which records a load wants: a time window, accounts, regions.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::window::TimeWindow;
use crate::names::{AccountId, Region};

/// What a record must fulfil. Empty sets and an open window let everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// When the call was made.
    pub window: TimeWindow,
    /// Whose trail the record is in (`recipientAccountId`).
    pub accounts: BTreeSet<AccountId>,
    /// `awsRegion`.
    pub regions: BTreeSet<Region>,
}

impl RecordFilter {
    /// Whether a record of that time, account and region is wanted.
    pub fn passes(&self, time: Timestamp, account_id: &str, region: &str) -> bool {
        self.window.contains(time)
            && (self.accounts.is_empty() || self.accounts.contains(account_id))
            && (self.regions.is_empty() || self.regions.contains(region))
    }
}
