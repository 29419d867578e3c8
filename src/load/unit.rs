//! A unit of input, and the version by which the ledger knows that it was read already.

use std::fmt;
use std::io::{self, Read};

use tokio::sync::mpsc;

use super::Failure;
use crate::store::StoreError;
use crate::store::ledger::days::ListedFolder;
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
/// new.
#[derive(Debug, Clone)]
pub struct Versions {
    map: [u8; crate::resource_map::FINGERPRINT_BYTES],
    filter: Fingerprint,
}

impl Versions {
    /// Of a scanner's map and filter.
    pub fn of(scanner: &Scanner) -> Self {
        Self { map: scanner.map().fingerprint(), filter: filter_fingerprint(scanner.filter()) }
    }

    /// The version of a unit that was read just now.
    pub fn version(&self, content: &Fingerprint, left_something_out: bool) -> Fingerprint {
        let filter = if left_something_out { self.filter.as_bytes() } else { &[] };
        Fingerprint::of(&[content.as_bytes(), &self.map, filter])
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
        let known = ledger.version(&identity.prefix, &identity.name)?;
        let is_known = |filtered: &bool| known == Some(self.version(&identity.content, *filtered));
        Ok([false, true].into_iter().find(is_known))
    }

    /// The version of a closed day.
    pub fn of_day(&self, left_something_out: bool) -> Fingerprint {
        self.version(&Fingerprint::of(&[b"closed day"]), left_something_out)
    }
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
