//! CloudTrail itself: documents, records, and what they say of resources. Pure: bytes and text in, events out.
//!
//! * [`record`]: what is kept of a record
//! * [`window`], [`filter`]: which records are wanted
//! * [`scan`]: a document's bytes → its records that the resource map knows
//! * [`count`]: a document's bytes → how often which calls are in it
//! * [`fields`], [`extract`]: one record → the event and the resources it touched

pub mod count;
pub mod extract;
pub mod fields;
pub mod filter;
pub mod left_out;
pub mod record;
pub mod scan;
pub mod trial;
pub mod window;

#[cfg(test)]
pub(crate) mod samples;
