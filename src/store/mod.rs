//! The SQLite database: the only module that knows SQL.
//!
//! One writer. Migrations (`migrations/NNNN_name.sql`, embedded) are applied on `user_version` in one exclusive
//! transaction; a database newer than the program is refused. Loading is idempotent: rows carry their event id and
//! resource id as key, and the unit they came from enters the ledger in the same transaction.
//!
//! * [`creations`]: what trails told, written by loaders, read by the tagger and `who`
//! * [`ledger`]: what was read
//! * [`athena_queries`]: what was started and is not read yet
//! * [`journal`]: what was written to AWS
//! * [`organization_runs`]: which of those runs belong together
//! * [`predecessor`]: c7n-trailcreator's database, which is only read
//! * [`imported`]: what came from it, beside what trails told

pub mod athena_queries;
pub mod creations;
mod error;
pub mod imported;
pub mod journal;
pub mod ledger;
mod naming;
mod open;
pub mod organization_runs;
pub mod predecessor;

pub use error::StoreError;

/// A database, open.
#[derive(Debug)]
pub struct Store {
    connection: rusqlite::Connection,
}
