//! The creator of a resource: the owner, the reason, and the events that show it.
//!
//! The store finds the events for a text that the user typed. They can be of several resources: the same ID in two accounts, a role
//! and a user with the same name. Each has its own answer, and so has a text without events. Pure.

mod advice;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use smol_str::SmolStr;

use crate::creator::{
    Explanation, NoOwner, Owner, OwnerRules, RenameHistory, Rule, SameResource, Step, Tool, creation_of, lives,
    renames_in_words, tool_of, why_this_event,
};
use crate::model::event::{Action, Event, StoredEvent};
use crate::model::{AccountId, Region, ResourceId, ResourceType};
use crate::resource::{CreateEvent, Describe, Principal, Resource};
use crate::resource_map::ResourceMap;
use crate::store::renames::ResourceHistory;

/// Selects resources if an ID has several. Empty lists select all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these types.
    pub types: Vec<ResourceType>,
    /// In these accounts.
    pub accounts: Vec<AccountId>,
    /// In these regions. Global types are in all regions.
    pub regions: Vec<Region>,
}

/// The answer for one resource, as `--output json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The text of the user if it is or can be the ID, else the ID in the events.
    pub id: ResourceId,
    /// The type. `None` for an unknown resource, like account and region.
    #[serde(rename = "type")]
    pub resource_type: Option<ResourceType>,
    /// The account that received the events.
    pub account_id: Option<AccountId>,
    /// The region of the resource. For global types, the region that AWS recorded.
    pub region: Option<Region>,
    /// The owner by the rules. `None` without an owner.
    pub owner: Option<String>,
    /// The reason for the owner, or for having none.
    pub owner_reason: String,
    /// The create event.
    pub event: Option<EventFacts>,
    /// The steps from the events to the owner. Empty for an unknown resource.
    pub evidence: Vec<Step>,
    /// All other events, oldest first: earlier create events, later updates with an upsert event, delete and rename events.
    pub other_events: Vec<EventFacts>,
    /// The resource document. `None` without a create event.
    pub resource: Option<Resource>,
    /// What to do without an owner, or for a better one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
}

/// An event. Its fields have the names of the resource document's `event`, and there are more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventFacts {
    /// `eventID`.
    pub id: SmolStr,
    /// `eventName`.
    pub name: SmolStr,
    /// `eventSource`.
    pub source: SmolStr,
    /// UTC, as CloudTrail wrote it.
    pub time: SmolStr,
    /// The region that recorded it.
    pub region: Region,
    /// `create`, `upsert`, `delete` or `rename`.
    pub action: &'static str,
    /// The new name, for a rename event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<ResourceId>,
    /// The IP address, or the AWS service that called.
    pub source_ip: Option<SmolStr>,
    /// The user agent as recorded.
    pub user_agent: Option<SmolStr>,
    /// The tool, from the user agent. The document has its parts as `tool`, `tool_version` and `tool_environment`.
    #[serde(flatten, serialize_with = "tool_fields")]
    pub tool: Option<Tool>,
    /// The caller.
    pub principal: PrincipalFacts,
}

/// The caller of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrincipalFacts {
    /// What the resource document has of it.
    #[serde(flatten)]
    pub known: Principal,
    /// `userIdentity.principalId`.
    pub id: Option<SmolStr>,
    /// The identity provider that signed the session in.
    pub federated_provider: Option<SmolStr>,
    /// The source identity of the session.
    pub source_identity: Option<SmolStr>,
    /// The AWS service that made the call on behalf of the caller.
    pub invoked_by: Option<SmolStr>,
}

fn tool_fields<S: Serializer>(tool: &Option<Tool>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Fields<'t> {
        tool: Option<&'t str>,
        tool_version: Option<&'t str>,
        tool_environment: Option<&'t str>,
    }
    let tool = tool.as_ref();
    let fields = Fields {
        tool: tool.map(|tool| tool.name.as_str()),
        tool_version: tool.and_then(|tool| tool.version.as_deref()),
        tool_environment: tool.and_then(|tool| tool.environment),
    };
    fields.serialize(serializer)
}

impl Answer {
    /// Whether the database has events of the resource.
    pub fn is_known(&self) -> bool {
        self.resource_type.is_some()
    }
}

/// Account, region (empty for global types), type, and the part that all spellings of the ID share.
type Key = (AccountId, Region, ResourceType, String);

/// The answers for `query`, one per resource, ordered by account, region, type and ID. Never empty.
pub fn answers(
    query: &str,
    history: ResourceHistory,
    filter: &Filter,
    rules: &OwnerRules,
    map: &ResourceMap,
) -> Vec<Answer> {
    let recorded = !(history.events.is_empty() && history.renames.is_empty());
    let resources = resources(history, filter, map);
    if resources.is_empty() {
        return vec![unknown(query, recorded)];
    }
    resources.into_values().map(|events| answer(query, events, rules, map)).collect()
}

/// The events of each matching resource, under all its names.
fn resources(history: ResourceHistory, filter: &Filter, map: &ResourceMap) -> BTreeMap<Key, Vec<StoredEvent>> {
    let is_global = |event: &StoredEvent| map.is_global(&event.resource_type);
    let keeps = |event: &StoredEvent| filter.keeps(event, is_global(event));
    let ResourceHistory { events, related, renames, of_earlier_names } = history;
    let asked: Vec<StoredEvent> = events.into_iter().filter(keeps).collect();
    let renames = renames.into_iter().filter(keeps);
    let others = related.into_iter().chain(of_earlier_names).filter(keeps);
    let all: Vec<StoredEvent> = asked.iter().cloned().chain(others).collect();
    let mut same = SameResource::new(map.naming());
    for event in &all {
        same.add(&scope(event, is_global(event)), event);
    }
    same.finish();
    let key = |event: &StoredEvent, text: &str| {
        let scope = scope(event, is_global(event));
        let name = same.name(&scope, event, text);
        let (account, region, resource_type) = scope;
        (account, region, resource_type, name)
    };
    let key_of = |event: &StoredEvent| key(event, event.resource_id.as_str());
    let new_key = |event: &StoredEvent| event.renamed_to.as_ref().map(|name| key(event, name.as_str()));
    let mut asked_keys: BTreeSet<Key> = asked.iter().map(key_of).collect();
    asked_keys.extend(renames.filter_map(|rename| new_key(&rename)));
    let mut by_name: BTreeMap<Key, Vec<StoredEvent>> = BTreeMap::new();
    for event in all {
        let of_name = by_name.entry(key_of(&event)).or_default();
        // After a swap, the given name is also an earlier name of the other resource.
        if !of_name.contains(&event) {
            of_name.push(event);
        }
    }
    let history = RenameHistory::new(by_name, &new_key);
    let of_key = asked_keys.into_iter().map(|key| (key.clone(), of_asked_life(history.of(&key), &asked)));
    of_key.filter(|(_, events)| !events.is_empty()).collect()
}

/// A name can have been that of several resources, one after the other. The text can be an ID or an ARN of an earlier one.
fn of_asked_life(mut events: Vec<StoredEvent>, asked: &[StoredEvent]) -> Vec<StoredEvent> {
    events.sort_by(|one, other| order(one).cmp(&order(other)));
    if events.iter().any(|event| event.renamed_to.is_some()) {
        return events;
    }
    let is_asked = |life: &Vec<StoredEvent>| life.iter().any(|event| asked.contains(event));
    let (of_asked, others): (Vec<_>, Vec<_>) = lives(events).into_iter().partition(is_asked);
    if of_asked.is_empty() {
        return others.into_iter().flatten().collect();
    }
    of_asked.into_iter().flatten().collect()
}

impl Filter {
    fn keeps(&self, event: &StoredEvent, global: bool) -> bool {
        let Event { account_id, region, .. } = &event.event;
        self.keeps_type(&event.resource_type) && self.keeps_place(account_id, region, global)
    }

    pub(super) fn keeps_type(&self, resource_type: &ResourceType) -> bool {
        self.types.is_empty() || self.types.contains(resource_type)
    }

    pub(super) fn keeps_place(&self, account: &AccountId, region: &Region, global: bool) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(account))
            && (global || self.regions.is_empty() || self.regions.contains(region))
    }
}

fn scope(event: &StoredEvent, global: bool) -> (AccountId, Region, ResourceType) {
    let region = if global { Region::default() } else { event.event.region.clone() };
    (event.event.account_id.clone(), region, event.resource_type.clone())
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
        owner_reason: reason.to_owned(),
        event: None,
        evidence: Vec::new(),
        other_events: Vec::new(),
        resource: None,
        advice: advice::of_unknown(recorded),
    }
}

/// The answer for one resource, with at least one event.
fn answer(query: &str, mut events: Vec<StoredEvent>, rules: &OwnerRules, map: &ResourceMap) -> Answer {
    let ids = events.iter().map(|event| &event.resource_id);
    let new_names =
        || events.iter().filter(|event| event.action == Action::Rename).filter_map(|e| e.renamed_to.as_ref());
    let as_asked = ids.chain(new_names()).find(|id| id.as_str() == query).cloned();
    let new_name = new_names().next_back().cloned();
    events.sort_by(|one, other| order(one).cmp(&order(other)));
    // An event can have several names of a resource.
    events.dedup_by(|one, other| one.event.event_id == other.event.event_id && one.action == other.action);
    let creation = creation_of(&events);
    let describe = Describe { rules, map };
    let shown = creation.unwrap_or(&events[events.len() - 1]);
    let Decision { owner, reason, evidence, advice } = match creation {
        Some(creation) => decision(&events, creation, describe),
        None => {
            let reason = gone(&events, describe);
            let evidence = vec![Step { rule: Rule::Event, says: reason.clone() }];
            Decision { reason, evidence, ..Decision::default() }
        }
    };
    let id = as_asked.or(new_name).unwrap_or_else(|| shown.resource_id.clone());
    Answer {
        resource: creation.map(|creation| describe.recorded(creation, &id, None)),
        id,
        resource_type: Some(shown.resource_type.clone()),
        account_id: Some(shown.event.account_id.clone()),
        region: Some(shown.event.region.clone()),
        owner,
        owner_reason: reason,
        event: creation.map(event_facts),
        evidence,
        other_events: events.iter().filter(|&event| Some(event) != creation).map(event_facts).collect(),
        advice,
    }
}

/// The result of the rules for a resource.
#[derive(Default)]
struct Decision {
    owner: Option<String>,
    reason: String,
    evidence: Vec<Step>,
    advice: Vec<String>,
}

fn decision(events: &[StoredEvent], creation: &StoredEvent, describe: Describe<'_>) -> Decision {
    let id = &creation.resource_id;
    let Explanation { steps, owner } = describe.explain(creation, id);
    let is_left = describe.is_left_to_parents(creation, id);
    let advice = advice::of_creation(&steps, &creation.event, &owner, is_left);
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
        Err(no_owner) => (None, no_owner.to_string()),
    }
}

/// The delete event, or the rename event with the new name, as a phrase.
fn gone_by(StoredEvent { event, renamed_to, .. }: &StoredEvent) -> String {
    let what = renamed_to.as_ref().map_or_else(|| "deleted".to_owned(), |name| format!("renamed to {name}"));
    format!("{what} at {} by {}", event.time, event.name)
}

/// Without a create event there is only a delete event, or an earlier name with no other events. The creator of a deleted
/// resource is still useful.
fn gone(events: &[StoredEvent], describe: Describe<'_>) -> String {
    let lived = events.iter().rposition(|event| event.action != Action::Delete).map_or(0, |last| last + 1);
    let deletion = events.get(lived).map(gone_by);
    let Some(deletion) = deletion else {
        return format!("no create event in the loaded time range{}", renames_in_words(events, None));
    };
    match creation_of(&events[..lived]).map(|creation| in_words(describe.owner(creation, &creation.resource_id))) {
        Some((Some(owner), reason)) => format!("{deletion}; its owner was {owner} ({reason})"),
        Some((None, reason)) => format!("{deletion}; it had no owner ({reason})"),
        None => format!("{deletion}; no create event in the loaded time range"),
    }
}

fn event_facts(stored: &StoredEvent) -> EventFacts {
    let CreateEvent { id, name, source, time, source_ip, user_agent, principal } = CreateEvent::from(&stored.event);
    let identity = &stored.event.identity;
    EventFacts {
        id,
        name,
        source,
        time,
        region: stored.event.region.clone(),
        action: if stored.renamed_to.is_some() { Action::Rename } else { stored.action }.as_str(),
        renamed_to: stored.renamed_to.clone(),
        source_ip,
        user_agent,
        tool: tool_of(&stored.event),
        principal: PrincipalFacts {
            known: principal,
            id: identity.principal_id.clone(),
            federated_provider: identity.federated_provider.clone(),
            source_identity: identity.source_identity.clone(),
            invoked_by: identity.invoked_by.clone(),
        },
    }
}

#[cfg(test)]
mod tests;
