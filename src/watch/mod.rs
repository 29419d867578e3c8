//! Watching: follows a queue of notifications, loads the records that they announce, and tags what those created.
//!
//! ```text
//! queue ─► message (log files, records) ─► batch (one transaction) ─► delete
//!    ▲                                        │ what was created
//!    └── visibility extended ── held ◄── waiting ─► tagger (per account-region) ─► journal, AWS
//! ```
//! * [`message`]: what a message announces
//! * [`queue`]: the queue's calls
//! * [`held`]: messages that were received and are not deleted yet
//! * [`message_reader`]: from messages to committed rows
//! * [`waiting`]: resources to tag, and when to try again
//! * [`tagger`]: one round of tagging, across accounts and regions
//! * [`run`]: all of it, until it is stopped or the queue is empty
//! * [`notice`]: what happens, for the command line
//!
//! # Invariants
//! A message is deleted only after its rows are committed and the resources that they created were tagged, or given up on. So a process that is killed
//! at any time loses nothing: SQS delivers the message again, the ledger and the events' keys make reading it twice harmless, and the
//! tags that are present show what is done. No state but the database and the queue is kept.

pub mod held;
pub mod message;
pub mod message_reader;
pub mod notice;
pub mod queue;
pub mod run;
pub mod tagger;
pub mod waiting;

pub use notice::{Notice, Totals};
pub use queue::{InvalidQueueUrl, QueueUrl};
pub use run::{Settings, WatchError, watch};
pub use tagger::{Tagging, Wanted};
