//! A few units at a time, for `watch`: read, and written in one transaction, with the result of each. The rows and the ledger are those
//! of [`super::pipeline`].

use smol_str::SmolStr;
use tokio::sync::mpsc;

use super::pipeline::{is_whole, read_unit};
use super::{Failure, Figures, Item, Unit, Versions};
use crate::model::event::{ResourceEvent, Touched};
use crate::model::{AccountId, Region};
use crate::store::{Batch, Store, StoreError};
use crate::trail::scan::{Buffers, Scanner};

/// A transaction is committed early when it has this many events: one file can have any number.
const BATCH_EVENTS: usize = 4096;

/// What one event did to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The account of the event.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// Its ID.
    pub event_id: SmolStr,
    /// Its time, as CloudTrail writes it: sorts as text.
    pub time: SmolStr,
    /// The resource, and what the event did.
    pub touched: Touched,
}

/// The result of a unit.
#[derive(Debug, Default)]
pub struct UnitResult {
    /// Its name.
    pub name: String,
    /// Why it could not be read, or not completely.
    pub failure: Option<String>,
    /// What its events did, without sessions; only on request.
    pub effects: Vec<Effect>,
}

impl UnitResult {
    fn failed(failure: &Failure) -> Self {
        let reason = Some(failure.reason.clone());
        Self { name: failure.name.clone(), failure: reason, effects: Vec::new() }
    }
}

/// Reads units one after the other. Keeps its buffers.
pub struct BatchReader {
    store: Store,
    scanner: std::sync::Arc<Scanner>,
    versions: Versions,
    buffers: Buffers,
    /// Whether the results have effects.
    with_effects: bool,
}

impl BatchReader {
    /// A reader that writes to `store`.
    pub fn new(store: Store, scanner: std::sync::Arc<Scanner>, with_effects: bool) -> Self {
        let versions = Versions::of(&scanner);
        Self { store, scanner, versions, buffers: Buffers::default(), with_effects }
    }

    /// Reads all units in `items`, until it ends. When this returns, their events and ledger entries are committed. Blocking.
    ///
    /// # Errors
    /// The database fails. Everything committed before is saved.
    pub fn read(&mut self, mut items: mpsc::Receiver<Item>) -> Result<(Figures, Vec<UnitResult>), StoreError> {
        let (mut figures, mut results, mut batch) = (Figures::default(), Vec::new(), Batch::default());
        while let Some(item) = items.blocking_recv() {
            match item {
                Item::Unit(unit) => results.push(self.unit(unit, &mut batch, &mut figures)?),
                Item::Failed(failure) => {
                    results.push(UnitResult::failed(&failure));
                    figures.lost(failure);
                }
                // An object of a notification: what announced it can be read again once it is restored.
                Item::Archived(object) => {
                    let reason = format!("archived in {}: restore it first", object.class.name());
                    let failure = Failure { name: object.name, reason };
                    results.push(UnitResult::failed(&failure));
                    figures.lost(failure);
                }
                Item::AlreadyLoaded => figures.already_loaded += 1,
                Item::Other(file) => figures.other(file),
                Item::Expected(_) | Item::DayFound(_) | Item::FolderFound(_) => {}
            }
        }
        self.commit(&mut batch, &mut figures)?;
        Ok((figures, results))
    }

    fn unit(&mut self, unit: Unit, batch: &mut Batch, figures: &mut Figures) -> Result<UnitResult, StoreError> {
        let Unit { name, identity, open, closes_day: _ } = unit;
        let mut result = UnitResult { name: name.clone(), ..UnitResult::default() };
        let mut input = match open() {
            Ok(input) => input,
            Err(error) => {
                result.failure = Some(error.to_string());
                figures.lost(Failure { name, reason: error.to_string() });
                return Ok(result);
            }
        };
        let mut failed = None;
        let scanner = std::sync::Arc::clone(&self.scanner);
        let mut buffers = std::mem::take(&mut self.buffers);
        let scan = scanner.scan(&mut input, &mut buffers, &mut |events| {
            if self.with_effects {
                result.effects.extend(events.iter().flat_map(effects_of));
            }
            batch.events.extend(events);
            if batch.events.len() >= BATCH_EVENTS && failed.is_none() {
                failed = self.commit(batch, figures).err();
            }
        });
        self.buffers = buffers;
        if let Some(error) = failed {
            return Err(error);
        }
        let scan = scan.under_name(&name);
        if let Some(identity) = identity.filter(|_| is_whole(&scan)) {
            batch.units.push(read_unit(&self.versions, identity, &scan));
        }
        let mut own = Figures::default();
        own.scanned(name, scan);
        result.failure = own.failures.pop().map(|failure| failure.reason);
        figures.add_counts(&own);
        Ok(result)
    }

    fn commit(&mut self, batch: &mut Batch, figures: &mut Figures) -> Result<(), StoreError> {
        if !batch.events.is_empty() || !batch.units.is_empty() {
            figures.added(self.store.add(batch)?);
            batch.events.clear();
            batch.units.clear();
        }
        Ok(())
    }
}

fn effects_of(resource_event: &ResourceEvent) -> impl Iterator<Item = Effect> + '_ {
    let ResourceEvent { event, touched, .. } = resource_event;
    touched.iter().map(|touched| Effect {
        account: event.account_id.clone(),
        region: event.region.clone(),
        event_id: event.event_id.clone(),
        time: event.time.clone(),
        touched: touched.clone(),
    })
}
