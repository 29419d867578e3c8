//! From the events of a resource to its owner: pure functions, with the reason for every answer.
//!
//! Two questions: which event made the resource ([`creation_of`], of what was renamed after [`Lives`]), and whom that event's identity stands for
//! ([`OwnerRules::owner_of`]); beside them [`tool_of`]: what the caller used. The second goes step by step, and
//! [`OwnerRules::explain`] tells each: `identity_map` are the user's own rules; `identity` tells what kind of caller it was
//! (`web_identity`, `people`: those that others vouch for), `owner` and `subject` pick the fact that stands for it,
//! `machine_session` knows the session names that stand for nobody, `chain` leads from a session to who made it, `tag_value`
//! makes the result legal as a tag. `facts` and `text_template` are what users' own texts are filled with.
//! `inheritance` tells which events are of nobody: their resources have their parents' owners, which `tag::plan` finds.
//!
//! `docs/owners.md` tells users the same rules.

mod chain;
mod creation;
mod explanation;
mod facts;
mod identity;
mod identity_map;
mod inheritance;
mod lives;
mod machine_session;
mod owner;
mod people;
mod subject;
mod tag_template;
mod tag_value;
#[cfg(test)]
mod test_data;
mod text_template;
mod tool;
mod web_identity;

pub use chain::{session_key, telling};
pub use creation::{creation_of, why_this_event};
pub use explanation::{Explanation, Rule, Step};
pub use identity::is_of_aws;
pub use identity_map::IdentityMap;
pub use lives::{Lives, renames_in_words};
pub use owner::{CreatorValue, MachineSessions, NoOwner, Owner, OwnerRules};
pub use people::{People, Person, UserId};
pub use tag_template::{MoreValue, TagTemplate};
pub use tool::{Tool, tool_of};
