//! A unit of input, and the version that the ledger stores for it.

use std::fmt;
use std::io::{self, Read};

use tokio::sync::mpsc;

use super::{ArchivedObject, Failure, OtherFile};
use crate::resource_map::Fingerprints;
use crate::store::Fingerprint;
use crate::store::StoreError;
use crate::store::ledger::Ledger;
use crate::store::ledger::days::{ListedFolder, SpanVersion};
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;

/// The capacity of the queue between a source and the scanners. More would only hold more objects in memory.
const QUEUE_DEPTH: usize = 64;

/// An item that a source puts into the queue.
#[derive(Debug)]
pub enum Item {
    /// Number of further items to expect, for the ETA.
    Expected(u64),
    /// A unit to read.
    Unit(Unit),
    /// A unit that is in the ledger with this version.
    AlreadyLoaded,
    /// A file without records, recognized by its name.
    Other(OtherFile),
    /// An object that has to be restored before it can be read.
    Archived(ArchivedObject),
    /// A unit that can't be opened.
    Failed(Failure),
    /// All units of a day were found.
    DayFound(FoundDay),
    /// All days of a folder were found.
    FolderFound(ListedFolder),
}

/// A day that gets no more units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDay {
    /// The ledger prefix of its units.
    pub prefix: String,
    /// The number of its units in the queue. The day is closed when all of them were read completely.
    pub units: u64,
    /// Whether the filter excluded records of its units that are already in the ledger.
    pub filtered: bool,
}

/// The sending end of the queue. Sending fails when the load was stopped or has failed.
pub type Queue = mpsc::Sender<Item>;

/// A queue and its receiving end, for [`super::pipeline::run`].
pub fn queue() -> (Queue, mpsc::Receiver<Item>) {
    mpsc::channel(QUEUE_DEPTH)
}

/// Opens a unit's input, in the thread that scans it.
pub type Open = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>;

/// A file or object.
pub struct Unit {
    /// Its name in messages: a path, `s3://bucket/key`.
    pub name: String,
    /// Its identity in the ledger. `None` if it can't be recognized later.
    pub identity: Option<Identity>,
    /// Opens its input.
    pub open: Open,
    /// Whether it is one of the units of a [`FoundDay`].
    pub closes_day: bool,
}

impl fmt::Debug for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Unit").field("name", &self.name).field("identity", &self.identity).finish()
    }
}

/// The identity of a unit in the ledger, with the version of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its folder, with a trailing `/`.
    pub prefix: String,
    /// Its name in the folder.
    pub name: String,
    /// Changes with the content: computed from size and time, or from an ETag.
    pub content: Fingerprint,
}

/// The versions that a unit can have in the ledger.
///
/// A version covers the content and the resource map. It covers the filter only if the filter excluded matching records:
/// a unit that was read completely is not read again for another time range, so that `--since 90d` every hour reads only
/// new units. Units that were read with session events (`--chains`) are not read again without them.
#[derive(Debug, Clone)]
pub struct Versions {
    maps: Fingerprints,
    with_sessions: bool,
    filter: Fingerprint,
}

impl Versions {
    /// The versions for a scanner's map and filter.
    pub fn of(scanner: &Scanner) -> Self {
        let map = scanner.map();
        let filter = filter_fingerprint(scanner.filter());
        Self { maps: map.fingerprints(), with_sessions: map.has_sessions(), filter }
    }

    /// The version of a unit that was just read.
    pub fn version(&self, content: &Fingerprint, left_something_out: bool) -> Fingerprint {
        self.of_map(self.with_sessions, content, left_something_out)
    }

    fn of_map(&self, with_sessions: bool, content: &Fingerprint, left_something_out: bool) -> Fingerprint {
        let Fingerprints { with_sessions: with, without_sessions: without } = &self.maps;
        let map = if with_sessions { with } else { without };
        let filter = if left_something_out { self.filter.as_bytes() } else { &[] };
        Fingerprint::of(&[content.as_bytes(), map, filter])
    }

    /// Whether reading a unit with this version would find nothing new.
    pub fn is_enough(&self, known: Fingerprint, content: &Fingerprint, left_something_out: bool) -> bool {
        let is_of = |with_sessions| known == self.of_map(with_sessions, content, left_something_out);
        is_of(self.with_sessions) || is_of(true)
    }

    /// Whether the ledger has the unit in a version that makes reading it unnecessary.
    ///
    /// # Errors
    /// The database fails.
    pub fn is_loaded(&self, ledger: &Ledger, identity: &Identity) -> Result<bool, StoreError> {
        Ok(self.loaded(ledger, identity)?.is_some())
    }

    /// Like [`Versions::is_loaded`], and also whether the filter excluded records when the unit was read.
    ///
    /// # Errors
    /// The database fails.
    pub fn loaded(&self, ledger: &Ledger, identity: &Identity) -> Result<Option<bool>, StoreError> {
        let Some(known) = ledger.version(&identity.prefix, &identity.name)? else { return Ok(None) };
        Ok([false, true].into_iter().find(|filtered| self.is_enough(known, &identity.content, *filtered)))
    }

    /// The version of a closed day.
    pub fn of_day(&self, left_something_out: bool) -> Fingerprint {
        self.version(&closed_day(), left_something_out)
    }

    /// The versions of closed days that need not be listed.
    pub fn of_known_days(&self) -> Vec<Fingerprint> {
        let maps = if self.with_sessions { &[true][..] } else { &[false, true] };
        let versions = maps.iter().flat_map(|map| [false, true].map(|left| self.of_map(*map, &closed_day(), left)));
        versions.collect()
    }

    /// The version of a span of closed days, and its relation to the version with or without sessions.
    pub fn of_span(&self) -> SpanVersion {
        let other = self.of_map(!self.with_sessions, &closed_day(), false);
        SpanVersion { own: self.of_day(false), other, other_has_more: !self.with_sessions }
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
