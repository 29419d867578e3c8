//! The totals of earlier reports, so that a report shows what changed.

use rusqlite::params;

use super::{Store, StoreError};

/// Reports of one scope that are kept. A report each hour for a month, or each day for two years.
const MOST_KEPT: i64 = 750;

/// An earlier report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReport {
    /// When it was taken, UTC.
    pub taken_at: String,
    /// Whether everything that it should count could be read.
    pub is_complete: bool,
    /// Its counts, as they were given to [`Store::keep_report`].
    pub totals: String,
}

impl Store {
    /// The latest `most` reports of a scope, the latest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn reports(&self, scope: &str, most: usize) -> Result<Vec<KeptReport>, StoreError> {
        let mut query = self.connection.prepare(
            "SELECT taken_at, is_complete, totals FROM reports WHERE scope = ?1 ORDER BY report_id DESC LIMIT ?2",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let reports = query.query_map(params![scope, most], |row| {
            Ok(KeptReport { taken_at: row.get(0)?, is_complete: row.get(1)?, totals: row.get(2)? })
        })?;
        Ok(reports.collect::<Result<_, _>>()?)
    }

    /// Saves a report, and removes the oldest ones of its scope beyond a fixed number.
    ///
    /// # Errors
    /// The database fails, or is read-only.
    pub fn keep_report(&self, scope: &str, report: &KeptReport) -> Result<(), StoreError> {
        let KeptReport { taken_at, is_complete, totals } = report;
        let transaction = self.connection.unchecked_transaction()?;
        transaction.execute(
            "INSERT INTO reports (scope, taken_at, is_complete, totals) VALUES (?1, ?2, ?3, ?4)",
            params![scope, taken_at, is_complete, totals],
        )?;
        transaction.execute(
            "DELETE FROM reports WHERE scope = ?1 AND report_id <= (
                 SELECT report_id FROM reports WHERE scope = ?1 ORDER BY report_id DESC LIMIT 1 OFFSET ?2)",
            params![scope, MOST_KEPT],
        )?;
        Ok(transaction.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(number: i64) -> KeptReport {
        KeptReport { taken_at: format!("t{number}"), is_complete: number % 2 == 0, totals: "{}".to_owned() }
    }

    #[test]
    fn reports_are_kept_by_scope_latest_first_and_the_oldest_are_removed() {
        let store = Store::in_memory().unwrap();
        for number in 0..MOST_KEPT + 2 {
            store.keep_report("one", &report(number)).unwrap();
        }
        store.keep_report("other", &report(7)).unwrap();
        assert_eq!(store.reports("one", 2).unwrap(), [report(MOST_KEPT + 1), report(MOST_KEPT)]);
        let kept = store.reports("one", usize::MAX).unwrap();
        assert_eq!((kept.len(), kept.last()), (750, Some(&report(2))));
        assert_eq!(store.reports("other", 9).unwrap(), [report(7)]);
        assert_eq!(store.reports("none", 9).unwrap(), []);
    }
}
