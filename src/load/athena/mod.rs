//! CloudTrail through Athena: for trails too big to read on one machine.
//!
//! One query, whose rows are read as the records that they came from, like those of every other loader:
//!
//! * [`table`], `date_format`: the catalogue's metadata → a CloudTrail table (pure)
//! * [`plan`]: what to ask; by `sql` and `partition`: resource map, filter and table → the query (pure)
//! * `query`: started once, watched, stopped
//! * `results`, `csv`: its result as a stream of rows, in constant memory
//! * `row`: a row → its record (pure)
//! * `load`: rows → store
//! * `client`: Athena's calls; the only one that knows the SDK
//!
//! A query is paid for once: it is kept in the store from before its start until all its rows are there. Rows are
//! idempotent and the query enters the ledger with the last of them, so that a load killed at any moment is done again
//! from the query's result.

mod client;
mod csv;
mod date_format;
mod error;
mod load;
mod partition;
pub mod plan;
mod query;
mod results;
mod row;
mod sql;
pub mod table;

use std::time::Duration;

pub use client::{Athena, Execution, State};
pub use error::LoadError;
pub use load::Load;
pub use plan::{Plan, Request};
pub use query::AfterInterrupt;
pub use sql::NameFilter;

use super::Figures;

/// What Athena asks for a terabyte (10¹² bytes) read, in most regions.
///
/// Source: <https://aws.amazon.com/athena/pricing/>
const DOLLARS_A_TERABYTE: f64 = 5.0;
/// What each query is charged for at least, in bytes.
const LEAST_CHARGED_BYTES: u64 = 10_000_000;

/// Something that happens while a load runs.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A query was started.
    Started {
        /// Its id.
        id: &'a str,
    },
    /// The query that the same command began before goes on.
    PickedUp {
        /// Its id.
        id: &'a str,
        /// When it was begun, RFC 3339.
        started_at: &'a str,
    },
    /// How far the query is.
    Running(&'a Execution),
    /// How much of the result is read.
    Reading(&'a Figures),
    /// Something to know.
    Note(&'a str),
}

/// What a load came to.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The query's id.
    pub query_id: String,
    /// Bytes that Athena read.
    pub scanned_bytes: u64,
    /// How long the query took.
    pub elapsed: Duration,
    /// What was in its result: the result is the one unit, its rows are the records.
    pub figures: Figures,
}

/// What a query that read so much costs by the price of most regions: an estimate.
pub fn estimated_dollars(scanned_bytes: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    let terabytes = scanned_bytes.max(LEAST_CHARGED_BYTES) as f64 / 1e12;
    terabytes * DOLLARS_A_TERABYTE
}
