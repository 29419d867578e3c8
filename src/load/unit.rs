//! A unit of input, and the version by which the ledger knows that it was read already.

use std::fmt;
use std::io::{self, Read};

use tokio::sync::mpsc;

use super::Failure;
use crate::resource_map::Fingerprints;
use crate::store::StoreError;
use crate::store::ledger::days::{ListedFolder, SpanVersion};
use crate::store::ledger::{Fingerprint, Ledger};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;

/// Items in the queue between a source and the scanners. More would only hold more objects in memory.
const QUEUE_DEPTH: usize = 64;

/// What a source puts into the queue.
#[derive(Debug)]
pub enum Item {
    /// So many more items will come; for the time left.
    Expected(u64),
    /// Something to read.
    Unit(Unit),
    /// The ledger knows it in this version.
    AlreadyLoaded,
    /// A digest or Insights file, by its name.
    Skipped,
    /// It is there but can't be had.
    Failed(Failure),
    /// All of a day's units were found.
    DayFound(FoundDay),
    /// All days of a folder were found.
    FolderFound(ListedFolder),
}

/// A day to which no more units are expected to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDay {
    /// Of its units' identities.
    pub prefix: String,
    /// How many of them were put into the queue. It is closed when each of those was read to its end.
    pub units: u64,
    /// Whether the filter left something out of those that the ledger knew.
    pub filtered: bool,
}

/// Where sources put items. Fails when nobody takes any more: the load was stopped or has failed.
pub type Queue = mpsc::Sender<Item>;

/// A queue and its other end, for [`super::pipeline::run`].
pub fn queue() -> (Queue, mpsc::Receiver<Item>) {
    mpsc::channel(QUEUE_DEPTH)
}

/// Opens a unit's bytes, in the thread that scans them.
pub type Open = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>;

/// A file or object.
pub struct Unit {
    /// As people know it: a path, `s3://bucket/key`.
    pub name: String,
    /// How the ledger knows it; `None` for what can't be recognised when it comes again.
    pub identity: Option<Identity>,
    /// Its bytes, as stored.
    pub open: Open,
    /// Whether it is one of those that a [`FoundDay`] counts.
    pub closes_day: bool,
}

impl fmt::Debug for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Unit").field("name", &self.name).field("identity", &self.identity).finish()
    }
}

/// A unit's place in the ledger and the version of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it is below: a folder, with its `/`.
    pub prefix: String,
    /// Its name there.
    pub name: String,
    /// Changes when its content changes: of size and time, or of an ETag.
    pub content: Fingerprint,
}

/// The versions in which a unit can have been read.
///
/// They cover its content and the resource map. The filter counts only where it left a record out that the map knows:
/// a unit that was read whole is not read again for another window, so that `--since 90d` every hour reads only what is
/// new. What was read with the calls that make sessions (`--chains`) need not be read again without them.
#[derive(Debug, Clone)]
pub struct Versions {
    maps: Fingerprints,
    with_sessions: bool,
    filter: Fingerprint,
}

impl Versions {
    /// Of a scanner's map and filter.
    pub fn of(scanner: &Scanner) -> Self {
        let map = scanner.map();
        let filter = filter_fingerprint(scanner.filter());
        Self { maps: map.fingerprints(), with_sessions: map.has_sessions(), filter }
    }

    /// The version of a unit that was read just now.
    pub fn version(&self, content: &Fingerprint, left_something_out: bool) -> Fingerprint {
        self.of_map(self.with_sessions, content, left_something_out)
    }

    fn of_map(&self, with_sessions: bool, content: &Fingerprint, left_something_out: bool) -> Fingerprint {
        let Fingerprints { with_sessions: with, without_sessions: without } = &self.maps;
        let map = if with_sessions { with } else { without };
        let filter = if left_something_out { self.filter.as_bytes() } else { &[] };
        Fingerprint::of(&[content.as_bytes(), map, filter])
    }

    /// Whether a version is one in which reading tells all that is wanted now.
    pub fn is_enough(&self, known: Fingerprint, content: &Fingerprint, left_something_out: bool) -> bool {
        let is_of = |with_sessions| known == self.of_map(with_sessions, content, left_something_out);
        is_of(self.with_sessions) || is_of(true)
    }

    /// Whether the ledger says that reading the unit would tell nothing new.
    ///
    /// # Errors
    /// The database's.
    pub fn is_loaded(&self, ledger: &Ledger, identity: &Identity) -> Result<bool, StoreError> {
        Ok(self.loaded(ledger, identity)?.is_some())
    }

    /// As [`Versions::is_loaded`], and whether the filter left something out when the unit was read.
    ///
    /// # Errors
    /// The database's.
    pub fn loaded(&self, ledger: &Ledger, identity: &Identity) -> Result<Option<bool>, StoreError> {
        let Some(known) = ledger.version(&identity.prefix, &identity.name)? else { return Ok(None) };
        Ok([false, true].into_iter().find(|filtered| self.is_enough(known, &identity.content, *filtered)))
    }

    /// The version of a closed day.
    pub fn of_day(&self, left_something_out: bool) -> Fingerprint {
        self.version(&closed_day(), left_something_out)
    }

    /// The versions of closed days that need not be looked at.
    pub fn of_known_days(&self) -> Vec<Fingerprint> {
        let maps = if self.with_sessions { &[true][..] } else { &[false, true] };
        let versions = maps.iter().flat_map(|map| [false, true].map(|left| self.of_map(*map, &closed_day(), left)));
        versions.collect()
    }

    /// The version of a span of closed days, and how it stands to the one that reads with or without sessions instead.
    pub fn of_span(&self) -> SpanVersion {
        let other = self.of_map(!self.with_sessions, &closed_day(), false);
        SpanVersion { own: self.of_day(false), other, other_tells_more: !self.with_sessions }
    }
}

fn closed_day() -> Fingerprint {
    Fingerprint::of(&[b"closed day"])
}

fn filter_fingerprint(filter: &RecordFilter) -> Fingerprint {
    let moment = |moment: Option<jiff::Timestamp>| moment.map_or_else(String::new, |moment| moment.to_string());
    let (since, until) = (moment(filter.window.since()), moment(filter.window.until()));
    let mut parts = vec![since.as_bytes(), until.as_bytes(), b"accounts"];
    parts.extend(filter.accounts.iter().map(|account| account.as_str().as_bytes()));
    parts.push(b"regions");
    parts.extend(filter.regions.iter().map(|region| region.as_str().as_bytes()));
    Fingerprint::of(&parts)
}
