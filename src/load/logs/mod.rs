//! A trail's log group in CloudWatch Logs (`FilterLogEvents`), for those who can't read the trail's bucket.
//!
//! ```text
//! time range ─► slices: the days that are not in the ledger ─► pages of some days at once ─► store
//! ```
//! * [`client`]: pages, at the rate that AWS allows
//! * [`pattern`]: the filter pattern on event names (pure)
//! * [`slices`]: the days to request (pure)
//! * [`load`]: into the store
//!
//! # Minimizing the number of requests
//! A request returns at most 1 MB or 10,000 events, and a day without events takes one request too. So events are filtered by
//! CloudWatch Logs, with one pattern that covers every event name of the resource map ([`pattern`] says why there is never more than
//! one), days that follow each other are requested together ([`slices`]), and only those in which the group can have events: it says when
//! it was created and how long it keeps them.
//!
//! # Time
//! The time stamp of a log event is not the time of the call: CloudTrail delivers events some minutes later. So a time range is
//! read to [`slices::LATE_EVENTS`] after its end, and the records are filtered by their own time.
//!
//! # Resuming after an interruption
//! A day (in UTC) enters the ledger in the transaction with the last page of the days that were requested with it, if it ended more than
//! [`slices::LATE_EVENTS`] ago; until then it is requested each time, so that late events are found.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

mod client;
mod group;
pub mod load;
mod pattern;
mod slices;

pub use group::{Group, InvalidGroup};
pub use load::Loaded;
