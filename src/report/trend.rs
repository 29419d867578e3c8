//! Earlier reports with the same options, kept in the database.

use serde::Serialize;

use super::coverage::Figures;
use crate::store::reports::KeptReport;
use crate::store::{Store, StoreError};

/// Earlier reports that a chart shows.
const MOST_SHOWN: usize = 60;

/// An earlier report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Earlier {
    /// When it was taken, UTC.
    pub taken_at: String,
    /// Whether everything that it should count could be read.
    pub is_complete: bool,
    /// Its counts.
    pub totals: Figures,
}

/// The earlier reports of a scope, the latest first.
///
/// # Errors
/// The database fails.
pub fn earlier(store: &Store, scope: &str) -> Result<Vec<Earlier>, StoreError> {
    let reports = store.reports(scope, MOST_SHOWN)?;
    // A later version may write what this one can't read.
    let read = |kept: KeptReport| {
        let totals = serde_json::from_str(&kept.totals).ok()?;
        Some(Earlier { taken_at: kept.taken_at, is_complete: kept.is_complete, totals })
    };
    Ok(reports.into_iter().filter_map(read).collect())
}

/// Saves a report for those that come after it.
///
/// # Errors
/// The database fails, or is read-only.
pub fn keep(store: &Store, scope: &str, report: &Earlier) -> Result<(), StoreError> {
    let Earlier { taken_at, is_complete, totals } = report;
    let totals = serde_json::to_string(totals).expect("counts are JSON");
    store.keep_report(scope, &KeptReport { taken_at: taken_at.clone(), is_complete: *is_complete, totals })
}
