//! Determines the owner for an event, by the rules that the user chose, with the reason.

use std::sync::Arc;

use super::chain::{self, Link};
use super::explanation::{Explanation, Rule, Steps};
use super::identity::{Caller, caller_of, custodian_user_id, foreign_account, text};
use super::identity_map::{IdentityMap, Verdict};
use super::no_owner::NoOwner;
use super::people::People;
use super::subject::{Fact, Subject};
use super::{machine_session, tag_value};
use crate::model::event::{Event, Identity};

/// Which fact of the identity becomes the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum CreatorValue {
    /// Name of the IAM user, or the session's source identity or name
    #[default]
    Name,
    /// The principal's ARN
    Arn,
    /// The principal id
    PrincipalId,
    /// Name of the role for sessions; otherwise as `name`
    Role,
    /// The name if it is an e-mail address, or else the session's e-mail address; otherwise there is no owner
    Email,
}

/// How to treat sessions with generated names (`i-0…`, `botocore-session-…`).
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

/// The rules that determine owners. Deterministic: the same event always gets the same owner.
#[derive(Debug, Clone, Default)]
pub struct OwnerRules {
    /// The fact that becomes the owner.
    pub value: CreatorValue,
    /// Only principals with an ARN or name that ends with this suffix have an owner.
    pub user_suffix: Option<String>,
    /// How to treat machine-named sessions.
    pub machine_sessions: MachineSessions,
    /// The identity map, which applies before all other rules.
    pub identity_map: Option<Arc<IdentityMap>>,
    /// Names of Identity Center users.
    pub people: Arc<People>,
    /// Whether sessions are followed to their creators. The caller must then fill in [`Event::makers`].
    pub resolve_chains: bool,
}

/// The owner for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// A valid tag value: at most 256 characters that all services accept.
    pub value: String,
    /// The reason, as a phrase: "IAM user name", "session name of role X".
    pub reason: String,
    /// The original value, if it was changed to a valid tag value.
    pub original: Option<String>,
}

impl OwnerRules {
    /// Returns the owner for an event.
    ///
    /// # Errors
    /// The event has no owner. The error has the reason.
    pub fn owner_of(&self, event: &Event) -> Result<Owner, NoOwner> {
        self.explain(event).owner
    }

    /// Returns the owner for an event, and the result of each rule.
    pub fn explain(&self, event: &Event) -> Explanation {
        let mut steps = Steps::default();
        let owner = self.decide(event, &mut steps);
        Explanation { steps: steps.0, owner }
    }

    fn decide(&self, event: &Event, steps: &mut Steps) -> Result<Owner, NoOwner> {
        steps.say(Rule::Caller, caller_phrase(event));
        let links = self.links(event);
        let (identity, fact) = self.by_chain(event, &links, steps)?;
        self.check_suffix(identity, &fact, steps)?;
        let owner = as_tag_value(fact).map_err(|no_owner| steps.refuse(Rule::TagValue, no_owner))?;
        if let Some(original) = &owner.original {
            steps.say(Rule::TagValue, format!("{original:?} is not a valid tag value; changed to {}", owner.value));
        }
        Ok(owner)
    }

    /// The events of the role chain, if chains are resolved.
    pub(super) fn links(&self, event: &Event) -> Vec<Link> {
        if self.resolve_chains { chain::links(event) } else { Vec::new() }
    }

    /// The fact that becomes the owner, and the identity that has it. The identity map applies to each caller, from the event's on.
    /// If it has no result, the last caller counts; if that has no name, the caller before it.
    fn by_chain<'e>(
        &self,
        event: &'e Event,
        links: &'e [Link],
        steps: &mut Steps,
    ) -> Result<(&'e Identity, Fact), NoOwner> {
        if let Some(mapped) = self.by_identity_map(event, steps) {
            return mapped.map(|fact| (&event.identity, fact));
        }
        for Link { says, event } in links {
            steps.say(Rule::Chain, says);
            if let Some(mapped) = self.by_identity_map(event, steps) {
                return mapped.map(|fact| (&event.identity, fact));
            }
        }
        for (at, Link { event, .. }) in links.iter().enumerate().rev() {
            match self.by_identity(event, steps) {
                Ok(mut fact) => {
                    fact.reason.push_str(&made_by_calls(at + 1));
                    return Ok((&event.identity, fact));
                }
                Err(_) => steps.say(Rule::Chain, "using the session that it created instead"),
            }
        }
        self.by_identity(event, steps).map(|fact| (&event.identity, fact))
    }

    fn by_identity_map(&self, event: &Event, steps: &mut Steps) -> Option<Result<Fact, NoOwner>> {
        let map = self.identity_map.as_ref()?;
        let Some(Verdict { because, rule, owner }) = map.verdict(event) else {
            steps.say(Rule::IdentityMap, map.none_fits());
            return None;
        };
        let what = owner.as_ref().map_or_else(|why| format!("no owner: {why}"), |owner| format!("owner {owner}"));
        steps.say(Rule::IdentityMap, format!("{because}; {what}"));
        Some(match owner {
            Ok(value) => Ok(Fact { value, reason: format!("identity map, {rule}") }),
            Err(why) => Err(NoOwner::Mapped { why, rule }),
        })
    }

    fn by_identity(&self, event: &Event, steps: &mut Steps) -> Result<Fact, NoOwner> {
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

    fn subject<'a>(&'a self, identity: &'a Identity, steps: &mut Steps) -> Result<Subject<'a>, NoOwner> {
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

    /// c7n-trailcreator compares the end of the stored value, usually the ARN. Users also expect the name to match.
    fn check_suffix(&self, identity: &Identity, fact: &Fact, steps: &mut Steps) -> Result<(), NoOwner> {
        let Some(suffix) = self.user_suffix.as_deref() else { return Ok(()) };
        let mut names = [Some(fact.value.as_str()), custodian_user_id(identity)].into_iter().flatten();
        let Some(name) = names.find(|name| name.ends_with(suffix)) else {
            let no_owner = NoOwner::OtherSuffix { name: fact.value.clone(), suffix: suffix.to_owned() };
            return Err(steps.refuse(Rule::UserSuffix, no_owner));
        };
        steps.say(Rule::UserSuffix, format!("{name} ends with {suffix}"));
        Ok(())
    }
}

/// The end of a reason for an owner that is not the caller itself.
fn made_by_calls(calls: usize) -> String {
    if calls == 1 { "; created the session".to_owned() } else { format!("; created the session through {calls} calls") }
}

/// The caller as recorded: "AssumedRole arn:… of account 444455556666".
fn caller_phrase(event: &Event) -> String {
    let identity = &event.identity;
    let who = principal_phrase(identity);
    let account = foreign_account(event).map(|account| format!(" of account {account}")).unwrap_or_default();
    let through = text(&identity.invoked_by).map(|service| format!(", through {service}")).unwrap_or_default();
    format!("{who}{account}{through}")
}

/// "AssumedRole arn:…"; for a principal without an ARN, its name or ID.
pub(super) fn principal_phrase(identity: &Identity) -> String {
    let name = text(&identity.arn).or(text(&identity.user_name)).or(text(&identity.principal_id));
    let who = text(&identity.kind).into_iter().chain(name).collect::<Vec<_>>().join(" ");
    if who.is_empty() { "an identity without type and name".to_owned() } else { who }
}

fn as_tag_value(fact: Fact) -> Result<Owner, NoOwner> {
    let Some(value) = tag_value::legal(&fact.value) else {
        return Err(NoOwner::NotLegal(fact.value));
    };
    let original = (value != fact.value).then_some(fact.value);
    Ok(Owner { value, reason: fact.reason, original })
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
