//! All writing calls, or name by name: whichever takes fewer requests. Pure.
//!
//! Asking by name takes one request a name at least, and most names of a map never occur. Asking for all takes a page for
//! every 50 writing calls, known or not: how many, only its pages tell. So they are read first, and given up when those
//! still to come (by the time that those so far cover) are more than the names. A burst of calls looks like a busy
//! account: a tenth of what asking by name takes is spent before it is believed.

use jiff::Timestamp;

/// Pages that are read at least before more are foreseen.
const LEAST_PAGES: u64 = 2;

/// The part of the requests that asking by name takes, as its divisor, that foreseeing may cost.
const PROBE_DIVISOR: u64 = 10;

/// What names begin with whose calls CloudTrail marks as reading, so that they are not among the writing ones. Names of creating
/// calls seldom begin so, but a map may want any call.
const READING_VERBS: [&str; 8] = ["Assume", "BatchGet", "Describe", "Get", "Head", "List", "Lookup", "Search"];

/// Whether events of this name may be missing among the writing calls.
pub(super) fn sounds_like_reading(name: &str) -> bool {
    READING_VERBS.iter().any(|verb| name.starts_with(verb))
}

/// How far the pages of all writing calls have come: from `until` back to `reached`, of `since`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep {
    pub(super) pages: u64,
    pub(super) since: Timestamp,
    pub(super) reached: Timestamp,
    pub(super) until: Timestamp,
}

impl Sweep {
    /// Whether asking for `names` one by one is likely to take fewer requests than going on.
    pub(super) fn is_worse_than(&self, names: u64) -> bool {
        self.pages >= LEAST_PAGES.max(names / PROBE_DIVISOR) && self.pages_to_come() > names
    }

    fn pages_to_come(&self) -> u64 {
        let seconds = |from: Timestamp, to: Timestamp| u64::try_from(to.as_second() - from.as_second()).unwrap_or(0);
        self.pages.saturating_mul(seconds(self.since, self.reached)) / seconds(self.reached, self.until).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(pages: u64, covered: i64, left: i64) -> Sweep {
        let at = |second| Timestamp::from_second(second).unwrap();
        Sweep { pages, since: at(0), reached: at(left), until: at(left + covered) }
    }

    #[test]
    fn few_pages_to_come_are_read_and_many_are_not() {
        assert!(!sweep(2, 100, 100).is_worse_than(2), "2 pages are no more than 2 names");
        assert!(sweep(2, 100, 200).is_worse_than(2));
        assert!(!sweep(9, 900, 100_000).is_worse_than(1000), "1000 pages are no more than 1000 names");
        assert!(sweep(100, 100, 10_000).is_worse_than(1000));
    }

    #[test]
    fn a_burst_is_not_believed_at_once() {
        assert!(!sweep(1, 1, 1_000_000).is_worse_than(1));
        assert!(!sweep(99, 1, 1_000_000).is_worse_than(1000));
        assert!(sweep(100, 0, 1_000_000).is_worse_than(1000));
    }

    #[test]
    fn names_that_may_be_reads_are_known() {
        assert!(sounds_like_reading("AssumeRole") && sounds_like_reading("GetFederationToken"));
        assert!(!sounds_like_reading("CreateRole") && !sounds_like_reading("RunInstances"));
    }
}
