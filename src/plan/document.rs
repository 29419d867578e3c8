//! The plan as a document: what is written, what is skipped, and the figures. A saved plan is read again by `apply`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::skip_tag::SkipTag;
use crate::creator::MissingPerson;
use crate::model::{AccountId, Arn, Region, ResourceId, ResourceType, TagKey, TagValue};
use crate::packed_list::PackedList;

/// The version of the document. It changes when a reader of the last one would misunderstand it.
pub const FORMAT_VERSION: u32 = 1;

/// One tag to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedWrite {
    /// The resource's type. Plans saved by early builds have it as `resource_type`.
    #[serde(rename = "type", alias = "resource_type")]
    pub resource_type: ResourceType,
    /// Its id.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// Its account.
    pub account_id: AccountId,
    /// Where it is: a bucket's own region, the home region of global types.
    pub region: Region,
    /// The tag.
    pub key: TagKey,
    /// Its new value: the owner, or a further tag's.
    pub value: TagValue,
    /// The event that the owner rests on.
    #[serde(default)]
    pub event_id: Option<String>,
    /// The key that it replaces, where the resource spells it otherwise and its type ignores case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_key: Option<TagKey>,
    /// The value that it replaces; without one the resource must not have the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_value: Option<TagValue>,
    /// Further keys that count as the tag: the resource must have none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owner_keys: Vec<TagKey>,
    /// Tags of `--skip-tag`: the resource must have none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_tags: Vec<SkipTag>,
    /// Why this owner.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A resource that is skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedResource {
    /// The resource's type.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// Its id.
    pub id: ResourceId,
    /// The tag, where it is one beside the owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<TagKey>,
    /// The class of the reason.
    pub kind: SkipKind,
    /// The reason, for people.
    pub reason: String,
}

/// Why a resource is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipKind {
    /// It has the tag.
    HasTag,
    /// It has the tag with the very value that would be written.
    SameValue,
    /// It has a value that no earlier run wrote, or that was changed since; only with `--refresh`.
    WrittenByOthers,
    /// It carries a tag that `--skip-tag` names.
    SkipTag,
    /// The expression of `--where` is not true for it.
    Where,
    /// No event of the database made it.
    NoRecord,
    /// The principal of the create event is not an owner.
    NoOwner,
    /// What a further tag wants isn't known.
    NoValue,
    /// A further tag's key is the same tag as one that is written already: the type ignores case.
    SameKey,
    /// Whether it has the tag could not be read.
    TagsUnknown,
    /// AWS has no tags on this type, or the resource map doesn't say how they are written.
    NotTaggable,
    /// It can't be tagged in its present state.
    NotNow,
    /// It has as many tags as AWS allows.
    TagLimit,
    /// Tagging it also updates it, which was not allowed.
    SideEffects,
    /// Its last update by a run of this database was rolled back.
    RolledBack,
}

impl SkipKind {
    /// For the summary: "12 with the tag".
    pub fn phrase(self) -> &'static str {
        match self {
            Self::HasTag => "already tagged",
            Self::SameValue => "already with this value",
            Self::WrittenByOthers => "with a value that no earlier run wrote",
            Self::SkipTag => "with a tag from --skip-tag",
            Self::Where => "excluded by --where",
            Self::NoRecord => "without a create event",
            Self::NoOwner => "without an owner",
            Self::NoValue => "without a value for an additional tag",
            Self::SameKey => "with a duplicate tag key",
            Self::TagsUnknown => "with unreadable tags",
            Self::NotTaggable => "of types that can't be tagged",
            Self::NotNow => "in a state that does not allow tagging",
            Self::TagLimit => "at the tag limit",
            Self::SideEffects => "that tagging would update",
            Self::RolledBack => "with a rolled-back update",
        }
    }
}

/// A type's figures, as users know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeFigures {
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// Resources to tag.
    pub tag: u64,
    /// Owners among them.
    pub users: u64,
    /// All live resources.
    pub population: u64,
    /// Untagged ones without a record.
    pub not_found: u64,
    /// Creations in the database.
    pub records: u64,
    /// Those without the tag.
    pub untagged: u64,
    /// Where the population is from. `None` if no other source than the service was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<TypeSource>,
}

/// Where the population of a type is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeSource {
    /// The source.
    pub from: PopulationSource,
    /// Why it is not the source that was asked for, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What can list the resources of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PopulationSource {
    /// AWS Config's configuration items.
    Config,
    /// The service's own list call.
    Service,
}

impl PopulationSource {
    /// The word in documents and log lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Service => "service",
        }
    }
}

/// Why the population of an account-region is not from the source that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopulationFailure {
    /// The error.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A type that was not examined, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedType {
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// Why.
    pub reason: String,
}

/// A type that could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedType {
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// What AWS said.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Something that went wrong while a type was listed, without ending the listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeProblem {
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// What, as a sentence.
    pub problem: String,
}

/// The plan's figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Resources to tag with their owner.
    pub tag: u64,
    /// Resources to give a further tag, by tag.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub more_tags: BTreeMap<String, u64>,
    /// Resources without an owner tag write, by reason. Includes resources with unknown tags if only an additional tag is to be written.
    pub skipped: BTreeMap<SkipKind, u64>,
    /// By type.
    pub types: Vec<TypeFigures>,
    /// People without a row in the identity map's table of people. Their resources have no owner until they have a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_people: Vec<MissingPerson>,
    /// Types that were not examined.
    pub skipped_types: Vec<SkippedType>,
    /// Types that can be listed, but were not, because the database has no create event of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexamined_types: Vec<ResourceType>,
    /// Types that could not be listed.
    pub failed_types: Vec<FailedType>,
    /// What went wrong with types that were listed.
    pub problems: Vec<TypeProblem>,
    /// Why AWS Config could not be queried. The services then list all types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population_failure: Option<PopulationFailure>,
}

/// What to do with each live resource of an account and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The account.
    pub account_id: AccountId,
    /// The region that was asked for.
    pub region: Region,
    /// The tag.
    pub tag_key: TagKey,
    /// The writes, by type and id.
    pub actions: PackedList<PlannedWrite>,
    /// The others, by type and id.
    pub skipped: PackedList<SkippedResource>,
    /// Figures.
    pub summary: Summary,
}
