//! Loading: from where CloudTrail lies to rows in the store.
//!
//! ```text
//! files, s3: find units ──(queue)──► pipeline: N scanners ──(queue)──► one writer ──► store
//! ```
//! A source finds units of input (a file, an object), leaves out what the ledger knows, and puts [`Item`]s into the queue.
//! Everything behind the queue is the same for all sources. Queues are bounded, so memory does not depend on how much
//! is loaded.
//!
//! * [`mod@unit`]: what a source gives, and how the ledger knows it again
//! * [`files`], [`s3`]: the sources
//! * [`pipeline`]: decompressing, scanning, writing
//! * [`count`]: the same up to the scanners, which count calls instead
//! * [`figures`]: what is told of a load
//! * [`athena`], [`history`]: sources that answer with rows; they feed the store themselves
//! * [`identity_center`]: names of users, whom events have by id only
//! * [`import`]: what c7n-trailcreator read before

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

/// A wish to stop early, shared by all parts of a load. What was read to its end until then is kept.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    changed: Notify,
}

impl Stop {
    /// Asks to stop.
    pub fn set(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Whether it was asked for.
    pub fn is_set(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Ends when it is asked for.
    pub async fn wait(&self) {
        let changed = self.0.changed.notified();
        let mut changed = std::pin::pin!(changed);
        // Heard from here on, so a wish between the check and the wait is not missed.
        changed.as_mut().enable();
        if !self.is_set() {
            changed.await;
        }
    }
}
