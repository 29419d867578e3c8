//! Reports for users, from the events in the store and from live resources.

mod account_types;
pub mod coverage;
pub mod csv;
mod figures;
pub mod html;
pub mod list;
pub mod live;
pub mod offline;
pub mod organization;
pub mod resources;
pub mod trend;
pub mod who;
