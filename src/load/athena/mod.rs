//! Loads a trail through Athena, for trails that are too large to read on one machine.
//!
//! One query returns rows, which are converted back to the records that they came from, as in every other loader:
//!
//! * [`table`], `date_format`: catalog metadata → a CloudTrail table (pure)
//! * [`plan`]: the query to run; with `sql` and `partition`: resource map, filter and table → SQL (pure)
//! * `query`: starts, watches and stops the query
//! * `results`, `csv`: the result as a stream of rows, in constant memory
//! * `row`: a row → its record (pure)
//! * `load`: rows → store
//! * `client`: Athena's API; the only module that uses its SDK
//!
//! A query is charged once: it is recorded in the store before it starts, until all its rows are loaded. Rows are
//! idempotent, and the query enters the ledger with its last row. So a load that is killed at any time is repeated from the
//! result of the query.

mod client;
pub(crate) mod csv;
mod date_format;
mod error;
mod load;
mod partition;
pub mod plan;
mod query;
mod quoting;
mod results;
pub(crate) mod row;
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

/// Athena's price per terabyte (10¹² bytes) scanned, in most regions.
///
/// Source: <https://aws.amazon.com/athena/pricing/>
const DOLLARS_A_TERABYTE: f64 = 5.0;
/// The minimum number of bytes that each query is charged for.
const LEAST_CHARGED_BYTES: u64 = 10_000_000;

/// A notice about the progress of a load.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A query was started.
    Started {
        /// Its id.
        id: &'a str,
    },
    /// The query of an earlier, interrupted command is resumed.
    PickedUp {
        /// Its id.
        id: &'a str,
        /// When it was started, RFC 3339.
        started_at: &'a str,
    },
    /// The state of the running query.
    Running(&'a Execution),
    /// The figures while the result is read.
    Reading(&'a Figures),
    /// A message for the user.
    Note(&'a str),
}

/// The result of a load.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The query's id.
    pub query_id: String,
    /// Bytes that Athena scanned.
    pub scanned_bytes: u64,
    /// The run time of the query.
    pub elapsed: Duration,
    /// The contents of its result. The result is one unit, and its rows are the records.
    pub figures: Figures,
}

/// The estimated cost of a query, at the price of most regions.
pub fn estimated_dollars(scanned_bytes: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    let terabytes = scanned_bytes.max(LEAST_CHARGED_BYTES) as f64 / 1e12;
    terabytes * DOLLARS_A_TERABYTE
}
