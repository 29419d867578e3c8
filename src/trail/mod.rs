//! CloudTrail data: documents, records, and their events. Pure: takes bytes and text, returns events.
//!
//! * [`envelope`]: what records are kept in, and what is not CloudTrail
//! * [`window`], [`filter`]: select records
//! * [`scan`]: a document's bytes → the events in the resource map
//! * [`count`]: a document's bytes → counts of calls
//! * [`broken`]: why a document or a record can't be read
//! * [`fields`], [`identity`], [`extract`]: one record → its event and the resources
//! * [`mend`]: JSON with faults in texts → JSON

pub mod broken;
pub mod count;
pub mod envelope;
pub mod extract;
pub mod fields;
pub mod filter;
pub(crate) mod identity;
pub mod left_out;
pub mod map_check;
pub(crate) mod mend;
pub mod scan;
pub mod window;

mod text;

#[cfg(test)]
pub(crate) mod samples;
