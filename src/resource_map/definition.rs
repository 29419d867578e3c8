//! The parts of a type's definition, as the compiled map holds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::packed::fields::service_by_name;
use super::{Expression, MissingValue, Request, Template};
use crate::model::{Item, Region, ResourceType};

/// AWS's wire protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

impl Protocol {
    /// Whether calls are a method and a path.
    pub fn is_rest(self) -> bool {
        matches!(self, Self::RestJson | Self::RestXml)
    }
}

/// An AWS service as the generic caller needs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Service {
    /// botocore's name of the service, `elbv2`.
    pub name: String,
    /// AWS's SDK id of the service, `Elastic Load Balancing v2`: environment and profile name its endpoint by it.
    pub sdk_id: String,
    /// Its wire protocol.
    pub protocol: Protocol,
    /// Endpoint prefix: `https://{endpoint}.{region}.{suffix}`. `{name}` in it is the call's own input of that name
    /// (`{^x-amz-account-id}.s3-control`).
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
    /// What IAM calls the service in actions: `cloudwatch` of `cloudwatch:PutMetricAlarm`.
    pub iam: String,
    /// The XML name space of REST-XML bodies.
    pub namespace: Option<String>,
    /// Endpoints that don't follow the pattern, by partition.
    pub endpoints: BTreeMap<String, FixedEndpoint>,
}

impl Service {
    /// A service that goes by one name everywhere (endpoint, signing, events, IAM), as most do; what differs is filled in.
    pub fn named(name: &str, sdk_id: &str, protocol: Protocol) -> Self {
        Self {
            name: name.to_owned(),
            sdk_id: sdk_id.to_owned(),
            protocol,
            endpoint: name.to_owned(),
            signing: name.to_owned(),
            target: None,
            json_version: None,
            version: None,
            event_source: format!("{name}.amazonaws.com"),
            iam: name.to_owned(),
            namespace: None,
            endpoints: BTreeMap::new(),
        }
    }

    /// The same as a service of AWS JSON 1.1 with this `X-Amz-Target` prefix.
    pub fn json(name: &str, sdk_id: &str, target: &str) -> Self {
        let (target, json_version) = (Some(target.to_owned()), Some("1.1".to_owned()));
        Self { target, json_version, ..Self::named(name, sdk_id, Protocol::Json) }
    }

    /// The call's inputs that the endpoint's name takes in.
    pub fn endpoint_inputs(&self) -> impl Iterator<Item = &str> {
        let after = self.endpoint.split('{').skip(1);
        after.filter_map(|text| text.split_once('}')).map(|(name, _)| name)
    }
}

/// A partition's endpoint that doesn't follow the pattern.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FixedEndpoint {
    /// `https://iam.amazonaws.com`, or with `{region}`: `https://dsql.{region}.api.aws`.
    pub url: String,
    /// The region to sign for, and to which the service's global types belong; `None` where it is the one asked.
    pub region: Option<String>,
    /// The only call of this endpoint: `DescribeEndpoints` returns the account's own endpoint.
    pub discovery: Option<String>,
}

/// How the live resources of a type are listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listing {
    /// The list call, once for each scope; never empty.
    pub calls: Vec<ListCall>,
    /// JMESPath from the answer to the list of items.
    pub items: Expression,
    /// The page tokens; `None` where the call has one page only.
    pub page: Option<Page>,
    /// The items that the call needs one by one.
    pub parent: Option<Parent>,
    /// What of an item is the parent of further ones of the same type (organizational units), to any depth.
    pub recurse: Option<ParentValue>,
    /// JMESPath on the item that must be true for it to count (a default security group's owner, say).
    pub filter: Option<Expression>,
    /// Describes the listed items in batches, where the list call gives ids only.
    pub describe: Option<Describe>,
    /// Error codes of the list call that mean: there are none, for the service isn't in use.
    pub absent: Vec<String>,
}

impl Listing {
    /// The calls that list and describe; not those of its parents.
    pub fn requests(&self) -> Vec<&Request> {
        let list = self.calls.iter().map(|call| &call.request);
        list.chain(self.describe.iter().map(|describe| &describe.request)).collect()
    }
}

/// A list call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListCall {
    /// The call.
    pub request: Request,
    /// The only region in which it is made; `None` for all.
    pub region: Option<Region>,
}

/// Page tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// Input parameter (`?x`: in the query string).
    pub send: String,
    /// JMESPath in the answer.
    pub receive: Expression,
}

/// A listing below other items: `{parent}` in the request's params is what of that item is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parent {
    /// Where those items come from.
    pub source: ParentSource,
    /// What of them is sent.
    pub value: ParentValue,
}

/// Where a listing's parents come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ParentSource {
    /// They are another type.
    Type(ResourceType),
    /// They are listed by the same service, but are not a type.
    Listing(Box<Listing>),
}

/// What of a parent's item is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ParentValue {
    /// JMESPath on it: `{parent}`.
    One(Expression),
    /// Several, by name: `{parent.name}`.
    Several(BTreeMap<String, Expression>),
}

impl ParentValue {
    /// The value of `item`, several as an object; null where something of it is missing.
    pub fn of(&self, item: &Value) -> Value {
        match self {
            Self::One(expression) => expression.search(item),
            Self::Several(expressions) => {
                let value = |(name, expression): (&String, &Expression)| {
                    Some((name.clone(), expression.search(item))).filter(|(_, value)| !value.is_null())
                };
                expressions.iter().map(value).collect::<Option<_>>().map_or(Value::Null, Value::Object)
            }
        }
    }
}

/// A text of an item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ItemText {
    /// JMESPath on the item.
    Expression(Expression),
    /// A template: what the item doesn't have (account, parent) is in it too.
    Template(Template),
}

impl ItemText {
    /// The text, or several where JMESPath finds a list; none where it finds nothing.
    pub fn texts(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Vec<String> {
        let found = match self {
            Self::Expression(expression) => expression.search(item),
            Self::Template(template) => template.fill(item, lookup).map_or(Value::Null, Value::String),
        };
        found.as_array().map_or(std::slice::from_ref(&found), Vec::as_slice).iter().filter_map(text_of).collect()
    }

    /// The one text.
    ///
    /// # Errors
    /// There is none, or not exactly one.
    pub fn text(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<String, MissingValue> {
        match self {
            Self::Expression(expression) => {
                text_of(&expression.search(item)).ok_or_else(|| MissingValue(expression.source().to_owned()))
            }
            Self::Template(template) => template.fill(item, lookup),
        }
    }

    /// The placeholders of a template; an expression has none.
    pub fn placeholders(&self) -> Vec<&str> {
        match self {
            Self::Expression(_) => Vec::new(),
            Self::Template(template) => template.placeholders().collect(),
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A describe call for listed items: `{items}` in params is a list of up to `batch` listed items.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Describe {
    /// The describe call.
    pub request: Request,
    /// JMESPath from the answer to the described items, which replace the listed ones.
    pub items: Expression,
    /// Items a call takes at most.
    pub batch: usize,
}

/// Where tags are read. Sources are used in this order: `path`, `rgta`, `request`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagRequest {
    /// The service that has the call.
    #[serde(with = "service_by_name")]
    pub service: Arc<Service>,
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
    /// The call that reads the same where this one is not available or not permitted.
    pub otherwise: Option<Box<TagRequest>>,
}

/// How a tag is written and removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagWriting {
    /// Which call is tried first.
    pub method: WriteMethod,
    /// The service's own call; used first for [`WriteMethod::Native`], after a refusal for [`WriteMethod::Rgta`].
    pub native: Option<NativeWriting>,
    /// JMESPath on the item that must be true for it to be written now (a CloudFormation stack in a steady state).
    pub when: Option<Expression>,
    /// The IAM actions that writing needs, besides those of the method itself.
    pub actions: WriteActions,
    /// What writing a tag does beside that; such a type is written only where the user allows it.
    pub updates: Option<SideEffects>,
}

/// What happens to a resource, or to others, when its tags are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideEffects {
    /// One sentence.
    pub what: String,
    /// The page of AWS's documentation that says so.
    pub page: String,
}

/// The IAM actions of the service's own that tagging needs, also where the Tagging API makes the call; for EC2 also the read just
/// before it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WriteActions {
    /// To add a tag.
    pub add: Vec<String>,
    /// To remove one.
    pub remove: Vec<String>,
}

impl TagWriting {
    /// Whether the listed item is in a state in which it can be tagged.
    pub fn is_allowed_now(&self, item: &Item) -> bool {
        self.when.is_none() || self.is_allowed_in(&item.value())
    }

    /// As [`TagWriting::is_allowed_now`], for the resource's values.
    pub fn is_allowed_in(&self, item: &Value) -> bool {
        self.when.as_ref().is_none_or(|when| when.search(item) == Value::Bool(true))
    }
}

/// The ways to write a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NativeWriting {
    /// The service that has the calls.
    #[serde(with = "service_by_name")]
    pub service: Arc<Service>,
    /// Adds or changes one tag: `{id}`, `{arn}`, `{key}`, `{value}`; or replaces all: `{tags}` is the list of all tags
    /// `{Key, Value}` with the change made.
    pub add: Request,
    /// Removes one tag: `{id}`, `{arn}`, `{key}`; `None` where `add` replaces all.
    pub remove: Option<Request>,
    /// The calls that do the same where these are not available or not permitted.
    pub otherwise: Option<Box<NativeWriting>>,
}

impl NativeWriting {
    /// These calls, then those to fall back on.
    pub fn ways(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |way| way.otherwise.as_deref())
    }
}

impl TagRequest {
    /// This call, then the one to fall back on.
    pub fn ways(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |way| way.otherwise.as_deref())
    }
}
