//! Counting a listing's objects by day, so that a day can be closed when all of them were read.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::list::Object;
use crate::load::FoundDay;

/// More units than a day can have.
const NEVER: u64 = u64::MAX / 2;

/// What a region's listing has come by so far.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// The day that is being listed.
    current: Option<(Date, FoundDay)>,
    /// Days in which there were objects.
    pub(super) seen: BTreeSet<Date>,
}

/// How the ledger knows an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Not at all: it is read.
    No,
    Skipped,
    Loaded {
        filtered: bool,
    },
}

impl Days {
    /// Counts an object, `prefix` being its ledger's; gives the day before it when that has ended.
    pub(super) fn count(&mut self, object: &Object, prefix: &str, known: Known) -> Option<FoundDay> {
        let day = object.closable_day;
        let ended = if self.current.as_ref().map(|(current, _)| *current) == day { None } else { self.end() };
        let Some(day) = day else { return ended };
        self.seen.insert(day);
        let new = || (day, FoundDay { prefix: prefix.to_owned(), units: 0, filtered: false });
        let (_, found) = self.current.get_or_insert_with(new);
        if found.prefix == prefix {
            found.units += u64::from(known == Known::No);
        } else {
            // Not CloudTrail's layout: this one's ledger entry is elsewhere, and the day is never done.
            found.units = NEVER;
        }
        found.filtered |= known == Known::Loaded { filtered: true };
        ended
    }

    /// The listing has ended: gives its last day.
    pub(super) fn end(&mut self) -> Option<FoundDay> {
        self.current.take().map(|(_, day)| day)
    }
}
