//! What happens while watching, for the command line: it decides what is printed.

use crate::load::Figures;
use crate::model::{AccountId, Region, ResourceId, ResourceType, RunId};
use crate::plan::Plan;

/// One thing that happened.
#[derive(Debug)]
pub enum Notice<'n> {
    /// The queue could be asked for messages, and had some or none.
    Received,
    /// Messages were read and their rows are committed.
    Loaded {
        /// The messages.
        messages: u64,
        /// What was in them.
        figures: &'n Figures,
    },
    /// A message can't be read, or not completely. It stays in the queue. Each is named once.
    Unreadable {
        /// Its ID.
        message_id: &'n str,
        /// What it announces, if that is what can't be read.
        object: Option<&'n str>,
        /// Why.
        reason: &'n str,
    },
    /// A call failed, and is tried again.
    Trouble {
        /// What failed.
        doing: &'n str,
        /// Why.
        reason: String,
    },
    /// A resource that new records created has its tags.
    Tagged {
        /// The resource.
        resource: Resource<'n>,
        /// The tags that were written, with their values.
        tags: Vec<(String, String)>,
        /// The run in the journal.
        run: Option<RunId>,
        /// Seconds since the message was sent.
        seconds: Option<f64>,
    },
    /// A resource that new records created gets no tag, and is not tried again.
    NotTagged {
        /// The resource.
        resource: Resource<'n>,
        /// Why.
        reason: &'n str,
        /// Whether that is a failure: the others have the tag, have no owner, or don't exist.
        is_failure: bool,
    },
    /// A plan that is not applied (`--dry-run`).
    Planned(&'n Plan),
    /// What came of everything so far.
    Heartbeat(&'n Totals),
}

/// A resource, by its create event.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'n> {
    /// Its account.
    pub account: &'n AccountId,
    /// The region of the event.
    pub region: &'n Region,
    /// Its type.
    pub resource_type: &'n ResourceType,
    /// Its ID in the event.
    pub id: &'n ResourceId,
}

/// What came of everything so far.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Messages that were received, each delivery counted.
    pub messages: u64,
    /// Messages that were deleted.
    pub deleted: u64,
    /// Messages that can't be read, or not completely. Each is counted once, and not if a later delivery can be read.
    pub unreadable: u64,
    /// What was in them. Its failures are empty: they are named as they come.
    pub figures: Figures,
    /// Resources that were tagged.
    pub tagged: u64,
    /// Resources that could not be tagged.
    pub failed: u64,
    /// Resources that got no tag for another reason: they have it, have no owner, or don't exist.
    pub skipped: u64,
    /// Resources that are not tagged yet.
    pub waiting: u64,
}

impl Totals {
    /// Whether something failed that was not made good later.
    pub fn has_failures(&self) -> bool {
        self.unreadable > 0 || self.failed > 0
    }
}
