//! The fact of a caller that becomes the owner, and the names of the person behind it.

use std::sync::Arc;

use super::super::explanation::{Rule, Steps};
use super::super::identity::{Caller, caller_of, foreign_account, identity_center_user, text};
use super::super::identity_map::IdentityMap;
use super::super::machine_session;
use super::super::no_owner::NoOwner;
use super::super::person_names::PersonNames;
use super::super::subject::{Fact, Subject};
use super::{CreatorValue, MachineSessions, OwnerRules};
use crate::model::event::{Event, Identity};

impl OwnerRules {
    pub(super) fn by_identity(&self, event: &Event, steps: &mut Steps) -> Result<Fact, NoOwner> {
        let subject = self.subject(&event.identity, steps)?;
        let (value, fact) = match self.value {
            CreatorValue::Name => ("name", subject.name()),
            CreatorValue::Arn => ("arn", subject.arn()),
            CreatorValue::PrincipalId => ("principal-id", subject.principal_id()),
            CreatorValue::Role => ("role", subject.role()),
            CreatorValue::Email => ("email", subject.email()),
        };
        let mut fact = fact.map_err(|no_owner| steps.refuse(Rule::CreatorValue, no_owner))?;
        if let Some(account) = foreign_account(event) {
            fact.reason.push_str(&format!(", of account {account}"));
        }
        steps.say(Rule::CreatorValue, format!("{value} is {}: {}", fact.value, fact.reason));
        Ok(fact)
    }

    pub(super) fn subject<'a>(&'a self, identity: &'a Identity, steps: &mut Steps) -> Result<Subject<'a>, NoOwner> {
        let caller = caller_of(identity);
        let no_person = match &caller {
            Caller::Service(service) => Some(NoOwner::Service(service.clone())),
            Caller::Anonymous => Some(NoOwner::Anonymous),
            _ => None,
        };
        if let Some(no_owner) = no_person {
            return Err(steps.refuse(Rule::Caller, no_owner));
        }
        let source_identity = text(&identity.source_identity);
        if let Some(person) = source_identity {
            steps.say(Rule::SourceIdentity, format!("the source identity of the session is {person}"));
        }
        let generated = match &caller {
            Caller::Session(session) if source_identity.is_none() => {
                let maker = machine_session::maker_of(session, text(&identity.invoked_by));
                session.name.zip(maker)
            }
            _ => None,
        };
        let machine = match generated {
            Some((name, maker)) => self.machine(name, maker, steps)?,
            None => None,
        };
        Ok(Subject { identity, caller, source_identity, machine, people: &self.people })
    }

    /// The software that generated the session name, if the options need it.
    fn machine(&self, name: &str, maker: &'static str, steps: &mut Steps) -> Result<Option<&'static str>, NoOwner> {
        let generated = NoOwner::MachineSession { name: name.to_owned(), maker };
        match self.machine_sessions {
            MachineSessions::Skip => Err(steps.refuse(Rule::MachineSessions, generated)),
            MachineSessions::Role => {
                steps.say(Rule::MachineSessions, format!("{generated}: using its role"));
                Ok(Some(maker))
            }
            MachineSessions::Keep => {
                steps.say(Rule::MachineSessions, format!("{generated}: kept"));
                Ok(None)
            }
        }
    }

    /// The names of the person behind an event, if the map has a table of people.
    pub(super) fn person_names(&self, map: &IdentityMap, event: Option<&Event>) -> PersonNames {
        let Some(event) = event.filter(|_| map.has_people()) else { return PersonNames::default() };
        let identity = &event.identity;
        let caller = caller_of(identity);
        if matches!(caller, Caller::Service(_) | Caller::Anonymous) {
            return PersonNames::default();
        }
        let by_default = Self { people: Arc::clone(&self.people), ..Self::default() };
        let shown = by_default.subject(identity, &mut Steps::default()).and_then(|subject| subject.name());
        let user = identity_center_user(identity);
        let person = user.and_then(|user| self.people.find(user).ok());
        let name = match &caller {
            Caller::Named { name, .. } => Some(*name),
            Caller::Session(session) => session.name,
            _ => None,
        };
        let recorded = [
            text(&identity.source_identity),
            text(&identity.arn),
            text(&identity.principal_id),
            user.map(|user| user.user_id),
            person.map(|person| person.user_name.as_str()),
            person.and_then(|person| person.email.as_deref()),
            name,
            text(&identity.user_name),
        ];
        PersonNames::new(shown.ok().map(|fact| fact.value), recorded.into_iter().flatten().map(str::to_owned))
    }
}
