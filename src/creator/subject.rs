//! Which fact of an identity stands for its owner: one method for each kind of value.

use super::NoOwner;
use super::identity::{Caller, Session, identity_center_user, text};
use super::people::{People, UserId};
use crate::trail::record::Identity;

/// Why a call that was not signed has no owner.
pub(super) const ANONYMOUS: &str = "the call was anonymous";

/// A fact that stands for the owner, as recorded, and why.
pub(super) struct Fact {
    pub(super) value: String,
    pub(super) reason: String,
}

/// An event's identity, understood.
pub(super) struct Subject<'a> {
    pub(super) identity: &'a Identity,
    pub(super) caller: Caller<'a>,
    /// `sourceIdentity`: set by the identity provider or the account's rules, and kept through all roles.
    pub(super) source_identity: Option<&'a str>,
    /// Who made up the session's name, where no person did and the rules care.
    pub(super) machine: Option<&'static str>,
    /// Identity Center's users.
    pub(super) people: &'a People,
}

impl Subject<'_> {
    pub(super) fn name(&self) -> Result<Fact, NoOwner> {
        if let Some(person) = self.source_identity {
            return fact(person, "source identity");
        }
        match &self.caller {
            Caller::Named { name, what } => fact(name, what.as_ref()),
            Caller::IdentityCenterUser(id) => self.identity_center_user(*id),
            Caller::Session(session) => self.session_name(session),
            Caller::Service(reason) | Caller::Nameless(reason) => Err(NoOwner(reason.clone())),
            Caller::Anonymous => Err(NoOwner(ANONYMOUS.to_owned())),
        }
    }

    fn session_name(&self, session: &Session<'_>) -> Result<Fact, NoOwner> {
        let signed_in = session.signed_in();
        match (session.name, session.role, self.machine) {
            (Some(name), role, None) => match (session.permission_set(), role) {
                (Some(set), _) => fact(name, format!("Identity Center user of permission set {set}")),
                (None, Some(role)) => fact(name, format!("session name of role {role}{signed_in}")),
                (None, None) => fact(name, "session name of a role that is not recorded"),
            },
            (Some(name), role, Some(maker)) => {
                if let Some(id) = identity_center_user(self.identity) {
                    return self.identity_center_user(id);
                }
                let role = role.ok_or_else(|| {
                    NoOwner(format!("session name {name} was made up by {maker}, and the role's name is not recorded"))
                })?;
                fact(role, format!("role; session name {name} was made up by {maker}{signed_in}"))
            }
            (None, Some(role), _) => fact(role, format!("role of a session without a name{signed_in}")),
            (None, None, _) => Err(NoOwner("CloudTrail recorded a role's session without names".to_owned())),
        }
    }

    fn identity_center_user(&self, id: UserId<'_>) -> Result<Fact, NoOwner> {
        let user_id = id.user_id;
        match self.people.find(id) {
            Ok(person) => {
                fact(&person.user_name, format!("Identity Center user {user_id}, named by the identity store"))
            }
            Err(Some(why)) => fact(user_id, format!("Identity Center user id; its name is not known: {why}")),
            Err(None) => {
                fact(user_id, "Identity Center user id; CloudTrail records no names of such users since July 2025")
            }
        }
    }

    pub(super) fn arn(&self) -> Result<Fact, NoOwner> {
        let (arn, reason) = match self.machine {
            Some(maker) => (&self.identity.issuer_arn, format!("role's ARN; the session name was made up by {maker}")),
            None => (&self.identity.arn, "principal's ARN".to_owned()),
        };
        match text(arn) {
            Some(arn) => fact(arn, reason),
            None => Err(NoOwner("CloudTrail recorded no ARN of the principal".to_owned())),
        }
    }

    pub(super) fn principal_id(&self) -> Result<Fact, NoOwner> {
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

    pub(super) fn role(&self) -> Result<Fact, NoOwner> {
        match &self.caller {
            Caller::Session(Session { role: Some(role), name, .. }) => {
                fact(role, format!("role of session {}", name.unwrap_or("without a name")))
            }
            _ => self.name(),
        }
    }

    pub(super) fn email(&self) -> Result<Fact, NoOwner> {
        let session_name = match &self.caller {
            Caller::Session(session) => session.name,
            Caller::Named { name, .. } => Some(*name),
            _ => None,
        };
        let person = identity_center_user(self.identity).and_then(|id| self.people.find(id).ok());
        let carriers = [
            (self.source_identity, "e-mail address in the source identity"),
            (session_name, "e-mail address in the name"),
            (text(&self.identity.user_name), "e-mail address in the user name"),
            (person.and_then(|person| person.email.as_deref()), "e-mail address of the Identity Center user"),
            (person.map(|person| person.user_name.as_str()), "e-mail address in the Identity Center user's name"),
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
