//! CloudTrail Event history (`LookupEvents`): the management events of the last 90 days, without a trail.
//!
//! ```text
//! time range ─► days: the parts that are not in the ledger ─► for each part, newest first:
//!     all writing calls, page by page ──(too many pages?)──► one series of pages for each event name
//! ```
//! * [`client`]: a series of pages, at the rate that AWS allows
//! * [`days`]: the days to request (pure)
//! * [`strategy`]: all writing calls, or name by name (pure)
//! * [`load`]: all regions in parallel, into the store
//! * [`resource`]: the events of one resource, for `who --live`
//!
//! # Minimizing the number of calls
//! A request has one condition and returns 50 events. Each part begins with all writing calls (`ReadOnly=false`), and their
//! records are filtered here. The pages so far predict how many are to come. If these are more than the event names in
//! the resource map (the minimum for requests by name), the rest is requested name by name. See [`strategy`].
//!
//! # Resuming after an interruption
//! The newest events come first. When a page reaches back before a day's midnight, the day is complete, and enters the ledger in
//! the transaction with that page's events. The ledger does not record how a day was requested. When requesting name by name, each
//! completed name of the part enters the ledger in place of the previous part's, and the days enter when all names are complete.
//!
//! Events usually appear within minutes after the call. A day enters the ledger only if it ended more than
//! [`days::LATE_EVENTS`] ago; until then it is requested each time.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

mod client;
mod days;
pub mod load;
pub mod resource;
mod strategy;

pub use days::{Span, TooOld};
pub use load::Loaded;
pub(super) use strategy::{can_begin_reading, sounds_like_reading};
