//! What the types of an account-region are looked at with, and for what.

use crate::aws::Session;
use crate::inventory::config::ConfigSource;
use crate::plan::Question;
use crate::resource_map::ResourceMap;
use crate::store::Store;

/// The resources that get a tag read where the listing does not prove that the tag is absent. A read may cost a call each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Of those that would be tagged.
    Writes,
    /// Of all that can be tagged.
    All,
    /// Of all that can be tagged, also where the owner tag is known: all tags are wanted.
    Tags,
}

/// What types are looked at with, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a, 'm> {
    /// The access to the account.
    pub session: &'a Session,
    /// How the types are listed.
    pub map: &'m ResourceMap,
    /// The recorded events.
    pub store: &'a Store,
    /// The account-region, and what is asked of its resources.
    pub question: &'a Question,
    /// Which resources need proven tags.
    pub proof: Proof,
    /// AWS Config, if it is queried before the services.
    pub config: Option<&'a ConfigSource>,
}
