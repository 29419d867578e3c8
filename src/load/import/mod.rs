//! Imports a database of c7n-trailcreator, for trails that may no longer exist.
//!
//! ```text
//! store::predecessor (rows) ─► row (one event) ─► ids (split) ─► store, with the ledger
//! ```
//! Rows are read in one pass and written in batches, each in one transaction. The last batch adds the file to the ledger;
//! until then the ledger has its complete chunks of [`CHUNK_ROWS`] rows. Event IDs are computed from the rows' content.
//! After a kill the same command goes on with the first chunk that the ledger lacks. A chunk with unreadable rows is never
//! complete, so it is read again.

mod ids;
mod row;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::files::{canonical, content_of};
use super::unit::Identity;
use super::{Failure, Figures, Versions};
use crate::resource_map::ResourceMap;
use crate::store::beside;
use crate::store::c7n_db::{BadValue, C7nDbError, Predecessor, PredecessorRow};
use crate::store::imported::LEDGER_PREFIX;
use crate::store::ledger::{Ledger, ReadUnit};
use crate::store::{Batch, Fingerprint};
use crate::store::{Store, StoreError};
use row::{BadRow, ParsedRow};
use smol_str::SmolStr;
use tokio_util::sync::CancellationToken;

/// A transaction is committed when it has this many resources…
const BATCH_IDS: usize = 4096;
/// …or about this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A chunk has the rows with the same rowid, divided by this.
const CHUNK_ROWS: i64 = 8192;

/// The maximum number of listed unclear rows and unknown types. Further ones are only counted.
const MAX_NAMED: usize = 1000;

/// Why an import failed. Everything committed before is saved.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file can't be read.
    #[error(transparent)]
    Predecessor(#[from] C7nDbError),
    /// The database can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The figures of an import, so far or at its end. Records are rows.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Rows, identifiers, new identifiers, and failed rows.
    pub figures: Figures,
    /// Rows with types that are not in the resource map, by type. They are imported too.
    pub unknown_types: BTreeMap<String, u64>,
    /// Rows that can have several identifiers but were kept as one.
    pub unclear: u64,
    /// The first of those.
    pub unclear_rows: Vec<Failure>,
    /// The rowid from which rows were read; those before it were imported by an earlier command that did not end.
    pub resumed_at: Option<i64>,
}

/// Imports all rows of `source` that are not in the ledger, until `stop` is set. `watch` is called with the current figures.
///
/// # Errors
/// Either database fails.
pub fn run(
    path: &Path,
    source: &Predecessor,
    store: &mut Store,
    map: &ResourceMap,
    versions: &Versions,
    stop: &CancellationToken,
    watch: &mut dyn FnMut(&Figures),
) -> Result<Imported, ImportError> {
    let identity = identity(path)?;
    if versions.is_loaded(&store.ledger()?, &identity)? {
        let figures = Figures { already_loaded: 1, ..Figures::default() };
        return Ok(Imported { figures, ..Imported::default() });
    }
    let resumed_at = first_unread(source, &store.ledger()?, versions, &identity)?;
    let imported = Imported { resumed_at, ..Imported::default() };
    let mut import = Import { store, map, imported, batch: Batch::default(), ids: 0, bytes: 0 };
    // Until all rows are read, the ledger has a version that matches no content, so the file counts as not read.
    import.batch.units.push(unit(&identity, Fingerprint::of(&[b"begun"])));
    let (mut chunk, mut broken_before) = (None, 0);
    source.for_each::<ImportError>(resumed_at.unwrap_or(i64::MIN), &mut |rowid, row| {
        if stop.is_cancelled() {
            return Ok(ControlFlow::Break(()));
        }
        let this = rowid.div_euclid(CHUNK_ROWS);
        if let Some(complete) = chunk.replace(this).filter(|before| *before != this) {
            let broken = import.imported.figures.counts.broken_records;
            if broken == broken_before {
                let chunk = identity_of_chunk(&identity, complete);
                import.batch.units.push(unit(&chunk, versions.version(&chunk.content, false)));
            }
            broken_before = broken;
        }
        import.take(rowid, row);
        if import.ids >= BATCH_IDS || import.bytes >= BATCH_BYTES {
            import.commit()?;
            watch(&import.imported.figures);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if !stop.is_cancelled() && import.imported.figures.counts.broken_records == 0 {
        import.batch.units.retain(|other| other.name != identity.name);
        import.batch.units.push(unit(&identity, versions.version(&identity.content, false)));
    }
    import.commit()?;
    Ok(import.imported)
}

/// The rowid from which rows are to be read, if an earlier import read complete chunks before it.
fn first_unread(
    source: &Predecessor,
    ledger: &Ledger,
    versions: &Versions,
    identity: &Identity,
) -> Result<Option<i64>, ImportError> {
    let mut from = None;
    while let Some(rowid) = source.first_rowid(from.unwrap_or(i64::MIN))? {
        let chunk = rowid.div_euclid(CHUNK_ROWS);
        if !versions.is_loaded(ledger, &identity_of_chunk(identity, chunk))? {
            break;
        }
        from = Some((chunk + 1).saturating_mul(CHUNK_ROWS));
    }
    Ok(from)
}

/// A chunk of a file in the ledger.
fn identity_of_chunk(file: &Identity, chunk: i64) -> Identity {
    Identity { name: format!("{} chunk {chunk} of {CHUNK_ROWS} rows", file.name), ..file.clone() }
}

/// The file in the ledger, with the version of its content: its size and time, and those of its WAL.
fn identity(path: &Path) -> Result<Identity, C7nDbError> {
    let metadata = fs::metadata(path).map_err(|error| C7nDbError::Path { path: path.to_owned(), error })?;
    let log = fs::metadata(beside(path, "-wal")).ok().filter(|log| log.len() > 0).map(|log| content_of(&log));
    let place = canonical(path);
    let name = place.to_str().map_or_else(|| format!("{place:?}"), str::to_owned);
    let log = log.as_ref().map_or(&[][..], Fingerprint::as_bytes);
    let content = Fingerprint::of(&[content_of(&metadata).as_bytes(), log]);
    Ok(Identity { prefix: LEDGER_PREFIX.to_owned(), name, content })
}

fn unit(identity: &Identity, version: Fingerprint) -> ReadUnit {
    ReadUnit { prefix: identity.prefix.clone(), name: identity.name.clone(), version }
}

struct Import<'a> {
    store: &'a mut Store,
    map: &'a ResourceMap,
    imported: Imported,
    batch: Batch,
    /// Number of resources in the batch.
    ids: usize,
    /// The approximate size of its identifiers in memory.
    bytes: usize,
}

impl Import<'_> {
    /// Counts a row and adds its event to the batch.
    fn take(&mut self, rowid: i64, row: Result<PredecessorRow, BadValue>) {
        let Imported { figures, unclear, unclear_rows, .. } = &mut self.imported;
        figures.counts.records += 1;
        let named = |reason| Failure { name: format!("row {rowid}"), reason };
        match row.map_err(BadRow::from).and_then(|row| row::read(self.map, row)) {
            Ok(ParsedRow::Event { event, unclear: text }) => {
                if let Some(text) = text {
                    *unclear += 1;
                    if unclear_rows.len() < MAX_NAMED {
                        unclear_rows.push(named(format!("{text:?} of type {}", event.touched[0].resource_type)));
                    }
                }
                figures.counts.matched += 1;
                figures.counts.ids += event.touched.len() as u64;
                self.ids += event.touched.len();
                self.bytes += event.touched.iter().map(|touched| touched.resource_id.as_str().len()).sum::<usize>()
                    + event.event.user_agent.as_ref().map_or(0, SmolStr::len);
                self.count_type(event.touched[0].resource_type.as_str());
                self.batch.events.push(event);
            }
            Ok(ParsedRow::WithoutIds { call }) => {
                figures.counts.matched += 1;
                count(&mut figures.counts.without_ids, &call);
            }
            Err(reason) => {
                figures.counts.broken_records += 1;
                figures.fail(named(reason.to_string()));
            }
        }
    }

    fn count_type(&mut self, resource_type: &str) {
        if !self.map.types.contains_key(resource_type) {
            count(&mut self.imported.unknown_types, resource_type);
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.imported.figures.added(self.store.add(&self.batch)?);
        self.batch = Batch::default();
        (self.ids, self.bytes) = (0, 0);
        Ok(())
    }
}

/// Counts `name`. Names beyond the first [`MAX_NAMED`] are counted together, so that no file can fill the memory.
fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    let name = if counts.len() < MAX_NAMED || counts.contains_key(name) { name } else { "others" };
    *counts.entry(name.to_owned()).or_default() += 1;
}
