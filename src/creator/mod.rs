//! From the events of a resource to its owner: pure functions, with a reason for every answer.
//!
//! Two questions are answered: which event created the resource ([`creation_of`], with [`RenameHistory`] for renamed resources), and which owner
//! follows from that event ([`OwnerRules::owner_of`]). In addition, [`tool_of`] names the tool of the caller. The second question is answered
//! in steps, which [`OwnerRules::explain`] returns: `identity_map` has the rules of the user, about a principal and a resource (`sought`), with
//! a table of people (`people_table`, and `person_names` to look them up by); `identity` determines the kind of caller
//! (`web_identity` and `people` for those that others vouch for); `owner` and `subject` choose the fact that becomes the owner;
//! `machine_session` knows generated session names; `chain` leads from a session to its creator; `tag_value` makes a valid tag
//! value. `facts`, `resource_field`, `template_field` and `text_template` fill in templates of the user.
//! `inheritance` decides which events have no person: their resources get the owners of their parents, which `tag::plan` finds.
//!
//! `docs/owners.md` documents the rules for users.

mod chain;
mod creation;
mod explanation;
mod facts;
mod identity;
mod identity_map;
mod inheritance;
mod machine_session;
mod missing_people;
mod no_owner;
mod owner;
mod people;
mod people_table;
mod person_names;
mod rename_history;
mod resource_field;
mod same_resource;
mod sought;
mod subject;
mod tag_template;
mod tag_value;
mod template_field;
#[cfg(test)]
mod test_data;
mod text_template;
mod tool;
mod web_identity;

pub use chain::{completeness, may_lead_to_a_maker, session_key};
pub use creation::{Dated, creation_of, why_this_event};
pub use explanation::{Explanation, Rule, Step};
pub use facts::role_and_session;
pub use identity::is_of_aws;
pub use identity_map::{IdentityMap, LiveFact, NoMappedOwner, NoPerson, Undecided};
pub use missing_people::{MissingPeople, MissingPerson};
pub use no_owner::{AwsCaller, Nameless, NoOwner};
pub use owner::{CreatorValue, MachineSessions, Owner, OwnerRules};
pub use people::{NoName, People, Person, UserId};
pub use rename_history::{RenameHistory, renames_in_words};
pub use same_resource::{SameResource, lives};
pub use sought::{AccountTags, ResourceFacts, Sought};
pub use tag_template::{MoreValue, NoValue, TagTemplate};
pub use text_template::InvalidTemplate;
pub use tool::{Tool, tool_of};
