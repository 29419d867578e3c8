//! The figures of a load: counts and failures.

use std::collections::BTreeMap;

use super::archived::{ArchivedCounts, ArchivedObject};
use crate::store::Added;
use crate::trail::envelope::Kind;
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

/// A file that holds no records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherFile {
    /// A path or `s3://bucket/key`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
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
    /// Files without records.
    pub skipped: u64,
    /// The same by kind.
    pub other_kinds: BTreeMap<Kind, u64>,
    /// The first of them. Sorted at the end.
    pub other_files: Vec<OtherFile>,
    /// Objects that were not read because they are archived.
    pub archived: ArchivedCounts,
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
    /// Identifiers that were not stored because their time was pruned with the creators.
    pub pruned: u64,
}

impl Figures {
    /// Number of processed items.
    pub fn done(&self) -> u64 {
        self.read + self.already_loaded + self.skipped + self.archived.objects
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
        self.pruned += added.pruned;
    }

    /// Records an object that is archived.
    pub(super) fn archived(&mut self, object: ArchivedObject) {
        self.archived.add(object);
    }

    /// Records a unit that could not be opened.
    pub(super) fn lost(&mut self, failure: Failure) {
        self.read += 1;
        self.broken += 1;
        self.fail(failure);
    }

    /// Whether there was no file of CloudTrail.
    pub fn is_nothing(&self) -> bool {
        let read = self.read + self.already_loaded + self.archived.objects;
        read == 0 && !self.other_kinds.keys().any(|kind| kind.is_of_cloudtrail())
    }

    /// Records a file without records.
    pub(super) fn other(&mut self, file: OtherFile) {
        self.skipped += 1;
        *self.other_kinds.entry(file.kind).or_default() += 1;
        if self.other_files.len() < MAX_NAMED {
            self.other_files.push(file);
        }
    }

    /// Puts the lists into an order that does not depend on threads.
    pub(super) fn sort(&mut self) {
        self.failures.sort();
        self.other_files.sort();
    }

    /// Records a unit that was read, completely or not.
    pub(super) fn scanned(&mut self, name: String, mut scan: Scan) {
        let is_whole = scan.broken.is_none() && scan.counts.broken_records == 0;
        if let Some(kind) = scan.kind().filter(|_| is_whole) {
            scan.counts.others.clear();
            self.counts += &scan.counts;
            return self.other(OtherFile { name, kind });
        }
        self.counts += &scan.counts;
        self.read += 1;
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

    /// Adds the counts of another load, without the files that it names.
    pub fn add_counts(&mut self, other: &Self) {
        self.read += other.read;
        self.already_loaded += other.already_loaded;
        self.skipped += other.skipped;
        for (kind, count) in &other.other_kinds {
            *self.other_kinds.entry(*kind).or_default() += count;
        }
        self.broken += other.broken;
        self.counts += &other.counts;
        self.new_ids += other.new_ids;
        self.new_sessions += other.new_sessions;
        self.dropped_sessions += other.dropped_sessions;
        self.pruned += other.pruned;
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        if self.failures.len() < MAX_NAMED {
            self.failures.push(failure);
        }
    }
}
