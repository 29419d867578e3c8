//! The SQLite database: the only module that knows SQL.
//!
//! One writer. Migrations (`migrations/NNNN_name.sql`, embedded) are applied on `user_version` in one exclusive
//! transaction; a database newer than the program is refused. Loading is idempotent: rows carry their event id and
//! resource id as key, and the unit they came from enters the ledger in the same transaction.
//!
//! * [`creations`]: what trails told, written by loaders, read by the tagger and `who`
//! * [`renames`]: the names that resources had before
//! * [`ledger`]: what was read; [`coverage`]: what that covers
//! * [`athena_queries`]: what was started and is not read yet
//! * [`journal`]: what was written to AWS
//! * [`organization_runs`]: which of those runs belong together
//! * [`sessions`]: who made the sessions that made something
//! * [`people`]: Identity Center's users by name
//! * [`predecessor`]: c7n-trailcreator's database, which is only read
//! * [`imported`]: what came from it, beside what trails told

pub mod athena_queries;
pub mod coverage;
pub mod creations;
mod error;
pub mod imported;
pub mod journal;
pub mod ledger;
mod naming;
mod open;
pub mod organization_runs;
pub mod people;
pub mod predecessor;
pub mod renames;
pub mod sessions;

pub use error::StoreError;
use jiff::{Timestamp, Unit};

/// A database, open.
#[derive(Debug)]
pub struct Store {
    connection: rusqlite::Connection,
    /// Of the sessions.
    bound: sessions::Bound,
}

impl Store {
    fn new(connection: rusqlite::Connection) -> Self {
        Self { connection, bound: sessions::Bound::default() }
    }
}

/// The present time as the database writes it. To the second: people compare it with CloudTrail's times.
fn now() -> String {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now).to_string()
}
