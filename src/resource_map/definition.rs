//! The parts of a type's definition, as the compiled map holds them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Expression, Request};
use crate::names::ResourceType;

/// AWS's wire protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// AWS JSON 1.0 or 1.1: POST with `X-Amz-Target`.
    Json,
    /// REST with JSON bodies.
    RestJson,
    /// AWS Query: form-encoded request, XML answer.
    Query,
    /// EC2's Query: as Query, lists are always flat.
    Ec2,
    /// REST with XML bodies.
    RestXml,
}

/// An AWS service as the generic caller needs it.
#[derive(Debug, Clone)]
pub struct Service {
    /// botocore's name of the service, `elbv2`.
    pub name: String,
    /// AWS's SDK id of the service, `Elastic Load Balancing v2`: environment and profile name its endpoint by it.
    pub sdk_id: String,
    /// Its wire protocol.
    pub protocol: Protocol,
    /// Endpoint prefix: `https://{endpoint}.{region}.{suffix}`.
    pub endpoint: String,
    /// Signing name.
    pub signing: String,
    /// `X-Amz-Target` prefix of JSON services.
    pub target: Option<String>,
    /// `1.0` or `1.1` for JSON services.
    pub json_version: Option<String>,
    /// `Version` parameter of Query and EC2 services.
    pub version: Option<String>,
    /// `eventSource` of its events, `ec2.amazonaws.com`.
    pub event_source: String,
    /// Endpoints that don't follow the pattern, by partition.
    pub endpoints: BTreeMap<String, FixedEndpoint>,
}

/// A partition-wide endpoint.
#[derive(Debug, Clone)]
pub struct FixedEndpoint {
    /// `https://iam.amazonaws.com`
    pub url: String,
    /// The region to sign for, and to which the service's global types belong.
    pub region: String,
}

/// How the live resources of a type are listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The list call.
    pub request: Request,
    /// JMESPath from the answer to the list of items.
    pub items: Expression,
    /// The page tokens; `None` where the call has one page only.
    pub page: Option<Page>,
    /// The type whose items the call needs one by one.
    pub parent: Option<Parent>,
    /// JMESPath on the item that must be true for it to count (a default security group's owner, say).
    pub filter: Option<Expression>,
    /// Describes the listed items in batches, where the list call gives ids only.
    pub describe: Option<Describe>,
}

/// Page tokens.
#[derive(Debug, Clone)]
pub struct Page {
    /// Input parameter (`?x`: in the query string).
    pub send: String,
    /// JMESPath in the answer.
    pub receive: Expression,
}

/// A listing below another type's items: `{parent}` in the request's params is that item's `value`.
#[derive(Debug, Clone)]
pub struct Parent {
    /// The other type.
    pub resource_type: ResourceType,
    /// What of it is sent: JMESPath on its item.
    pub value: Expression,
}

/// A describe call for listed items: `{items}` in params is a list of up to `batch` listed items.
#[derive(Debug, Clone)]
pub struct Describe {
    /// The describe call.
    pub request: Request,
    /// JMESPath from the answer to the described items, which replace the listed ones.
    pub items: Expression,
    /// Items a call takes at most.
    pub batch: usize,
}

/// Where tags are read. Sources are used in this order: `path`, `rgta`, `request`.
#[derive(Debug, Clone, Default)]
pub struct TagReading {
    /// JMESPath on the listed item to its tags (a map, or a list of key and value under whatever spelling).
    /// Proves absence.
    pub path: Option<Expression>,
    /// Resource type filter of the Resource Groups Tagging API's GetResources, `lambda:function`. Proves presence only:
    /// never-tagged resources are missing there.
    pub rgta: Option<String>,
    /// A call for one resource, or for a batch. Proves absence.
    pub request: Option<TagRequest>,
}

/// A call that reads tags.
#[derive(Debug, Clone)]
pub struct TagRequest {
    /// The call. `{id}`, `{arn}` for one resource; with `batch` `{arns}` or `{ids}` is a list.
    pub request: Request,
    /// JMESPath from the answer to the tags; with `batch` to a list of objects `{key: …, tags: …}` where key is an ARN or id.
    pub path: Expression,
    /// Resources a call takes at most; 1 where it reads one.
    pub batch: usize,
    /// The page tokens; `None` where one page holds all tags. Only where `batch` is 1.
    pub page: Option<Page>,
    /// Error codes that mean "no tags" (S3's NoSuchTagSet).
    pub absent: Vec<String>,
}

/// How a tag is written and removed.
#[derive(Debug, Clone)]
pub struct TagWriting {
    /// Which call is tried first.
    pub method: WriteMethod,
    /// The service's own call; used first for [`WriteMethod::Native`], after a refusal for [`WriteMethod::Rgta`].
    pub native: Option<NativeWriting>,
    /// JMESPath on the item that must be true for it to be written now (a CloudFormation stack in a steady state).
    pub when: Option<Expression>,
}

impl TagWriting {
    /// Whether the listed item is in a state in which it can be tagged.
    pub fn is_allowed_now(&self, item: &Value) -> bool {
        self.when.as_ref().is_none_or(|when| when.search(item) == Value::Bool(true))
    }
}

/// The ways to write a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteMethod {
    /// Resource Groups Tagging API, 20 ARNs a call.
    Rgta,
    /// EC2's CreateTags, by ids.
    Ec2,
    /// The service's own call, one resource at a time.
    Native,
    /// CloudFormation's UpdateStack with the previous template and parameters.
    StackUpdate,
}

/// The service's own calls for tags.
#[derive(Debug, Clone)]
pub struct NativeWriting {
    /// Adds or changes one tag: `{id}`, `{arn}`, `{key}`, `{value}`; or replaces all: `{tags}` is the list of all tags
    /// `{Key, Value}` with the change made.
    pub add: Request,
    /// Removes one tag: `{id}`, `{arn}`, `{key}`; `None` where `add` replaces all.
    pub remove: Option<Request>,
}
