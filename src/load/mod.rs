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
//! * [`files`], [`s3`]: the sources; [`archived`]: objects that S3 has archived
//! * [`pipeline`]: decompressing, scanning, writing
//! * [`batch`]: a few units at once, with the result of each, for `watch`
//! * [`count`]: the same up to the scanners, but counts calls
//! * [`figures`]: the figures of a load
//! * [`api`]: what [`history`] and [`logs`] have in common
//! * [`athena`], [`history`], [`logs`]: sources that return rows or events; they write to the store themselves
//! * [`identity_center`]: names of Identity Center users, which events have only as IDs
//! * [`import`]: databases of c7n-trailcreator

pub mod api;
pub mod archived;
pub mod athena;
pub mod batch;
pub mod count;
pub mod figures;
pub mod files;
pub mod history;
pub mod identity_center;
pub mod import;
mod items;
pub mod logs;
mod piped;
pub mod pipeline;
pub mod s3;

pub mod unit;

pub use archived::ArchivedObject;
pub use figures::{Failure, Figures, OtherFile};
pub use unit::{FoundDay, Item, Queue, Unit, Versions, queue};
