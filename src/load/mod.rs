//! Loading: from the sources of CloudTrail records to events in the store.
//!
//! ```text
//! files, s3: find units ──(queue)──► pipeline: N scanners ──(queue)──► one writer ──► store
//! ```
//! A source finds units of input (files or objects), skips those in the ledger, and puts [`Item`]s into the queue.
//! Everything after the queue is the same for all sources. Queues are bounded, so memory does not depend on the size of
//! the load.
//!
//! * [`mod@unit`]: the items of a source, and how the ledger identifies them
//! * [`files`], [`s3`]: the sources
//! * [`pipeline`]: decompressing, scanning, writing
//! * [`count`]: the same up to the scanners, but counts calls
//! * [`figures`]: the figures of a load
//! * [`athena`], [`history`]: sources that return rows or events; they write to the store themselves
//! * [`identity_center`]: names of Identity Center users, which events have only as IDs
//! * [`import`]: databases of c7n-trailcreator

pub mod athena;
pub mod count;
pub mod figures;
pub mod files;
pub mod history;
pub mod identity_center;
pub mod import;
mod items;
pub mod pipeline;
pub mod s3;

pub mod unit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

pub use figures::{Failure, Figures};
pub use unit::{FoundDay, Item, Queue, Unit, Versions, queue};

/// A request to stop early, shared by all parts of a load. Units that were read completely before it are saved.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    changed: Notify,
}

impl Stop {
    /// Requests a stop.
    pub fn set(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Whether a stop was requested.
    pub fn is_set(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Waits until a stop is requested.
    pub async fn wait(&self) {
        let changed = self.0.changed.notified();
        let mut changed = std::pin::pin!(changed);
        // Register first, so that a request between the check and the wait is not missed.
        changed.as_mut().enable();
        if !self.is_set() {
            changed.await;
        }
    }
}
