//! Organizations: which accounts, and the tagger across them.
//!
//! ```text
//! accounts_file ─► selection ─► fan_out (accounts at once; regions of each at once) ─► events, as they come
//!                                  │ account_job: tag (targets, survey, run) · undo · apply
//! ```
//! * [`accounts_file`]: c7n-org's accounts file, read and written
//! * [`directory`]: the accounts in AWS Organizations; [`member`]: their stanzas in the accounts file
//! * [`selection`]: which of its accounts are meant
//! * [`mod@targets`]: which types to look at in which region
//! * [`mod@fan_out`]: accounts and regions concurrently, none stopping the others
//! * [`account_job`]: what is done in each
//!
//! All runs in one task, which shares the database's one connection: no task waits for SQLite's locks. Memory does not grow with
//! the number of accounts: what is known of a place goes with its event. Prints nothing and reads no environment.

pub mod account_job;
pub mod account_regions;
pub mod accounts_file;
pub mod directory;
pub mod fan_out;
pub mod member;
pub mod organization;
pub mod selection;
pub mod targets;

pub use accounts_file::{Account, AccountsFile, RegionChoice};
pub use fan_out::{Event, fan_out};
pub use member::{Member, Stanzas};
pub use organization::{Done, Failure, Organization};
pub use selection::{Selection, UnknownAccount};
