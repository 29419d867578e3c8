//! Chooses between requesting all writing calls and requesting name by name, to minimize requests. Pure.
//!
//! Requesting by name takes at least one request per name, and most names of a map never occur. Requesting all writing calls takes one page
//! per 50 calls, matching or not, and only the pages show how many there are. So they are read first, and abandoned when the
//! estimated remaining pages (by the time covered so far) exceed the number of names. A burst of calls looks like a busy
//! account, so the estimate is used only after a tenth of the requests that requesting by name takes.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::resource_map::ResourceMap;
use crate::resource_map::events::without_version;

/// The minimum number of pages before an estimate is made.
const LEAST_PAGES: u64 = 2;

/// The share of the by-name requests that can be spent before the estimate is used, as a divisor.
const PROBE_DIVISOR: u64 = 10;

/// Prefixes of event names that CloudTrail marks as read-only, so that they are not among the writing calls. Create events rarely have such
/// names, but a map can use any name.
const READING_VERBS: [&str; 8] = ["Assume", "BatchGet", "Describe", "Get", "Head", "List", "Lookup", "Search"];

/// The only service that still writes API versions into its event names. Event history finds exact names only.
const VERSIONED_SOURCE: &str = "lambda.amazonaws.com";

/// The API versions in Lambda's event names: the dates in its operations' paths. Records also have the first one with `v2`.
const VERSIONS: [&str; 11] = [
    "20150331",
    "20150331v2",
    "20170331",
    "20170331v2",
    "20171031",
    "20181031",
    "20190925",
    "20190930",
    "20200422",
    "20200630",
    "20211031",
];

/// The event names of a map as Event history knows them: as spelled, and Lambda's with each API version.
pub(super) fn names_to_request(map: &ResourceMap) -> Vec<String> {
    let spelled = map.event_names().into_iter().map(str::to_owned);
    let plain = |name: &&str| without_version(name) == *name;
    let lambda = map.events.iter().filter(|(source, ..)| *source == VERSIONED_SOURCE).map(|(_, name, _)| name);
    let versioned =
        lambda.filter(plain).flat_map(|name| VERSIONS.iter().map(move |version| format!("{name}{version}")));
    let names: BTreeSet<String> = spelled.chain(versioned).collect();
    names.into_iter().collect()
}

/// Whether names with this beginning can be of calls that only read.
pub(in crate::load) fn can_begin_reading(beginning: &str) -> bool {
    READING_VERBS.iter().any(|verb| verb.starts_with(beginning))
}

/// Whether events of this name can be missing among the writing calls.
pub(in crate::load) fn sounds_like_reading(name: &str) -> bool {
    READING_VERBS.iter().any(|verb| name.starts_with(verb))
}

/// The progress of reading all writing calls: from `until` back to `reached`, of `since`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep {
    pub(super) pages: u64,
    pub(super) since: Timestamp,
    pub(super) reached: Timestamp,
    pub(super) until: Timestamp,
}

impl Sweep {
    /// Whether requesting `names` one by one probably takes fewer requests than continuing.
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
    use crate::model::event::Action;
    use crate::trail::samples::map;

    fn sweep(pages: u64, covered: i64, left: i64) -> Sweep {
        let at = |second| Timestamp::from_second(second).unwrap();
        Sweep { pages, since: at(0), reached: at(left), until: at(left + covered) }
    }

    #[test]
    fn few_remaining_pages_are_read_and_many_are_not() {
        assert!(!sweep(2, 100, 100).is_worse_than(2), "2 pages are no more than 2 names");
        assert!(sweep(2, 100, 200).is_worse_than(2));
        assert!(!sweep(9, 900, 100_000).is_worse_than(1000), "1000 pages are no more than 1000 names");
        assert!(sweep(100, 100, 10_000).is_worse_than(1000));
    }

    #[test]
    fn burst_is_not_extrapolated_at_once() {
        assert!(!sweep(1, 1, 1_000_000).is_worse_than(1));
        assert!(!sweep(99, 1, 1_000_000).is_worse_than(1000));
        assert!(sweep(100, 0, 1_000_000).is_worse_than(1000));
    }

    #[test]
    fn lambda_names_are_requested_with_each_api_version() {
        let rule = |source, name| (source, name, "thing", Action::Create, "requestParameters.name");
        let map = map(&[rule(VERSIONED_SOURCE, "CreateFunction"), rule("s3.amazonaws.com", "CreateBucket")]);
        let names = names_to_request(&map);
        assert_eq!(names.len(), 2 + VERSIONS.len());
        for name in ["CreateBucket", "CreateFunction", "CreateFunction20150331", "CreateFunction20150331v2"] {
            assert!(names.iter().any(|requested| requested == name), "{names:?}");
        }
    }

    #[test]
    fn read_only_names_are_recognized() {
        assert!(sounds_like_reading("AssumeRole") && sounds_like_reading("GetFederationToken"));
        assert!(!sounds_like_reading("CreateRole") && !sounds_like_reading("RunInstances"));
    }
}
