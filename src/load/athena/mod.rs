//! CloudTrail through Athena.
mod csv;
mod partition;
mod row;
mod sql;
pub mod table;
