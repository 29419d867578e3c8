//! CloudTrail itself: documents, records, and what they say of resources. Pure.

pub mod record;
