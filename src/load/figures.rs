//! What is told of a load: counts, and what could not be read.

use crate::store::ledger::Added;
use crate::trail::scan::{Counts, Scan};

/// Failures that are named; further ones are only counted, so that memory stays flat.
const MAX_NAMED: usize = 1000;

/// Something that could not be read, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// A path or `s3://bucket/key`.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The figures of a load, so far or in the end.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Items that will come, as far as the source has found out.
    pub expected: u64,
    /// Units that were read, broken ones too.
    pub read: u64,
    /// Units that the ledger knew.
    pub already_loaded: u64,
    /// Digest and Insights files.
    pub skipped: u64,
    /// Units that could not be read, or not to their end.
    pub broken: u64,
    /// The first of those, and of the units with broken records; sorted in the end.
    pub failures: Vec<Failure>,
    /// What was in the units.
    pub counts: Counts,
    /// Ids that the database did not have yet.
    pub new_ids: u64,
    /// Sessions that the database did not have yet.
    pub new_sessions: u64,
    /// Sessions that the database dropped, as there are too many.
    pub dropped_sessions: u64,
}

impl Figures {
    /// Items that are done.
    pub fn done(&self) -> u64 {
        self.read + self.already_loaded + self.skipped
    }

    /// Whether something could not be read.
    pub fn has_failures(&self) -> bool {
        self.broken > 0 || self.counts.broken_records > 0
    }

    /// What was written.
    pub(super) fn added(&mut self, added: Added) {
        self.new_ids += added.ids;
        self.new_sessions += added.sessions;
        self.dropped_sessions += added.dropped_sessions;
    }

    /// A unit that can't be had.
    pub(super) fn lost(&mut self, failure: Failure) {
        self.read += 1;
        self.broken += 1;
        self.fail(failure);
    }

    /// A unit that was read, perhaps not to its end.
    pub(super) fn scanned(&mut self, name: String, scan: Scan) {
        self.counts += &scan.counts;
        let only_digests = scan.counts.digests > 0 && scan.counts.records == 0;
        *(if only_digests { &mut self.skipped } else { &mut self.read }) += 1;
        if let Some(reason) = scan.broken {
            self.broken += 1;
            let misnamed = name.ends_with(".gz") && !scan.is_gzip && scan.counts.stored_bytes > 0;
            let reason = if misnamed { format!("neither gzip nor JSON: {reason}") } else { reason };
            self.fail(Failure { name, reason });
        } else if let Some(reason) = scan.broken_record {
            let count = scan.counts.broken_records;
            let reason = if count == 1 { reason } else { format!("{count} unreadable records; the first: {reason}") };
            self.fail(Failure { name, reason });
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        if self.failures.len() < MAX_NAMED {
            self.failures.push(failure);
        }
    }
}
