//! Selects records by time, account and region.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::window::TimeWindow;
use crate::model::{AccountId, Region};

/// The conditions for a record. Empty sets and an open time range match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// The time of the event.
    pub window: TimeWindow,
    /// The account that received the event (`recipientAccountId`).
    pub accounts: BTreeSet<AccountId>,
    /// `awsRegion`.
    pub regions: BTreeSet<Region>,
}

impl RecordFilter {
    /// Whether the filter selects a record with this time, account and region.
    pub fn passes(&self, time: Timestamp, account_id: &str, region: &str) -> bool {
        self.window.contains(time)
            && (self.accounts.is_empty() || self.accounts.contains(account_id))
            && (self.regions.is_empty() || self.regions.contains(region))
    }
}
