//! The resource document: one resource with its create event, the same in every output, in `--where` and in the documentation.
//!
//! `docs/json.md` documents it, `docs/schema/resource.json` is its JSON Schema. Fields are only added. Pure.

mod condition;
pub mod order;
mod selection;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use condition::{Condition, InvalidCondition};
pub use order::{Column, CountBy, InvalidOrder, Order};
pub use selection::{InvalidPatternOption, NamePattern, Selection};

use crate::creator::{
    Explanation, NoOwner, Owner, OwnerRules, ResourceFacts, Sought, creation_of, role_and_session, tool_of,
};
use crate::model::event::{Event, StoredEvent};
use crate::model::{AccountId, Arn, LiveResource, Region, ResourceId, ResourceType, Tags};
use crate::resource_map::naming::{arn_of, name_of};
use crate::resource_map::{ResourceMap, TypeDefinition};

/// The fields of the document: what `--where` can read.
pub const FIELDS: [&str; 13] = [
    "type",
    "id",
    "arn",
    "name",
    "account_id",
    "account_name",
    "region",
    "tags",
    "creator",
    "owner",
    "owner_reason",
    "tool",
    "event",
];

/// The fields that only a resource's tags can fill in.
const FIELDS_FROM_TAGS: [&str; 2] = ["tags", "name"];

/// The fields that the tags can change if the rules for owners read them.
const FIELDS_OF_OWNER: [&str; 2] = ["owner", "owner_reason"];

/// The tag that consoles show as a resource's name.
const NAME_TAG: &str = "Name";

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The type, with Cloud Custodian's name.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// The ID, as the list call or the create event has it.
    pub id: ResourceId,
    /// The ARN. `None` if AWS has none for the type, or it does not follow from the recorded ID.
    pub arn: Option<Arn>,
    /// The name: the `Name` tag, else the name that the resource was created with. `None` for a resource that has only an ID.
    pub name: Option<String>,
    /// The account.
    pub account_id: AccountId,
    /// Its name in the accounts file.
    pub account_name: Option<String>,
    /// The region. For global types the region that AWS records them in.
    pub region: Region,
    /// The tags. `None` if they were not read: the database does not hold tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// The name of the principal that created it, by the default rules; for resources that an AWS service created, the service.
    pub creator: Option<String>,
    /// The owner, by the rules of the command.
    pub owner: Option<String>,
    /// Why this owner, or why none: the rule, and the row of the table of people. `None` without a create event and a matching rule.
    #[serde(default)]
    pub owner_reason: Option<String>,
    /// The tool that created it, without its version.
    pub tool: Option<String>,
    /// The create event. `None` without one on record.
    pub event: Option<CreateEvent>,
}

/// The create event of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateEvent {
    /// `eventID`.
    pub id: SmolStr,
    /// `eventName`.
    pub name: SmolStr,
    /// `eventSource`.
    pub source: SmolStr,
    /// `eventTime`, UTC.
    pub time: SmolStr,
    /// `sourceIPAddress`: an address, or the AWS service that called.
    pub source_ip: Option<SmolStr>,
    /// `userAgent`.
    pub user_agent: Option<SmolStr>,
    /// The caller.
    pub principal: Principal,
}

/// The caller of a create event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// `userIdentity.type`.
    #[serde(rename = "type")]
    pub kind: Option<SmolStr>,
    /// `userIdentity.arn`.
    pub arn: Option<SmolStr>,
    /// `userIdentity.accountId`, which can differ from the account of the resource.
    pub account_id: Option<SmolStr>,
    /// The role of a session, by name.
    pub role: Option<String>,
    /// The name of the session.
    pub session: Option<String>,
}

/// What makes documents of recorded resources: the rules for owners, and the types.
#[derive(Debug, Clone, Copy)]
pub struct Describe<'a> {
    /// The rules for owners.
    pub rules: &'a OwnerRules,
    /// The types.
    pub map: &'a ResourceMap,
}

impl Describe<'_> {
    /// The document of a resource that is known from its create event only. `id`: its present ID, after renames.
    pub fn recorded(self, creation: &StoredEvent, id: &ResourceId, account_name: Option<&str>) -> Resource {
        let mut resource = self.without_owner(creation, id, account_name);
        resource.set_owner(self.rules.owner_of(Sought {
            event: Some(&creation.event),
            resource: self.rules.read_resources().then(|| resource.recorded_facts()),
        }));
        resource
    }

    /// The owner of a resource that is known from its create event only, with the result of each rule.
    pub fn explain(self, creation: &StoredEvent, id: &ResourceId) -> Explanation {
        let resource = self.rules.read_resources().then(|| self.without_owner(creation, id, None));
        let resource = resource.as_ref().map(Resource::recorded_facts);
        self.rules.explain(Sought { event: Some(&creation.event), resource })
    }

    /// The owner of a resource that is known from its create event only.
    ///
    /// # Errors
    /// It has none. The error has the reason.
    pub fn owner(self, creation: &StoredEvent, id: &ResourceId) -> Result<Owner, NoOwner> {
        self.explain(creation, id).owner
    }

    /// Whether a resource that is known from its create event only is left to its parents.
    pub fn is_left_to_parents(self, creation: &StoredEvent, id: &ResourceId) -> bool {
        let resource = self.rules.read_resources().then(|| self.without_owner(creation, id, None));
        let resource = resource.as_ref().map(Resource::recorded_facts);
        self.rules.is_left_to_parents(Sought { event: Some(&creation.event), resource })
    }

    fn without_owner(self, creation: &StoredEvent, id: &ResourceId, account_name: Option<&str>) -> Resource {
        let StoredEvent { resource_type, names, event, .. } = creation;
        let Event { account_id, region, .. } = event;
        // Names in the record are those from before a rename.
        let names = if *id == creation.resource_id { names.as_slice() } else { &[] };
        let arn = arn_of(self.map, resource_type, (id.as_str(), names), (account_id, region));
        Resource {
            arn: arn.map(Arn::new),
            name: name_of(self.map.definition(resource_type), id.as_str(), names),
            id: id.clone(),
            resource_type: resource_type.clone(),
            account_id: account_id.clone(),
            account_name: account_name.map(str::to_owned),
            region: region.clone(),
            tags: None,
            ..with_event(self.rules, Some(event))
        }
    }
}

/// A live resource, with what documents need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct LiveFacts<'a> {
    /// Its type.
    pub definition: &'a TypeDefinition,
    /// The resource.
    pub resource: &'a LiveResource,
    /// Its events.
    pub events: &'a [StoredEvent],
    /// Its account.
    pub account: &'a AccountId,
    /// The name of the account, if known.
    pub account_name: Option<&'a str>,
    /// The owner that it inherits from its parent, if any.
    pub inherited: Option<&'a str>,
}

impl<'a> LiveFacts<'a> {
    /// What the rules for owners need: the create event, and the resource if they read it.
    pub fn sought(self, rules: &OwnerRules) -> Sought<'a> {
        let event = creation_of(self.events).map(|creation| &creation.event);
        Sought { event, resource: rules.read_resources().then(|| self.facts()) }
    }

    /// The fields that rules for owners match.
    pub fn facts(self) -> ResourceFacts<'a> {
        let LiveResource { resource_type, id, arn, region, tags, .. } = self.resource;
        ResourceFacts {
            resource_type,
            id: id.as_str(),
            arn: Some(arn.as_str()).filter(|arn| !arn.is_empty()),
            name: self.name().map(Cow::Owned),
            account_id: self.account,
            account_name: self.account_name,
            region: region.as_str(),
            tags: Cow::Borrowed(tags),
        }
    }

    fn name(self) -> Option<String> {
        let LiveResource { id, identifiers, tags, .. } = self.resource;
        let tagged = match tags {
            Tags::Known(tags) | Tags::Partial(tags) => tags.get(NAME_TAG).filter(|name| !name.is_empty()).cloned(),
            Tags::Unknown(_) => None,
        };
        tagged.or_else(|| name_of(Some(self.definition), id.as_str(), identifiers))
    }

    /// The document.
    pub fn describe(self, rules: &OwnerRules) -> Resource {
        let LiveResource { resource_type, id, arn, region, tags, .. } = self.resource;
        let tags = match tags {
            Tags::Known(tags) | Tags::Partial(tags) => Some(tags),
            Tags::Unknown(_) => None,
        };
        let sought = self.sought(rules);
        let mut resource = Resource {
            resource_type: resource_type.clone(),
            id: id.clone(),
            arn: Some(arn.clone()).filter(|arn| !arn.is_empty()),
            name: self.name(),
            account_id: self.account.clone(),
            account_name: self.account_name.map(str::to_owned),
            region: region.clone(),
            tags: tags.cloned(),
            ..with_event(rules, sought.event)
        };
        match self.inherited {
            Some(owner) => {
                resource.owner = Some(owner.to_owned());
                resource.owner_reason = Some("inherited".to_owned());
            }
            None => resource.set_owner(rules.owner_of(sought)),
        }
        resource
    }
}

/// The fields that follow from the create event; the others are empty.
fn with_event(rules: &OwnerRules, event: Option<&Event>) -> Resource {
    Resource {
        resource_type: ResourceType::default(),
        id: ResourceId::default(),
        arn: None,
        name: None,
        account_id: AccountId::default(),
        account_name: None,
        region: Region::default(),
        tags: None,
        creator: event.and_then(|event| rules.creator_of(event)),
        owner: None,
        owner_reason: None,
        tool: event.and_then(tool_of).map(|tool| tool.name),
        event: event.map(CreateEvent::from),
    }
}

impl Resource {
    /// The facts for the rules for owners, of a resource that is known from the database only.
    fn recorded_facts(&self) -> ResourceFacts<'_> {
        ResourceFacts {
            resource_type: &self.resource_type,
            id: self.id.as_str(),
            arn: self.arn.as_ref().map(Arn::as_str),
            name: self.name.as_deref().map(Cow::Borrowed),
            account_id: &self.account_id,
            account_name: self.account_name.as_deref(),
            region: self.region.as_str(),
            tags: Cow::Owned(ResourceFacts::tags_of_database()),
        }
    }

    fn set_owner(&mut self, found: Result<Owner, NoOwner>) {
        (self.owner, self.owner_reason) = match found {
            Ok(Owner { value, reason, .. }) => (Some(value), Some(reason)),
            Err(NoOwner::NoEvent) => (None, None),
            Err(no_owner) => (None, Some(no_owner.to_string())),
        };
    }

    /// The time of the create event, UTC.
    pub fn created_at(&self) -> Option<&str> {
        self.event.as_ref().map(|event| event.time.as_str())
    }
}

impl From<&Event> for CreateEvent {
    fn from(event: &Event) -> Self {
        let (role, session) = role_and_session(event);
        let identity = &event.identity;
        Self {
            id: event.event_id.clone(),
            name: event.name.clone(),
            source: event.source.clone(),
            time: event.time.clone(),
            source_ip: event.source_ip.clone(),
            user_agent: event.user_agent.clone(),
            principal: Principal {
                kind: identity.kind.clone(),
                arn: identity.arn.clone(),
                account_id: identity.account_id.clone(),
                role: role.map(str::to_owned),
                session: session.map(str::to_owned),
            },
        }
    }
}

#[cfg(test)]
mod tests;
