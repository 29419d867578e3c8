//! The SQLite database: the only module that knows SQL.
//!
//! There is one writer. A new database gets `migrations/schema.sql`; migrations (`migrations/NNNN_name.sql`) are applied to older
//! ones by `user_version`, in one exclusive transaction. A database of a newer version is refused. Loading is idempotent: rows have event ID and
//! resource ID as key, and the unit that they came from enters the ledger in the same transaction.
//!
//! * [`creations`]: events of resources, written by loaders, read by `tag` and `who`
//! * [`recorded`]: the resources that exist by these events, in flat memory
//! * [`renames`]: earlier names of resources
//! * [`ledger`]: the units that were read; [`coverage`]: the accounts, regions and times in them
//! * [`athena_queries`]: queries that were started and are not loaded yet
//! * [`journal`]: the changes made to AWS
//! * [`organization_runs`]: runs across an organization
//! * [`sessions`]: the creators of sessions
//! * [`people`]: names of Identity Center users
//! * [`prune`]: removes old events
//! * [`c7n_db`]: the database of c7n-trailcreator, read-only
//! * [`reports`]: the totals of earlier reports
//! * [`imported`]: events imported from it, beside those from trails

pub mod athena_queries;
pub mod c7n_db;
pub mod coverage;
pub mod creations;
mod error;
mod fingerprint;
pub mod imported;
mod insert;
pub mod journal;
pub mod ledger;
mod lookup;
mod naming;
mod open;
pub mod organization_runs;
pub mod people;
mod place;
pub mod prune;
pub mod recorded;
pub mod renames;
pub mod reports;
pub mod sessions;

pub use error::StoreError;
pub use fingerprint::Fingerprint;
pub use insert::{Added, Batch};
use jiff::{Timestamp, Unit};
pub use open::Migration;
pub use place::{beside, remove_if_empty};

/// An open database.
#[derive(Debug)]
pub struct Store {
    connection: rusqlite::Connection,
    /// Limits the number of sessions.
    bound: sessions::Bound,
    /// The file as it was when it was opened; `None` in memory.
    file: Option<place::Opened>,
}

impl Store {
    fn new(connection: rusqlite::Connection) -> Self {
        Self { connection, bound: sessions::Bound::default(), file: None }
    }
}

/// The current time as stored in the database, in whole seconds like CloudTrail's times.
fn now() -> String {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now).to_string()
}
