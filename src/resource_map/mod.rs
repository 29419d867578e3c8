//! The resource map: which API calls make or remove which resource types, and how each type is listed, read and tagged.
//!
//! Two formats are read: our YAML (one file per AWS service in `resource-maps/`, built into the binary) and
//! c7n-trailcreator's JSON. Both end in one compiled, validated [`ResourceMap`]; nothing else in the program knows
//! which of them a type came from.
//!
//! ```text
//! files ─► load ─► source, yaml, c7n (text to stanzas) ─► compile (one file) ─► assemble (all files) ─► ResourceMap
//! ```
//! The built-in maps take that way when the crate is built; the binary holds the result (`packed`). `build.rs` compiles this module
//! for that, so it uses nothing but `model`, `text` and [`crate::embedded`].
//!
//! Pure but for `load`, which reads the user's files.

mod ancestors;
mod assemble;
mod c7n;
mod compile;
pub mod definition;
pub mod events;
pub mod expression;
mod fingerprint;
mod later;
mod load;
pub mod naming;
pub(crate) mod packed;
pub mod params;
pub mod parents;
pub mod request;
mod resolve;
pub mod sessions;
pub(crate) mod suggest;
mod summary;
pub mod tag_keys;
pub mod template;
mod yaml;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::model::{ResourceType, TagKey};

pub use crate::text::FileError;
pub use definition::{
    Describe, FixedEndpoint, ItemText, ListCall, Listing, NativeWriting, Page, Parent, ParentSource, ParentValue,
    Protocol, Service, SideEffects, TagReading, TagRequest, TagWriting, WriteActions, WriteMethod,
};
pub use events::{EventIndex, EventRule, Identified};
pub use expression::Expression;
pub use fingerprint::{FINGERPRINT_BYTES, Fingerprints};
use naming::{ArnForm, Naming};

pub use later::Later;
pub use load::{Description, descriptions};
pub use packed::omitted_types;
pub use params::ParamTemplate;
pub use parents::{Names, ParentRule, TagRule};
pub use request::{RenderedCall, Request};
pub use resolve::UnknownType;
pub use suggest::UnknownService;
pub use summary::{EventSummary, TypeSummary};
pub use tag_keys::{PresentTag, TagKeys};
pub use template::{MissingValue, Template};

/// Types by custodian's name. A built-in type is read when it is first asked for.
pub type Definitions = BTreeMap<ResourceType, Later<TypeDefinition>>;

/// Everything known of resource types, compiled. Cheap to share: wrap it in an `Arc`.
#[derive(Debug, Default)]
pub struct ResourceMap {
    /// By custodian's name.
    pub types: Later<Definitions>,
    /// What each event means.
    pub events: Later<EventIndex>,
    /// The tags that name a resource's parent, the nearest first.
    pub tag_rules: Later<Vec<TagRule>>,
    /// What names the resources; see [`ResourceMap::naming`].
    naming: OnceLock<Naming>,
    /// No file of the user's is in it: what follows from the types is packed with them.
    is_built_in: bool,
    /// See [`ResourceMap::fingerprints`]. What decides them does not change after the map is made, but for sessions, which they
    /// cover.
    fingerprints: OnceLock<Fingerprints>,
}

/// One resource type.
#[derive(Debug, Clone)]
pub struct TypeDefinition {
    /// Custodian's name.
    pub resource_type: ResourceType,
    /// CloudFormation's name, `AWS::EC2::Instance`.
    pub cloudformation: Option<String>,
    /// Further names that people know it by (`rds-instance`) and that can't be derived from other keys.
    pub aliases: Vec<String>,
    /// What is not certain of this stanza, and why; for people.
    pub doubts: Option<String>,
    /// Exists once per account, not per region (IAM, S3's namespace…).
    pub global: bool,
    /// How it is listed and tagged; `None` for a type that only a user's map names and nothing built in describes.
    pub access: Later<Option<Access>>,
}

/// How a type is reached on AWS.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Access {
    /// The service that lists it.
    #[serde(with = "packed::fields::service_by_name")]
    pub service: Arc<Service>,
    /// The list call.
    pub list: Listing,
    /// The live item's id.
    pub id: ItemText,
    /// Further identifiers that an event may carry instead of the id (a name, a URL).
    pub names: Vec<ItemText>,
    /// What the call that made it named in its stead, so that all it made answer to it (the image of CreateImage's snapshots).
    pub made_with: Vec<ItemText>,
    /// The resources that it belongs to, by its item. It inherits their owner if no person created it.
    pub parents: Vec<ParentRule>,
    /// The live item's ARN; `None` only for a type that can't be tagged.
    pub arn: Option<ItemText>,
    /// The forms of its ARNs, where neither `arn` nor the type's name in the Tagging API says what they contain.
    pub arn_forms: Vec<ArnForm>,
    /// Whether the service ignores case in its names.
    pub ignores_case: bool,
    /// The live item's own region where it isn't the one asked (S3 buckets), on the item.
    pub region: Option<Expression>,
    /// Where the item's tags are read.
    pub tags: TagReading,
    /// How the keys of its tags are compared.
    pub tag_keys: TagKeys,
    /// How a tag is written; `None` for a type that AWS can't tag.
    pub write: Option<TagWriting>,
}

impl TypeDefinition {
    /// botocore's name of the service that lists it.
    pub fn service_name(&self) -> Option<&str> {
        self.access.as_ref().map(|access| access.service.name.as_str())
    }

    /// How the keys of its tags are compared: with case where the map says nothing else.
    pub fn tag_keys(&self) -> TagKeys {
        self.access.as_ref().map(|access| access.tag_keys).unwrap_or_default()
    }

    /// Whether a resource of this type can have only one of the two keys.
    pub fn same_key(&self, one: &TagKey, other: &TagKey) -> bool {
        self.tag_keys().are_same(one.as_str(), other.as_str())
    }
}

impl Access {
    /// The calls that read tags one by one or write them, as far as the map spells them.
    fn tag_requests(&self) -> impl Iterator<Item = &Request> {
        let native = self.write.iter().filter_map(|write| write.native.as_ref()).flat_map(NativeWriting::ways);
        let writing = native.flat_map(|native| std::iter::once(&native.add).chain(&native.remove));
        self.tags.request.iter().flat_map(TagRequest::ways).map(|tags| &tags.request).chain(writing)
    }

    /// Whether tags are read and written by ID and ARN alone. Other types need more of the listed resource, or have no call for it.
    pub fn tags_by_id(&self) -> bool {
        const KNOWN: [&str; 10] =
            ["account", "arn", "arns", "id", "ids", "key", "partition", "region", "tags", "value"];
        self.tags.request.is_some()
            && self
                .tag_requests()
                .flat_map(Request::placeholders)
                .all(|name| KNOWN.contains(&name.trim_end_matches('+')))
    }

    /// The calls that list and describe it, those of listings that only give parents too.
    pub fn listing_requests(&self) -> Vec<&Request> {
        let mut requests = self.list.requests();
        let mut listing = &self.list;
        while let Some(ParentSource::Listing(above)) = listing.parent.as_ref().map(|parent| &parent.source) {
            requests.extend(above.requests());
            listing = above;
        }
        requests
    }

    /// The nearest type that it is listed below.
    pub fn parent_type(&self) -> Option<&ResourceType> {
        let mut listing = &self.list;
        loop {
            match &listing.parent.as_ref()?.source {
                ParentSource::Type(name) => return Some(name),
                ParentSource::Listing(above) => listing = above,
            }
        }
    }

    /// Every call that the map spells.
    pub fn requests(&self) -> Vec<&Request> {
        self.listing_requests().into_iter().chain(self.tag_requests()).collect()
    }

    /// The placeholders of everything that is filled for one item.
    fn placeholders(&self) -> Vec<&str> {
        let texts = std::iter::once(&self.id).chain(&self.names).chain(&self.arn);
        let of_requests = self.tag_requests().flat_map(Request::placeholders);
        texts.flat_map(ItemText::placeholders).chain(of_requests).collect()
    }
}

impl ResourceMap {
    /// A type by custodian's name, if the map has it.
    pub fn definition<N>(&self, name: &N) -> Option<&TypeDefinition>
    where
        ResourceType: Borrow<N>,
        N: Ord + ?Sized,
    {
        self.types.get(name).map(|definition| &**definition)
    }

    /// All types, by name.
    pub fn definitions(&self) -> impl Iterator<Item = &TypeDefinition> {
        self.types.values().map(|definition| &**definition)
    }

    /// Whether resources of this type exist once per account; false for a type that the map does not have.
    pub fn is_global(&self, resource_type: &ResourceType) -> bool {
        self.definition(resource_type).is_some_and(|definition| definition.global)
    }

    /// What names the resources of its types.
    pub fn naming(&self) -> &Naming {
        self.naming.get_or_init(|| if self.is_built_in { packed::naming() } else { Naming::of(self) })
    }

    /// What an event means; see [`EventIndex::rules`].
    pub fn rules(&self, source: &str, name: &str) -> &[EventRule] {
        self.events.rules(source, name)
    }

    /// Every eventName that means something; see [`EventIndex::names`].
    pub fn event_names(&self) -> Vec<&str> {
        self.events.names()
    }

    /// Every eventSource with events in the map, sorted.
    pub fn sources(&self) -> Vec<&str> {
        self.events.sources()
    }
}
