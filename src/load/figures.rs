//! The figures of a load: counts and failures.

use crate::store::Added;
use crate::trail::scan::{Counts, Scan};

/// The maximum number of listed failures. Further failures are only counted, to bound memory.
const MAX_NAMED: usize = 1000;

/// A unit that could not be read, or not completely.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// A path or `s3://bucket/key`.
    pub name: String,
    /// The reason.
    pub reason: String,
}

/// The figures of a load, during the load or at its end.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Number of expected items that the source has found so far.
    pub expected: u64,
    /// Units that were read, including those that failed.
    pub read: u64,
    /// Units that the ledger had.
    pub already_loaded: u64,
    /// Digest and Insights files.
    pub skipped: u64,
    /// Units that could not be read, or not completely.
    pub broken: u64,
    /// The first failures, including units with unreadable records. Sorted at the end.
    pub failures: Vec<Failure>,
    /// Counts of the contents.
    pub counts: Counts,
    /// Identifiers that were not in the database.
    pub new_ids: u64,
    /// Sessions that were not in the database.
    pub new_sessions: u64,
    /// Sessions that were dropped from the database because it keeps a limited number.
    pub dropped_sessions: u64,
}

impl Figures {
    /// Number of processed items.
    pub fn done(&self) -> u64 {
        self.read + self.already_loaded + self.skipped
    }

    /// Whether a unit or record could not be read.
    pub fn has_failures(&self) -> bool {
        self.broken > 0 || self.counts.broken_records > 0
    }

    /// Adds what was written to the database.
    pub(super) fn added(&mut self, added: Added) {
        self.new_ids += added.ids;
        self.new_sessions += added.sessions;
        self.dropped_sessions += added.dropped_sessions;
    }

    /// Records a unit that could not be opened.
    pub(super) fn lost(&mut self, failure: Failure) {
        self.read += 1;
        self.broken += 1;
        self.fail(failure);
    }

    /// Records a unit that was read, completely or not.
    pub(super) fn scanned(&mut self, name: String, scan: Scan) {
        self.counts += &scan.counts;
        let only_digests = scan.counts.digests > 0 && scan.counts.records == 0;
        *(if only_digests { &mut self.skipped } else { &mut self.read }) += 1;
        if let Some(reason) = scan.broken {
            self.broken += 1;
            let misnamed = name.ends_with(".gz") && !scan.is_gzip && scan.counts.stored_bytes > 0;
            let reason = if misnamed { format!("neither gzip nor JSON: {reason}") } else { reason.to_string() };
            self.fail(Failure { name, reason });
        } else if let Some(reason) = scan.broken_record {
            let count = scan.counts.broken_records;
            let more = || format!("{count} unreadable records; the first: {reason}");
            let reason = if count == 1 { reason.to_string() } else { more() };
            self.fail(Failure { name, reason });
        }
    }

    /// Adds the counts of another load, without its failures.
    pub fn add_counts(&mut self, other: &Self) {
        self.read += other.read;
        self.already_loaded += other.already_loaded;
        self.skipped += other.skipped;
        self.broken += other.broken;
        self.counts += &other.counts;
        self.new_ids += other.new_ids;
        self.new_sessions += other.new_sessions;
        self.dropped_sessions += other.dropped_sessions;
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        if self.failures.len() < MAX_NAMED {
            self.failures.push(failure);
        }
    }
}
