//! What is kept of a CloudTrail record: the event, who called, and which resources it made or removed.
//!
//! Facts only, as CloudTrail wrote them: who the *owner* is, `creator` decides later, so that rules can change without
//! loading again. Pure: no files, no AWS, no SQL.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use crate::names::{AccountId, Region, ResourceId, ResourceType};

/// One successful API call. A field is `None` where the record has none or null; never an empty stand-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// `eventID`. Sources that lack it get a stable one derived from the record's content.
    pub event_id: String,
    /// `recipientAccountId`, else `userIdentity.accountId`, else empty.
    pub account_id: String,
    /// `awsRegion`.
    pub region: String,
    /// `eventTime` as CloudTrail wrote it, `2023-07-10T11:54:39Z`: sorts as text.
    pub time: String,
    /// `eventName`.
    pub name: String,
    /// `eventSource`, `ec2.amazonaws.com`.
    pub source: String,
    /// `userAgent`.
    pub user_agent: Option<String>,
    /// `sourceIPAddress`: an address, or the name of the AWS service that called.
    pub source_ip: Option<String>,
    /// `sharedEventID`: joins the copies of one event that several accounts received.
    pub shared_event_id: Option<String>,
    /// `userIdentity`.
    pub identity: Identity,
    /// Who made the caller's session, who made the session that did that, and so on. No record tells that: the store fills
    /// it in for those who ask, from other events.
    pub makers: Vec<SessionMaker>,
}

/// Who made a session: a call that handed out credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionMaker {
    /// `responseElements.credentials.accessKeyId`: the session's key.
    pub session_key: String,
    /// `eventID` of the call.
    pub event_id: String,
    /// `eventName`.
    pub name: String,
    /// UTC, as CloudTrail writes it.
    pub time: String,
    /// The account that recorded it.
    pub account_id: String,
    /// Who called.
    pub identity: Identity,
}

/// The facts of `userIdentity` that tell who called.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `type`: `Root`, `IAMUser`, `AssumedRole`, `Role`, `FederatedUser`, `SAMLUser`, `WebIdentityUser`,
    /// `IdentityCenterUser`, `Directory`, `AWSAccount`, `AWSService`, `Unknown`; absent for some AWS-internal calls.
    pub kind: Option<String>,
    /// `arn`.
    pub arn: Option<String>,
    /// `userName`.
    pub user_name: Option<String>,
    /// `principalId`.
    pub principal_id: Option<String>,
    /// `accountId` of the caller; not always the account that received the event.
    pub account_id: Option<String>,
    /// `accessKeyId`: an identifier, not a secret. Links a session to the AssumeRole call that made it.
    pub access_key_id: Option<String>,
    /// `sessionContext.sessionIssuer.type`.
    pub issuer_type: Option<String>,
    /// `sessionContext.sessionIssuer.arn`: the role behind a session.
    pub issuer_arn: Option<String>,
    /// `sessionContext.sessionIssuer.userName`: the role's name.
    pub issuer_user_name: Option<String>,
    /// `sessionContext.sourceIdentity`.
    pub source_identity: Option<String>,
    /// `sessionContext.webIdFederationData.federatedProvider`: who signed the session in, as an ARN of IAM's or a host.
    pub federated_provider: Option<String>,
    /// `onBehalfOf.userId`: the Identity Center user.
    pub on_behalf_of_user_id: Option<String>,
    /// `onBehalfOf.identityStoreArn`.
    pub on_behalf_of_store_arn: Option<String>,
    /// `invokedBy`: the AWS service that called for the principal, or `AWS Internal`.
    pub invoked_by: Option<String>,
}

/// What an event did to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Made it. The call fails where the resource exists, so the latest such event is the creation.
    Create,
    /// Made it or changed what existed (PutRule, CreateQueue…): the first since the last deletion is the creation.
    Upsert,
    /// Removed it.
    Delete,
    /// Gave it another name: under the old one it is gone, and whatever is made under that later is another resource. The
    /// database keeps it as a deletion of the old name that knows the new one.
    Rename,
}

impl Action {
    /// How people and JSON spell it, and but for `rename` the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
            Self::Rename => "rename",
        }
    }

    /// An action as the database spells it.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Upsert, Self::Delete].into_iter().find(|action| action.as_str() == text)
    }
}

/// One resource that an event made or removed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Touched {
    /// The type by the resource map.
    pub resource_type: ResourceType,
    /// The id that the map's expression found in the record.
    pub resource_id: ResourceId,
    /// What the event did to it.
    pub action: Action,
    /// The new name; of [`Action::Rename`], and only of that.
    pub renamed_to: Option<ResourceId>,
}

/// An event and every resource it touched: what loaders give to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceEvent {
    /// The call.
    pub event: Event,
    /// The resources, without repeats, in the map's order. Never empty.
    pub touched: Vec<Touched>,
}

/// An event and one resource it touched: a row of the store, as `creator`, the tagger and `who` read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The type.
    pub resource_type: ResourceType,
    /// The id as the event gave it.
    pub resource_id: ResourceId,
    /// What the event did.
    pub action: Action,
    /// Of the deletion of an old name: the new one.
    pub renamed_to: Option<ResourceId>,
    /// The event.
    pub event: Event,
}

impl Identity {
    /// All its facts, in the order of the fields.
    pub fn facts(&self) -> [&Option<String>; 14] {
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

impl Event {
    /// The account as a name.
    pub fn account(&self) -> AccountId {
        AccountId::new(self.account_id.as_str())
    }

    /// The region as a name.
    pub fn region_name(&self) -> Region {
        Region::new(self.region.as_str())
    }
}
