//! From the events of a resource to its owner: pure functions, with the reason for every answer.
//!
//! Two questions: which event made the resource ([`creation_of`]), and whom that event's identity stands for
//! ([`OwnerRules::owner_of`]). Identity maps, role chains and inheritance from parents will be further steps of the second.

use crate::trail::record::{Event, StoredEvent};

/// Which fact of the identity becomes the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum CreatorValue {
    /// The person's name by the default rules
    #[default]
    Name,
    /// The principal's ARN
    Arn,
    /// The principal id
    PrincipalId,
    /// The role's name for sessions, else as `name`
    Role,
    /// The e-mail address that the name is, or that the session carries; without one there is no owner
    Email,
}

/// What becomes of sessions whose name is a machine's (`i-0…`, `botocore-session-…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MachineSessions {
    /// The role is the owner
    #[default]
    Role,
    /// The session's name is the owner
    Keep,
    /// There is no owner
    Skip,
}

/// How owners are decided. The same rules give the same owner for the same event, always.
#[derive(Debug, Clone, Default)]
pub struct OwnerRules {
    /// Which fact.
    pub value: CreatorValue,
    /// Only principals whose ARN or name ends so have an owner.
    pub user_suffix: Option<String>,
    /// Machines' sessions.
    pub machine_sessions: MachineSessions,
}

/// Whom an event stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Legal as a tag value: at most 256 characters of the set all services accept.
    pub value: String,
    /// Why it is this one, as a phrase: "IAM user name", "session name of role X".
    pub reason: String,
    /// The value before it was made legal, where that changed it.
    pub original: Option<String>,
}

/// Why an event has no owner, as a phrase: "service-linked role AWSServiceRoleForAutoScaling".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoOwner(pub String);

/// The event that made the resource, of all its events ordered by time: the latest `Create`, else the first `Upsert` since the last
/// `Delete`. `None` where no creation was recorded (since the last deletion).
pub fn creation_of(_events: &[StoredEvent]) -> Option<&StoredEvent> {
    todo!()
}

impl OwnerRules {
    /// The owner by an event.
    ///
    /// # Errors
    /// There is none, and why.
    pub fn owner_of(&self, _event: &Event) -> Result<Owner, NoOwner> {
        todo!()
    }
}
