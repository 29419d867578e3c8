//! Determines the owner for an event, by the rules that the user chose, with the reason.

mod by_identity;
mod phrase;

use std::sync::Arc;

pub(super) use phrase::principal_phrase;
use phrase::{caller_phrase, decision_phrase, made_by_calls};

use smol_str::SmolStr;

use super::chain::{self, Link};
use super::explanation::{Explanation, Rule, Steps};
use super::identity::{calling_service, custodian_user_id};
use super::identity_map::{Decision, IdentityMap, Subject as MapSubject, Undecided, Verdict};
use super::no_owner::NoOwner;
use super::people::People;
use super::person_names::PersonNames;
use super::sought::{AccountTags, ResourceFacts, Sought};
use super::subject::Fact;
use super::tag_value;
use crate::model::event::{Event, Identity};

/// Which fact of the identity becomes the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum CreatorValue {
    /// Name of the IAM user, or the session's source identity or name
    #[default]
    Name,
    /// The principal's ARN
    Arn,
    /// The principal ID
    PrincipalId,
    /// Name of the role for role sessions; as `name` for other principals
    Role,
    /// The name if it is an email address, else the session's email address, else no owner
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
    /// Tags of accounts, for templates of the identity map.
    pub account_tags: Arc<AccountTags>,
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

/// What to find the owner of, and how.
#[derive(Clone, Copy)]
struct Ask<'a> {
    event: Option<&'a Event>,
    resource: Option<&'a ResourceFacts<'a>>,
    /// Whether the `default` of the identity map counts.
    has_default: bool,
    /// Whether a rule that can't be decided counts as one that does not match.
    assumes_no_match: bool,
}

/// The result of the identity map for one caller.
enum Mapped {
    Decided(Result<Fact, NoOwner>),
    General(Result<Fact, NoOwner>),
    Waits(NoOwner),
    NoMatch,
}

impl OwnerRules {
    /// Returns the owner of a resource with its create event, or for an event alone.
    ///
    /// # Errors
    /// There is no owner. The error has the reason.
    pub fn owner_of<'a>(&self, sought: impl Into<Sought<'a>>) -> Result<Owner, NoOwner> {
        self.explain(sought).owner
    }

    /// As [`OwnerRules::owner_of`], without the `default` of the identity map: what a parent of the resource can improve on.
    ///
    /// # Errors
    /// As [`OwnerRules::owner_of`].
    pub fn owner_without_default<'a>(&self, sought: impl Into<Sought<'a>>) -> Result<Owner, NoOwner> {
        let sought = sought.into();
        let ask = Ask {
            event: sought.event,
            resource: sought.resource.as_ref(),
            has_default: false,
            assumes_no_match: false,
        };
        self.find(ask, &mut Steps::default())
    }

    /// Returns the owner, and the result of each rule.
    pub fn explain<'a>(&self, sought: impl Into<Sought<'a>>) -> Explanation {
        let sought = sought.into();
        let ask =
            Ask { event: sought.event, resource: sought.resource.as_ref(), has_default: true, assumes_no_match: false };
        let mut steps = Steps::default();
        let owner = self.find(ask, &mut steps);
        Explanation { steps: steps.0, owner }
    }

    /// The name of the principal, whatever the rules make the owner of it: the field `creator` of the resource document.
    pub fn creator_of(&self, event: &Event) -> Option<String> {
        let (people, resolve_chains) = (Arc::clone(&self.people), self.resolve_chains);
        let by_default = Self { people, resolve_chains, ..Self::default() };
        let identity = &event.identity;
        let named = by_default.owner_of(event).ok().map(|owner| owner.value);
        named
            .or_else(|| calling_service(identity))
            .or_else(|| identity.arn.as_ref().or(identity.principal_id.as_ref()).map(SmolStr::to_string))
    }

    /// Whether owners depend on the resource, and not only on its create event.
    pub fn read_resources(&self) -> bool {
        self.identity_map.is_some()
    }

    /// Whether owners depend on the tags of the resource.
    pub fn need_tags(&self) -> bool {
        self.identity_map.as_ref().is_some_and(|map| map.needs_tags())
    }

    fn find(&self, ask: Ask<'_>, steps: &mut Steps) -> Result<Owner, NoOwner> {
        match self.decide(ask, steps) {
            Err(NoOwner::Undecided(undecided)) => {
                let otherwise = self.find(Ask { assumes_no_match: true, ..ask }, &mut Steps::default());
                let otherwise = otherwise.ok().map(|owner| owner.value);
                let undecided = NoOwner::Undecided(Box::new(Undecided { otherwise, ..*undecided }));
                Err(steps.refuse(Rule::IdentityMap, undecided))
            }
            Err(no_owner) if ask.has_default && no_owner.leaves_default() => {
                self.by_default(ask, steps).unwrap_or(Err(no_owner))
            }
            decided => decided,
        }
    }

    fn decide(&self, ask: Ask<'_>, steps: &mut Steps) -> Result<Owner, NoOwner> {
        if let Some(event) = ask.event {
            steps.say(Rule::Caller, caller_phrase(event));
        }
        let links = ask.event.map(|event| self.links(event)).unwrap_or_default();
        let (identity, fact) = self.by_chain(ask, &links, steps)?;
        self.check_suffix(identity, &fact, steps)?;
        valid(fact, steps)
    }

    /// The events of the role chain, if chains are resolved.
    pub(super) fn links(&self, event: &Event) -> Vec<Link> {
        if self.resolve_chains { chain::links(event) } else { Vec::new() }
    }

    /// The fact that becomes the owner, and the identity that has it. The identity map applies to each caller, from the event's on.
    /// If it has no result, the last caller counts; if that has no name, the caller before it.
    fn by_chain<'e>(
        &self,
        ask: Ask<'e>,
        links: &'e [Link],
        steps: &mut Steps,
    ) -> Result<(Option<&'e Identity>, Fact), NoOwner> {
        let callers =
            std::iter::once((None, ask.event)).chain(links.iter().map(|link| (Some(&link.says), Some(&link.event))));
        let (mut general, mut waits) = (None, None);
        for (says, event) in callers {
            if let Some(says) = says {
                steps.say(Rule::Chain, says);
            }
            let with_identity =
                |mapped: Result<Fact, NoOwner>| mapped.map(|fact| (event.map(|event| &event.identity), fact));
            match self.by_identity_map(Ask { event, ..ask }, steps) {
                Mapped::Decided(mapped) => return with_identity(mapped),
                Mapped::General(mapped) => drop(general.get_or_insert(with_identity(mapped))),
                Mapped::Waits(no_owner) => waits = Some(no_owner),
                Mapped::NoMatch => {}
            }
        }
        if let Some(general) = general {
            return general;
        }
        if let Some(waits) = waits {
            return Err(waits);
        }
        for (at, Link { event, .. }) in links.iter().enumerate().rev() {
            match self.by_identity(event, steps) {
                Ok(mut fact) => {
                    fact.reason.push_str(&made_by_calls(at + 1));
                    return Ok((Some(&event.identity), fact));
                }
                Err(_) => steps.say(Rule::Chain, "using the session that it created instead"),
            }
        }
        let event = ask.event.ok_or(NoOwner::NoEvent)?;
        self.by_identity(event, steps).map(|fact| (Some(&event.identity), fact))
    }

    fn by_identity_map(&self, ask: Ask<'_>, steps: &mut Steps) -> Mapped {
        let Some(map) = self.identity_map.as_ref() else { return Mapped::NoMatch };
        let names = self.person_names(map, ask.event);
        let result = |decision: Decision| {
            let Decision { rule, person, owner, .. } = decision;
            match owner {
                Ok(value) => {
                    let person = person.map(|person| format!(", {person}")).unwrap_or_default();
                    Ok(Fact { value, reason: format!("identity map, {rule}{person}") })
                }
                Err(why) => Err(NoOwner::Mapped { why, rule }),
            }
        };
        match map.verdict(self.subject_of(ask, &names)) {
            Verdict::NoMatch => {
                steps.say(Rule::IdentityMap, map.none_fits());
                Mapped::NoMatch
            }
            Verdict::Undecided(undecided) => Mapped::Decided(Err(NoOwner::Undecided(Box::new(undecided)))),
            Verdict::Decided(decision) => {
                steps.say(Rule::IdentityMap, decision_phrase(&decision));
                Mapped::Decided(result(decision))
            }
            Verdict::General(decision) => {
                steps.say(Rule::IdentityMap, decision_phrase(&decision));
                Mapped::General(result(decision))
            }
            Verdict::Waits(decision) => {
                steps.say(Rule::IdentityMap, decision_phrase(&decision));
                let Decision { rule, owner, .. } = decision;
                owner.map_or_else(|why| Mapped::Waits(NoOwner::Mapped { why, rule }), |_| Mapped::NoMatch)
            }
        }
    }

    /// The owner by the `default` of the identity map.
    fn by_default(&self, ask: Ask<'_>, steps: &mut Steps) -> Option<Result<Owner, NoOwner>> {
        let map = self.identity_map.as_ref()?;
        let names = self.person_names(map, ask.event);
        let decision = match map.default_owner(self.subject_of(ask, &names)) {
            Ok(decision) => decision?,
            Err(undecided) => return Some(Err(NoOwner::Undecided(Box::new(undecided)))),
        };
        steps.say(Rule::IdentityMap, decision_phrase(&decision));
        let value = decision.owner.ok()?;
        Some(valid(Fact { value, reason: format!("identity map, {}", decision.rule) }, steps))
    }

    /// Whether a rule of the identity map that says something about this caller or resource decides, or would if its facts were known.
    pub(super) fn is_mapped(&self, event: Option<&Event>, resource: Option<&ResourceFacts<'_>>) -> bool {
        let Some(map) = self.identity_map.as_ref() else { return false };
        let names = self.person_names(map, event);
        let ask = Ask { event, resource, has_default: false, assumes_no_match: false };
        matches!(map.verdict(self.subject_of(ask, &names)), Verdict::Decided(_) | Verdict::Undecided(_))
    }

    fn subject_of<'a>(&'a self, ask: Ask<'a>, names: &'a PersonNames) -> MapSubject<'a> {
        let Ask { event, resource, assumes_no_match, .. } = ask;
        MapSubject { event, resource, names, rules: self, assumes_no_match }
    }

    /// c7n-trailcreator compares the end of the stored value, usually the ARN. Users also expect the name to match.
    fn check_suffix(&self, identity: Option<&Identity>, fact: &Fact, steps: &mut Steps) -> Result<(), NoOwner> {
        let Some(suffix) = self.user_suffix.as_deref() else { return Ok(()) };
        let mut names = [Some(fact.value.as_str()), identity.and_then(custodian_user_id)].into_iter().flatten();
        let Some(name) = names.find(|name| name.ends_with(suffix)) else {
            let no_owner = NoOwner::OtherSuffix { name: fact.value.clone(), suffix: suffix.to_owned() };
            return Err(steps.refuse(Rule::UserSuffix, no_owner));
        };
        steps.say(Rule::UserSuffix, format!("{name} ends with {suffix}"));
        Ok(())
    }
}

/// The owner, made valid for a tag.
fn valid(fact: Fact, steps: &mut Steps) -> Result<Owner, NoOwner> {
    let owner = as_tag_value(fact).map_err(|no_owner| steps.refuse(Rule::TagValue, no_owner))?;
    if let Some(original) = &owner.original {
        steps.say(Rule::TagValue, format!("{original:?} is not a valid tag value; changed to {}", owner.value));
    }
    Ok(owner)
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
