//! CloudTrail's Event history (`LookupEvents`): the management events of the last 90 days, without any trail.
//!
//! ```text
//! window ─► days: parts of it that the ledger doesn't know ─► for each part, newest first:
//!     all writing calls, page by page ──(too many pages?)──► one series of pages for each event name
//! ```
//! * [`client`]: one series of pages, at the rate that AWS allows
//! * [`days`]: which days to ask for (pure)
//! * [`strategy`]: all writing calls, or name by name (pure)
//! * [`load`]: all regions at once, into the store
//! * [`resource`]: what is known of one resource, for `who --live`
//!
//! # Which way needs fewer calls
//! A request takes one condition and gives 50 events. Each part begins with all writing calls (`ReadOnly=false`), whose
//! records are checked here. The pages seen so far tell how many are to come; where that is more than one for each name of
//! the resource map (the least that asking by name can take), the rest is asked for name by name. See [`strategy`].
//!
//! # Going on after an interruption
//! The newest events come first: when a page reaches back before a day's midnight, the day is done, and enters the ledger in
//! the transaction of that page's rows. The ledger doesn't know how a day was asked for. Name by name, each name of the
//! part enters it, replacing the one of the last part, and the days when all names are done.
//!
//! Events appear within minutes after their call, later ones are rare: a day enters the ledger only when it ended
//! [`days::LATE_EVENTS`] ago; until then it is asked for each time.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

mod client;
mod days;
pub mod load;
pub mod resource;
mod strategy;

pub use days::{Span, TooOld};
pub use load::{Failed, Load, Loaded};
