//! Organizations: which accounts, and the tagger across them.
//!
//! * [`accounts_file`]: c7n-org's accounts file, read and written
//! * [`directory`]: the accounts as AWS Organizations tells them; [`member`]: the stanzas that they become
//! * [`selection`]: which of its accounts are meant
//!
//! Prints nothing and reads no environment.

pub mod accounts_file;
pub mod directory;
pub mod member;
pub mod selection;

pub use accounts_file::{Account, AccountsFile, RegionChoice};
pub use member::{Member, Stanzas};
pub use selection::{Selection, UnknownAccount};
