//! Who created a resource: the owner, why, and the events that tell.
//!
//! The events come from the store by a text that a person typed; they may be of several resources: one id in two accounts, a role
//! and a user of one name. Each gets an answer, and so does a text that no event knows. Pure.

mod advice;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::creator::{
    Explanation, Lives, NoOwner, Owner, OwnerRules, Rule, Step, Tool, creation_of, renames_in_words, tool_of,
    why_this_event,
};
use crate::names::{AccountId, Region, ResourceId, ResourceType};
use crate::store::renames::ResourceHistory;
use crate::trail::record::{Action, StoredEvent};

/// Which resources are meant, where an id could be of several. Empty lists leave all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these types.
    pub types: Vec<ResourceType>,
    /// In these accounts.
    pub accounts: Vec<AccountId>,
    /// In these regions; global types are everywhere.
    pub regions: Vec<Region>,
}

/// What is known of one resource, as `--output json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The text that was asked for, where it is or may be the id, else the id as its events give it.
    pub id: ResourceId,
    /// The type; `None` for an unknown resource, as are account and region.
    pub resource_type: Option<ResourceType>,
    /// The account that received the events.
    pub account_id: Option<AccountId>,
    /// Where it was made; for global types where AWS recorded that.
    pub region: Option<Region>,
    /// The owner by the rules; `None` where there is none.
    pub owner: Option<String>,
    /// Why it is this one, or why there is none.
    pub reason: String,
    /// The event that made it.
    pub event: Option<EventFacts>,
    /// From the events to the owner, rule by rule; empty for an unknown resource.
    pub evidence: Vec<Step>,
    /// All its other events, oldest first: earlier creations, later changes by a call that also creates, deletions, renames.
    pub other_events: Vec<EventFacts>,
    /// Where there is no owner, or a better one may be found: what to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
}

/// An event, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventFacts {
    /// `eventID`.
    pub event_id: String,
    /// UTC, as CloudTrail wrote it.
    pub event_time: String,
    /// The call.
    pub event_name: String,
    /// The service that was called.
    pub event_source: String,
    /// Where it was recorded.
    pub region: Region,
    /// `create`, `upsert`, `delete` or `rename`.
    pub action: &'static str,
    /// The new name, where it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<ResourceId>,
    /// Type of the identity that called.
    pub identity_type: Option<String>,
    /// Its ARN.
    pub principal_arn: Option<String>,
    /// Its principal id.
    pub principal_id: Option<String>,
    /// Its account; not always the one that received the event.
    pub caller_account_id: Option<String>,
    /// The identity provider that signed the session in.
    pub federated_provider: Option<String>,
    /// The person behind the session, where that was set.
    pub source_identity: Option<String>,
    /// The AWS service that called for it.
    pub invoked_by: Option<String>,
    /// The address, or the AWS service that called.
    pub source_ip: Option<String>,
    /// The user agent as recorded.
    pub user_agent: Option<String>,
    /// The tool that the user agent tells.
    pub tool: Option<Tool>,
}

impl Answer {
    /// Whether the database knows the resource at all.
    pub fn is_known(&self) -> bool {
        self.resource_type.is_some()
    }
}

/// Account, region (empty for global types), type, and what all spellings of the id have in common.
type Key = (String, String, ResourceType, String);

/// Answers for `query`, one a resource, in the order of account, region, type and id. Never empty.
pub fn answers(
    query: &str,
    history: ResourceHistory,
    filter: &Filter,
    rules: &OwnerRules,
    is_global: &dyn Fn(&ResourceType) -> bool,
) -> Vec<Answer> {
    let recorded = !(history.events.is_empty() && history.renames.is_empty());
    let mut resources = resources(history, filter, is_global);
    narrow(query, &mut resources);
    if resources.is_empty() {
        return vec![unknown(query, recorded)];
    }
    resources.into_values().map(|events| answer(query, events, rules)).collect()
}

/// The events of each resource that was asked for, under all the names it had.
fn resources(
    history: ResourceHistory,
    filter: &Filter,
    is_global: &dyn Fn(&ResourceType) -> bool,
) -> BTreeMap<Key, Vec<StoredEvent>> {
    let key_of = |event: &StoredEvent| key(event, event.resource_id.as_str(), is_global(&event.resource_type));
    let new_key = |event: &StoredEvent| {
        event.renamed_to.as_ref().map(|name| key(event, name.as_str(), is_global(&event.resource_type)))
    };
    let keeps = |event: &&StoredEvent| filter.keeps(event, is_global(&event.resource_type));
    let ResourceHistory { events, renames, of_earlier_names } = history;
    let mut asked: BTreeSet<Key> = events.iter().filter(keeps).map(key_of).collect();
    asked.extend(renames.iter().filter(keeps).filter_map(new_key));
    let mut by_name: BTreeMap<Key, Vec<StoredEvent>> = BTreeMap::new();
    for event in events.into_iter().chain(of_earlier_names).filter(|event| keeps(&event)) {
        let of_name = by_name.entry(key_of(&event)).or_default();
        // After a swap a name asked for is an earlier name too.
        if !of_name.contains(&event) {
            of_name.push(event);
        }
    }
    let lives = Lives::new(by_name, &new_key);
    let lives = asked.into_iter().map(|key| (key.clone(), lives.of(&key)));
    lives.filter(|(_, events)| !events.is_empty()).collect()
}

impl Filter {
    fn keeps(&self, event: &StoredEvent, global: bool) -> bool {
        let (account, region) = (event.event.account(), event.event.region_name());
        self.keeps_type(&event.resource_type) && self.keeps_place(&account, &region, global)
    }

    pub(super) fn keeps_type(&self, resource_type: &ResourceType) -> bool {
        self.types.is_empty() || self.types.contains(resource_type)
    }

    pub(super) fn keeps_place(&self, account: &AccountId, region: &Region, global: bool) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(account))
            && (global || self.regions.is_empty() || self.regions.contains(region))
    }
}

fn key(event: &StoredEvent, id: &str, global: bool) -> Key {
    let region = if global { String::new() } else { event.event.region.clone() };
    (event.event.account_id.clone(), region, event.resource_type.clone(), common_part(id).to_owned())
}

/// What an id, its ARN and its URL have in common: one call gives a queue's URL and the next its name.
pub(super) fn common_part(id: &str) -> &str {
    if let Some(arn) = ArnParts::of(id) {
        return arn.name;
    }
    match ["https://", "http://"].iter().find_map(|scheme| id.strip_prefix(scheme)) {
        Some(url) => url.rsplit('/').next().unwrap_or(url),
        None => id,
    }
}

/// A URL or an ARN says more than a name: a resource that bears it as its id is meant, and no other of that name. Without one,
/// `arn:aws:iam::1:role/app` is a role and not the user `app`: types that bear the ARN's word are meant, where there are any.
/// (Account, region and service of an ARN have narrowed the events already.)
fn narrow(query: &str, resources: &mut BTreeMap<Key, Vec<StoredEvent>>) {
    if common_part(query) == query {
        return;
    }
    let bears_it = |events: &[StoredEvent]| events.iter().any(|event| event.resource_id.as_str() == query);
    if resources.values().any(|events| bears_it(events)) {
        resources.retain(|_, events| bears_it(events));
    }
    let kind = ArnParts::of(query).map_or("", |arn| arn.kind);
    let of_kind = |(_, _, resource_type, _): &Key| !kind.is_empty() && resource_type.as_str().contains(kind);
    if resources.keys().any(of_kind) {
        resources.retain(|key, _| of_kind(key));
    }
}

/// The last field of an ARN: `kind/name`, the kind being absent in some services' ARNs.
struct ArnParts<'a> {
    kind: &'a str,
    name: &'a str,
}

impl<'a> ArnParts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        const FIELDS: usize = 6;
        let arn = text.strip_prefix("arn:")?;
        let resource = arn.strip_suffix(":*").unwrap_or(arn).splitn(FIELDS - 1, ':').nth(FIELDS - 2)?;
        let (kind, name) = resource.split_once(['/', ':']).unwrap_or(("", resource));
        Some(Self { kind, name })
    }
}

fn unknown(query: &str, recorded: bool) -> Answer {
    let reason = if recorded {
        "the database has events of this resource, but none with this account, region and type"
    } else {
        "the database has no event of this resource"
    };
    Answer {
        id: query.into(),
        resource_type: None,
        account_id: None,
        region: None,
        owner: None,
        reason: reason.to_owned(),
        event: None,
        evidence: Vec::new(),
        other_events: Vec::new(),
        advice: advice::of_unknown(recorded),
    }
}

/// The answer for the events of one resource, of which there is at least one.
fn answer(query: &str, mut events: Vec<StoredEvent>, rules: &OwnerRules) -> Answer {
    let ids = events.iter().map(|event| &event.resource_id);
    let new_names =
        || events.iter().filter(|event| event.action == Action::Rename).filter_map(|e| e.renamed_to.as_ref());
    let as_asked = ids.chain(new_names()).find(|id| id.as_str() == query).cloned();
    let new_name = new_names().next_back().cloned();
    events.sort_by(|one, other| order(one).cmp(&order(other)));
    // One event may give a resource by several of its names.
    events.dedup_by(|one, other| one.event.event_id == other.event.event_id && one.action == other.action);
    let creation = creation_of(&events);
    let shown = creation.unwrap_or(&events[events.len() - 1]);
    let Decision { owner, reason, evidence, advice } = match creation {
        Some(creation) => decision(&events, creation, rules),
        None => {
            let reason = gone(&events, rules);
            let evidence = vec![Step { rule: Rule::Event, says: reason.clone() }];
            Decision { reason, evidence, ..Decision::default() }
        }
    };
    Answer {
        id: as_asked.or(new_name).unwrap_or_else(|| shown.resource_id.clone()),
        resource_type: Some(shown.resource_type.clone()),
        account_id: Some(shown.event.account()),
        region: Some(shown.event.region_name()),
        owner,
        reason,
        event: creation.map(event_facts),
        evidence,
        other_events: events.iter().filter(|&event| Some(event) != creation).map(event_facts).collect(),
        advice,
    }
}

/// What the rules come to for a resource.
#[derive(Default)]
struct Decision {
    owner: Option<String>,
    reason: String,
    evidence: Vec<Step>,
    advice: Vec<String>,
}

fn decision(events: &[StoredEvent], creation: &StoredEvent, rules: &OwnerRules) -> Decision {
    let Explanation { steps, owner } = rules.explain(&creation.event);
    let is_left = rules.is_left_to_parents(&creation.event);
    let advice = advice::of_creation(&steps, &creation.event, (&owner, is_left));
    let mut evidence = vec![Step { rule: Rule::Event, says: why_this_event(events, creation) }];
    evidence.extend(steps);
    let (owner, reason) = in_words(owner);
    Decision { owner, reason, evidence, advice }
}

fn order(event: &StoredEvent) -> (&str, &str, Action, &ResourceId) {
    (&event.event.time, &event.event.event_id, event.action, &event.resource_id)
}

fn in_words(owner: Result<Owner, NoOwner>) -> (Option<String>, String) {
    match owner {
        Ok(Owner { value, reason, original: None }) => (Some(value), reason),
        Ok(Owner { value, reason, original: Some(original) }) => {
            (Some(value), format!("{reason}; recorded as {original:?}, changed to a valid tag value"))
        }
        Err(NoOwner(reason)) => (None, reason),
    }
}

/// How it went, or at least its name.
fn gone_by(StoredEvent { event, renamed_to, .. }: &StoredEvent) -> String {
    let what = renamed_to.as_ref().map_or_else(|| "deleted".to_owned(), |name| format!("renamed to {name}"));
    format!("{what} at {} by {}", event.time, event.name)
}

/// Only a deletion, or an earlier name of which nothing else is known, leaves events without a creation; who made what is gone
/// is still worth telling.
fn gone(events: &[StoredEvent], rules: &OwnerRules) -> String {
    let lived = events.iter().rposition(|event| event.action != Action::Delete).map_or(0, |last| last + 1);
    let deletion = events.get(lived).map(gone_by);
    let Some(deletion) = deletion else {
        return format!("no create event in the loaded time range{}", renames_in_words(events, None));
    };
    match creation_of(&events[..lived]).map(|creation| in_words(rules.owner_of(&creation.event))) {
        Some((Some(owner), reason)) => format!("{deletion}; its owner was {owner} ({reason})"),
        Some((None, reason)) => format!("{deletion}; it had no owner ({reason})"),
        None => format!("{deletion}; no create event in the loaded time range"),
    }
}

fn event_facts(stored: &StoredEvent) -> EventFacts {
    let event = &stored.event;
    let identity = &event.identity;
    EventFacts {
        event_id: event.event_id.clone(),
        event_time: event.time.clone(),
        event_name: event.name.clone(),
        event_source: event.source.clone(),
        region: event.region_name(),
        action: if stored.renamed_to.is_some() { Action::Rename } else { stored.action }.as_str(),
        renamed_to: stored.renamed_to.clone(),
        identity_type: identity.kind.clone(),
        principal_arn: identity.arn.clone(),
        principal_id: identity.principal_id.clone(),
        caller_account_id: identity.account_id.clone(),
        federated_provider: identity.federated_provider.clone(),
        source_identity: identity.source_identity.clone(),
        invoked_by: identity.invoked_by.clone(),
        source_ip: event.source_ip.clone(),
        user_agent: event.user_agent.clone(),
        tool: tool_of(event),
    }
}

#[cfg(test)]
mod tests;
