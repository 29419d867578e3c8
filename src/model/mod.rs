//! The vocabulary of the product: the names of AWS, the event, the live resource. Plain data, without any behaviour that
//! needs AWS, SQL, files or a clock.
//!
//! * [`names`]: account, region, resource type, id, ARN, tag key and value
//! * [`event`]: a CloudTrail event and the resources it created, deleted or renamed
//! * [`resource`]: a live resource and what is known of its tags

pub mod event;
pub mod names;
pub mod resource;
mod run_id;
mod tag_key;
mod text_hash;

pub use names::*;
pub use resource::{Item, LiveResource, Tags};
pub use run_id::RunId;
pub use tag_key::{MAX_KEY_CHARACTERS, parse_key};
pub use text_hash::TextHash;

/// One account in one region: where types are listed and tags are written.
#[derive(Debug, Clone)]
pub struct AccountRegion {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
}
