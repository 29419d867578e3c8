//! The resource map: which API calls make or remove which resource types, and how each type is listed, read and tagged.
//!
//! Two formats are read: our YAML (one file per AWS service in `resource-maps/`, built into the binary) and
//! c7n-trailcreator's JSON. Both end in one compiled, validated [`ResourceMap`]; nothing else in the program knows
//! which of them a type came from. Pure: file contents come in as text.

pub mod definition;
pub mod expression;
pub mod params;
pub mod request;
pub mod template;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crate::names::ResourceType;
use crate::trail::record::Action;

pub use definition::{
    Describe, FixedEndpoint, Listing, NativeWriting, Page, Parent, Protocol, Service, TagReading, TagRequest,
    TagWriting, WriteMethod,
};
pub use expression::Expression;
pub use params::ParamTemplate;
pub use request::{RenderedCall, Request};
pub use template::{MissingValue, Template};

/// Everything known of resource types, compiled. Cheap to share: wrap it in an `Arc`.
#[derive(Debug, Default)]
pub struct ResourceMap {
    /// By custodian's name.
    pub types: BTreeMap<ResourceType, TypeDefinition>,
    /// By (eventSource, eventName). Lambda's names are also found with their version suffix, see [`ResourceMap::rules`].
    pub events: HashMap<(String, String), Vec<EventRule>>,
}

/// One resource type.
#[derive(Debug)]
pub struct TypeDefinition {
    /// Custodian's name.
    pub resource_type: ResourceType,
    /// CloudFormation's name, `AWS::EC2::Instance`.
    pub cloudformation: Option<String>,
    /// Exists once per account, not per region (IAM, S3's namespace…).
    pub global: bool,
    /// How it is listed and tagged; `None` for a type that only a user's map names and nothing built in describes.
    pub access: Option<Access>,
}

/// How a type is reached on AWS.
#[derive(Debug)]
pub struct Access {
    /// The service that lists it.
    pub service: Arc<Service>,
    /// The list call.
    pub list: Listing,
    /// The live item's id, on the item.
    pub id: Expression,
    /// Further identifiers that an event may carry instead of the id (a name, a URL), on the item.
    pub names: Vec<Expression>,
    /// The live item's ARN.
    pub arn: Template,
    /// The live item's own region where it isn't the one asked (S3 buckets), on the item.
    pub region: Option<Expression>,
    /// Where the item's tags are read.
    pub tags: TagReading,
    /// How a tag is written; `None` for a type that AWS can't tag.
    pub write: Option<TagWriting>,
}

/// One way in which an event touches resources of one type.
#[derive(Debug)]
pub struct EventRule {
    /// The type.
    pub resource_type: ResourceType,
    /// What the event does to it.
    pub action: Action,
    /// Where its ids stand in the record.
    pub ids: Expression,
}

/// Why a map can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct MapError {
    /// The file, or `resource-maps/NAME` for a built-in one.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl ResourceMap {
    /// The built-in map.
    pub fn built_in() -> Self {
        todo!()
    }

    /// The map for these files: `replacing` take the place of the built-in events, `extending` add to them.
    ///
    /// # Errors
    /// A file that can't be read or isn't a valid map.
    pub fn load(_replacing: &[PathBuf], _extending: &[PathBuf]) -> Result<Self, MapError> {
        todo!()
    }

    /// What an event means. Lambda's names match with and without their version suffix (`CreateFunction20150331v2`).
    pub fn rules(&self, _source: &str, _name: &str) -> &[EventRule] {
        todo!()
    }

    /// A digest of everything that decides what a record yields: the ledger keeps it, so that a changed map reads again.
    pub fn fingerprint(&self) -> [u8; 16] {
        todo!()
    }

    /// The known type most like `name`, for "did you mean".
    pub fn nearest_type(&self, _name: &str) -> Option<&ResourceType> {
        todo!()
    }
}
