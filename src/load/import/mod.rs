//! Importing c7n-trailcreator's database: for those who have one, and whose trail may be gone.
//!
//! ```text
//! store::predecessor (rows) ─► row (one event) ─► ids (taken apart) ─► store, with the ledger
//! ```
//! Rows are read in one pass and written in batches, each one transaction; the last of them enters the file in the ledger.
//! Rows have keys made of their content: killed at any moment, or with rows that can't be read, the same command goes over
//! the file again and adds what is missing.

mod ids;
mod row;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::files::{canonical, content_of};
use super::unit::Identity;
use super::{Failure, Figures, Stop, Versions};
use crate::resource_map::ResourceMap;
use crate::store::imported::LEDGER_PREFIX;
use crate::store::ledger::{Batch, Fingerprint, ReadUnit};
use crate::store::predecessor::{Predecessor, PredecessorError, PredecessorRow, beside};
use crate::store::{Store, StoreError};
use row::Reading;

/// A transaction is committed when it touches this many resources…
const BATCH_IDS: usize = 4096;
/// …or holds about this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Rows that are named where their ids are unclear, types that are named; further ones are only counted.
const MAX_NAMED: usize = 1000;

/// Why an import ended early. What was committed before is kept.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file can't be read.
    #[error(transparent)]
    Predecessor(#[from] PredecessorError),
    /// The database can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is told of an import, so far or in the end. Records are rows.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Rows, ids, new ids, rows that can't be read.
    pub figures: Figures,
    /// Rows of types that the resource map doesn't have, by type. They are imported too.
    pub unknown_types: BTreeMap<String, u64>,
    /// Rows whose ids may be several but were kept as one: nothing told where one ends.
    pub unclear: u64,
    /// The first of those.
    pub unclear_rows: Vec<Failure>,
}

/// Imports all rows of `source` that the ledger doesn't know, until `stop` is set. `watch` sees the figures as they grow.
///
/// # Errors
/// Those of either database.
pub fn run(
    path: &Path,
    source: &Predecessor,
    store: &mut Store,
    map: &ResourceMap,
    versions: &Versions,
    stop: &Stop,
    watch: &mut dyn FnMut(&Figures),
) -> Result<Imported, ImportError> {
    let identity = identity(path)?;
    if versions.is_loaded(&store.ledger()?, &identity)? {
        let figures = Figures { already_loaded: 1, ..Figures::default() };
        return Ok(Imported { figures, ..Imported::default() });
    }
    let mut import = Import { store, map, imported: Imported::default(), batch: Batch::default(), ids: 0, bytes: 0 };
    // Until all is read, the ledger has it in a version that no content has: known of, not known.
    import.batch.units.push(unit(&identity, Fingerprint::of(&[b"begun"])));
    source.for_each::<ImportError>(&mut |rowid, row| {
        if stop.is_set() {
            return Ok(ControlFlow::Break(()));
        }
        import.take(rowid, row);
        if import.ids >= BATCH_IDS || import.bytes >= BATCH_BYTES {
            import.commit()?;
            watch(&import.imported.figures);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if !stop.is_set() && import.imported.figures.counts.broken_records == 0 {
        import.batch.units = vec![unit(&identity, versions.version(&identity.content, false))];
    }
    import.commit()?;
    Ok(import.imported)
}

/// The file's place in the ledger, and the version of its content: of its size and time, and those of its log.
fn identity(path: &Path) -> Result<Identity, PredecessorError> {
    let metadata = fs::metadata(path).map_err(|error| PredecessorError::Path { path: path.to_owned(), error })?;
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
    /// Resources that the batch touches.
    ids: usize,
    /// About how much memory its ids take.
    bytes: usize,
}

impl Import<'_> {
    /// Counts a row; its event goes into the batch.
    fn take(&mut self, rowid: i64, row: Result<PredecessorRow, String>) {
        let Imported { figures, unclear, unclear_rows, .. } = &mut self.imported;
        figures.counts.records += 1;
        let named = |reason| Failure { name: format!("row {rowid}"), reason };
        match row.and_then(|row| row::read(self.map, row)) {
            Ok(Reading::Event { event, unclear: text }) => {
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
                    + event.event.user_agent.as_ref().map_or(0, String::len);
                self.count_type(event.touched[0].resource_type.as_str());
                self.batch.events.push(event);
            }
            Ok(Reading::WithoutIds { call }) => {
                figures.counts.matched += 1;
                count(&mut figures.counts.without_ids, &call);
            }
            Err(reason) => {
                figures.counts.broken_records += 1;
                figures.fail(named(reason));
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

/// Counts one more of `name`; names beyond the first [`MAX_NAMED`] together, so that no file can fill the memory.
fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    let name = if counts.len() < MAX_NAMED || counts.contains_key(name) { name } else { "others" };
    *counts.entry(name.to_owned()).or_default() += 1;
}
