//! Counts the listed objects by day, so that a day can be closed when all its objects were read.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::known::Known;
use super::list::Object;
use crate::load::FoundDay;

/// More units than a day can have.
const NEVER: u64 = u64::MAX / 2;

/// The progress of listing a region.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// The current day of the listing.
    current: Option<(Date, FoundDay)>,
    /// The days with objects.
    pub(super) seen: BTreeSet<Date>,
}

impl Days {
    /// Counts an object with the ledger prefix `prefix`. Returns the previous day if that is complete.
    pub(super) fn count(&mut self, object: &Object, prefix: &str, known: Known) -> Option<FoundDay> {
        let day = object.closable_day;
        let ended = if self.current.as_ref().map(|(current, _)| *current) == day { None } else { self.end() };
        let Some(day) = day else { return ended };
        self.seen.insert(day);
        let new = || (day, FoundDay { prefix: prefix.to_owned(), units: 0, filtered: false });
        let (_, found) = self.current.get_or_insert_with(new);
        if found.prefix == prefix {
            // An archived object keeps its day open: it is not read, so the count is never reached.
            found.units += u64::from(matches!(known, Known::No | Known::Archived { .. }));
        } else {
            // Not in CloudTrail's layout: this object has another prefix in the ledger, so the day never closes.
            found.units = NEVER;
        }
        found.filtered |= known == Known::Loaded { filtered: true };
        ended
    }

    /// Ends the listing. Returns its last day.
    pub(super) fn end(&mut self) -> Option<FoundDay> {
        self.current.take().map(|(_, day)| day)
    }
}
