//! The stored facts of a CloudTrail record: the event, the caller, and the resources that it created, deleted or renamed.
//!
//! These are only facts, as CloudTrail wrote them. `creator` determines the owner later, so that rules can change without
//! loading again. Pure: no files, no AWS, no SQL.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::model::{AccountId, Region, ResourceId, ResourceType};

/// One successful API call. A field is `None` if the record lacks it or has null; it is never an empty text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `eventID`. For sources without it, a stable one is computed from the record's content.
    pub event_id: SmolStr,
    /// `recipientAccountId`, else `userIdentity.accountId`, else empty.
    pub account_id: AccountId,
    /// `awsRegion`.
    pub region: Region,
    /// `eventTime` as CloudTrail wrote it, `2023-07-10T11:54:39Z`: sorts as text.
    pub time: SmolStr,
    /// `eventName`.
    pub name: SmolStr,
    /// `eventSource`, `ec2.amazonaws.com`.
    pub source: SmolStr,
    /// `userAgent`.
    pub user_agent: Option<SmolStr>,
    /// `sourceIPAddress`: an address, or the name of the AWS service that called.
    pub source_ip: Option<SmolStr>,
    /// `sharedEventID`: joins the copies of one event that several accounts received.
    pub shared_event_id: Option<SmolStr>,
    /// `userIdentity`.
    pub identity: Identity,
    /// The creator of the caller's session, the creator of that creator's session, and so on. No record has this: the store fills
    /// it in from other events on request.
    pub makers: Vec<SessionMaker>,
}

/// The creator of a session: an event that issued credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionMaker {
    /// `responseElements.credentials.accessKeyId`: the session's key.
    pub session_key: SmolStr,
    /// `eventID` of the call.
    pub event_id: SmolStr,
    /// `eventName`.
    pub name: SmolStr,
    /// UTC, as CloudTrail writes it.
    pub time: SmolStr,
    /// The account that recorded it.
    pub account_id: AccountId,
    /// The caller.
    pub identity: Identity,
}

/// The identity type of a create event that has lost its creator (`prune --forget-creators`). CloudTrail has none with this name.
pub const PRUNED: &str = "Pruned";

/// The facts of `userIdentity` that identify the caller.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `type`: `Root`, `IAMUser`, `AssumedRole`, `Role`, `FederatedUser`, `SAMLUser`, `WebIdentityUser`,
    /// `IdentityCenterUser`, `Directory`, `AWSAccount`, `AWSService`, `Unknown`; absent for some AWS-internal calls.
    pub kind: Option<SmolStr>,
    /// `arn`.
    pub arn: Option<SmolStr>,
    /// `userName`.
    pub user_name: Option<SmolStr>,
    /// `principalId`.
    pub principal_id: Option<SmolStr>,
    /// `accountId` of the caller, which can differ from the account that received the event.
    pub account_id: Option<SmolStr>,
    /// `accessKeyId`: an identifier, not a secret. Links a session to the AssumeRole event that created it.
    pub access_key_id: Option<SmolStr>,
    /// `sessionContext.sessionIssuer.type`.
    pub issuer_type: Option<SmolStr>,
    /// `sessionContext.sessionIssuer.arn`: the role of a session.
    pub issuer_arn: Option<SmolStr>,
    /// `sessionContext.sessionIssuer.userName`: the role name.
    pub issuer_user_name: Option<SmolStr>,
    /// `sessionContext.sourceIdentity`.
    pub source_identity: Option<SmolStr>,
    /// `sessionContext.webIdFederationData.federatedProvider`: the provider that signed the session in, as an IAM ARN or a host.
    pub federated_provider: Option<SmolStr>,
    /// `onBehalfOf.userId`: the Identity Center user.
    pub on_behalf_of_user_id: Option<SmolStr>,
    /// `onBehalfOf.identityStoreArn`.
    pub on_behalf_of_store_arn: Option<SmolStr>,
    /// `invokedBy`: the AWS service that made the call on behalf of the principal, or `AWS Internal`.
    pub invoked_by: Option<SmolStr>,
}

/// The effect of an event on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    /// Created it. The call fails for an existing resource, so the latest such event is the create event.
    Create,
    /// Created it, or changed the existing one (PutRule, CreateQueue…): the first since the last delete event counts.
    Upsert,
    /// Deleted it.
    Delete,
    /// Renamed it. Under the old name it no longer exists, and a resource created there later is another one. The
    /// database stores it as a delete event of the old name, with the new name.
    Rename,
}

impl Action {
    /// The text in output and JSON, and except for `rename` in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
            Self::Rename => "rename",
        }
    }

    /// Parses the text in the database.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Upsert, Self::Delete].into_iter().find(|action| action.as_str() == text)
    }
}

/// One resource that an event created, deleted or renamed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Touched {
    /// The type in the resource map.
    pub resource_type: ResourceType,
    /// The identifier that the map's expression found in the record.
    pub resource_id: ResourceId,
    /// The effect of the event.
    pub action: Action,
    /// The resource's other names in the record: its ARN, its name, its URL. Without those that follow from the ID.
    pub names: Vec<String>,
    /// The new name, only for [`Action::Rename`].
    pub renamed_to: Option<ResourceId>,
}

/// An event with all its resources and sessions, as loaders pass it to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceEvent {
    /// The event.
    pub event: Event,
    /// The resources, without duplicates, in the map's order.
    pub touched: Vec<Touched>,
    /// The sessions for which the event issued credentials: the access key, or for a copy without it the `sharedEventID`. An
    /// event has resources or sessions.
    pub sessions: Vec<String>,
}

/// An event with one of its resources: a row of the store, as `creator`, `tag` and `who` read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The type.
    pub resource_type: ResourceType,
    /// The ID in the event.
    pub resource_id: ResourceId,
    /// The effect of the event.
    pub action: Action,
    /// The resource's other names in the record.
    pub names: Vec<String>,
    /// The new name, for the delete event of an old name.
    pub renamed_to: Option<ResourceId>,
    /// The event.
    pub event: Event,
}

/// What says which resource a row of the store is of, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventNames<'e> {
    /// The event's ID.
    pub event_id: &'e str,
    /// The resource's ID in the event.
    pub resource_id: &'e str,
    /// The effect of the event.
    pub action: Action,
    /// The resource's other names in the record.
    pub names: Names<'e>,
}

/// Names in a list, or in one text. A list of them would be allocated for each of a million rows.
#[derive(Debug, Clone, Copy)]
pub struct Names<'e> {
    list: &'e [String],
    joined: Option<(&'e str, char)>,
}

impl<'e> Names<'e> {
    /// Names that this character separates.
    pub fn joined(text: Option<&'e str>, separator: char) -> Self {
        Self { list: &[], joined: text.map(|text| (text, separator)) }
    }

    /// The names.
    pub fn iter(self) -> impl Iterator<Item = &'e str> {
        let joined = self.joined.into_iter().flat_map(|(text, separator)| text.split(separator));
        self.list.iter().map(String::as_str).chain(joined)
    }
}

impl<'e> From<&'e [String]> for Names<'e> {
    fn from(list: &'e [String]) -> Self {
        Self { list, joined: None }
    }
}

impl PartialEq for Names<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Names<'_> {}

impl StoredEvent {
    /// What says which resource it is of.
    pub fn event_names(&self) -> EventNames<'_> {
        EventNames {
            event_id: &self.event.event_id,
            resource_id: self.resource_id.as_str(),
            action: self.action,
            names: self.names.as_slice().into(),
        }
    }
}

impl Identity {
    /// All facts, in the order of the fields.
    pub fn facts(&self) -> [&Option<SmolStr>; 14] {
        [
            &self.kind,
            &self.arn,
            &self.user_name,
            &self.principal_id,
            &self.account_id,
            &self.access_key_id,
            &self.issuer_type,
            &self.issuer_arn,
            &self.issuer_user_name,
            &self.source_identity,
            &self.federated_provider,
            &self.on_behalf_of_user_id,
            &self.on_behalf_of_store_arn,
            &self.invoked_by,
        ]
    }
}
