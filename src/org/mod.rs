//! Organizations: which accounts, and the tagger across them.
//!
//! ```text
//! accounts_file ─► selection ─► fan_out (accounts at once; regions of each at once) ─► events, as they come
//!                                  │ errand: tag (places, survey, run) · undo · apply
//! ```
//! * [`accounts_file`]: c7n-org's accounts file, read and written
//! * [`directory`]: the accounts as AWS Organizations tells them; [`member`]: the stanzas that they become
//! * [`selection`]: which of its accounts are meant
//! * [`mod@places`]: which types to look at in which region
//! * [`mod@fan_out`]: accounts and regions concurrently, none stopping the others
//! * [`errand`]: what is done in each
//!
//! All runs in one task, which shares the database's one connection: nobody waits for SQLite's locks. Memory does not grow with
//! the number of accounts: what is known of a place goes with its event. Prints nothing and reads no environment.

pub mod accounts_file;
pub mod directory;
pub mod errand;
pub mod fan_out;
pub mod member;
pub mod places;
pub mod selection;

pub use accounts_file::{Account, AccountsFile, RegionChoice};
pub use fan_out::{Done, Event, Failure, Organization, fan_out};
pub use member::{Member, Stanzas};
pub use selection::{Selection, UnknownAccount};
