//! From the events of a resource to its owner: pure functions, with the reason for every answer.
//!
//! Two questions: which event made the resource ([`creation_of`]), and whom that event's identity stands for
//! ([`OwnerRules::owner_of`]); beside them [`tool_of`]: what the caller used. The second goes step by step: `identity`
//! tells what kind of caller it was, `owner` picks the fact that stands for it, `machine_session` knows the session
//! names that stand for nobody, `tag_value` makes the result legal as a tag. Identity maps, role chains and inheritance
//! from parents are further steps between `identity` and `owner`.
//!
//! `docs/owners.md` tells users the same rules.

mod creation;
mod identity;
mod machine_session;
mod owner;
mod tag_value;
#[cfg(test)]
mod test_data;
mod tool;

pub use creation::creation_of;
pub use identity::is_of_aws;
pub use owner::{CreatorValue, MachineSessions, NoOwner, Owner, OwnerRules};
pub use tool::{Tool, tool_of};
