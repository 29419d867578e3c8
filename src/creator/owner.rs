//! Whom an event stands for, by the rules that the user chose, with the reason.

use super::identity::{Caller, Session, caller_of, custodian_user_id, text};
use super::{machine_session, tag_value};
use crate::trail::record::{Event, Identity};

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

/// A fact that stands for the owner, as recorded, and why.
struct Fact {
    value: String,
    reason: String,
}

/// An event's identity, understood.
struct Subject<'a> {
    identity: &'a Identity,
    caller: Caller<'a>,
    /// `sourceIdentity`: set by the identity provider or the account's rules, and kept through all roles.
    source_identity: Option<&'a str>,
    /// Who made up the session's name, where no person did and the rules care.
    machine: Option<&'static str>,
}

impl OwnerRules {
    /// The owner by an event.
    ///
    /// # Errors
    /// There is none, and why.
    pub fn owner_of(&self, event: &Event) -> Result<Owner, NoOwner> {
        let subject = self.subject(&event.identity)?;
        let fact = match self.value {
            CreatorValue::Name => subject.name(),
            CreatorValue::Arn => subject.arn(),
            CreatorValue::PrincipalId => subject.principal_id(),
            CreatorValue::Role => subject.role(),
            CreatorValue::Email => subject.email(),
        }?;
        self.check_suffix(&event.identity, &fact)?;
        as_tag_value(fact)
    }

    fn subject<'a>(&self, identity: &'a Identity) -> Result<Subject<'a>, NoOwner> {
        let caller = caller_of(identity);
        if let Caller::Service(who) = caller {
            return Err(NoOwner(who));
        }
        let source_identity = text(&identity.source_identity);
        let made_up = match &caller {
            Caller::Session(session) if source_identity.is_none() => maker(session),
            _ => None,
        };
        match (self.machine_sessions, made_up) {
            (MachineSessions::Skip, Some((name, maker))) => {
                Err(NoOwner(format!("session name {name} was made up by {maker}")))
            }
            (MachineSessions::Role, Some((_, maker))) => {
                Ok(Subject { identity, caller, source_identity, machine: Some(maker) })
            }
            (MachineSessions::Keep, _) | (_, None) => Ok(Subject { identity, caller, source_identity, machine: None }),
        }
    }

    /// c7n-trailcreator compares the end of what it stored, the ARN for most; people also mean the name.
    fn check_suffix(&self, identity: &Identity, fact: &Fact) -> Result<(), NoOwner> {
        let Some(suffix) = self.user_suffix.as_deref() else { return Ok(()) };
        let mut names = [Some(fact.value.as_str()), custodian_user_id(identity)].into_iter().flatten();
        if names.any(|name| name.ends_with(suffix)) {
            return Ok(());
        }
        Err(NoOwner(format!("{} does not end in {suffix}", fact.value)))
    }
}

/// A session's name and who made it up. Identity Center names its sessions after the user, whatever that looks like.
fn maker<'a>(session: &Session<'a>) -> Option<(&'a str, &'static str)> {
    let name = session.name.filter(|_| session.permission_set().is_none())?;
    Some((name, machine_session::maker_of(name)?))
}

impl Subject<'_> {
    fn name(&self) -> Result<Fact, NoOwner> {
        if let Some(person) = self.source_identity {
            return fact(person, "source identity");
        }
        match &self.caller {
            Caller::Named { name, what } => fact(name, *what),
            Caller::IdentityCenterUser(id) => identity_center_user(id),
            Caller::Session(session) => self.session_name(session),
            Caller::Service(reason) | Caller::Nameless(reason) => Err(NoOwner(reason.clone())),
        }
    }

    fn session_name(&self, session: &Session<'_>) -> Result<Fact, NoOwner> {
        match (session.name, session.role, self.machine) {
            (Some(name), role, None) => match (session.permission_set(), role) {
                (Some(set), _) => fact(name, format!("Identity Center user of permission set {set}")),
                (None, Some(role)) => fact(name, format!("session name of role {role}")),
                (None, None) => fact(name, "session name of another account's role"),
            },
            (Some(name), role, Some(maker)) => {
                if let Some(id) = text(&self.identity.on_behalf_of_user_id) {
                    return identity_center_user(id);
                }
                let role = role.ok_or_else(|| {
                    NoOwner(format!("session name {name} was made up by {maker}, and the role's name is not recorded"))
                })?;
                fact(role, format!("role; session name {name} was made up by {maker}"))
            }
            (None, Some(role), _) => fact(role, "role of a session without a name"),
            (None, None, _) => Err(NoOwner("CloudTrail recorded a role's session without names".to_owned())),
        }
    }

    fn arn(&self) -> Result<Fact, NoOwner> {
        let (arn, reason) = match self.machine {
            Some(maker) => (&self.identity.issuer_arn, format!("role's ARN; the session name was made up by {maker}")),
            None => (&self.identity.arn, "principal's ARN".to_owned()),
        };
        match text(arn) {
            Some(arn) => fact(arn, reason),
            None => Err(NoOwner("CloudTrail recorded no ARN of the principal".to_owned())),
        }
    }

    fn principal_id(&self) -> Result<Fact, NoOwner> {
        let recorded = text(&self.identity.principal_id).or_else(|| text(&self.identity.on_behalf_of_user_id));
        let Some(id) = recorded else {
            return Err(NoOwner("CloudTrail recorded no principal id".to_owned()));
        };
        match self.machine {
            // AROA…:SESSION
            Some(maker) => {
                let role = id.split(':').next().unwrap_or(id);
                fact(role, format!("role's principal id; the session name was made up by {maker}"))
            }
            None => fact(id, "principal id"),
        }
    }

    fn role(&self) -> Result<Fact, NoOwner> {
        match &self.caller {
            Caller::Session(Session { role: Some(role), name }) => {
                fact(role, format!("role of session {}", name.unwrap_or("without a name")))
            }
            _ => self.name(),
        }
    }

    fn email(&self) -> Result<Fact, NoOwner> {
        let session_name = match &self.caller {
            Caller::Session(session) => session.name,
            Caller::Named { name, .. } => Some(*name),
            _ => None,
        };
        let carriers = [
            (self.source_identity, "e-mail address in the source identity"),
            (session_name, "e-mail address in the name"),
            (text(&self.identity.user_name), "e-mail address in the user name"),
        ];
        match carriers.into_iter().find_map(|(text, reason)| Some((text.filter(|text| is_email(text))?, reason))) {
            Some((address, reason)) => fact(address, reason),
            None => Err(NoOwner(match self.name() {
                Ok(name) => format!("{} is no e-mail address", name.value),
                Err(NoOwner(reason)) => reason,
            })),
        }
    }
}

// A result, for the matches that choose between facts and reasons to have none.
#[allow(clippy::unnecessary_wraps)]
fn fact(value: &str, reason: impl Into<String>) -> Result<Fact, NoOwner> {
    Ok(Fact { value: value.to_owned(), reason: reason.into() })
}

fn identity_center_user(id: &str) -> Result<Fact, NoOwner> {
    fact(id, "Identity Center user id; CloudTrail records no names of such users since July 2025")
}

/// `someone@example.com`: enough to tell an address from another name, not to check it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let labels = || domain.split('.');
    !local.is_empty()
        && !text.contains(char::is_whitespace)
        && !domain.contains('@')
        && labels().count() > 1
        && labels().all(|label| !label.is_empty())
}

fn as_tag_value(fact: Fact) -> Result<Owner, NoOwner> {
    let Some(value) = tag_value::legal(&fact.value) else {
        return Err(NoOwner(format!("{:?} holds no letter or digit that a tag allows", fact.value)));
    };
    let original = (value != fact.value).then_some(fact.value);
    Ok(Owner { value, reason: fact.reason, original })
}

#[cfg(test)]
mod tests;
